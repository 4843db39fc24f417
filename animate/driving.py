"""A motion from elsewhere drives a portrait: what it is relative to, and which parts of the face follow it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from animate.errors import ConfigError
from animate.motion.edits import GROUPS, blend, crossfade, cut, mask, offset
from animate.types import Motion

MODES = ("absolute", "relative")
PARTS = {"pose": ("head",), "eyes": ("lids", "gaze"), "brows": ("brows",), "lips": ("lips", "cheeks")}
_HANDOVER_S = 0.5  # over which a motion that ends early passes into what goes on


def drive(
    motion: Motion, *, mode: str = "absolute", parts: Sequence[str] | None = None, otherwise: Motion | None = None
) -> Motion:
    """Return what a portrait performs that is driven by a motion.

    Parameters
    ----------
    motion : Motion
        A tracked, a recorded or an edited one.
    mode : str
        "absolute": as it stands. "relative": head, gaze and brows around their own median, so that the portrait keeps
        its attitude; lips and lids are absolute in either.
    parts : sequence of str, optional
        Of "pose", "eyes", "brows", "lips": what follows the motion. All by default.
    otherwise : Motion, optional
        What the other parts do, and all of them where the motion has ended; they rest if omitted. It sets the length.

    Raises
    ------
    ConfigError
        If `mode` or a part is unknown.

    Examples
    --------
    >>> motion = Motion.rest(1.0, 50).with_channels(headYaw=8.0, jawOpen=0.3)
    >>> turned = drive(motion, parts=["pose"])
    >>> float(turned["headYaw"][0]), float(turned["jawOpen"][0])
    (8.0, 0.0)
    >>> float(drive(motion, mode="relative")["headYaw"][0])
    0.0
    """
    if mode not in MODES:
        raise ConfigError(f"There is no motion mode {mode!r}. Use {' or '.join(MODES)}.")
    if unknown := [part for part in parts or () if part not in PARTS]:
        raise ConfigError(f"There is no part {unknown[0]!r} of a motion. The parts are {', '.join(PARTS)}.")
    if mode == "relative":
        channels = [name for group in ("head", "gaze", "brows") for name in GROUPS[group]]
        motion = offset(motion, **{name: -float(np.median(motion[name])) for name in channels})
    groups = [group for part in parts or PARTS for group in PARTS[part]]
    if otherwise is None:
        return mask(motion, groups)
    return blend(otherwise, _as_long_as(otherwise, motion), 1.0, groups)


def _as_long_as(model: Motion, motion: Motion) -> Motion:
    """Return the motion in the length of another, which takes over where it ends."""
    if motion.duration_s >= model.duration_s:
        return cut(motion, 0, model.duration_s)
    fade_s = min(_HANDOVER_S, motion.duration_s)
    return crossfade(motion, cut(model, motion.duration_s - fade_s, model.duration_s), fade_s)
