"""What shows through the mouth and between the lids: an opening and how it is filled without a jagged edge."""

from dataclasses import dataclass

import numpy as np

from animate.renderer.raster import opening_coverage


@dataclass(frozen=True, eq=False)
class Opening:
    """An opening as it stands in one frame.

    Attributes
    ----------
    left, top : int
        Corner of the part of the picture it takes.
    coverage : float32 [h, w]
        0 outside to 1 inside.
    below_upper, above_lower : float32 [h, w]
        Distance from either edge, pixels.
    """

    left: int
    top: int
    coverage: np.ndarray
    below_upper: np.ndarray
    above_lower: np.ndarray


def find_opening(
    upper: np.ndarray, lower: np.ndarray, size: tuple[int, int], inset: float, softness: float
) -> Opening | None:
    """Return the opening between two edges, or None if it is closed or outside the picture.

    Parameters
    ----------
    upper, lower : float [n, 2]
        The edges from end to end, pixels; entries of the same position face each other.
    size : tuple of int
        Width and height of the picture.
    inset, softness : float
        Pixels from the edge at which the coverage begins to rise, and over which it rises to one.
    """
    both = np.concatenate([upper, lower])
    left, top = np.maximum(np.floor(both.min(axis=0)).astype(int), 0)
    right, bottom = np.minimum(np.ceil(both.max(axis=0)).astype(int) + 1, size)
    if right <= left or bottom <= top:
        return None
    start, axis, heights = straightened(upper, lower)
    if (heights[1] - heights[0]).max() <= 2 * inset:
        return None
    shape = (int(bottom - top), int(right - left))
    parts = opening_coverage(int(left), int(top), shape, start, axis, 1.0, *heights, inset, softness)
    return Opening(int(left), int(top), *parts)


def straightened(upper: np.ndarray, lower: np.ndarray):
    """Return both edges as heights over the line from end to end of an opening.

    Returns
    -------
    start, axis : float [2]
        Pixels; the end at the picture's left, and the unit vector to the other.
    heights : list of float [M]
        Of the upper and the lower edge, positive downwards, once per pixel along the axis.
    """
    if upper[0, 0] > upper[-1, 0]:
        upper, lower = upper[::-1], lower[::-1]
    start, axis = (upper[0] + lower[0]) / 2, (upper[-1] + lower[-1] - upper[0] - lower[0]) / 2
    length = max(1e-3, float(np.hypot(*axis)))
    axis = axis / length
    samples = np.arange(0, length + 1.0)
    heights = []
    for edge in (upper, lower):
        along = np.maximum.accumulate((edge - start) @ axis)
        heights.append(np.interp(samples, along, (edge - start) @ np.array([-axis[1], axis[0]])))
    return start, axis, heights
