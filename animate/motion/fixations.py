"""Gaze: the network says where to, eyes say how: they rest, then jump.

The sampler's few steps smear jumps into drifts, and eyes that drift look at nothing. So the gaze is held until the
network wishes it elsewhere, and then it jumps there. The longer it has rested, the smaller a wish suffices.
"""

from __future__ import annotations

import numpy as np

from animate.easing import smoothstep

EYES_AGAINST_HEAD = (0.8, 0.5)  # across and up: they stay on what they look at when the head turns (project note, 20)
SACCADE_S = 0.04

_AT_ONCE_DEG, _AT_LAST_DEG = 7.0, 0.5  # wishes that suffice right after a jump, and after the longest rest
_LONGEST_REST_S = 2.5


class Fixations:
    """Draws fixations into a stream of where the network wishes to look.

    Parameters
    ----------
    fps : float

    Examples
    --------
    >>> drift = np.linspace(0, 4, 100)[:, None] * [1.0, 0.0]          # degrees, over two seconds
    >>> gaze = Fixations(50.0).draw(drift)
    >>> int((np.diff(gaze[:, 0]) != 0).sum()) < 10                    # it hardly ever moves
    True
    """

    def __init__(self, fps: float):
        self.fps, self.steps = fps, max(1, round(SACCADE_S * fps))
        self.since = self.steps  # frames since the last jump began
        self.came_from = self.resting = np.empty(0)

    def draw(self, wish: np.ndarray) -> np.ndarray:
        """Take more of what is wished, degrees [T, 2]; return where the eyes look, float64 [T, 2]."""
        gaze = np.empty((len(wish), 2))
        for frame, point in enumerate(wish):
            if not len(self.resting):
                self.came_from = self.resting = point
            if self.since >= self.steps and np.hypot(*(point - self.resting)) > self._enough():
                self.came_from, self.resting, self.since = self.resting, point, 0
            self.since += 1
            gaze[frame] = self.came_from + smoothstep(self.since / self.steps) * (self.resting - self.came_from)
        return gaze

    def _enough(self) -> float:
        patience = max(0.0, 1 - self.since / self.fps / _LONGEST_REST_S)
        return _AT_LAST_DEG + (_AT_ONCE_DEG - _AT_LAST_DEG) * patience
