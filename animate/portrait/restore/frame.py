"""Set a scanned print straight and cut the scanner's bed away, if the print's four edges show."""

from __future__ import annotations

import cv2
import numpy as np

from animate.types import Treatment

_CORNER = 0.012  # side of the patches in the corners that show the bed, as a share of the short side
_BED_SPREAD = 6.0  # grey levels, standard deviation of the bed
_BED_STEP = 18  # grey levels by which the print differs from it
_WHITE_BED, _BLACK_BED = 225, 30
_RECTANGULAR = 0.985  # share of the smallest upright or tilted rectangle around the print that the print fills
_MARGIN = 0.01  # least width of the bed on each side, as a share of the short side
_MAX_TILT_DEG = 12.0
_LEAST_TILT_DEG = 0.2


def straighten(image: np.ndarray) -> tuple[np.ndarray, Treatment]:
    """Turn a print that lies askew on a scanner's bed, and crop to it.

    Parameters
    ----------
    image : uint8 [H, W, 3]

    Returns
    -------
    image : uint8 [H, W, 3]
    treatment : Treatment
    """
    corners = _print_corners(image)
    if corners is None:
        return image, Treatment("straighten", False, "no edges of a print on a scanner's bed: left")
    top_left, top_right, _, bottom_left = corners
    tilt_deg = float(np.degrees(np.arctan2(*(top_right - top_left)[::-1])))
    inset = 2  # pixels of the print's worn edge
    width, height = (int(np.hypot(*side)) - 2 * inset for side in (top_right - top_left, bottom_left - top_left))
    if abs(tilt_deg) < _LEAST_TILT_DEG:
        x, y = (int(np.ceil(part)) + inset for part in top_left)
        image = np.ascontiguousarray(image[y : y + height, x : x + width])
    else:
        turn = cv2.getRotationMatrix2D((0, 0), tilt_deg, 1)
        turn[:, 2] = -turn[:, :2] @ top_left - inset
        image = cv2.warpAffine(image, turn, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    words = f"a print tilted by {tilt_deg:.1f} degrees on a scanner's bed: set straight and cut out, {width}x{height}"
    return image, Treatment("straighten", True, words, {"tilt_deg": tilt_deg})


def _print_corners(image: np.ndarray) -> np.ndarray | None:
    """Return the corners of a print from the top left clockwise, float32 [4, 2] (x, y), or None."""
    luma = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    height, width = luma.shape
    side = max(3, round(_CORNER * min(height, width)))
    bed = np.concatenate([luma[y, x].ravel() for y in _ends(side) for x in _ends(side)]).astype(np.float32)
    if bed.std() > _BED_SPREAD or not (bed.mean() > _WHITE_BED or bed.mean() < _BLACK_BED):
        return None
    differs = (np.abs(luma - bed.mean()) > _BED_STEP).astype(np.uint8)
    differs = cv2.morphologyEx(differs, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    outlines, _ = cv2.findContours(differs, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not outlines:
        return None
    outline = max(outlines, key=cv2.contourArea)
    box = cv2.boxPoints(cv2.minAreaRect(outline))
    box = box[np.argsort(np.arctan2(*(box - box.mean(axis=0)).T[::-1]))]  # clockwise, as y points down
    start = int(np.argmin(box.sum(axis=1)))
    box = np.roll(box, -start, axis=0)
    margin = _MARGIN * min(height, width)
    inside = box.min() >= margin and (np.array([width, height]) - 1 - box.max(axis=0) >= margin).all()
    filled = cv2.contourArea(outline) / max(1.0, cv2.contourArea(box))
    tilt_deg = np.degrees(np.arctan2(*(box[1] - box[0])[::-1]))
    return box if inside and filled > _RECTANGULAR and abs(tilt_deg) < _MAX_TILT_DEG else None


def _ends(side: int) -> tuple[slice, slice]:
    return slice(None, side), slice(-side, None)
