"""Curves without gaps and without jitter, none of them late."""

from __future__ import annotations

import numpy as np
from scipy.signal import savgol_filter

from animate.easing import smoothstep

_WINDOW_S = 0.2
_NOISE = 3.0  # robust standard deviations by which a change stands out of the jitter


def bridge(values: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Return rows float [T, C] out of those that were seen: what is missing eases from one to the next.

    Parameters
    ----------
    values : float [n, C]
        The rows that were seen.
    seen : bool [T]
        n of them true.
    """
    known, rows = np.flatnonzero(seen), np.arange(len(seen))
    before = np.maximum(np.searchsorted(known, rows, "right") - 1, 0)
    after = np.minimum(np.searchsorted(known, rows), len(known) - 1)
    share = smoothstep((rows - known[before]) / np.maximum(known[after] - known[before], 1))[:, None]
    return (1 - share) * values[before] + share * values[after]


def without_jitter(values: np.ndarray, fps: float) -> np.ndarray:
    """Return curves float [T, C] smoothed where they only tremble.

    A symmetric filter (Savitzky & Golay 1964) has no lag. What it takes away is given back where it is more than
    jitter, so that blinks, saccades and closures of the lips keep their height.
    """
    window = 2 * round(_WINDOW_S * fps / 2) + 1
    if len(values) < window or window < 5:
        return values
    smooth = savgol_filter(values, window, 2, axis=0)
    taken = values - smooth
    jitter = _NOISE * 1.4826 * np.median(np.abs(taken), axis=0)
    return smooth + taken * taken**2 / np.maximum(taken**2 + jitter**2, 1e-12)
