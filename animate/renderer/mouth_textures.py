"""What is painted between the lips: teeth, gums and tongue as textures, in the colours and the light of a picture.

Textures lie on a plane that faces forward with the head; their middle is the middle of the closed lips.
"""

from itertools import pairwise

import cv2
import numpy as np

from animate.easing import smoothstep
from animate.renderer.head import HeadFrame, plane_inverse
from animate.topology import LIPS_INNER_LOWER, LIPS_OUTER_LOWER
from animate.types import Portrait

_HALF_WIDTH, _HALF_HEIGHT = 0.62, 0.34  # of the textures, eye distances
_LOWER_EDGE = 0.008  # where the lower teeth end, below the lower lip's edge, eye distances
# Where one tooth ends and the next begins, from the midline, eye distances (average crowns seen from the front).
_UPPER_TEETH = (0.0, 0.135, 0.24, 0.34, 0.415, 0.47)
_LOWER_TEETH = (0.0, 0.083, 0.17, 0.265, 0.345, 0.41)
_LUMA = np.array([0.299, 0.587, 0.114])
_AROUND_MOUTH = (36, 266, 205, 425, 214, 434, 208, 428, 199)  # skin between cheeks and chin


def mouth_palette(portrait: Portrait) -> tuple[np.ndarray, ...]:
    """Return the colours of teeth, tongue and gums, throat and cheeks, float64 [3] each; grey for a grey picture."""
    image = portrait.image
    lips = _mean_colour(image, portrait.face.vertices, LIPS_OUTER_LOWER + LIPS_INNER_LOWER)
    mask = np.zeros(image.shape[:2], np.uint8)
    around = portrait.face.vertices[list(_AROUND_MOUTH), :2]
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(around).astype(np.int32)), 1)
    skin = image[mask > 0].astype(np.float64) if mask.any() else lips[None]
    luma = skin @ _LUMA
    bright = skin[luma >= np.percentile(luma, 75)].mean(axis=0)
    peak = float(bright.max())
    # Teeth are white but stand in the shade of the lips: about as light as lit skin, and a little of its tint.
    ivory = 0.86 * (0.5 * bright + 0.5 * peak * np.array([1.0, 0.97, 0.9]))
    flesh = 0.72 * lips * (1.0, 0.72, 0.72) + 0.2 * bright * (1.0, 0.62, 0.6)
    paints = ivory, flesh, lips * (0.2, 0.1, 0.1), flesh * (0.5, 0.36, 0.36)
    if (skin.max(axis=1) == skin.min(axis=1)).all():
        paints = tuple(np.full(3, paint @ _LUMA) for paint in paints)
    return paints


def picture_on_plane(image: np.ndarray, outline: np.ndarray, centre, density: float, head: HeadFrame) -> np.ndarray:
    """Return what the picture shows between its lips, uint8 [h, w, 4] RGBA.

    Parameters
    ----------
    image : uint8 [H, W, 3]
    outline : float [N, 2]
        The inner lips as a polygon, pixels.
    centre : float [3]
        Middle of the closed lips, pixels.
    density : float
        Texture pixels per eye distance.
    head : HeadFrame
    """
    columns, _ = texture_plane(density)
    still, size = to_texture(columns, centre, np.eye(3), np.zeros(3), head, np.zeros(2)), columns.shape[::-1]
    opening = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(opening, [np.round(outline * 16).astype(np.int32)], 255, cv2.LINE_8, 4)
    colours = cv2.warpAffine(image, still, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.dstack([colours, cv2.warpAffine(opening, still, size, flags=cv2.INTER_LINEAR)])


def own_teeth(picture: np.ndarray, density: float) -> np.ndarray | None:
    """Return what is tooth of `picture_on_plane`, uint8 [h, w, 4], or None."""
    colours = picture[..., :3]
    inside = cv2.erode(picture[..., 3], np.ones((3, 3), np.uint8)).astype(np.float32) / 255
    if inside.sum() < 0.03 * density**2:
        return None
    luma = colours @ _LUMA.astype(np.float32)
    light = np.percentile(luma[inside > 0.9], 90)
    saturation = 1 - colours.min(axis=2) / np.maximum(colours.max(axis=2), 1)
    white = np.clip((luma / light - 0.55) / 0.2, 0, 1) * np.clip((0.5 - saturation) / 0.15, 0, 1)
    if (white * inside).sum() < 0.03 * density**2:
        return None
    alpha = inside * cv2.GaussianBlur(white.astype(np.float32), (0, 0), 0.01 * density + 0.3)
    return np.dstack([colours, np.round(255 * alpha).astype(np.uint8)])


def _mean_colour(image: np.ndarray, vertices: np.ndarray, indices) -> np.ndarray:
    points = np.round(vertices[list(indices), :2]).astype(int)
    x, y = np.clip(points.T, 0, np.array(image.shape[1::-1])[:, None] - 1)
    return image[y, x].astype(np.float64).mean(axis=0)


def to_texture(texture, centre, matrix, offset, head: HeadFrame, corner) -> np.ndarray:
    """Return the affine map from pixels of the opening to pixels of a texture, float64 [2, 3]."""
    density = texture.shape[1] / (2 * _HALF_WIDTH)  # texture pixels per eye distance
    across, down = (matrix @ head.axes[:2].T * head.unit)[:2].T / density  # picture pixels per texture pixel
    middle = (matrix @ centre + offset)[:2]
    origin = middle - across * texture.shape[1] / 2 - down * texture.shape[0] / 2 - corner
    inverse = plane_inverse(np.column_stack([across, down]))
    return np.column_stack([inverse, -inverse @ origin])


def texture_plane(density: float):
    columns, rows = round(2 * _HALF_WIDTH * density), round(2 * _HALF_HEIGHT * density)
    return np.meshgrid(
        (np.arange(columns) + 0.5) / density - _HALF_WIDTH, (np.arange(rows) + 0.5) / density - _HALF_HEIGHT
    )


def _teeth(a: np.ndarray, edge_distance: np.ndarray, bounds, density: float):
    """Return brightness and alpha of a row of teeth; `edge_distance` grows from the biting edge to the gum."""
    side = np.abs(a)
    brightness, alpha = np.ones_like(a), np.zeros_like(a)
    pixel = 1 / density
    for start, end in pairwise(bounds):
        inside = (side >= start) & (side < end)
        across = (side - start) / (end - start) * 2 - 1
        rounded = edge_distance - 0.022 * np.abs(across) ** 4
        alpha = np.where(inside, np.clip(rounded / (1.5 * pixel) + 0.5, 0, 1), alpha)
        groove = 1 - 0.1 * np.exp(-(((1 - np.abs(across)) * (end - start) / 0.012) ** 2))
        brightness = np.where(inside, (1 - 0.1 * across**2) * groove, brightness)
    return brightness * (1 - 0.75 * np.clip(side / bounds[-1], 0, 1) ** 2.2), alpha


def shade_warmth(ivory: np.ndarray) -> np.ndarray:
    """Return the powers float32 [3] by which shade in the mouth takes red, green and blue: equal in a grey picture."""
    return np.array((1.0, 1.0, 1.0) if np.ptp(ivory) == 0 else (1.0, 1.25, 1.45), np.float32)


def _in_shade(brightness: np.ndarray, ivory: np.ndarray) -> np.ndarray:
    """Return the light on each pixel, float [h, w, 3]."""
    return np.clip(brightness, 0, 1)[..., None] ** shade_warmth(ivory)


def paint_upper(density: float, lowest: float, ivory: np.ndarray, flesh: np.ndarray) -> np.ndarray:
    a, b = texture_plane(density)
    edge = lowest - 0.18 * a**2  # the arch of the teeth rises to the sides
    brightness, alpha = _teeth(a, edge - b, _UPPER_TEETH, density)
    gum = np.clip((edge - 0.18 - b) / 0.02, 0, 1)[..., None]
    rgb = (ivory * (1 - gum) + flesh * gum) * _in_shade(brightness, ivory)
    return _rgba(rgb, alpha)


def paint_lower(density: float, ivory: np.ndarray, flesh: np.ndarray) -> np.ndarray:
    a, b = texture_plane(density)
    edge = _LOWER_EDGE + 0.12 * a**2
    brightness, alpha = _teeth(a, b - edge, _LOWER_TEETH, density)
    gum = np.clip((b - edge - 0.14) / 0.02, 0, 1)[..., None]
    rgb = (ivory * (1 - gum) + flesh * gum) * _in_shade(0.66 * brightness, ivory)
    return _rgba(rgb, alpha)


def paint_tongue_body(density: float, flesh: np.ndarray) -> np.ndarray:
    """Return a mound that is lit on its front and falls into the dark of the throat."""
    a, b = texture_plane(density)
    inside = 1 - np.hypot(a / 0.36, (b - 0.13) / 0.33)
    back = np.clip((b + 0.2) / 0.3, 0, 1)
    groove = 1 - 0.1 * np.exp(-((a / 0.03) ** 2)) * back
    light = (0.3 + 0.75 * smoothstep(back)) * (1 - 0.5 * (a / 0.36) ** 2) * groove
    return _rgba(flesh * light[..., None], np.clip(inside * 5, 0, 1))


def paint_tongue_tip(density: float, flesh: np.ndarray) -> np.ndarray:
    """Return the tongue that lies over the lower lip: rounded, grooved, darker at its edges and where it comes from."""
    a, b = texture_plane(density)
    width = 0.245 - 0.05 * np.clip(b / 0.25, 0, 1)
    inside = 1 - (np.abs(a / width) ** 2.5 + (np.maximum(b, 0) / 0.28) ** 2.5) ** 0.4
    rim = np.clip(inside / 0.3, 0, 1)
    light = (0.72 + 0.5 * rim * (2 - rim)) * (1 - 0.2 * np.exp(-((a / 0.022) ** 2)) * np.clip(1 - b / 0.2, 0, 1))
    light *= 1 - 0.55 * np.clip(-b / 0.28, 0, 1)
    light += 0.16 * np.exp(-(((np.abs(a) - 0.09) / 0.05) ** 2) - ((b - 0.1) / 0.09) ** 2)  # wet
    return _rgba(0.85 * flesh * light[..., None], np.clip(inside * 14, 0, 1) * np.clip((b + 0.3) / 0.15, 0, 1))


def _rgba(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    return np.round(np.clip(np.dstack([rgb, 255 * alpha]), 0, 255)).astype(np.uint8)
