"""The rows of motion that a portrait is measured on."""

import numpy as np

from animate.channels import BLENDSHAPES, CHANNELS, INDEX
from animate.types import Motion

TURNS_DEG = {"headYaw": 20.0, "headPitch": 15.0, "headRoll": 15.0}
_BLINK_TURN_DEG = 4.0
_NEEDS_OPEN_MOUTH = ("mouthClose", "tongueOut")
# Pitch, yaw and roll (degrees), x, y and z (eye distances): random rows stay within.
_HEAD_LIMITS = np.array([15.0, 20.0, 15.0, 0.3, 0.3, 1.5], np.float32)


def row(**channels: float) -> np.ndarray:
    """Return one row of a motion, float32 [58]; a name without its side sets both sides.

    Examples
    --------
    >>> int((row(eyeBlink=1.0) > 0).sum())
    2
    """
    values = np.zeros(len(CHANNELS), np.float32)
    for name, value in channels.items():
        columns = [INDEX[key] for key in (name, name + "Left", name + "Right") if key in INDEX]
        values[columns[:1] if name in INDEX else columns] = value
    return values


def sweep() -> dict[str, np.ndarray]:
    """Return rest, every blendshape at 1, both eyes shut, and the head turned each way, by name."""
    rows = {"rest": row(), "eyeBlink": row(eyeBlink=1.0)}
    for name in BLENDSHAPES:
        rows[name] = row(**({"jawOpen": 0.3} if name in _NEEDS_OPEN_MOUTH else {}), **{name: 1.0})
    for name, angle in TURNS_DEG.items():
        for sign in (-1, 1):
            rows[f"{name}{sign * angle:+.0f}"] = row(**{name: sign * angle})
    return rows


def blinks() -> np.ndarray:
    """Return both eyes shut with the head at rest and turned a little each way, float32 [7, 58]."""
    turns = [{name: sign * _BLINK_TURN_DEG} for name in TURNS_DEG for sign in (-1, 1)]
    return np.stack([row(eyeBlink=1.0, **turn) for turn in ({}, *turns)])


def plausible_rows(motion: Motion, count: int, seed: int) -> np.ndarray:
    """Return random rows around those of a motion: two of them mixed, and each channel strewn by its own spread.

    Parameters
    ----------
    motion : Motion
    count : int
    seed : int

    Returns
    -------
    float32 [count, 58]
        Blendshapes in 0-1; head channels within the turns that the renderer is made for.
    """
    rng = np.random.default_rng(seed)
    first, second = motion.values[rng.integers(len(motion), size=(2, count))]  # [count, 58] each
    spread = np.maximum(motion.values.std(axis=0), 0.02)
    rows = first + rng.random((count, 1)) * (second - first) + rng.normal(0, 1, first.shape) * spread
    shapes = len(BLENDSHAPES)
    rows[:, :shapes] = np.clip(rows[:, :shapes], 0, 1)
    rows[:, shapes:] = np.clip(rows[:, shapes:], -_HEAD_LIMITS, _HEAD_LIMITS)
    return rows.astype(np.float32)


def smooth_motion(num_frames: int, fps: float = 25.0) -> Motion:
    """Return a slow motion of mouth, lids, brows and head, of sines of half a hertz and less."""
    wave = 0.5 - 0.5 * np.cos(2 * np.pi * 0.5 * np.arange(num_frames) / fps)
    slow = np.sin(2 * np.pi * 0.25 * np.arange(num_frames) / fps)
    return Motion.rest(num_frames / fps, fps).with_channels(
        jawOpen=0.3 * wave, mouthPucker=0.4 * wave, mouthSmileLeft=0.4 * wave, mouthSmileRight=0.4 * wave,
        browInnerUp=0.5 * wave, headYaw=8 * slow, headPitch=4 * wave, headRoll=3 * slow,
    )  # fmt: skip


def mirrored(values: np.ndarray) -> np.ndarray:
    """Return rows float32 [..., 58] with left and right exchanged."""
    other = [name.replace("Left", "#").replace("Right", "Left").replace("#", "Right") for name in CHANNELS]
    swapped = values[..., [INDEX[name] for name in other]].copy()
    swapped[..., [INDEX[name] for name in ("headYaw", "headRoll", "headX")]] *= -1
    return swapped
