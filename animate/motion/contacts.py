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
_LIPS_FROM, _LIPS_FULL = 0.018, 0.055
_TEETH_FROM, _TEETH_FULL = 0.012, 0.040
_ROUNDED_FROM, _ROUNDED_FULL = 0.05, 0.22
# Where an open vowel is this likely, contacts begin to give way, and where it is certain there are none.
_OPEN_FROM, _OPEN_FULL = 0.5, 0.8
_SPREAD = (
    3  # frames: lips touch 20 ms before the phone and leave 10 ms after it (measured; see `animate.train.teacher`)
)
_SOFTEN = 0.8  # frames
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

    def gate(letters: str, first: float, full: float) -> np.ndarray:
        columns = [index for index, phone in enumerate(phones) if phone and phone in letters]
        return np.clip((probabilities[:, columns].sum(axis=1) - first) / (full - first), 0, 1)

    def spread(gate: np.ndarray) -> np.ndarray:
        return gaussian_filter1d(maximum_filter1d(gate, _SPREAD), _SOFTEN)

    apart = 1 - gate(OPEN, _OPEN_FROM, _OPEN_FULL)
    lips, teeth = gate(LIPS, _LIPS_FROM, _LIPS_FULL), gate(TEETH, _TEETH_FROM, _TEETH_FULL)
    rounded = gate(ROUNDED, _ROUNDED_FROM, _ROUNDED_FULL)
    return np.stack([spread(lips) * apart, spread(teeth) * apart, spread(rounded)], axis=1).astype(np.float32)


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
