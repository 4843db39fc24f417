"""Spectacles, and the lights mirrored in them, stay rigid with the head, whatever lids and cheeks under them do."""

from dataclasses import dataclass

import cv2
import numpy as np

from animate.renderer.masks import joined
from animate.renderer.mesh import PortraitMesh
from animate.renderer.raster import rasterise
from animate.renderer.rims import find_rim
from animate.renderer.sampling import double
from animate.topology import EYE_CORNERS, EYES, FACE_OVAL
from animate.types import Portrait

_WIRE = 0.09  # eye distances, the thickest frame that is looked for
# A bridge is a dark line over the nose that no column between the eyes lacks. Of 15 portraits its contrast was 0.11 of
# the skin's brightness on the one with spectacles and at most 0.04 on the others.
_BRIDGE_CONTRAST = 0.07
# By which share of what is beside them other parts of the frame are darker, and the contrast of the rim next to them as
# a share of which theirs is at least.
_LINE_CONTRAST, _LIKE_RIM = 0.08, 0.4
_SHADED = 0.7  # of the skin's brightness; what is beside them counts as no darker
_HINGE = 0.2  # eye distances, the thickest hinge or pad
# Eye distances from the middle of a rim or of the bridge in which dark lines, and hinges, are of the frame.
_THIN, _THICK = 0.06, 0.12
_LASHES = 0.025  # eye distances around an open eye
_RISES = 0.35  # eye distances over a rim that its arm may rise
_FURTHEST = 1.6  # eye distances from the middle to which it may go
_SPECK = 0.03  # eye distances, the square root of the area of the smallest reflection
_HALO = 0.03  # eye distances around it that it lightens
_SHINE = 0.12  # eye distances, the square root of the area of the largest light on the frame itself
_CORNER = 0.08  # eye distances around the corner of an eye, which the frame may cover
# A corner is skin. Where it is mostly dark, a rim, its pad or its hinge covers it: the share of that place below half
# the skin's brightness was 0.94 at the covered inner corner of two faces with spectacles and 0.16 at most at the
# others, 0.87 at the covered outer corner and 0.72 at most at the others, which may lie in the shade.
_DARK = 0.5  # of the skin's brightness
_COVERED_INNER, _COVERED_OUTER = 0.6, 0.8
# Eye distances around such a corner in which what is dark is of the frame: over the eye, and beside it.
_COVERS = 0.055, 0.14
_ROOM = 0.9  # eye distances around the frame in which a moving head carries it
_INNER_CORNERS = EYE_CORNERS[1:3]
_NOWHERE = -30000  # a place outside every texture


@dataclass(frozen=True, eq=False)
class Spectacles:
    """A pair of spectacles as a layer of its own.

    Attributes
    ----------
    layer : uint8 [2 h, 2 w, 4]
        RGBA, doubled.
    box : tuple of slice
        Rows and columns of the window in which it can appear.
    triangles : int32 [F, 3]
        Of the mesh that carries it, and `source` float32 [N, 2] where its vertices lie in `layer`.
    """

    layer: np.ndarray
    box: tuple[slice, slice]
    triangles: np.ndarray
    source: np.ndarray

    def draw(self, window: np.ndarray, vertices: np.ndarray) -> None:
        """Lay the spectacles over the window of a frame, in place.

        Parameters
        ----------
        window : uint8 [h, w, 3]
        vertices : float32 [N, 2]
            Of the mesh without expression, in pixels of the window.
        """
        out = window[self.box]
        whole = np.full((*out.shape[:2], 2), _NOWHERE, np.int16)
        fraction = np.zeros(out.shape[:2], np.uint16)
        start = np.array([self.box[1].start, self.box[0].start], np.float32)
        rasterise(self.triangles, vertices - start, self.source, whole.view(np.int32)[..., 0], fraction)
        warped = cv2.remap(self.layer, whole, fraction, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        alpha = warped[..., 3:].astype(np.uint16)
        out[:] = (alpha * warped[..., :3] + (255 - alpha) * out + 127) // 255


def find_spectacles(portrait: Portrait, mesh: PortraitMesh) -> tuple[Spectacles, np.ndarray] | None:
    """Return the spectacles and the picture without them, uint8 [H, W, 3], or None where the face wears none.

    Dark frames only: rims of light metal, lenses without a rim and a faint sheen on a lens are not told from skin.

    Parameters
    ----------
    portrait : Portrait
    mesh : PortraitMesh
    """
    image, unit = portrait.image, portrait.face.eye_distance
    bridge, skin = _bridge(portrait)
    if bridge is None:
        return None
    mask, rims, lids = _frame_around(_blurred_luma(image, 0.008 * unit), bridge, skin, portrait, unit)
    mask |= _glare(portrait, rims, lids, unit)
    grown = cv2.dilate(mask, np.ones((3, 3), np.uint8), iterations=max(1, round(0.012 * unit)))
    soft = cv2.dilate(grown, np.ones((3, 3), np.uint8)) * 255
    alpha = np.maximum(cv2.GaussianBlur(soft, (3, 3), 0), 255 * grown)  # whole wherever the picture below was filled
    left, top, right, bottom = mesh.region
    ys, xs = np.nonzero(alpha[top:bottom, left:right])
    x0, x1, y0, y1 = xs.min(), xs.max() + 1, ys.min(), ys.max() + 1
    layer = double(np.ascontiguousarray(np.dstack([image, alpha])[top + y0 : top + y1, left + x0 : left + x1]))
    room = round(_ROOM * unit)
    box = (
        slice(max(0, y0 - room), min(bottom - top, y1 + room)),
        slice(max(0, x0 - room), min(right - left, x1 + room)),
    )
    source = (2 * (mesh.source - (left + x0, top + y0))).astype(np.float32)
    return Spectacles(layer, box, mesh.triangles, source), cv2.inpaint(image, grown, 3, cv2.INPAINT_TELEA)


def wears_spectacles(portrait: Portrait) -> bool:
    """Tell whether a face wears spectacles that `find_spectacles` finds."""
    return _bridge(portrait)[0] is not None


def _blurred_luma(image: np.ndarray, size_px: float) -> np.ndarray:
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return cv2.GaussianBlur(luma, (0, 0), size_px + 0.3)


def _bridge(portrait: Portrait):
    """Return the places of the bridge over the nose, float [K, 2] px or None, and the brightness of the skin there."""
    points, unit = portrait.face.vertices[:, :2].astype(np.float64), portrait.face.eye_distance
    luma = _blurred_luma(portrait.image, 0.015 * unit)
    between = points[362] - points[133]
    across = between / np.hypot(*between)
    down = np.array([-across[1], across[0]])
    columns = np.linspace(0.1, 0.9, 9)[:, None, None] * between
    rows = np.arange(-0.3 * unit, 0.35 * unit)[None, :, None] * down
    places = (points[133] + columns + rows).astype(np.float32)  # [9, R, 2]
    profile = cv2.remap(luma, places, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    reach = max(2, int(_WIRE * unit))
    padded = np.pad(profile, ((0, 0), (reach, reach)), mode="edge")
    contrast = np.minimum(padded[:, : -2 * reach], padded[:, 2 * reach :]) - profile
    skin = float(np.median(profile))
    if contrast.max(axis=1).min() < _BRIDGE_CONTRAST * skin:
        return None, skin
    return places[np.arange(9), contrast.argmax(axis=1)], skin


def _frame_around(luma: np.ndarray, bridge: np.ndarray, skin: float, portrait: Portrait, unit: float):
    """Return where the frame is, uint8 [H, W] of 0 and 1, the rims of its lenses, int32 [R, 2] px each, and the lids."""
    contrast = _darker(luma, _WIRE * unit, cv2.MORPH_ELLIPSE, skin)
    thick = _darker(luma, _HINGE * unit, cv2.MORPH_RECT, skin)  # as good for what is coarse, and much quicker
    points = portrait.face.vertices[:, :2].astype(np.float64)
    eyes = [points[list(upper + lower[::-1])] for upper, lower, _ in EYES]
    middle = points[list(_INNER_CORNERS)].mean(axis=0)
    rims = [np.round(find_rim(contrast, eye, middle, unit)).astype(np.int32) for eye in eyes]
    line = cv2.polylines(np.zeros(luma.shape, np.uint8), rims, True, 1)
    cv2.polylines(line, [np.round(bridge).astype(np.int32)], False, 1)
    away, nearest = cv2.distanceTransformWithLabels(1 - line, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    at_line = np.zeros(nearest.max() + 1, np.float32)
    at_line[nearest[line > 0]] = cv2.dilate(contrast, np.ones((3, 3)))[line > 0]
    lines = contrast > np.maximum(_LINE_CONTRAST, _LIKE_RIM * at_line[nearest])
    frame = line | (away < _THIN * unit) & lines | (away < _THICK * unit) & (thick > _DARK)
    openings = cv2.fillPoly(np.zeros_like(line), [np.round(eye).astype(np.int32) for eye in eyes], 1)
    lids, dark = _near(openings, _LASHES * unit), luma < _DARK * skin
    beside = _beside(rims, middle, unit, line.shape) & (_near(openings, _CORNER * unit) == 0)
    frame = frame & (1 - lids) | beside & dark & (contrast > _LINE_CONTRAST)
    covers, free = _corners(points, dark, openings, unit)
    frame[free & (away > _LASHES * unit)] = 0
    frame = joined(frame > 0, line > 0) | covers
    _, labels, stats, _ = cv2.connectedComponentsWithStats(1 - frame)
    return frame | (stats[:, cv2.CC_STAT_AREA] < (_SHINE * unit) ** 2)[labels], rims, lids


def _corners(points: np.ndarray, dark: np.ndarray, openings: np.ndarray, unit: float) -> tuple[np.ndarray, np.ndarray]:
    """Return what covers corners of the eyes, uint8 [H, W] of 0 and 1, and what is near a free one, bool [H, W]."""
    covers, free = np.zeros_like(openings), np.zeros(openings.shape, bool)
    for corner in EYE_CORNERS:
        centre = tuple(np.round(points[corner]).astype(int).tolist())
        near, over, outside = (
            cv2.circle(np.zeros_like(openings), centre, round(reach * unit), 1, -1) for reach in (_CORNER, *_COVERS)
        )
        if dark[near > 0].mean() > (_COVERED_INNER if corner in _INNER_CORNERS else _COVERED_OUTER):
            covers |= dark & (over | outside & (1 - openings))
        else:
            free |= near > 0
    return covers, free


def _beside(rims: list[np.ndarray], middle: np.ndarray, unit: float, shape: tuple[int, int]) -> np.ndarray:
    """Return bool [H, W]: where the arms may lie that go from the outer ends of the rims to the ears."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    beside = np.zeros(shape, bool)
    for rim in rims:
        side = np.sign(rim[:, 0].mean() - middle[0])
        outwards = side * x - (side * rim[:, 0]).max()
        beside |= (outwards > -_THICK * unit) & (y > rim[:, 1].min() - _RISES * unit) & (y < rim[:, 1].mean())
    return beside & (np.abs(x - middle[0]) < _FURTHEST * unit)


def _glare(portrait: Portrait, rims: list[np.ndarray], lids: np.ndarray, unit: float) -> np.ndarray:
    """Return uint8 [H, W]: 1 where a light is mirrored in the lenses, which outshines the brightest skin."""
    whiteness = portrait.image.min(axis=2)
    lenses = cv2.fillPoly(np.zeros_like(lids), rims, 1)
    oval = np.round(portrait.face.vertices[list(FACE_OVAL), :2]).astype(np.int32)
    face = cv2.fillPoly(np.zeros_like(lids), [oval], 1) > lenses
    skin = np.percentile(whiteness[face], 98)
    bright = lenses & (1 - lids) & (whiteness > (skin + 255) / 2)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(bright)
    bright *= (stats[:, cv2.CC_STAT_AREA] > (_SPECK * unit) ** 2)[labels]
    return _near(bright, _HALO * unit) & lenses & (1 - lids)


def _darker(luma: np.ndarray, width_px: float, shape: int, skin: float) -> np.ndarray:
    """Return by which share of its brightness lines up to a width are darker than what is beside them."""
    size = 2 * int(width_px / 2) + 3
    beside = cv2.morphologyEx(luma, cv2.MORPH_CLOSE, cv2.getStructuringElement(shape, (size, size)))
    return (beside - luma) / np.maximum(beside, max(_SHADED * skin, 1.0))


def _near(mask: np.ndarray, reach_px: float) -> np.ndarray:
    return (cv2.distanceTransform(1 - mask, cv2.DIST_L2, 5) <= reach_px).astype(np.uint8)
