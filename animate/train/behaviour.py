"""The teacher's other half: head, gaze, blinks and brows as random processes with measured statistics.

Figures were measured on 9 minutes of talking video (59 clips; aggregate figures, project note; the numbers in
brackets are rows of that note's table). They are tied to the voice only as strongly as in those clips.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from animate.motion.fixations import EYES_AGAINST_HEAD
from animate.motion.idle import HEAD_SPECTRA, carried, shaped_noise
from animate.motion.latents import GAZE_RANGE_DEG, LATENT_INDEX, LATENTS, NUM_LIP_LATENTS
from animate.motion.lids import REFRACTORY_S, blink_shape

_SACCADE_RATE_HZ, _SACCADE_DEG, _SACCADE_S = 0.35, 4.5, 0.04  # (20)
_BROW_RAISES_PER_MIN = 8.5
_LEVEL_COUPLING = 0.45  # how much livelier the head is in speech than in pauses (17)


def behaviour_curves(
    num_frames: int, fps: float, speaking: np.ndarray, rng: np.random.Generator, scale: float | np.ndarray
) -> np.ndarray:
    """Return the controls that are not lips.

    Parameters
    ----------
    num_frames : int
    fps : float
    speaking : float [num_frames]
        0 in silence to 1 in speech; it enlivens the head and times some of the blinks.
    rng : numpy.random.Generator
    scale : float or float [num_frames]
        Liveliness of the head, 1 as measured on average (see `draw_liveliness`).

    Returns
    -------
    float32 [num_frames, 18]
        The controls of `animate.motion.latents.LATENTS` after the lips.
    """
    curves = np.zeros((num_frames, len(LATENTS)))
    slow = gaussian_filter1d(speaking, 0.5 * fps)
    for name, spectrum in HEAD_SPECTRA.items():
        curves[:, LATENT_INDEX[name]] = shaped_noise(num_frames, fps, spectrum, rng) * (
            scale * (1 - _LEVEL_COUPLING + _LEVEL_COUPLING * 1.3 * slow)
        )
    yaw, pitch, roll = (curves[:, LATENT_INDEX[name]] for name in ("headYaw", "headPitch", "headRoll"))
    curves[:, LATENT_INDEX["headX"]], curves[:, LATENT_INDEX["headY"]] = carried(pitch, yaw, roll)
    curves[:, LATENT_INDEX["headZ"]] = 0.25 * 0.03 * shaped_noise(num_frames, fps, (13.9, 0.2, 1.5), rng)
    curves[:, LATENT_INDEX["eyeBlink"]] = _blinks(num_frames, fps, speaking, rng)
    gaze_x, gaze_y = _saccades(num_frames, fps, rng)
    curves[:, LATENT_INDEX["gazeX"]] = np.clip((gaze_x - EYES_AGAINST_HEAD[0] * yaw) / GAZE_RANGE_DEG, -0.6, 0.6)
    curves[:, LATENT_INDEX["gazeY"]] = np.clip((gaze_y - EYES_AGAINST_HEAD[1] * pitch) / GAZE_RANGE_DEG, -0.5, 0.5)
    raised, lowered = _brows(num_frames, fps, speaking, rng)
    curves[:, LATENT_INDEX["browInnerUp"]] = 0.06 + raised
    curves[:, LATENT_INDEX["browOuterUp"]] = 0.6 * raised
    curves[:, LATENT_INDEX["browDown"]] = lowered
    return curves[:, NUM_LIP_LATENTS:].astype(np.float32)


def draw_liveliness(rng: np.random.Generator) -> float:
    """Return the liveliness of some speaker's head: log-normal, 0.4 to 2 as measured (17)."""
    return float(np.clip(rng.lognormal(-0.15, 0.35), 0.4, 2.0))


def _blinks(num_frames: int, fps: float, speaking: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return lid closure [num_frames]: gamma intervals of mean about 2.2 s, spread .8, more often at a resumption."""
    curve = np.zeros(num_frames)
    times = np.arange(num_frames) / fps
    mean_s = float(np.clip(rng.normal(2.2, 0.6), 1.4, 3.6))
    clock = rng.uniform(0.2, 1.8)
    onsets = np.flatnonzero((speaking[1:] > 0.5) & (speaking[:-1] <= 0.5)) / fps
    while clock < num_frames / fps:
        near = onsets[(onsets > clock) & (onsets < clock + 0.5)]
        if len(near) and rng.random() < 0.3:  # twice as many blinks as speech resumes (16)
            clock = float(near[0]) + rng.uniform(0, 0.2)
        height, pace = rng.uniform(0.9, 1.0), rng.uniform(0.85, 1.2)
        curve = np.maximum(curve, blink_shape(times, clock, pace, height))
        clock += REFRACTORY_S + rng.gamma(1.6, (mean_s - REFRACTORY_S) / 1.6)
    return curve


def _saccades(num_frames: int, fps: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return gaze in degrees [num_frames] each across and up: fixations with quick jumps between them."""
    target = np.zeros((2, num_frames))
    clock = 0.0
    while clock < num_frames / fps:
        if rng.random() < 0.45:
            jump = np.zeros(2)  # back to the viewer
        else:
            across = rng.random() < 0.85
            size = rng.exponential(_SACCADE_DEG) * rng.choice((-1, 1))
            jump = np.array([size, 0.2 * size]) if across else np.array([0.2 * size, 0.6 * size])
        target[:, round(clock * fps) :] = np.clip(jump, -12, 12)[:, None]
        clock += 0.25 + rng.exponential(1 / _SACCADE_RATE_HZ - 0.25)
    smooth = gaussian_filter1d(target, _SACCADE_S / 2.5 * fps, axis=1)
    return smooth[0], smooth[1]


def _brows(
    num_frames: int, fps: float, speaking: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return raising and lowering [num_frames] each: sparse events of about a second, not tied to pitch accents."""
    times = np.arange(num_frames) / fps
    curves = []
    for per_minute, height in ((_BROW_RAISES_PER_MIN, 0.28), (2.5, 0.2)):
        curve = np.zeros(num_frames)
        for _ in range(rng.poisson(per_minute * num_frames / fps / 60)):
            centre, length = rng.uniform(0, num_frames / fps), rng.uniform(0.25, 0.7)
            bump = np.exp(-0.5 * ((times - centre) / (length / 2)) ** 2)
            curve = np.maximum(curve, bump * height * rng.uniform(0.4, 1.3))
        curves.append(curve * (0.4 + 0.6 * gaussian_filter1d(speaking, 0.3 * fps)))
    return curves[0], curves[1]
