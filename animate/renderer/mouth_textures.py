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
_TONE = (1.0, 0.95, 0.87, 0.9, 0.88, 0.86)  # beside the first tooth: canines are the darkest seen from the front
_CANINE = 2
_LOWER_TEETH = (0.0, 0.083, 0.17, 0.265, 0.345, 0.41, 0.46)
_LOWER_SHORTER = (0.0, 0.0, -0.006, 0.004, 0.012, 0.016)
_LOWER_CROWN = 0.14
_LUMA = np.array([0.299, 0.587, 0.114])
_TONGUE_LENGTH = 0.28  # of what is stuck out, eye distances
_AROUND_MOUTH = (36, 266, 205, 425, 214, 434, 208, 428, 199)  # skin between cheeks and chin
_MOST_WARMTH = 1.6
_MOST_WHITE = 1.4  # of lit skin
_MOST_LEAN = 0.25


@dataclass(frozen=True, eq=False)
class Palette:
    """The colours and the light in which the inside of a mouth is painted; equal in all channels of a grey picture.

    Attributes
    ----------
    ivory, flesh, tongue, hollow, wall : float64 [3]
        Of teeth, of gums and what is deep in the mouth, of the tongue in the light, of the throat, and of the inside
        of the cheeks.
    warmth : float64 [3]
        Powers of the shade on red, green and blue: the shade of this picture's skin has its own colour.
    lean : float
        How much brighter, as a share, the mouth is 0.4 eye distances to the picture's right of its middle.
    """

    ivory: np.ndarray
    flesh: np.ndarray
    tongue: np.ndarray
    hollow: np.ndarray
    wall: np.ndarray
    warmth: np.ndarray
    lean: float


def find_palette(portrait: Portrait) -> Palette:
    """Return the palette that the lips, the skin around them and the whites of the eyes of a picture call for."""
    image, vertices = portrait.image, portrait.face.vertices
    outer, inner = vertices[list(LIPS_OUTER_LOWER)], vertices[list(LIPS_INNER_LOWER)]
    lips, middle = (_mean_colour(image, places) for places in (np.vstack([outer, inner]), (outer + inner)[2:-2] / 2))
    mask = np.zeros(image.shape[:2], np.uint8)
    around = vertices[list(_AROUND_MOUTH), :2]
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(around).astype(np.int32)), 1)
    skin = image[mask > 0].astype(np.float64) if mask.any() else lips[None]
    luma = skin @ _LUMA
    bright = skin[luma >= np.percentile(luma, 75)].mean(axis=0)
    dark = skin[luma <= np.percentile(luma, 15)].mean(axis=0)
    # Teeth are about as light as lit skin or, in a dark or bearded face, as the whites of the eyes, and take the tint
    # of both.
    peak, white = max(1.0, float(bright.max())), _white_of_eyes(portrait, skin.mean(axis=0))
    tinted = 0.5 * bright / peak + 0.5 * np.array([1.0, 0.97, 0.9])
    light = 0.92 * np.clip(white.max(), peak, _MOST_WHITE * peak)
    ivory = light * tinted**0.35 * (white / max(1.0, white.max())) ** 0.65
    flesh = 0.72 * lips * (1.0, 0.72, 0.72) + 0.2 * bright * (1.0, 0.62, 0.6)
    tongue = 0.55 * middle * (1.0, 0.8, 0.82) + 0.45 * bright * (1.0, 0.66, 0.64)
    paints = ivory, flesh, tongue, lips * (0.24, 0.11, 0.11), flesh * (0.5, 0.36, 0.36)
    if (skin.max(axis=1) == skin.min(axis=1)).all():
        paints = tuple(np.full(3, paint @ _LUMA) for paint in paints)
    loss = np.log(np.maximum(dark, 1) / np.maximum(bright, 1))
    warmth = 1 + 0.5 * (loss / loss[0] - 1) if loss[0] < -0.1 else np.ones(3)
    x = np.nonzero(mask)[1] - vertices[list(LIPS_OUTER_LOWER), 0].mean()
    right, left = (luma[x * side > 0] for side in (1, -1)) if mask.any() else (luma, luma)
    lean = (right.mean() - left.mean()) / max(1.0, right.mean() + left.mean()) if len(right) and len(left) else 0.0
    return Palette(*paints, np.clip(warmth, 1, _MOST_WARMTH), float(np.clip(3 * lean, -_MOST_LEAN, _MOST_LEAN)))


def _white_of_eyes(portrait: Portrait, skin: np.ndarray) -> np.ndarray:
    """Return the colour float64 [3] of the whites of the eyes, of no stronger tint than `skin` float64 [3]."""
    mask = np.zeros(portrait.image.shape[:2], np.uint8)
    for upper, lower, iris in EYES:
        lids, rim = (portrait.face.vertices[list(part), :2] for part in (upper + lower[::-1], iris))
        cv2.fillPoly(mask, [np.round(16 * lids).astype(np.int32)], 1, cv2.LINE_8, 4)
        radius = 1.15 * np.hypot(*(rim[1:] - rim[0]).T).mean()
        cv2.circle(mask, tuple(int(c) for c in np.round(16 * rim[0])), int(16 * radius), 0, -1, cv2.LINE_8, 4)
    if not mask.any():
        return skin
    eyes = portrait.image[mask > 0].astype(np.float64)
    luma = eyes @ _LUMA
    white = eyes[luma >= np.percentile(luma, 60)].mean(axis=0)
    return np.maximum(white, white.max() * skin / max(1.0, skin.max()))


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


def _mean_colour(image: np.ndarray, places: np.ndarray) -> np.ndarray:
    x, y = np.clip(np.round(places[:, :2]).astype(int).T, 0, np.array(image.shape[1::-1])[:, None] - 1)
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
    height = edge_distance / crown
    wet = 0.16 * np.exp(-(((height - 0.6) / 0.2) ** 2)) * np.clip(1 - side / 0.38, 0, 1)
    for tooth, (start, end) in enumerate(pairwise(bounds)):
        inside = (side >= start) & (side < end)
        across = (side - start) / (end - start) * 2 - 1
        corner = 0.03 * np.abs(across) ** (2 if tooth == _CANINE else 5)
        alpha = np.where(inside, np.clip((edge_distance - shorter[tooth] - corner) / (1.5 * pixel) + 0.5, 0, 1), alpha)
        groove = 1 - 0.3 * np.exp(-(((1 - np.abs(across)) * (end - start) / max(0.011, 0.7 * pixel)) ** 2))
        enamel = 1 - 0.15 * across**2 - 0.12 * np.clip(height, 0, 1) ** 2
        enamel -= 0.1 * np.clip(1 - (edge_distance - shorter[tooth]) / 0.03, 0, 1)  # the edge lets light through
        lit = _TONE[tooth] * enamel + wet * np.exp(-(((across + 0.15) / 0.5) ** 2))
        brightness = np.where(inside, lit * groove, brightness)
        margin = (crown - shorter[tooth]) * (1 - 0.17 * across**2)  # the gum comes down between the teeth
        gum = np.where(inside, np.clip((edge_distance - margin) / max(0.02, 1.5 * pixel), 0, 1), gum)
    brightness = brightness * (1 - gum) + gum * (1 - 0.8 * np.clip(edge_distance - crown, 0, 0.4))
    return brightness * (1 - 0.86 * np.clip(side / bounds[-1], 0, 1) ** 2), alpha, gum


def _in_shade(colours: np.ndarray, brightness: np.ndarray, palette: Palette, a: np.ndarray) -> np.ndarray:
    """Return the light that is left of `colours`, float [h, w, 3], at `a` eye distances from the middle."""
    lit = brightness * (1 + np.clip(palette.lean * a / 0.4, -_MOST_LEAN, _MOST_LEAN))
    return colours * np.maximum(lit, 0)[..., None] ** palette.warmth


def paint_upper(density: float, lowest: float, palette: Palette) -> np.ndarray:
    a, b = texture_plane(density)
    edge = lowest - 0.18 * a**2  # the arch of the teeth rises to the sides
    brightness, teeth, gum = _teeth(a, edge - b, _UPPER_TEETH, _UPPER_SHORTER, _UPPER_CROWN, density)
    # The lower teeth stand behind them, in their shade.
    cast = 0.6 * np.exp(-((np.maximum(b - edge, 0) / 0.035) ** 2)) * np.clip((_UPPER_TEETH[-1] - np.abs(a)) / 0.1, 0, 1)
    alpha = teeth + (1 - teeth) * cast
    rgb = _in_shade(_with_gum(palette, gum), brightness, palette, a) * (teeth / alpha.clip(1e-3))[..., None]
    return _rgba(rgb, alpha)


def paint_lower(density: float, palette: Palette) -> np.ndarray:
    a, b = texture_plane(density)
    edge = _LOWER_EDGE + 0.12 * a**2
    brightness, alpha, gum = _teeth(a, b - edge, _LOWER_TEETH, _LOWER_SHORTER, _LOWER_CROWN, density)
    met = 0.8 + 0.2 * palette.flesh / max(1.0, palette.flesh.max())  # light that comes from tongue and lips
    return _rgba(_in_shade(met * _with_gum(palette, gum), 0.84 * brightness, palette, a), alpha)


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
    light += 0.24 * np.exp(-(((np.abs(a) - 0.085) / 0.05) ** 2) - ((b - 0.04) / 0.045) ** 2)  # wet
    return _rgba(_in_shade(palette.flesh, light, palette, a), np.clip(inside * 5, 0, 1))


def paint_tongue_tip(density: float, palette: Palette, half_width: float) -> np.ndarray:
    """Return the tongue that lies over the lower lip: domed, grooved and wet, with the shade it casts around it.

    `half_width` is that of the mouth, eye distances.
    """
    a, b = texture_plane(density)
    a = a * max(1.0, 0.235 / (0.7 * half_width))
    down = np.clip(b / _TONGUE_LENGTH, 0, 1)
    width = 0.235 * (1 - 0.22 * down)
    inside = 1 - (np.abs(a / width) ** 2.2 + (np.maximum(b, 0) / _TONGUE_LENGTH) ** 2.4) ** (1 / 2.3)
    rim = np.clip(inside / 0.5, 0, 1)
    light = 0.5 + 0.5 * rim * (2 - rim)
    light *= 1 - 0.22 * np.exp(-((a / 0.028) ** 2)) * (1 - smoothstep((down - 0.3) / 0.5))  # the groove ends at the tip
    light *= 1 - 0.6 * smoothstep((0.06 - b) / 0.2)  # under the upper lip
    for place, wide, strength in ((-0.085, 0.045, 0.22), (0.085, 0.045, 0.22), (0.0, 0.09, 0.14)):
        high = 0.11 if place else 0.2
        light += strength * np.exp(-(((a - place) / wide) ** 2) - ((b - high) / 0.05) ** 2)
    tongue = np.clip(inside * 10 + 0.5, 0, 1)
    cast = 0.3 * np.exp(-((np.minimum(inside, 0) / 0.16) ** 2))
    alpha = tongue + (1 - tongue) * cast
    rgb = _in_shade(palette.tongue, light, palette, a) * (tongue / alpha.clip(1e-3))[..., None]
    return _rgba(rgb, alpha * np.clip((b + 0.3) / 0.15, 0, 1))


def _rgba(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    return np.round(np.clip(np.dstack([rgb, 255 * alpha]), 0, 255)).astype(np.uint8)
