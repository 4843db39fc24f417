"""What recordings do to a voice: rooms, microphones, codecs, noise, music, level; and sounds that are no speech.

All of it works on float32 [N] at 16 kHz and draws from one generator. Synthetic voices are clean and alike; the
model meets real ones only through these.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft, rfftfreq
from scipy.ndimage import gaussian_filter, gaussian_filter1d
from scipy.signal import butter, istft, oaconvolve, sosfilt, stft

from animate.train.phonemes import Phone

SAMPLE_RATE = 16_000
_FRAME = 512  # of the short-time spectra
_FORMANTS_OF_A = ((550, 950), (1050, 1500), (2300, 2900))  # Hz

Bed = Callable[[int, np.random.Generator], np.ndarray]  # length and generator to float [length], of RMS 1


def change_speed(samples: np.ndarray, factor: float) -> np.ndarray:
    """Return the sound played `factor` times as fast: tempo, pitch and formants move together, like another body."""
    import soxr

    return soxr.resample(samples, SAMPLE_RATE * factor, SAMPLE_RATE, quality="HQ").astype(np.float32)


def record(samples: np.ndarray, rng: np.random.Generator, crowd: Bed | None = None) -> np.ndarray:
    """Return the sound as some microphone in some room might have recorded it, with noise or music behind it.

    `crowd`, if given, is what is behind it instead.
    """
    samples = _equalised(samples, rng)
    if rng.random() < 0.4:
        samples = _in_a_room(samples, rng)
    if rng.random() < 0.25:
        samples = _band_limited(samples, rng)
    if crowd or rng.random() < 0.55:
        kind = crowd or (coloured_noise if rng.random() < 0.65 else music)
        bed = kind(len(samples), rng)
        snr_db = rng.uniform(8, 40) if kind is coloured_noise else rng.uniform(12, 30)
        samples = samples + bed * _rms(samples) / max(_rms(bed), 1e-9) * 10 ** (-snr_db / 20)
    if rng.random() < 0.1:
        samples = np.tanh(samples / max(_rms(samples), 1e-9) * rng.uniform(0.2, 0.6))  # an overdriven input
    peak = np.abs(samples).max() + 1e-9
    return (samples / peak * 10 ** (rng.uniform(-36, 0) / 20)).astype(np.float32)


def coloured_noise(length: int, rng: np.random.Generator) -> np.ndarray:
    """Return noise whose spectrum falls by 0 to 9 dB an octave, sometimes with a hum, sometimes swelling."""
    size = next_fast_len(length)
    spectrum = rfft(rng.standard_normal(size, np.float32))
    frequency = np.maximum(rfftfreq(size, 1 / SAMPLE_RATE), 20).astype(np.float32)
    noise = irfft(spectrum * frequency ** np.float32(-rng.uniform(0, 1.5)), size)[:length]
    noise /= max(_rms(noise), 1e-9)
    times = np.arange(length) / SAMPLE_RATE
    if rng.random() < 0.3:
        hum_hz = rng.choice((50, 60, 100, 120))
        noise += rng.uniform(0.3, 1.5) * sum(np.sin(2 * np.pi * hum_hz * k * times) / k for k in (1, 2, 3))
    if rng.random() < 0.4:
        noise *= 1 + 0.7 * np.sin(2 * np.pi * rng.uniform(0.1, 1.5) * times + rng.uniform(0, 6))
    return noise.astype(np.float32)


def music(length: int, rng: np.random.Generator) -> np.ndarray:
    """Return chords and a beat: notes of decaying harmonics on a scale, sometimes with a drum."""
    out = np.zeros(length)
    beat = int(SAMPLE_RATE * rng.uniform(0.25, 0.7))
    root_hz, decay_s = rng.uniform(80, 260), rng.uniform(0.15, 2.0)
    brightness = rng.uniform(0.8, 2.0)
    drum = rng.random() < 0.5
    for start in range(0, length, beat):
        size = min(3 * beat, length - start)
        times = np.arange(size) / SAMPLE_RATE
        envelope = np.minimum(times / 0.01, 1) * np.exp(-times / decay_s)
        for step in rng.choice((0, 2, 4, 5, 7, 9, 12, 16), size=rng.integers(1, 4), replace=False):
            note_hz = root_hz * 2 ** (step / 12)
            phase = (2 * np.pi * note_hz * times).astype(np.float32)
            tone = sum(np.sin(k * phase) / k**brightness for k in range(1, 6))
            out[start : start + size] += tone * envelope
        if drum:
            size = min(size, SAMPLE_RATE // 8)
            hit = rng.standard_normal(size) * np.exp(-np.arange(size) / (0.02 * SAMPLE_RATE))
            out[start : start + size] += 2 * hit
    return (out / max(_rms(out), 1e-9)).astype(np.float32)


def whispered(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the sound without its voice: noise through the same throat, darker sounds fainter."""
    spectrum = stft(samples, nperseg=_FRAME)[2]
    envelope = gaussian_filter1d(np.abs(spectrum), 5, axis=0)  # over harmonics up to 250 Hz apart
    noise = stft(rng.standard_normal(len(samples)).astype(np.float32), nperseg=_FRAME)[2]
    tilt = np.minimum(np.arange(len(envelope)) / rng.uniform(12, 25), 1)[:, None]
    whisper = istft(envelope * tilt * noise / max(float(np.abs(noise).mean()), 1e-9), nperseg=_FRAME)[1]
    return np.resize(whisper, len(samples)).astype(np.float32)


def shouted(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the sound with the spectrum and the even loudness of a raised voice."""
    size = next_fast_len(len(samples))
    octaves = np.clip(np.log2(np.maximum(rfftfreq(size, 1 / SAMPLE_RATE), 1) / 300), 0, 3.5)
    bright = irfft(rfft(samples, size) * 10 ** (octaves * rng.uniform(2, 5) / 20), size)[: len(samples)]
    return np.tanh(bright / max(np.abs(bright).max(), 1e-9) * rng.uniform(2, 5)).astype(np.float32)


def laugh(rng: np.random.Generator) -> tuple[np.ndarray, list[Phone]]:
    """Return a laugh, float32 [N], a row of 'ha' that falls in pitch, and its phones."""
    beat_s, voiced_s = rng.uniform(0.17, 0.24), rng.uniform(0.07, 0.11)  # four to six a second (Bachorowski 2001)
    count, top_hz = int(rng.integers(3, 7)), rng.uniform(180, 420)
    times = np.arange(int(count * beat_s * SAMPLE_RATE)) / SAMPLE_RATE
    pitch_hz = top_hz * (1 - 0.35 * times / times[-1])
    buzz = np.sign(np.sin(2 * np.pi * np.cumsum(pitch_hz) / SAMPLE_RATE)) * 0.5
    place = times % beat_s
    voiced = np.clip(np.minimum(place - beat_s + voiced_s, beat_s - place) / 0.02, 0, 1)
    source = buzz * voiced + 0.15 * rng.standard_normal(len(times)) * (1 - voiced)
    formants = [butter(2, (low, high), "band", fs=SAMPLE_RATE, output="sos") for low, high in _FORMANTS_OF_A]
    samples = sum(sosfilt(band, source) for band in formants) * np.linspace(1, 0.4, len(times))
    phones = []
    for start_s in np.arange(count) * beat_s:
        middle_s, end_s = start_s + beat_s - voiced_s, start_s + beat_s
        phones += [Phone("h", float(start_s), float(middle_s)), Phone("a", float(middle_s), float(end_s))]
    return (samples / max(np.abs(samples).max(), 1e-9)).astype(np.float32), phones


def breath(length: int, rng: np.random.Generator) -> np.ndarray:
    """Return a breath, a click or a rustle: a short burst of filtered noise, no speech."""
    centre_hz = rng.uniform(600, 4500)
    band = butter(2, (centre_hz * 0.6, min(centre_hz * 1.7, 7500)), "band", fs=SAMPLE_RATE, output="sos")
    noise = sosfilt(band, rng.standard_normal(length))
    envelope = np.hanning(length) if rng.random() < 0.7 else np.exp(-np.arange(length) / (0.01 * SAMPLE_RATE))
    noise = noise * envelope
    return (noise / max(np.abs(noise).max(), 1e-9)).astype(np.float32)


def disguise(mel: np.ndarray, rng: np.random.Generator) -> None:
    """Change the voice in log-mel levels float32 [T, bands], in place; cheap enough for every batch.

    Bands move up or down and closer or further apart (another throat), are tilted, bent, blurred and stretched in level
    (another microphone, another synthesiser), and some bands and moments are masked (SpecAugment, Park et al. 2019).
    What is silent stays silent.
    """
    bands = np.arange(mel.shape[1])
    bent = (
        bands * rng.uniform(0.88, 1.12)
        + rng.uniform(-1.5, 1.5)
        + rng.uniform(-1, 1) * np.sin(bands * np.pi / len(bands))
    )
    source = np.clip(bent, 0, len(bands) - 1)
    lower = np.minimum(source.astype(int), len(bands) - 2)
    share = (source - lower).astype(np.float32)
    mel[:] = mel[:, lower] * (1 - share) + mel[:, lower + 1] * share
    if rng.random() < 0.25:
        mel[:] = gaussian_filter(mel, (rng.uniform(0, 0.8), rng.uniform(0, 1.2)))
    loud = mel > 0.05
    bends = np.interp(bands, np.linspace(0, len(bands), 7), rng.normal(0, 0.065, 7)) + rng.normal(0, 0.03)
    mel += np.where(loud, bends, 0).astype(np.float32)
    mel[:] = np.where(loud, 0.8 + (mel - 0.8) * rng.uniform(0.88, 1.15), mel)
    mel += np.where(loud, rng.standard_normal(mel.shape, np.float32) * rng.uniform(0, 0.045), 0)
    for _ in range(rng.integers(0, 4)):
        first = rng.integers(len(bands))
        mel[:, first : first + rng.integers(1, 8)] = 0
    for _ in range(rng.integers(0, 4)):
        first = rng.integers(len(mel))
        mel[first : first + rng.integers(1, 4)] = 0
    np.clip(mel, 0, 1.3, out=mel)


def _rms(samples: np.ndarray) -> float:
    return float(np.sqrt(np.mean(samples**2)))


def _equalised(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Tilt and bend the spectrum by up to 8 dB, as microphones and mixing desks do."""
    size = next_fast_len(len(samples))
    octave = np.log2(rfftfreq(size, 1 / SAMPLE_RATE) + 50)
    knots_hz = np.array((50, 200, 600, 1500, 3500, 8000))
    bends_db = rng.normal(0, 3, 6) + rng.uniform(-4, 4) * np.linspace(-1, 1, 6)
    gain = 10 ** (np.interp(octave, np.log2(knots_hz + 50), bends_db) / 20)
    return irfft(rfft(samples, size) * gain.astype(np.float32), size)[: len(samples)]


def _in_a_room(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Add a synthetic room: an exponential tail of noise after the direct sound."""
    reverberation_s, wet = rng.uniform(0.1, 0.7), rng.uniform(0.05, 0.5)
    times = np.arange(int(reverberation_s * SAMPLE_RATE)) / SAMPLE_RATE
    tail = rng.standard_normal(len(times)) * 10 ** (-3 * times / reverberation_s)
    tail *= wet / np.sqrt(np.sum(tail**2))
    tail[0] = 1
    return oaconvolve(samples, tail.astype(np.float32))[: len(samples)]


def _band_limited(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Pass the sound through a telephone or a narrow codec, with its quantisation."""
    high_hz = rng.choice((3400, 4000, 5500, 7000))
    band = butter(4, (rng.uniform(50, 300), high_hz), "band", fs=SAMPLE_RATE, output="sos")
    samples = sosfilt(band, samples)
    peak = np.abs(samples).max() + 1e-9
    companded = np.sign(samples) * np.log1p(255 * np.abs(samples) / peak) / np.log(256)  # mu-law, ITU-T G.711
    companded = np.round(companded * 127) / 127
    return (np.sign(companded) * (256 ** np.abs(companded) - 1) / 255 * peak).astype(np.float32)
