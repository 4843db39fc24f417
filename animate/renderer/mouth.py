"""What shows between the lips: teeth, tongue and a dark hollow, in the colours of the picture."""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from animate.channels import INDEX
from animate.renderer.head import HeadFrame, plane_inverse
from animate.renderer.mesh import PortraitMesh
from animate.renderer.opening import find_opening, straightened
from animate.renderer.raster import blend_into, darken_along
from animate.topology import LIPS_INNER_LOWER, LIPS_OUTER_LOWER
from animate.types import Portrait

_HALF_WIDTH, _HALF_HEIGHT = 0.62, 0.34  # of the textures, eye distances
# Where one tooth ends and the next begins, from the midline, eye distances (average crowns seen from the front).
_UPPER_EDGE = 0.04  # how far the upper teeth reach below the closed lips' line
_LOWER_EDGE = -0.015  # how far the lower teeth stand above the lower lip's edge (negative)
_TONGUE_GOES = 0.72  # of the jaw's way
_PURSED_SHADE = 0.5  # share of the light that lips standing forward keep out of the mouth
_WALL = 0.2  # eye distances from the lips to where the cheeks no longer catch light
_UPPER_TEETH = (0.0, 0.135, 0.24, 0.34, 0.415, 0.47)
_LOWER_TEETH = (0.0, 0.083, 0.17, 0.265, 0.345, 0.41)

_CONTACT = 0.45  # share of the light that is lost between lips that touch
_LUMA = np.array([0.299, 0.587, 0.114])
_AROUND_MOUTH = (36, 266, 205, 425, 214, 434, 208, 428, 199)  # skin between cheeks and chin


@dataclass(frozen=True, eq=False)
class Mouth:
    """The inside of the mouth.

    Attributes
    ----------
    upper, lower : uint8 [h, w, 4]
        RGBA of what is fixed to the skull (upper teeth) and to the jaw (lower teeth).
    body, tip : uint8 [h, w, 4]
        RGBA of the tongue as it lies behind the lower teeth, and as it is stuck out.
    hollow, wall : float64 [3]
        Colours of the throat and of the inside of the cheeks.
    centre : float64 [3]
        Middle of the closed lips, pixels.
    jaw : float64 [58, 3]
        How far the lower teeth go for each channel at 1, pixels.
    parted : bool
        True if the lips are apart in the picture.
    """

    upper: np.ndarray
    lower: np.ndarray
    body: np.ndarray
    tip: np.ndarray
    hollow: np.ndarray
    wall: np.ndarray
    centre: np.ndarray
    jaw: np.ndarray
    parted: bool

    def draw(self, frame: np.ndarray, row: np.ndarray, upper, lower, matrix, offset, head: HeadFrame) -> None:
        """Draw the inside of the mouth between the lips into `frame`; the parameters are those of `Eye.draw`."""
        if self.parted:
            # Lips that are apart in the picture lack the shade of where they touch.
            start, axis, heights = straightened(upper, lower)
            touching = 1 - float((heights[1] - heights[0]).max()) / (0.08 * head.unit)
            if touching > 0:
                line = (heights[0] + heights[1]) / 2
                darken_along(frame, start, axis, line, max(0.8, 0.016 * head.unit), _CONTACT * touching)
        opening = find_opening(upper, lower, frame.shape[1::-1], 0.0, max(1.2, 0.015 * head.unit))
        if opening is None:
            return
        size = opening.coverage.shape[::-1]
        corner = np.array([opening.left, opening.top], float)
        layer = self._cavity(opening, head.unit)
        jaw = row @ self.jaw
        # The tongue is rooted between jaw and skull: it goes down with the jaw, but not as far.
        for texture, shift in ((self.body, _TONGUE_GOES * jaw), (self.lower, jaw), (self.upper, np.zeros(3))):
            to_patch = _to_texture(texture, self.centre + shift, matrix, offset, head, corner)
            warped = cv2.warpAffine(texture, to_patch, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
            alpha = warped[..., 3:].astype(np.float32) / 255
            layer += alpha * (warped[..., :3] - layer)
        # The lips cast a soft shadow into the mouth, the upper one the more.
        depth = np.clip(opening.below_upper / (0.08 * head.unit), 0, 1)
        shade = 0.62 + 0.38 * depth * (2 - depth)
        rise = np.clip(opening.above_lower / (0.05 * head.unit), 0, 1)
        purse = float(np.clip(row[INDEX["mouthPucker"]] + 0.6 * row[INDEX["mouthFunnel"]], 0, 1))
        layer *= (shade * (0.75 + 0.25 * rise))[..., None] * np.float32(1 - _PURSED_SHADE * purse)
        blend_into(frame, opening.left, opening.top, layer, opening.coverage)
        out = float(np.clip(row[INDEX["tongueOut"]], 0, 1))
        if out > 0.05:
            self._stick_out_tongue(frame, row, out, upper, lower, matrix, offset, head)

    def _cavity(self, opening, unit: float) -> np.ndarray:
        """Return the hollow, float32 [h, w, 3]: walls near the lips that catch some light, dark towards the throat."""
        depth = np.clip(np.minimum(opening.below_upper, opening.above_lower) / (_WALL * unit), 0, 1)[..., None]
        depth = depth * (2 - depth)
        return (self.wall * (1 - depth) + self.hollow * depth).astype(np.float32)

    def _stick_out_tongue(self, frame, row, out: float, upper, lower, matrix, offset, head: HeadFrame) -> None:
        """Draw the tongue over the lower lip, `out` (0-1) of its way."""
        lip = (lower + (matrix @ head.axes[1])[:2] * 0.7 * out * head.unit).astype(np.float32)
        opening = find_opening(upper, lip, frame.shape[1::-1], 0.0, max(1.2, 0.015 * head.unit))
        if opening is None:
            return
        shift = row @ self.jaw + head.axes[1] * head.unit * (0.34 * out - 0.24)
        corner = np.array([opening.left, opening.top], float)
        to_patch = _to_texture(self.tip, self.centre + shift, matrix, offset, head, corner)
        size = opening.coverage.shape[::-1]
        warped = cv2.warpAffine(self.tip, to_patch, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        coverage = opening.coverage * (warped[..., 3] / np.float32(255))
        blend_into(frame, opening.left, opening.top, np.ascontiguousarray(warped[..., :3]), coverage)


def build_mouth(portrait: Portrait, mesh: PortraitMesh, neutral, basis, head: HeadFrame) -> Mouth:
    """Paint teeth and tongue in the colours and the light of the picture, and take over teeth that it shows.

    Parameters
    ----------
    portrait : Portrait
    mesh : PortraitMesh
    neutral : float32 [N, 3]
    basis : float32 [N * 3, NUM_CONTROLS]
        Of the rig.
    head : HeadFrame
    """
    upper_edge, lower_edge = mesh.openings["mouth"]
    middle = len(upper_edge) // 2
    centre = neutral[upper_edge[middle]].astype(np.float64)
    density = max(48.0, head.unit)
    ivory, flesh, hollow, wall = _palette(portrait)
    outline = np.concatenate([mesh.rest[upper_edge, :2], mesh.rest[lower_edge[::-1], :2]])
    own = _own_teeth(portrait.image, outline, centre, density, head)

    edge = _UPPER_EDGE
    if own is not None:
        a, b = _plane(density)
        strong = own[..., 3] > 128
        shown = strong & (np.abs(a) < 0.2)
        edge = max(edge, float(np.percentile(b[shown], 97)) + 0.02) if shown.any() else edge
        ivory = np.percentile(own[strong][:, :3], 70, axis=0).astype(np.float64)
    upper = _paint_upper(density, edge, ivory, flesh)
    if own is not None:
        share = own[..., 3:].astype(np.float32) / 255
        upper[..., :3] = np.round(upper[..., :3] + share * (own[..., :3].astype(np.float32) - upper[..., :3]))
        upper[..., 3] = np.maximum(upper[..., 3], own[..., 3])

    parted = bool(np.hypot(*(mesh.rest[lower_edge] - mesh.rest[upper_edge])[:, :2].T).max() > 0)
    jaw = np.zeros((58, 3))
    for name in ("jawOpen", "jawForward", "jawLeft", "jawRight"):
        column = INDEX[name]
        jaw[column] = basis[3 * lower_edge[middle] : 3 * lower_edge[middle] + 3, column]
    return Mouth(
        upper,
        _paint_lower(density, ivory, flesh),
        _paint_tongue_body(density, flesh),
        _paint_tongue_tip(density, flesh),
        hollow,
        wall,
        centre,
        jaw,
        parted,
    )


def _palette(portrait: Portrait) -> tuple[np.ndarray, ...]:
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


def _own_teeth(image: np.ndarray, outline: np.ndarray, centre, density: float, head: HeadFrame) -> np.ndarray | None:
    """Return the teeth that the picture shows on the plane of the upper row, uint8 [h, w, 4], or None."""
    still = _to_texture(_plane(density)[0], centre, np.eye(3), np.zeros(3), head, np.zeros(2))
    size = _plane(density)[0].shape[::-1]
    opening = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(opening, [np.round(outline * 16).astype(np.int32)], 255, cv2.LINE_8, 4)
    opening = cv2.erode(opening, np.ones((3, 3), np.uint8))
    if (opening > 0).sum() < 0.03 * head.unit**2:
        return None
    colours = cv2.warpAffine(image, still, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    inside = cv2.warpAffine(opening, still, size, flags=cv2.INTER_LINEAR).astype(np.float32) / 255
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


def _to_texture(texture, centre, matrix, offset, head: HeadFrame, corner) -> np.ndarray:
    """Return the affine map from pixels of the opening to pixels of a texture, float64 [2, 3]."""
    density = texture.shape[1] / (2 * _HALF_WIDTH)  # texture pixels per eye distance
    across, down = (matrix @ head.axes[:2].T * head.unit)[:2].T / density  # picture pixels per texture pixel
    middle = (matrix @ centre + offset)[:2]
    origin = middle - across * texture.shape[1] / 2 - down * texture.shape[0] / 2 - corner
    inverse = plane_inverse(np.column_stack([across, down]))
    return np.column_stack([inverse, -inverse @ origin])


def _plane(density: float):
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
        groove = 1 - 0.16 * np.exp(-(((1 - np.abs(across)) * (end - start) / 0.012) ** 2))
        brightness = np.where(inside, (1 - 0.1 * across**2) * groove, brightness)
    return brightness * (1 - 0.75 * np.clip(side / bounds[-1], 0, 1) ** 2.2), alpha


def _in_shade(brightness: np.ndarray, ivory: np.ndarray) -> np.ndarray:
    """Return the light on each pixel [h, w, 3]: in the mouth's shade it is warm, unless the picture is grey."""
    warmth = (1.0, 1.0, 1.0) if np.ptp(ivory) == 0 else (1.0, 1.25, 1.45)
    return np.clip(brightness, 0, 1)[..., None] ** np.array(warmth)


def _paint_upper(density: float, lowest: float, ivory: np.ndarray, flesh: np.ndarray) -> np.ndarray:
    a, b = _plane(density)
    edge = lowest - 0.18 * a**2  # the arch of the teeth rises to the sides
    brightness, alpha = _teeth(a, edge - b, _UPPER_TEETH, density)
    gum = np.clip((edge - 0.18 - b) / 0.02, 0, 1)[..., None]
    rgb = (ivory * (1 - gum) + flesh * gum) * _in_shade(brightness, ivory)
    return _rgba(rgb, alpha)


def _paint_lower(density: float, ivory: np.ndarray, flesh: np.ndarray) -> np.ndarray:
    a, b = _plane(density)
    edge = _LOWER_EDGE + 0.12 * a**2
    brightness, alpha = _teeth(a, b - edge, _LOWER_TEETH, density)
    gum = np.clip((b - edge - 0.14) / 0.02, 0, 1)[..., None]
    rgb = (ivory * (1 - gum) + flesh * gum) * _in_shade(0.72 * brightness, ivory)
    return _rgba(rgb, alpha)


def _paint_tongue_body(density: float, flesh: np.ndarray) -> np.ndarray:
    """Return a mound that is lit on its front and falls into the dark of the throat."""
    a, b = _plane(density)
    inside = 1 - np.hypot(a / 0.36, (b - 0.13) / 0.33)
    back = np.clip((b + 0.2) / 0.3, 0, 1)
    groove = 1 - 0.16 * np.exp(-((a / 0.03) ** 2)) * back
    light = (0.3 + 0.75 * back * back * (3 - 2 * back)) * (1 - 0.5 * (a / 0.36) ** 2) * groove
    return _rgba(flesh * light[..., None], np.clip(inside * 5, 0, 1))


def _paint_tongue_tip(density: float, flesh: np.ndarray) -> np.ndarray:
    """Return the tongue that lies over the lower lip: rounded, grooved, darker at its edges and where it comes from."""
    a, b = _plane(density)
    width = 0.245 - 0.05 * np.clip(b / 0.25, 0, 1)
    inside = 1 - (np.abs(a / width) ** 2.5 + (np.maximum(b, 0) / 0.28) ** 2.5) ** 0.4
    rim = np.clip(inside / 0.3, 0, 1)
    light = (0.72 + 0.5 * rim * (2 - rim)) * (1 - 0.2 * np.exp(-((a / 0.022) ** 2)) * np.clip(1 - b / 0.2, 0, 1))
    light *= 1 - 0.55 * np.clip(-b / 0.28, 0, 1)
    light += 0.16 * np.exp(-(((np.abs(a) - 0.09) / 0.05) ** 2) - ((b - 0.1) / 0.09) ** 2)  # wet
    return _rgba(0.85 * flesh * light[..., None], np.clip(inside * 14, 0, 1) * np.clip((b + 0.3) / 0.15, 0, 1))


def _rgba(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    return np.round(np.clip(np.dstack([rgb, 255 * alpha]), 0, 255)).astype(np.uint8)
