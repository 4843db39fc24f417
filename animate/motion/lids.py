"""Blinks: the network says when, measured lids say how.

A blink lasts seven frames. The sampler's few steps leave some of them half-hearted, and an eye that half closes looks
drowsy; so each wish of the network that is strong enough is drawn as a whole blink. The longer an eye has been open,
the smaller a wish suffices, so that no face stares.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from animate.easing import smoothstep

# Measured on 9 minutes of talking video (aggregate figures, project note)
CLOSING_S, OPENING_S = 0.080, 0.140
REFRACTORY_S = 0.4
_HELD_S = 0.02

_WISH = 0.25  # of the network's lid control
_LONGEST_STARE_S = 5.0
_FIRST_BEFORE_S = 2.6  # so that any clip of three seconds has one
_YIELDING_S = 1.5  # before the longest stare, over which ever smaller wishes suffice
_EARLIEST_S = 0.2
_NEVER = 1e-3  # a rate below this is none


def blink_shape(times: np.ndarray, onset_s: float, pace: float = 1.0, height: float = 1.0) -> np.ndarray:
    """Return lid closure 0-1 at `times` seconds for a blink whose lids meet at `onset_s`.

    `pace` above 1 is slower. Lids close faster than they open.
    """
    closing = 1 - (onset_s - times) / (CLOSING_S * pace)
    opening = 1 - (times - onset_s - _HELD_S) / (OPENING_S * pace)
    return height * smoothstep(np.minimum(closing, opening))


class Lids:
    """Draws blinks into a stream of the network's lid control.

    Parameters
    ----------
    fps : float
    rate : float or callable
        How often to blink against what the network wishes: 0 never, 1 as it wishes, 2 about twice as often. A callable
        gives it for a time in seconds.

    Examples
    --------
    >>> lids = Lids(50.0)
    >>> drawn = lids.draw(np.zeros(200), last=True)
    >>> float(drawn.max()) > 0.9                            # nobody stares for four seconds
    True
    """

    def __init__(self, fps: float, rate: float | Callable[[float], float] = 1.0):
        self.fps = fps
        self.rate_at = rate if callable(rate) else lambda time_s: rate
        self.wishes = np.zeros(0)  # of the frames from `first` on
        self.first = 0
        self.decided = 0  # frames up to here are known to blink or not
        self.drawn = 0  # and up to here were returned
        self.blinks: list[tuple[int, float]] = []  # frame and height of those that still matter
        self.open_since = -math.inf
        self.credit = 1.0

    def draw(self, wish: np.ndarray, last: bool = False) -> np.ndarray:
        """Take more frames of the control [T]; return the lid closure float32 of all frames that are now certain.

        After the call with `last`, as many frames have been returned as were given.
        """
        self.wishes = np.concatenate([self.wishes, np.asarray(wish, np.float64)])
        end = self.first + len(self.wishes)
        self._decide(end if last else end - self._frames(REFRACTORY_S))
        ready = end if last else max(self.drawn, self.decided - self._frames(CLOSING_S) - 1)
        times = np.arange(self.drawn, ready) / self.fps
        lids = np.zeros(len(times))
        for frame, height in self.blinks:
            lids = np.maximum(lids, blink_shape(times, frame / self.fps, height=height))
        self._forget(ready)
        return lids.astype(np.float32)

    def _decide(self, until: int) -> None:
        """Walk over the frames up to `until` and note the blinks."""
        while self.decided < until:
            frame = self.decided
            self.decided += 1
            time_s = frame / self.fps
            rate = self.rate_at(time_s)
            if rate < _NEVER:
                self.open_since = time_s  # an eye told to stare does not snap shut when it may
                continue
            if time_s < _EARLIEST_S or time_s - self.open_since < REFRACTORY_S:
                continue
            first = self.open_since == -math.inf
            deadline_s = _FIRST_BEFORE_S / min(rate, 1.0) if first else self.open_since + _LONGEST_STARE_S / rate
            patience = np.clip((deadline_s - time_s) / _YIELDING_S, 0, 1)
            enough = _WISH / max(1.0, rate) * patience
            if (self._is_peak(frame) and self._wish(frame) >= enough) or time_s >= deadline_s:
                self._blink(frame, rate)
        self.decided = max(self.decided, until)

    def _blink(self, frame: int, rate: float) -> None:
        self.open_since = frame / self.fps
        self.credit += min(rate, 1.0)  # below a rate of 1 some wishes are passed over
        if self.credit >= 1:
            self.credit -= 1
            self.blinks.append((frame, 0.92 + 0.08 * float(np.clip(self._wish(frame), 0, 1))))

    def _is_peak(self, frame: int) -> bool:
        """Return whether no frame within the refractory time after it, nor its neighbour before, wishes more."""
        following = [self._wish(frame + step) for step in range(1, self._frames(REFRACTORY_S) + 1)]
        return self._wish(frame) > self._wish(frame - 1) and self._wish(frame) >= max(following)

    def _wish(self, frame: int) -> float:
        place = frame - self.first
        return float(self.wishes[place]) if 0 <= place < len(self.wishes) else 0.0

    def _frames(self, seconds: float) -> int:
        return round(seconds * self.fps)

    def _forget(self, ready: int) -> None:
        """Drop what no later frame needs."""
        self.drawn = ready
        gone = ready - self._frames(OPENING_S + _HELD_S) - 1
        self.blinks = [(frame, height) for frame, height in self.blinks if frame >= gone]
        keep_from = max(self.first, min(self.decided, ready) - 1)
        self.wishes = self.wishes[keep_from - self.first :]
        self.first = keep_from
