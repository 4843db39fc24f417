"""Blinks: the network says when, measured lids say how.

A blink lasts seven frames. The sampler's few steps leave some of them half-hearted, and an eye that half closes looks
drowsy; so each wish of the network that is strong enough is drawn as a whole blink, and a face that would stare is
given one.
"""

import numpy as np
from scipy.signal import find_peaks

# Measured on 9 minutes of talking video (aggregate figures, project note)
CLOSING_S, OPENING_S = 0.080, 0.140
REFRACTORY_S = 0.4
_HELD_S = 0.02

_WISH = 0.25  # of the network's lid control
_LONGEST_STARE_S = 5.0
_FIRST_BEFORE_S = 2.6  # so that any clip of three seconds has one


def blink_shape(times: np.ndarray, onset_s: float, pace: float = 1.0, height: float = 1.0) -> np.ndarray:
    """Return lid closure 0-1 at `times` seconds for a blink whose lids meet at `onset_s`.

    `pace` above 1 is slower. Lids close faster than they open.
    """
    closing = 1 - (onset_s - times) / (CLOSING_S * pace)
    opening = 1 - (times - onset_s - _HELD_S) / (OPENING_S * pace)
    lid = np.clip(np.minimum(closing, opening), 0, 1)
    return height * lid * lid * (3 - 2 * lid)


def draw_blinks(wish: np.ndarray, fps: float) -> np.ndarray:
    """Return lid closure float32 [T] with a whole blink for each peak of the network's lid control [T].

    Examples
    --------
    >>> float(draw_blinks(np.zeros(200), 50.0).max()) > 0.9     # nobody stares for four seconds
    True
    """
    wish = np.asarray(wish, np.float64)
    times = np.arange(len(wish)) / fps
    peaks, _ = find_peaks(wish, height=_WISH, distance=max(1, round(REFRACTORY_S * fps)))
    lids = np.zeros(len(wish))
    for frame in _without_stares(peaks.tolist(), wish, fps):
        near = slice(max(0, frame - round(0.3 * fps)), frame + round(0.4 * fps))
        strength = 0.92 + 0.08 * np.clip(wish[frame], 0, 1)
        lids[near] = np.maximum(lids[near], blink_shape(times[near], frame / fps, height=strength))
    return lids.astype(np.float32)


def _without_stares(peaks: list[int], wish: np.ndarray, fps: float) -> list[int]:
    """Return the peaks with one more wherever too long a time would pass without a blink."""
    frames: list[int] = []
    deadline = _FIRST_BEFORE_S
    for peak in [*peaks, len(wish) + round(_LONGEST_STARE_S * fps)]:
        while peak / fps > deadline and round(deadline * fps) < len(wish) - round(0.3 * fps):
            # Where in the last half of the stare the network comes nearest to a blink
            first = round((deadline - 0.5 * _LONGEST_STARE_S) * fps) if frames else round(0.5 * fps)
            frames.append(first + int(np.argmax(wish[first : round(deadline * fps)])))
            deadline = frames[-1] / fps + _LONGEST_STARE_S
        if peak < len(wish) and (not frames or peak - frames[-1] >= REFRACTORY_S * fps):
            frames.append(peak)
            deadline = peak / fps + _LONGEST_STARE_S
    return frames
