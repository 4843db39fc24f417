"""Several voices become one sound track."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.signal import resample_poly

from animate.types import Speech


def resampled(voice: Speech, sample_rate: int) -> Speech:
    """Return a voice at another sample rate.

    Examples
    --------
    >>> len(resampled(Speech(np.zeros(8000, np.float32), 8000), 16000).samples)
    16000
    """
    if voice.sample_rate == sample_rate:
        return voice
    common = np.gcd(voice.sample_rate, sample_rate)
    samples = resample_poly(voice.samples, sample_rate // common, voice.sample_rate // common)
    return replace(voice, samples=samples.astype(np.float32), sample_rate=sample_rate)


def lasting(voice: Speech, duration_s: float) -> Speech:
    """Return a voice that is cut, or goes on in silence, to last `duration_s` seconds.

    Examples
    --------
    >>> lasting(Speech(np.ones(8000, np.float32), 8000), 2.5).duration_s
    2.5
    """
    samples = np.zeros(round(duration_s * voice.sample_rate), np.float32)
    kept = voice.samples[: len(samples)]
    samples[: len(kept)] = kept
    return replace(voice, samples=samples)


def mixed(voices: Sequence[Speech]) -> Speech:
    """Return all voices at once, from their beginnings, scaled down if they exceed full scale together.

    The rate is the highest of theirs. The sum is no file, so it has no hash.

    Examples
    --------
    >>> quiet, loud = (Speech(np.full(4, level, np.float32), 8000) for level in (0.2, 0.6))
    >>> mixed([quiet, loud]).samples.round(2) == np.float32(0.8)
    array([ True,  True,  True,  True])
    """
    if len(voices) == 1:
        return voices[0]
    rate = max(voice.sample_rate for voice in voices)
    duration_s = max(voice.duration_s for voice in voices)
    total = sum(lasting(resampled(voice, rate), duration_s).samples for voice in voices)
    return Speech(total / max(1.0, float(np.abs(total).max())), rate, " + ".join(voice.name for voice in voices))
