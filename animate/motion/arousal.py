"""How aroused a voice sounds, from prosody alone.

Arousal (calm to excited) shows in pitch that moves widely and in a bright spectrum of vocal effort (Scherer 2003);
whether it is pleasant does not show reliably, and is not estimated.
"""

from __future__ import annotations

import numpy as np

_MEMORY_S = 2.0
# Mean and spread over ordinary synthetic speech, of the pitch's distance from its running mean (octaves) and of the
# level of 2-6 kHz against that below 1 kHz
_PITCH_MOVES, _BRIGHT = (0.24, 0.10), (-0.21, 0.08)
_WILDEST_MOVE = 0.5  # octaves; beyond it the pitch was mistaken for its octave
_LOW_BANDS, _HIGH_BANDS = slice(4, 14), slice(23, 37)
_PITCH, _VOICING = 42, 43  # columns of the features


class Arousal:
    """Follows a voice frame by frame, hearing only what was before."""

    def __init__(self, fps: float = 50.0):
        self.keep = float(np.exp(-1 / (_MEMORY_S * fps)))
        self.track = np.empty(0, np.float32)  # of the last window
        self.begin = 0
        self.means = {"pitch": 0.0, "moves": _PITCH_MOVES[0], "bright": _BRIGHT[0]}

    def follow(self, heard: np.ndarray, start: int) -> np.ndarray:
        """Return arousal float32 [T], 0 calm, 0.5 ordinary, 1 aroused, for features [T, D] of frames from `start`.

        Windows may overlap; frames that were followed before keep their value.
        """
        known = self.track[start - self.begin :]
        fresh = [self._next(row) for row in heard[len(known) :]]
        self.track, self.begin = np.concatenate([known, np.array(fresh, np.float32)])[: len(heard)], start
        return self.track

    def _next(self, row: np.ndarray) -> float:
        voicing = float(row[_VOICING])
        if voicing > 0.5:
            pitch = float(row[_PITCH]) / voicing
            self._learn("pitch", pitch)
            self._learn("moves", min(abs(pitch - self.means["pitch"]), _WILDEST_MOVE))
            self._learn("bright", float(row[_HIGH_BANDS].mean() - row[_LOW_BANDS].mean()))
        signs = [
            (self.means[name] - middle) / spread for name, (middle, spread) in
            (("moves", _PITCH_MOVES), ("bright", _BRIGHT))
        ]  # fmt: skip
        return float(0.5 + 0.5 * np.tanh(0.4 * sum(signs)))

    def _learn(self, name: str, value: float) -> None:
        self.means[name] += (1 - self.keep) * (value - self.means[name])
