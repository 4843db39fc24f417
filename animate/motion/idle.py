"""Idle life: what a face does while nothing happens. It blinks, breathes, and is never quite still.

In a loop everything here runs over the end into the beginning.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from scipy.fft import next_fast_len
from scipy.ndimage import gaussian_filter1d

from animate.motion.beats import Clock
from animate.motion.fixations import SACCADE_S
from animate.motion.lids import REFRACTORY_S, blink_shape

# Power spectra of head angles, A / (1 + (f / fc)^2)^n in degrees^2 / Hz, of people who talk (project note, 18)
HEAD_SPECTRA = {"headYaw": (13.9, 0.35, 1.46), "headPitch": (7.3, 0.58, 1.42), "headRoll": (15.5, 0.28, 1.52)}
_HEAD_LIMIT_HZ = 5.0
_CALM = 0.35  # of a talking head's angles; one that is looked at holds itself still

_MUSCLES, _UNEVEN = (1.0, 0.4, 2.0), 0.05  # spectrum as above, and how far a held pose varies

_BLINKS_PER_MIN = 17.0  # at rest (Bentivoglio et al. 1997); more in conversation
_BLINK_SHAPE = 1.6  # of the gamma intervals between blinks: spread .8 of their mean (project note, 16)
_BLINK_APART_S = 0.7  # from a blink that is asked for, and from the ends

_FIXATION_MEDIAN_S, _FIXATION_SPREAD, _FIXATION_LEAST_S = 0.8, 1.2, 0.2  # log-normal of mean 1.7 (project note, 20)
_GLANCE_DEG = 1.1  # mean size, from one point of a face that is looked at to another
_GLANCE_LIMIT_DEG = 3.0

_BREATHS_PER_MIN = 14.0  # healthy adults at rest: 12 to 20
_INHALED = 0.4  # of a breath; breathing out takes longer
_BREATH = {"headY": -0.012, "headPitch": 0.45, "headZ": 0.012}  # of a head on shoulders that rise


def shaped_noise(
    num_frames: int, fps: float, spectrum: tuple[float, float, float], rng: np.random.Generator, loop: bool = False
) -> np.ndarray:
    """Return Gaussian noise float64 [num_frames] with a one-sided power spectrum.

    Parameters
    ----------
    num_frames : int
    fps : float
    spectrum : tuple
        A, fc in Hz and n of A / (1 + (f / fc)^2)^n.
    rng : numpy.random.Generator
    loop : bool
        Whether the end runs into the beginning.
    """
    power, corner_hz, order = spectrum
    # Longer than needed, so that the ends are not tied together
    length = num_frames if loop else next_fast_len(num_frames + round(20 * fps))
    frequency = np.fft.rfftfreq(length, 1 / fps)
    density = power / (1 + (frequency / corner_hz) ** 2) ** order
    density[frequency > _HEAD_LIMIT_HZ] = 0
    density[0] = 0
    white = np.fft.rfft(rng.standard_normal(length))
    return np.fft.irfft(white * np.sqrt(density * fps / 2), length)[:num_frames]


def carried(pitch_deg: np.ndarray, yaw_deg: np.ndarray, roll_deg: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how far turning carries the head, in eye distances to the right and down.

    It turns about the neck, below and behind the face.
    """
    return 0.008 * yaw_deg + 0.010 * roll_deg, -0.008 * pitch_deg


def sway(clock: Clock, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return the small turns of a head that is held still: degrees [T] by head channel."""
    return {
        name: _CALM * shaped_noise(clock.num_frames, clock.fps, spectrum, rng, clock.loop)
        for name, spectrum in HEAD_SPECTRA.items()
    }


def play_of_muscles(clock: Clock, rng: np.random.Generator) -> np.ndarray:
    """Return factors near 1, float64 [T], for what is held: no muscle pulls evenly."""
    slow = shaped_noise(clock.num_frames, clock.fps, _MUSCLES, rng, clock.loop)
    return 1 + _UNEVEN * slow / max(float(slow.std()), 1e-9)


def breath(clock: Clock, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return how breathing carries the head, [T] by head channel; a whole number of breaths."""
    count = max(1, round(clock.duration_s * _BREATHS_PER_MIN / 60))
    phase = (count * np.arange(clock.num_frames) / clock.num_frames + rng.random()) % 1
    turned = np.where(phase < _INHALED, phase / _INHALED, 1 + (phase - _INHALED) / (1 - _INHALED))  # 0 to 2
    lung = -0.5 * np.cos(np.pi * turned)
    return {name: amount * lung for name, amount in _BREATH.items()}


def glances(clock: Clock, rng: np.random.Generator) -> np.ndarray:
    """Return degrees float64 [T, 2] across and up: the small jumps of eyes that rest on something."""
    offsets, time_s = np.zeros((clock.num_frames, 2)), 0.0
    while time_s < clock.duration_s:
        size = min(rng.exponential(_GLANCE_DEG), _GLANCE_LIMIT_DEG)
        across = rng.random() < 0.85  # (project note, 20)
        offsets[round(time_s * clock.fps) :] = rng.choice((-1, 1), 2) * size * ((1.0, 0.3) if across else (0.3, 0.8))
        time_s += max(_FIXATION_LEAST_S, rng.lognormal(np.log(_FIXATION_MEDIAN_S), _FIXATION_SPREAD))
    if clock.loop:
        offsets = np.roll(offsets, rng.integers(clock.num_frames), axis=0)  # or there were always a jump at the seam
    return gaussian_filter1d(offsets, SACCADE_S / 2.5 * clock.fps, axis=0, mode="wrap" if clock.loop else "nearest")


def blink_times(
    clock: Clock, rate: float, kept_free: list[tuple[float, float]], rng: np.random.Generator
) -> list[float]:
    """Return when lids meet, in seconds.

    Parameters
    ----------
    clock : Clock
    rate : float
        1 for about as often as people at rest do, 0 for never.
    kept_free : list of (float, float)
        From and to, in seconds: when something else decides about the lids.
    rng : numpy.random.Generator
    """
    times_s = np.arange(clock.num_frames) / clock.fps
    free = np.ones(clock.num_frames, bool)
    for start_s, stop_s in kept_free:
        for turn_s in (-clock.duration_s, 0, clock.duration_s) if clock.loop else (0,):
            free &= (times_s + turn_s <= start_s - _BLINK_APART_S) | (times_s + turn_s >= stop_s + _BLINK_APART_S)
    free_s = times_s[free]
    waits = rng.gamma(_BLINK_SHAPE, 1.0, math.ceil(len(free_s) / clock.fps * rate * _BLINKS_PER_MIN / 60))
    shares = (np.cumsum(REFRACTORY_S + waits) / np.sum(REFRACTORY_S + waits) + rng.random()) % 1
    return free_s[(shares * len(free_s)).astype(int)].tolist()


def blinks(clock: Clock, onsets_s: list[float], rng: np.random.Generator) -> np.ndarray:
    """Return lid closure 0-1 float64 [T] of whole blinks, each at its own pace."""
    paces = rng.uniform(0.9, 1.25, len(onsets_s))
    lids = np.zeros(clock.num_frames)
    for onset_s, pace in zip(onsets_s, paces, strict=True):
        lids = np.maximum(lids, clock.sample(partial(blink_shape, onset_s=onset_s, pace=pace)))
    return lids
