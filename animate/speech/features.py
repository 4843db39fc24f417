"""What the motion model hears: log-mel, energy, onset, pitch and voicing on the motion clock.

Levels are relative to the recording's own speech level and above its own noise floor, so that a quiet recording
speaks as clearly as a loud one, while silence stays silence. Everything is computed in chunks: an hour of sound
needs little more memory than its features.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np

from animate.clock import num_frames
from animate.errors import VoiceError
from animate.types import Speech, SpeechFeatures

MOTION_FPS = 50  # a lip closure of 100 ms lasts five rows, and 25 fps picks every second row exactly
SAMPLE_RATE = 16_000
HOP_LENGTH = SAMPLE_RATE // MOTION_FPS
NUM_MELS = 40
MEL_WINDOW = 512  # 32 ms: short enough to show the 50 ms of silence in a plosive
PITCH_WINDOW = 1024  # 64 ms: three periods of the lowest voice
PITCH_RANGE_HZ = (60.0, 500.0)
FEATURES = (*(f"mel{band:02d}" for band in range(NUM_MELS)), "energy", "onset", "pitch", "voicing")

_SPAN_DB = 60.0  # 0 in the features is this far below the speech level, 1 at it
_ABSOLUTE_GATE_DB = -85.0  # of full scale; what never rises above it is silence, whatever it is
_RELATIVE_GATE_DB = 20.0  # below the loudest speech, frames do not count towards the level
_FLOOR_MARGIN_DB = 18.0  # the floor of a recording without pauses is the voice itself: keep it this far below
_FAINT_DB, _STEADY_DB = -45.0, 8.0  # what is fainter and varies less is the noise of an empty room


def extract_features(speech: Speech, chunk_s: float = 10.0) -> SpeechFeatures:
    """Return the features of a voice, one row for each 1/50 s.

    Parameters
    ----------
    speech : Speech
        Mono, at any sample rate and level, one sample or more.
    chunk_s : float
        Seconds worked on at a time; bounds the memory and does not change the result beyond rounding.

    Returns
    -------
    SpeechFeatures
        float32 [T, 44] with the columns `FEATURES`; row t is centred on t / 50 s. Levels run from 0 (silence, 60 dB
        below the speech) to about 1; `pitch` is in octaves from 150 Hz times `voicing`, which is 0-1.

    Raises
    ------
    VoiceError
        If there is no sample, or a sample is not a finite number.

    Notes
    -----
    The level is gated as in ITU-R BS.1770 (absolute, then relative gate), the floor is a low percentile of each mel
    band and is subtracted from the power (Boll 1979).

    Examples
    --------
    >>> extract_features(Speech(np.zeros(8000, np.float32), 16000)).values.shape
    (25, 44)
    """
    if not len(speech.samples):
        raise VoiceError(f"{speech.name} holds no sound. Use a recording of at least one sample.")
    count = num_frames(speech.duration_s, MOTION_FPS)
    mel, pitch, voicing = (np.empty((count, *shape), np.float32) for shape in ((NUM_MELS,), (), ()))
    start = 0
    for samples in _chunks_of_frames(speech, count, max(1, round(chunk_s * MOTION_FPS))):
        stop = start + (len(samples) - PITCH_WINDOW) // HOP_LENGTH + 1
        mel[start:stop] = mel_power(samples)
        pitch[start:stop], voicing[start:stop] = pitch_and_voicing(samples)
        start = stop
    if not np.isfinite(mel).all():
        raise VoiceError(f"{speech.name} holds samples that are not finite numbers. Convert it again.")
    return SpeechFeatures(assemble(mel, pitch, voicing, speech_level(mel)), float(MOTION_FPS))


def assemble(mel: np.ndarray, pitch: np.ndarray, voicing: np.ndarray, level: float) -> np.ndarray:
    """Return features float32 [T, 44] of mel power [T, NUM_MELS], pitch [T] and voicing [T], given the speech level."""
    values = np.zeros((len(mel), len(FEATURES)), np.float32)
    if level > 0:
        loudness, audible = _relative_levels(mel, level)
        rise = np.maximum(np.diff(loudness[:, :NUM_MELS], axis=0, prepend=loudness[:1, :NUM_MELS]), 0)
        values[:, : NUM_MELS + 1] = loudness
        values[:, NUM_MELS + 1] = 4 * rise.mean(axis=1)
        values[:, NUM_MELS + 2] = pitch * voicing * audible
        values[:, NUM_MELS + 3] = voicing * audible
    return values


def _chunks_of_frames(speech: Speech, count: int, frames_per_chunk: int) -> Iterator[np.ndarray]:
    """Yield samples at 16 kHz that hold whole runs of frames, each overlapping the next by a window."""
    margin = PITCH_WINDOW // 2
    kept = np.zeros(margin, np.float32)
    done = 0
    for samples in resampled_blocks(speech, frames_per_chunk * HOP_LENGTH):
        kept = np.concatenate([kept, samples])
        ready = min(count - done, (len(kept) - PITCH_WINDOW) // HOP_LENGTH + 1)
        if ready > 0:
            yield kept[: (ready - 1) * HOP_LENGTH + PITCH_WINDOW]
            kept = kept[ready * HOP_LENGTH :]
            done += ready
    if done < count:
        length = (count - done - 1) * HOP_LENGTH + PITCH_WINDOW
        yield np.pad(kept, (0, max(0, length - len(kept))))[:length]


def resampled_blocks(speech: Speech, num_samples: int) -> Iterator[np.ndarray]:
    """Yield float32 samples at 16 kHz in blocks of about `num_samples`."""
    import soxr

    step = max(1, round(num_samples * speech.sample_rate / SAMPLE_RATE))
    if speech.sample_rate == SAMPLE_RATE:
        for start in range(0, len(speech.samples), step):
            yield np.asarray(speech.samples[start : start + step], np.float32)
        return
    stream = soxr.ResampleStream(speech.sample_rate, SAMPLE_RATE, 1, dtype="float32", quality="HQ")
    for start in range(0, len(speech.samples), step):
        block = np.ascontiguousarray(speech.samples[start : start + step], np.float32)
        yield stream.resample_chunk(block, last=start + step >= len(speech.samples))


def _framed(samples: np.ndarray, window: int) -> np.ndarray:
    """Return frames [T, window], each centred in its pitch window."""
    margin = (PITCH_WINDOW - window) // 2
    inner = samples[margin : len(samples) - margin]
    return np.lib.stride_tricks.sliding_window_view(inner, window)[::HOP_LENGTH]


def mel_power(samples: np.ndarray) -> np.ndarray:
    """Return power in mel bands float32 [T, NUM_MELS] of samples at 16 kHz that hold T pitch windows."""
    frames = _framed(samples, MEL_WINDOW) * np.hanning(MEL_WINDOW).astype(np.float32)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2 / (MEL_WINDOW * MEL_WINDOW * 0.375 / 2)
    return (power @ _mel_filters()).astype(np.float32)  # [T, NUM_MELS]


@cache
def _mel_filters() -> np.ndarray:
    import librosa

    # norm=None: the bands of a frame then add up to its power
    filters = librosa.filters.mel(sr=SAMPLE_RATE, n_fft=MEL_WINDOW, n_mels=NUM_MELS, fmin=50, fmax=7600, norm=None)
    return filters.T


def pitch_and_voicing(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return pitch in octaves from 150 Hz and voicing 0-1, float32 [T] each, by normalised autocorrelation.

    The autocorrelation of the frame is divided by that of the window (Boersma 1993).
    """
    window = np.hanning(PITCH_WINDOW).astype(np.float32)
    frames = _framed(samples, PITCH_WINDOW)
    frames = (frames - frames.mean(axis=1, keepdims=True)) * window
    size = 2 * PITCH_WINDOW
    correlation = np.fft.irfft(np.abs(np.fft.rfft(frames, size, axis=1)) ** 2, axis=1)
    reference = np.fft.irfft(np.abs(np.fft.rfft(window, size)) ** 2)
    shortest, longest = (int(SAMPLE_RATE / hz) for hz in reversed(PITCH_RANGE_HZ))
    lags = slice(shortest, longest + 1)
    normalised = correlation[:, lags] / np.maximum(correlation[:, :1], 1e-12) * (reference[0] / reference[lags])
    # A small preference for short lags avoids falling an octave down
    best = np.argmax(normalised - 0.02 * np.log2(np.arange(shortest, longest + 1) / shortest), axis=1)
    peak = normalised[np.arange(len(best)), best]
    voicing = np.clip((peak - 0.3) / 0.5, 0, 1)
    return np.log2(SAMPLE_RATE / (best + shortest) / 150.0).astype(np.float32), voicing.astype(np.float32)


def speech_level(mel: np.ndarray) -> float:
    """Return the mean power of the frames [T, NUM_MELS] that count as sound; 0 if there is none but a room's noise."""
    power = mel.sum(axis=1)
    loud = power[power > 10 ** (_ABSOLUTE_GATE_DB / 10)]
    if not len(loud):
        return 0.0
    soft, hard = np.quantile(loud, (0.1, 0.95))
    level = float(loud[loud >= hard * 10 ** (-_RELATIVE_GATE_DB / 10)].mean())
    faint, steady = level < 10 ** (_FAINT_DB / 10), hard < soft * 10 ** (_STEADY_DB / 10)
    return 0.0 if faint and steady else level


def _relative_levels(mel: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """Return levels of the bands and of the whole [T, NUM_MELS + 1], 0-1, and how audible each frame is, 0-1."""
    power = mel.sum(axis=1)
    loud = mel[power >= level * 10 ** (-_RELATIVE_GATE_DB / 10)].mean(axis=0)
    floor = np.minimum(np.quantile(mel, 0.05, axis=0), loud * 10 ** (-_FLOOR_MARGIN_DB / 10))
    clean = np.maximum(mel - 2 * floor, 0)
    total = clean.sum(axis=1, keepdims=True)
    # Bands carry a tenth of the power or less, hence their own reference
    relative = np.concatenate([clean / (level * 0.1), total / level], axis=1)
    levels = 1 + 10 * np.log10(np.maximum(relative, 10 ** (-_SPAN_DB / 10))) / _SPAN_DB
    audible = np.clip((levels[:, -1] - 0.3) / 0.15, 0, 1)
    return np.clip(levels, 0, 1.3).astype(np.float32), audible.astype(np.float32)
