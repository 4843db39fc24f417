"""Edit motions: every function takes motions and returns a new one.

`channels` is a group (`GROUPS`), a channel of `animate.channels`, or a list of both; everything by default.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from animate.channels import BLENDSHAPES, BROWS, CHANNELS, EYES, HEAD, INDEX, LIPS
from animate.clock import num_frames
from animate.easing import smoothstep
from animate.errors import MotionError, nearest
from animate.types import Motion

GROUPS: dict[str, tuple[str, ...]] = {
    "lips": LIPS,
    "lids": tuple(name for name in EYES if "Look" not in name),
    "gaze": tuple(name for name in EYES if "Look" in name),
    "brows": BROWS,
    "cheeks": tuple(name for name in BLENDSHAPES if name.startswith(("cheekSquint", "noseSneer"))),
    "head": HEAD,
}
Channels = str | Iterable[str] | None


def scale(motion: Motion, factor: float | np.ndarray, channels: Channels = None) -> Motion:
    """Return the motion with some channels multiplied by a number or by float [T].

    Raises
    ------
    MotionError
        If a channel is unknown.

    Examples
    --------
    >>> motion = Motion.rest(1.0, 50).with_channels(jawOpen=0.4)
    >>> float(scale(motion, 0.5, "lips")["jawOpen"][0])
    0.20000000298023224
    """
    values, columns = motion.values.copy(), _columns(channels)
    values[:, columns] *= np.reshape(factor, (-1, 1))
    return replace(motion, values=_in_range(values))


def offset(motion: Motion, **amounts: float | np.ndarray) -> Motion:
    """Return the motion with numbers or float [T] added to channels, such as ``headYaw=5.0``.

    Raises
    ------
    MotionError
        If a channel is unknown.

    Examples
    --------
    >>> float(offset(Motion.rest(1.0, 50), headYaw=5.0)["headYaw"][0])
    5.0
    """
    values = motion.values.copy()
    for name, amount in amounts.items():
        values[:, _columns(name)] += np.reshape(amount, (-1, 1))
    return replace(motion, values=_in_range(values))


def smooth(motion: Motion, sigma_s: float, channels: Channels = None) -> Motion:
    """Return the motion with some channels smoothed by a Gaussian of `sigma_s` seconds.

    Raises
    ------
    MotionError
        If a channel is unknown or `sigma_s` is not above 0.
    """
    if not sigma_s > 0:
        raise MotionError(f"A motion cannot be smoothed over {sigma_s} s. Use a time above 0, such as 0.05.")
    values, columns = motion.values.copy(), _columns(channels)
    values[:, columns] = gaussian_filter1d(values[:, columns], sigma_s * motion.fps, axis=0, mode="nearest")
    return replace(motion, values=values)


def retime(motion: Motion, duration_s: float) -> Motion:
    """Return the motion stretched or squeezed to another duration, at the same rate.

    Raises
    ------
    MotionError
        If `duration_s` is not above 0.

    Examples
    --------
    >>> len(retime(Motion.rest(2.0, 50), 3.0))
    150
    """
    if not duration_s > 0:
        raise MotionError(f"A motion cannot last {duration_s} s. Use a duration above 0.")
    times_s = np.arange(num_frames(duration_s, motion.fps)) / motion.fps * motion.duration_s / duration_s
    return Motion(_at(motion, times_s), motion.fps, duration_s)


def cut(motion: Motion, start_s: float, stop_s: float) -> Motion:
    """Return the part of a motion from `start_s` to `stop_s` seconds.

    Raises
    ------
    MotionError
        If that is not within the motion.
    """
    if not 0 <= start_s < stop_s <= motion.duration_s + 1e-6:
        raise MotionError(
            f"A motion of {motion.duration_s:g} s has no part from {start_s:g} s to {stop_s:g} s. Use times within it."
        )
    count = num_frames(stop_s - start_s, motion.fps)
    return Motion(_at(motion, start_s + np.arange(count) / motion.fps), motion.fps, stop_s - start_s)


def blend(first: Motion, second: Motion, weight: float | np.ndarray, channels: Channels = None) -> Motion:
    """Return a mixture that is `first` where `weight` is 0 and `second` where it is 1.

    Parameters
    ----------
    first, second : Motion
        Of the same duration; the second is resampled to the rate of the first.
    weight : float or float [T]
    channels : optional
        What is mixed; the rest stays as in `first`.

    Raises
    ------
    MotionError
        If the durations differ or a channel is unknown.
    """
    if num_frames(first.duration_s, first.fps) != num_frames(second.duration_s, first.fps):
        raise MotionError(
            f"Motions of {first.duration_s:g} s and {second.duration_s:g} s cannot be blended. Retime or cut one first."
        )
    columns, weight = _columns(channels), np.reshape(weight, (-1, 1))
    values, other = first.values.copy(), second.resampled(first.fps).values
    values[:, columns] = (1 - weight) * values[:, columns] + weight * other[:, columns]
    return replace(first, values=values)


def crossfade(first: Motion, second: Motion, fade_s: float) -> Motion:
    """Return one motion after the other, the end of the first passing into the beginning of the second.

    The result is `fade_s` shorter than both together.

    Raises
    ------
    MotionError
        If `fade_s` is negative or longer than one of them.

    Examples
    --------
    >>> round(crossfade(Motion.rest(2.0, 50), Motion.rest(1.0, 50), 0.2).duration_s, 3)
    2.8
    """
    if not 0 <= fade_s <= min(first.duration_s, second.duration_s):
        raise MotionError(f"A fade of {fade_s:g} s does not fit. Use 0 to the length of the shorter motion.")
    begins_s = first.duration_s - fade_s
    duration_s = begins_s + second.duration_s
    times_s = np.arange(num_frames(duration_s, first.fps)) / first.fps
    share = smoothstep((times_s - begins_s) / fade_s) if fade_s else (times_s >= begins_s).astype(float)
    values = (1 - share[:, None]) * _at(first, times_s) + share[:, None] * _at(second, times_s - begins_s)
    return Motion(values, first.fps, duration_s)


def splice(motion: Motion, patch: Motion, start_s: float, fade_s: float = 0.1, channels: Channels = None) -> Motion:
    """Return the motion with a patch in place of what it did from `start_s` on.

    Parameters
    ----------
    motion, patch : Motion
    start_s : float
        Where the patch begins; it must end within the motion.
    fade_s : float
        Seconds over which the patch comes and goes, inside its own length.
    channels : optional
        What is replaced; the rest of the motion goes on.

    Raises
    ------
    MotionError
        If the patch does not fit or a channel is unknown.
    """
    if start_s < 0 or start_s + patch.duration_s > motion.duration_s + 0.5 / motion.fps:
        raise MotionError(
            f"A patch of {patch.duration_s:g} s at {start_s:g} s does not fit into {motion.duration_s:g} s. "
            "Cut it first."
        )
    times_s = np.arange(len(motion)) / motion.fps - start_s
    edge_s = np.minimum(times_s, patch.duration_s - times_s)  # inside the patch, from its nearer end
    share = smoothstep(edge_s / fade_s) if fade_s > 0 else ((edge_s >= 0) & (times_s < patch.duration_s)).astype(float)
    columns, values = _columns(channels), motion.values.copy()
    patched = (1 - share[:, None]) * values + share[:, None] * _at(patch, times_s)
    values[:, columns] = patched[:, columns]
    return replace(motion, values=values)


def mirror(motion: Motion) -> Motion:
    """Return what the motion looks like in a mirror: left and right change places, yaw and roll their signs.

    Examples
    --------
    >>> winking = Motion.rest(1.0, 50).with_channels(eyeBlinkLeft=1.0, headYaw=5.0)
    >>> float(mirror(winking)["eyeBlinkRight"][0]), float(mirror(winking)["headYaw"][0])
    (1.0, -5.0)
    """
    values = motion.values[:, [INDEX[_mirror_image(name)] for name in CHANNELS]]
    values[:, [INDEX[name] for name in ("headYaw", "headRoll", "headX")]] *= -1
    return replace(motion, values=values)


def mask(motion: Motion, channels: Channels) -> Motion:
    """Return the motion of some channels only; the others rest.

    Raises
    ------
    MotionError
        If a channel is unknown.
    """
    values, columns = np.zeros_like(motion.values), _columns(channels)
    values[:, columns] = motion.values[:, columns]
    return replace(motion, values=values)


def _mirror_image(name: str) -> str:
    for side, other in (("Left", "Right"), ("Right", "Left")):
        if name.endswith(side):
            return name.removesuffix(side) + other
    return name


def _columns(channels: Channels) -> list[int]:
    if channels is None:
        return list(range(len(CHANNELS)))
    columns = []
    for name in [channels] if isinstance(channels, str) else channels:
        if name not in INDEX and name not in GROUPS:
            hint = nearest(name, (*GROUPS, *CHANNELS), f"The groups are {', '.join(GROUPS)}.")
            raise MotionError(f"There is no channel or group {name!r}. {hint}")
        columns += [INDEX[channel] for channel in GROUPS.get(name, (name,))]
    return columns


def _in_range(values: np.ndarray) -> np.ndarray:
    np.clip(values[:, : len(BLENDSHAPES)], 0, 1, out=values[:, : len(BLENDSHAPES)])
    return values


def _at(motion: Motion, times_s: np.ndarray) -> np.ndarray:
    """Return float64 [n, 58] of a motion between its rows; its first and last row hold beyond them."""
    knots_s = np.arange(len(motion)) / motion.fps
    return np.stack([np.interp(times_s, knots_s, curve) for curve in motion.values.T], axis=1)
