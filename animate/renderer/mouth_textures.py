"""What is painted between the lips: teeth, gums and tongue as textures, in the colours and the light of a picture.

Textures lie on a plane that faces forward with the head; their middle is the middle of the closed lips.
"""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from animate.easing import smoothstep
from animate.renderer.head import HeadFrame, plane_inverse
from animate.topology import EYES, LIPS_INNER_LOWER, LIPS_OUTER_LOWER
from animate.types import Portrait

_HALF_WIDTH, _HALF_HEIGHT = 0.62, 0.34  # of the textures, eye distances
_ARCH = 1.6  # depth of the arch of the teeth over the square of the way from its middle, eye distances
_LOWER_EDGE = 0.008  # where the lower teeth end, below the lower lip's edge, eye distances
# Where one tooth ends and the next begins, from the midline, eye distances (average crowns seen from the front); how
# much shorter each is than the first; and how high crowns stand out of the gum.
_UPPER_TEETH = (0.0, 0.135, 0.24, 0.34, 0.415, 0.47, 0.51)
_UPPER_SHORTER = (0.0, 0.012, 0.0, 0.01, 0.016, 0.02)
_UPPER_CROWN = 0.165
_LOWER_TEETH = (0.0, 0.083, 0.17, 0.265, 0.345, 0.41, 0.46)
_LOWER_SHORTER = (0.0, 0.0, -0.006, 0.004, 0.012, 0.016)
_LOWER_CROWN = 0.14
_LUMA = np.array([0.299, 0.587, 0.114])
_AROUND_MOUTH = (36, 266, 205, 425, 214, 434, 208, 428, 199)  # skin between cheeks and chin
_MOST_WARMTH = 1.6
_MOST_LEAN = 0.25


@dataclass(frozen=True, eq=False)
class Palette:
    """The colours and the light in which the inside of a mouth is painted; equal in all channels of a grey picture.

    Attributes
    ----------
    ivory, flesh, hollow, wall : float64 [3]
        Of teeth, of tongue and gums, of the throat, and of the inside of the cheeks.
    warmth : float64 [3]
        Powers of the shade on red, green and blue: the shade of this picture's skin has its own colour.
    lean : float
        How much brighter, as a share, the mouth is 0.4 eye distances to the picture's right of its middle.
    """

    ivory: np.ndarray
    flesh: np.ndarray
    hollow: np.ndarray
    wall: np.ndarray
    warmth: np.ndarray
    lean: float


def find_palette(portrait: Portrait) -> Palette:
    """Return the palette that the lips, the skin around them and the whites of the eyes of a picture call for."""
    image, vertices = portrait.image, portrait.face.vertices
    lips = _mean_colour(image, vertices, LIPS_OUTER_LOWER + LIPS_INNER_LOWER)
    mask = np.zeros(image.shape[:2], np.uint8)
    around = vertices[list(_AROUND_MOUTH), :2]
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(around).astype(np.int32)), 1)
    skin = image[mask > 0].astype(np.float64) if mask.any() else lips[None]
    luma = skin @ _LUMA
    bright = skin[luma >= np.percentile(luma, 75)].mean(axis=0)
    dark = skin[luma <= np.percentile(luma, 15)].mean(axis=0)
    # Teeth stand in the shade of the lips: about as light as lit skin, with a little of its tint, and that of the eyes.
    peak = max(1.0, float(bright.max()))
    tinted = 0.5 * bright / peak + 0.5 * np.array([1.0, 0.97, 0.9])
    ivory = 0.86 * peak * tinted**0.35 * _white_of_eyes(portrait, skin.mean(axis=0)) ** 0.65
    flesh = 0.72 * lips * (1.0, 0.72, 0.72) + 0.2 * bright * (1.0, 0.62, 0.6)
    paints = ivory, flesh, lips * (0.24, 0.11, 0.11), flesh * (0.5, 0.36, 0.36)
    if (skin.max(axis=1) == skin.min(axis=1)).all():
        paints = tuple(np.full(3, paint @ _LUMA) for paint in paints)
    loss = np.log(np.maximum(dark, 1) / np.maximum(bright, 1))
    warmth = 1 + 0.5 * (loss / loss[0] - 1) if loss[0] < -0.1 else np.ones(3)
    x = np.nonzero(mask)[1] - vertices[list(LIPS_OUTER_LOWER), 0].mean()
    right, left = (luma[x * side > 0] for side in (1, -1)) if mask.any() else (luma, luma)
    lean = (right.mean() - left.mean()) / max(1.0, right.mean() + left.mean()) if len(right) and len(left) else 0.0
    return Palette(*paints, np.clip(warmth, 1, _MOST_WARMTH), float(np.clip(3 * lean, -_MOST_LEAN, _MOST_LEAN)))


def _white_of_eyes(portrait: Portrait, skin: np.ndarray) -> np.ndarray:
    """Return the tint float64 [3] (0-1) of the whites of the eyes, no stronger than that of `skin` float64 [3]."""
    mask = np.zeros(portrait.image.shape[:2], np.uint8)
    for upper, lower, iris in EYES:
        lids, rim = (portrait.face.vertices[list(part), :2] for part in (upper + lower[::-1], iris))
        cv2.fillPoly(mask, [np.round(16 * lids).astype(np.int32)], 1, cv2.LINE_8, 4)
        radius = 1.15 * np.hypot(*(rim[1:] - rim[0]).T).mean()
        cv2.circle(mask, tuple(int(c) for c in np.round(16 * rim[0])), int(16 * radius), 0, -1, cv2.LINE_8, 4)
    strongest = skin / max(1.0, skin.max())
    if not mask.any():
        return strongest
    eyes = portrait.image[mask > 0].astype(np.float64)
    luma = eyes @ _LUMA
    white = eyes[luma >= np.percentile(luma, 60)].mean(axis=0)
    return np.maximum(white / max(1.0, white.max()), strongest)


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
    still, _ = to_texture(columns, centre, np.eye(3), np.zeros(3), head, np.zeros(2))
    size = columns.shape[::-1]
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


def on_arch(picture: np.ndarray, bend: np.ndarray) -> np.ndarray:
    """Return what `picture_on_plane` shows of an arch, as `raster.lay_texture` will bend it, uint8 [h, w, 4]."""
    height, width = picture.shape[:2]
    shift = (np.arange(width) / (width / 2) - 1)[None, :, None] ** 2 * bend
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    places = (np.stack([x, y], axis=-1) + shift).astype(np.float32)
    return cv2.remap(picture, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)


def to_texture(texture, centre, matrix, offset, head: HeadFrame, corner) -> tuple[np.ndarray, np.ndarray]:
    """Return the affine map from pixels of the opening to those of a texture, float64 [2, 3], and the bend of an arch.

    The bend float64 [2] is what `raster.lay_texture` takes, for teeth.
    """
    density = texture.shape[1] / (2 * _HALF_WIDTH)  # texture pixels per eye distance
    across, down, inwards = (matrix @ head.axes.T * head.unit)[:2].T / density  # picture pixels per texture pixel
    middle = (matrix @ centre + offset)[:2]
    origin = middle - across * texture.shape[1] / 2 - down * texture.shape[0] / 2 - corner
    inverse = plane_inverse(np.column_stack([across, down]))
    return np.column_stack([inverse, -inverse @ origin]), inverse @ inwards * density * _ARCH * _HALF_WIDTH**2


def texture_plane(density: float):
    columns, rows = round(2 * _HALF_WIDTH * density), round(2 * _HALF_HEIGHT * density)
    return np.meshgrid(
        (np.arange(columns) + 0.5) / density - _HALF_WIDTH, (np.arange(rows) + 0.5) / density - _HALF_HEIGHT
    )


def _teeth(a: np.ndarray, edge_distance: np.ndarray, bounds, shorter, crown: float, density: float):
    """Return brightness, alpha and share of gum of a row of teeth; `edge_distance` grows from the edge to the gum."""
    side = np.abs(a)
    brightness, alpha, gum = np.ones_like(a), np.zeros_like(a), np.zeros_like(a)
    pixel = 1 / density
    for (start, end), less in zip(pairwise(bounds), shorter):
        inside = (side >= start) & (side < end)
        across = (side - start) / (end - start) * 2 - 1
        rounded = edge_distance - less - 0.022 * np.abs(across) ** 4
        alpha = np.where(inside, np.clip(rounded / (1.5 * pixel) + 0.5, 0, 1), alpha)
        groove = 1 - 0.22 * np.exp(-(((1 - np.abs(across)) * (end - start) / max(0.012, 0.8 * pixel)) ** 2))
        enamel = 1 - 0.13 * across**2 - 0.1 * np.clip(edge_distance / crown, 0, 1) ** 2
        brightness = np.where(inside, enamel * groove, brightness)
        margin = (crown - less) * (1 - 0.17 * across**2)  # the gum comes down between the teeth
        gum = np.where(inside, np.clip((edge_distance - margin) / max(0.02, 1.5 * pixel), 0, 1), gum)
    brightness = brightness * (1 - gum) + gum * (1 - 0.8 * np.clip(edge_distance - crown, 0, 0.4))
    return brightness * (1 - 0.78 * np.clip(side / bounds[-1], 0, 1) ** 2), alpha, gum


def _in_shade(colours: np.ndarray, brightness: np.ndarray, palette: Palette, a: np.ndarray) -> np.ndarray:
    """Return the light that is left of `colours`, float [h, w, 3], at `a` eye distances from the middle."""
    lit = brightness * (1 + np.clip(palette.lean * a / 0.4, -_MOST_LEAN, _MOST_LEAN))
    return colours * np.maximum(lit, 0)[..., None] ** palette.warmth


def paint_upper(density: float, lowest: float, palette: Palette) -> np.ndarray:
    a, b = texture_plane(density)
    edge = lowest - 0.18 * a**2  # the arch of the teeth rises to the sides
    brightness, alpha, gum = _teeth(a, edge - b, _UPPER_TEETH, _UPPER_SHORTER, _UPPER_CROWN, density)
    return _rgba(_in_shade(_with_gum(palette, gum), brightness, palette, a), alpha)


def paint_lower(density: float, palette: Palette) -> np.ndarray:
    a, b = texture_plane(density)
    edge = _LOWER_EDGE + 0.12 * a**2
    brightness, alpha, gum = _teeth(a, b - edge, _LOWER_TEETH, _LOWER_SHORTER, _LOWER_CROWN, density)
    met = 0.7 + 0.3 * palette.flesh / max(1.0, palette.flesh.max())  # light that comes from tongue and lips
    return _rgba(_in_shade(met * _with_gum(palette, gum), 0.72 * brightness, palette, a), alpha)


def _with_gum(palette: Palette, gum: np.ndarray) -> np.ndarray:
    return palette.ivory + gum[..., None] * (palette.flesh - palette.ivory)


def paint_throat(density: float, palette: Palette) -> np.ndarray:
    """Return the back of the mouth: the arches of the soft palate, and the dark of the throat between them."""
    a, b = texture_plane(density)
    uvula = 0.06 * np.exp(-((a / 0.035) ** 2))
    away = np.hypot(a / 0.2, (np.minimum(b - 0.05 - uvula, 0.0)) / 0.16)
    lit = smoothstep((away - 0.7) / 0.9) * (1 - 0.6 * smoothstep((away - 1.2) / 1.6))
    return _rgba(palette.hollow + lit[..., None] * (0.8 * palette.wall - palette.hollow), np.ones_like(a))


def paint_tongue_body(density: float, palette: Palette) -> np.ndarray:
    """Return a mound that is lit on its front and falls into the dark of the throat."""
    a, b = texture_plane(density)
    inside = 1 - np.hypot(a / 0.36, (b - 0.13) / 0.33)
    back = np.clip((b + 0.2) / 0.3, 0, 1)
    groove = 1 - 0.1 * np.exp(-((a / 0.03) ** 2)) * back
    light = (0.3 + 0.75 * smoothstep(back)) * (1 - 0.5 * (a / 0.36) ** 2) * groove
    return _rgba(_in_shade(palette.flesh, light, palette, a), np.clip(inside * 5, 0, 1))


def paint_tongue_tip(density: float, palette: Palette, half_width: float) -> np.ndarray:
    """Return the tongue that lies over the lower lip: rounded, grooved, with the shade it casts around it.

    `half_width` is that of the mouth, eye distances.
    """
    a, b = texture_plane(density)
    a = a * max(1.0, 0.245 / (0.75 * half_width))
    width = 0.245 - 0.05 * np.clip(b / 0.25, 0, 1)
    inside = 1 - (np.abs(a / width) ** 2.5 + (np.maximum(b, 0) / 0.28) ** 2.5) ** 0.4
    rim = np.clip(inside / 0.4, 0, 1)
    light = (0.62 + 0.52 * rim * (2 - rim)) * (1 - 0.16 * np.exp(-((a / 0.03) ** 2)) * np.clip(1 - b / 0.2, 0, 1))
    light *= 1 - 0.55 * np.clip(-b / 0.28, 0, 1)
    light += 0.16 * np.exp(-(((np.abs(a) - 0.09) / 0.05) ** 2) - ((b - 0.1) / 0.09) ** 2)  # wet
    tongue = np.clip(inside * 10 + 0.5, 0, 1)
    cast = 0.22 * np.exp(-((np.minimum(inside, 0) / 0.14) ** 2))
    alpha = tongue + (1 - tongue) * cast
    rgb = _in_shade(0.85 * palette.flesh, light, palette, a) * (tongue / alpha.clip(1e-3))[..., None]
    return _rgba(rgb, alpha * np.clip((b + 0.3) / 0.15, 0, 1))


def _rgba(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    return np.round(np.clip(np.dstack([rgb, 255 * alpha]), 0, 255)).astype(np.uint8)
