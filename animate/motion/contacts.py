"""Lips touch where the voice says so: contacts and rounding from what the encoder hears.

A sampler that is not sure of a closure leaves the lips half open, and half-closed lips read as wrong. The encoder names
the phone of each frame with a probability, and tells p, b and m from vowels far better than the sampled curves do; so
contacts that are likely enough are carried out in full, whatever the curves say.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.ndimage import gaussian_filter1d, maximum_filter1d

LIPS, TEETH, ROUNDED = "pbmɓ", "fvɱʋ", "uowʊɔɥʍyøœʏ"
OPEN = "aɑäæɛʌɐ"

# Probabilities below the first are ignored, from the second on the contact is complete. Chosen by the scores of the
# model card: lower ones find few more contacts, and close the lips for more and more t, d and n.
_LIPS_FROM, _LIPS_FULL = 0.007, 0.022
_TEETH_FROM, _TEETH_FULL = 0.012, 0.040
_ROUNDED_FROM, _ROUNDED_FULL = 0.05, 0.22
# A contact happens where its probability peaks: within these frames, from the first share of their maximum on. Beside
# the peak a low probability only says that the lips are on their way.
_PEAK_WINDOW = 7
_PEAK_FROM, _PEAK_FULL = 0.75, 1.0
# Where an open vowel is this likely, contacts begin to give way, and where it is certain there are none.
_OPEN_FROM, _OPEN_FULL = 0.5, 0.8
_SPREAD = 3  # frames: lips touch 20 ms before the phone and leave 10 ms after it (see `animate.train.teacher`)
_SOFTEN = 0.75  # frames
_TEETH_GAP = 0.03  # of `lip_gap`: the lower lip at the upper teeth
_TEETH_ROLL = 0.18
_ROUND_PUCKER = 0.32


def evidence(probabilities: np.ndarray, phones: Sequence[str]) -> np.ndarray:
    """Return how surely lips touch, the lip touches the teeth and lips are round: float32 [T, 3], 0-1.

    Parameters
    ----------
    probabilities : float [T, len(phones)]
    phones : sequence of str
        IPA.
    """

    def likely(letters: str) -> np.ndarray:
        return probabilities[:, [index for index, phone in enumerate(phones) if phone and phone in letters]].sum(axis=1)

    def gate(curve: np.ndarray, first: float, full: float) -> np.ndarray:
        return np.clip((curve - first) / (full - first), 0, 1)

    def spread(gate: np.ndarray) -> np.ndarray:
        return gaussian_filter1d(maximum_filter1d(gate, _SPREAD), _SOFTEN)

    def touching(letters: str, first: float, full: float) -> np.ndarray:
        curve = likely(letters)
        of_peak = curve / np.maximum(maximum_filter1d(curve, _PEAK_WINDOW), first)
        return spread(gate(curve, first, full) * gate(of_peak, _PEAK_FROM, _PEAK_FULL))

    apart = 1 - gate(likely(OPEN), _OPEN_FROM, _OPEN_FULL)
    lips, teeth = touching(LIPS, _LIPS_FROM, _LIPS_FULL), touching(TEETH, _TEETH_FROM, _TEETH_FULL)
    rounded = spread(gate(likely(ROUNDED), _ROUNDED_FROM, _ROUNDED_FULL))
    return np.stack([lips * apart, teeth * apart, rounded], axis=1).astype(np.float32)


def carry_out(controls: np.ndarray, sure: np.ndarray, index: dict[str, int]) -> np.ndarray:
    """Return controls float32 [T, L] in which the contacts `sure` [T, 3] happen; `index` places controls by name."""
    lips, teeth, rounded = sure.T
    out = controls.copy()
    out[:, index["seal"]] = lips
    jaw, close = out[:, index["jawOpen"]], out[:, index["mouthClose"]]
    out[:, index["mouthClose"]] += teeth * np.maximum(jaw - close - _TEETH_GAP, 0)
    for name in ("mouthLowerDown", "mouthUpperUp"):
        out[:, index[name]] *= 1 - teeth
    roll, pucker = index["mouthRollLower"], index["mouthPucker"]
    out[:, roll] = np.maximum(out[:, roll], _TEETH_ROLL * teeth)
    out[:, pucker] = np.maximum(out[:, pucker], _ROUND_PUCKER * rounded)
    return out
