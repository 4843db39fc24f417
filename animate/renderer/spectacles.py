"""Spectacles stay rigid with the head, whatever the lids and cheeks under them do."""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from animate.renderer.mesh import PortraitMesh
from animate.renderer.raster import rasterise
from animate.renderer.sampling import double
from animate.topology import BROW_LEFT, BROW_RIGHT, EYE_CORNERS, EYES
from animate.types import Portrait

_WIRE = 0.09  # eye distances, the thickest frame that is looked for
# A bridge is a dark line over the nose that no column between the eyes lacks. Of 15 portraits its contrast was 0.11 of
# the skin's brightness on the one with spectacles and at most 0.04 on the others.
_BRIDGE_CONTRAST = 0.07
_LINE_CONTRAST = 0.08  # of the skin's brightness, by which other parts of the frame are darker than what is beside them
_WATERLINE = 0.04  # eye distances under the lower lid that are the lid's own
_CORNER = 0.08  # eye distances around the corners in which lines are the eye's own
# Share of that place that is dark where a hinge lies there: of the four corners of one portrait it was 0.34 at the
# hinge and at most 0.20 at the others.
_HINGE = 0.27
# An inner corner is skin. Where it is mostly dark, a rim or its pad covers it: the share of that place below half the
# skin's brightness was 0.92 at the covered corner of one portrait and 0.27 at the other.
_DARK = 0.5  # of the skin's brightness
_COVERED = 0.6
# Eye distances around such a corner in which what is dark is of the frame: over the eye, and beside it.
_COVERS = 0.055, 0.14
_SPECK = 0.08  # eye distances, the square root of the area of the smallest piece of a frame
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

    Dark frames only: rims of light metal and lenses without a rim are not told from skin, and where a frame lies over
    a brow it goes with the brow.

    Parameters
    ----------
    portrait : Portrait
    mesh : PortraitMesh
    """
    image, unit = portrait.image, portrait.face.eye_distance
    bridge, skin = _bridge(portrait)
    if bridge is None:
        return None
    mask = _frame_around(_blurred_luma(image, 0.008 * unit), bridge, skin, portrait, unit)
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


def _frame_around(luma: np.ndarray, bridge: np.ndarray, skin: float, portrait: Portrait, unit: float) -> np.ndarray:
    """Return uint8 [H, W]: 1 on the dark lines that hang together with the bridge, but not on eyes and brows."""
    size = 2 * int(_WIRE * unit / 2) + 3
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    lines = cv2.morphologyEx(luma, cv2.MORPH_CLOSE, kernel) - luma
    mask = (lines > _LINE_CONTRAST * skin).astype(np.uint8)
    eyes, openings = np.zeros_like(mask), np.zeros_like(mask)
    for upper, lower, _ in EYES:
        outline = portrait.face.vertices[list(upper + lower[::-1]), :2]
        cv2.fillPoly(openings, [np.round(outline).astype(np.int32)], 1)
        for below in (0, _WATERLINE * unit):
            cv2.fillPoly(eyes, [np.round(outline + (0, below)).astype(np.int32)], 1)
    for brow in (BROW_RIGHT, BROW_LEFT):
        hull = cv2.convexHull(np.round(portrait.face.vertices[list(brow), :2]).astype(np.int32))
        cv2.fillConvexPoly(eyes, hull, 1)
    lashes = 2 * round(0.025 * unit) + 1
    mask[cv2.dilate(eyes, np.ones((lashes, lashes), np.uint8)) > 0] = 0
    dark = (luma < _DARK * skin).astype(np.uint8)
    for corner in EYE_CORNERS:
        around = np.zeros_like(mask)
        centre = tuple(np.round(portrait.face.vertices[corner, :2]).astype(int).tolist())
        cv2.circle(around, centre, round(_CORNER * unit), 1, -1)
        if corner in _INNER_CORNERS and dark[around > 0].mean() > _COVERED:
            over, beside = (cv2.circle(np.zeros_like(mask), centre, round(reach * unit), 1, -1) for reach in _COVERS)
            mask |= dark & (over | beside & ~openings)
        elif mask[around > 0].mean() < _HINGE:
            mask[around > 0] = 0
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    mask *= (stats[:, cv2.CC_STAT_AREA] > (_SPECK * unit) ** 2)[labels]
    middle = portrait.face.vertices[list(EYE_CORNERS), :2].mean(axis=0)
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]]
    mask[(np.abs(y - middle[1]) > 0.75 * unit) | (np.abs(x - middle[0]) > 1.6 * unit)] = 0
    for start, end in pairwise(bridge):
        cv2.line(mask, *(tuple(np.round(point).astype(int).tolist()) for point in (start, end)), 1, max(1, size // 4))
    gap = 2 * round(0.05 * unit) + 1
    _, labels = cv2.connectedComponents(cv2.dilate(mask, np.ones((gap, gap), np.uint8)))
    x, y = np.round(bridge[len(bridge) // 2]).astype(int)
    return mask * (labels == labels[y, x])
