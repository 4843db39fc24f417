"""Speech features: levels, silence, chunks, and what they must not depend on."""

import numpy as np
import pytest

from animate.errors import VoiceError
from animate.speech import FEATURES, MOTION_FPS, extract_features, stream_features
from animate.types import Speech

RATE = 16_000
ENERGY, PITCH, VOICING = (FEATURES.index(name) for name in ("energy", "pitch", "voicing"))


def buzz(duration_s: float, pitch_hz: float = 120.0, sample_rate: int = RATE) -> np.ndarray:
    """A voice-like sound: harmonics that swell four times a second, between half a second of silence."""
    times = np.arange(int(duration_s * sample_rate)) / sample_rate
    sound = sum(np.sin(2 * np.pi * pitch_hz * k * times) / k for k in range(1, 12))
    sound *= np.sin(2 * np.pi * 2 * times) ** 2 * 0.1
    return np.pad(sound, sample_rate // 2).astype(np.float32)


def features(samples: np.ndarray, sample_rate: int = RATE, **options) -> np.ndarray:
    return extract_features(Speech(samples, sample_rate), **options).values


def test_rows_follow_the_motion_clock():
    assert features(buzz(2.0)).shape == (round(3.0 * MOTION_FPS), len(FEATURES))


@pytest.mark.parametrize("count", [1, 2, 37, 400])
def test_a_few_samples_make_at_least_one_row(count):
    values = features(np.full(count, 0.1, np.float32), 44_100)
    assert len(values) == 1
    assert np.isfinite(values).all()


def test_no_sample_is_refused():
    with pytest.raises(VoiceError, match="no sound"):
        features(np.zeros(0, np.float32))


def test_samples_that_are_not_numbers_are_refused():
    samples = buzz(1.0)
    samples[5000] = np.nan
    with pytest.raises(VoiceError, match="not finite"):
        features(samples)


def test_silence_is_zero():
    assert not features(np.zeros(RATE, np.float32)).any()


def test_faint_noise_is_not_blown_up_but_a_faint_voice_is():
    noise = np.random.default_rng(0).normal(0, 4e-4, 3 * RATE).astype(np.float32)
    assert features(noise)[:, ENERGY].mean() < 0.3
    assert features(0.004 * buzz(2.0))[:, ENERGY].max() > 0.9


def test_a_quiet_recording_speaks_as_clearly_as_a_loud_one():
    sound = buzz(2.0)
    assert np.allclose(features(sound), features(0.05 * sound), atol=1e-3)


def test_steady_noise_is_taken_off_between_words():
    noise = np.random.default_rng(0).normal(0, 0.001, 3 * RATE).astype(np.float32)
    values = features(buzz(2.0) + noise)
    assert values[10:20, ENERGY].mean() < 0.5 * values[30:60, ENERGY].mean()


@pytest.mark.parametrize("sample_rate", [16_000, 44_100])
@pytest.mark.parametrize("chunk_s", [0.02, 0.37, 2.0])
def test_chunks_change_nothing(sample_rate, chunk_s):
    sound = buzz(2.0, sample_rate=sample_rate)
    assert np.allclose(features(sound, sample_rate, chunk_s=chunk_s), features(sound, sample_rate), atol=1e-4)


def test_sample_rates_agree():
    low, high = (features(buzz(2.0, sample_rate=rate), rate) for rate in (16_000, 48_000))
    assert np.abs(low[:, ENERGY] - high[:, ENERGY]).max() < 0.05


@pytest.mark.parametrize("pitch_hz", [90, 200, 350])
def test_pitch_is_found_and_only_where_there_is_a_voice(pitch_hz):
    values = features(buzz(2.0, pitch_hz))
    voiced = values[:, VOICING] > 0.9
    found_hz = 150 * 2 ** (values[voiced, PITCH] / values[voiced, VOICING])
    assert voiced[30:120].mean() > 0.6
    assert np.median(found_hz) == pytest.approx(pitch_hz, rel=0.03)
    assert not values[:15, VOICING].any()
    hiss = np.random.default_rng(0).normal(0, 0.1, 2 * RATE).astype(np.float32)
    assert features(hiss)[:, VOICING].mean() < 0.2


@pytest.mark.parametrize("piece", [160, 4001, 10**6])
def test_streamed_features_do_not_depend_on_the_size_of_the_pieces(voice, piece):
    samples = voice.samples[: 4 * voice.sample_rate]
    pieces = [samples[start : start + piece] for start in range(0, len(samples), piece)]
    streamed = np.concatenate([block.values for block in stream_features(pieces, voice.sample_rate)])
    whole = np.concatenate([block.values for block in stream_features([samples], voice.sample_rate)])
    assert len(streamed) == 200
    assert np.allclose(streamed, whole, atol=1e-4)


def test_streamed_features_are_those_of_the_recording_once_the_voice_is_known(voice):
    streamed = np.concatenate([block.values for block in stream_features([voice.samples], voice.sample_rate)])
    offline = extract_features(voice).values
    assert abs(len(streamed) - len(offline)) <= 1
    settled = slice(5 * 50, len(offline) - 5)
    assert np.corrcoef(streamed[settled].ravel(), offline[settled].ravel())[0, 1] > 0.97


def test_a_streamed_silence_stays_silent():
    blocks = stream_features([np.zeros(1000, np.float32)] * 20, 16_000)
    assert not any(block.values.any() for block in blocks)
