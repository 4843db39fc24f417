"""The same features while the voice is still arriving."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from animate.speech.features import (
    HOP_LENGTH,
    MOTION_FPS,
    NUM_MELS,
    PITCH_WINDOW,
    SAMPLE_RATE,
    assemble,
    mel_power,
    pitch_and_voicing,
    speech_level,
)
from animate.types import SpeechFeatures

_BLOCK = 10  # frames worked on at a time; fixed, so that the result does not depend on the size of the pieces
_HISTORY = 20 * MOTION_FPS  # frames from which level and noise floor are taken
_LEVEL_KEEP = 0.995  # of the level from block to block: it rises at once and falls by half in 28 s


def stream_features(pieces: Iterable[np.ndarray], sample_rate: int) -> Iterator[SpeechFeatures]:
    """Yield the features of a voice piece by piece, 0.2 s at a time and about 0.05 s late.

    Level and noise floor are those of the last 20 s, where `extract_features` knows the whole recording: the first
    word of a stream may move the lips a little more or less.

    Parameters
    ----------
    pieces : iterable of float32 [n]
        Consecutive mono samples in -1 to 1, of any length.
    sample_rate : int
        Hz.

    Yields
    ------
    SpeechFeatures
        Consecutive rows; together one for each 1/50 s of sound.

    Examples
    --------
    >>> pieces = [np.zeros(4000, np.float32)] * 4
    >>> sum(len(block.values) for block in stream_features(pieces, 16000))
    50
    """
    kept = np.zeros(PITCH_WINDOW // 2, np.float32)
    levels = _RunningLevels()
    heard = done = 0
    for samples in _at_model_rate(pieces, sample_rate):
        heard += len(samples)
        kept = np.concatenate([kept, samples])
        while len(kept) >= (_BLOCK - 1) * HOP_LENGTH + PITCH_WINDOW:
            yield levels.features(kept[: (_BLOCK - 1) * HOP_LENGTH + PITCH_WINDOW])
            kept = kept[_BLOCK * HOP_LENGTH :]
            done += _BLOCK
    rest = max(1 - done, round(heard / HOP_LENGTH) - done)
    while rest > 0:
        count = min(rest, _BLOCK)
        length = (count - 1) * HOP_LENGTH + PITCH_WINDOW
        yield levels.features(np.pad(kept, (0, max(0, length - len(kept))))[:length])
        kept, rest = kept[count * HOP_LENGTH :], rest - count


class _RunningLevels:
    """Mel power, pitch and voicing of the last seconds, and the level that the voice has had in them."""

    def __init__(self):
        self.history = np.empty((0, NUM_MELS + 2), np.float32)
        self.level = 0.0

    def features(self, samples: np.ndarray) -> SpeechFeatures:
        """Return the features of the frames whose windows lie in these samples."""
        fresh = np.column_stack([mel_power(samples), *pitch_and_voicing(samples)])
        self.history = np.concatenate([self.history, fresh])[-_HISTORY:]
        mel, pitch, voicing = self.history[:, :NUM_MELS], self.history[:, NUM_MELS], self.history[:, NUM_MELS + 1]
        self.level = max(speech_level(mel), self.level * _LEVEL_KEEP)
        return SpeechFeatures(assemble(mel, pitch, voicing, self.level)[-len(fresh) :], float(MOTION_FPS))


def _at_model_rate(pieces: Iterable[np.ndarray], sample_rate: int) -> Iterator[np.ndarray]:
    if sample_rate == SAMPLE_RATE:
        yield from (np.asarray(piece, np.float32) for piece in pieces)
        return
    import soxr

    resampler = soxr.ResampleStream(sample_rate, SAMPLE_RATE, 1, dtype="float32", quality="HQ")
    for piece in pieces:
        yield resampler.resample_chunk(np.ascontiguousarray(piece, np.float32))
    yield resampler.resample_chunk(np.empty(0, np.float32), last=True)
