"""What a face does in company: it looks at who speaks, turns a little, nods as phrases end, and keeps silent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from animate.motion.direction import Direction
from animate.motion.edits import offset
from animate.types import Motion

_MOUTH_READY_S = 0.2  # before speech begins and after it ends, in which the mouth is the network's
_NOTICES_S = (0.15, 0.45)  # after somebody begins to speak
_EYES_TAKE_S, _HEAD_TAKES_S = 0.12, 0.7
_HEAD_SHARE = 0.45  # of the gaze; the eyes do the rest
_TALKING_SHARE = 0.5  # of the gaze while speaking oneself: half to the others, half to the viewer
_BLINKS_WITH_GAZE = 0.5  # of the shifts
_NODS_AT = 0.6  # of the ends of phrases
_NOD_DEG, _NOD_S = (3.0, 6.0), 0.45
_SECOND_NOD = 0.4  # how often a smaller one follows
_SMILE, _BROW = 0.08, 0.25


@dataclass(frozen=True)
class Attention:
    """Where somebody looks from a time on: degrees to the right of the picture and up, and whether in speaking."""

    start_s: float
    gaze_deg: tuple[float, float]
    speaking: bool


def attentive(
    attention: Sequence[Attention], own_turns: Sequence[tuple[float, float]], duration_s: float, seed: int
) -> Direction:
    """Return the direction of somebody who takes part in a conversation.

    Parameters
    ----------
    attention : sequence of Attention
        In the order of time.
    own_turns : sequence of (float, float)
        From and to in seconds; outside the mouth rests.
    duration_s : float
    seed : int

    Examples
    --------
    >>> scene = attentive([Attention(1.0, (12.0, 0.0), False)], [(0.0, 1.0)], 3.0, seed=0)
    >>> scene.hold
    ((1.2, 3.0),)
    """
    rng = np.random.default_rng(seed)
    gaze, yaw, pitch = {0.0: (0.0, 0.0)}, {0.0: 0.0}, {0.0: 0.0}
    brow, blinks, before = {0.0: 0.0}, [], (0.0, 0.0)
    for shift in attention:
        wait_s = 0.0 if shift.speaking else rng.uniform(*_NOTICES_S)
        begins_s = max(shift.start_s + wait_s, max(gaze) + 1e-3)
        share = _TALKING_SHARE if shift.speaking else 1.0
        target = tuple(share * angle for angle in shift.gaze_deg)
        if np.hypot(target[0] - before[0], target[1] - before[1]) > 5 and rng.random() < _BLINKS_WITH_GAZE:
            blinks.append(begins_s + 0.5 * _EYES_TAKE_S)
        _shift(gaze, begins_s, _EYES_TAKE_S, target)
        _shift(yaw, begins_s, _HEAD_TAKES_S, _HEAD_SHARE * target[0])
        _shift(pitch, begins_s, _HEAD_TAKES_S, _HEAD_SHARE * target[1])
        if not shift.speaking:
            _shift(brow, begins_s, 0.25, _BROW)
            _shift(brow, begins_s + 0.35, 0.4, 0.0)
        before = target
    return Direction(
        gaze={time: list(angles) for time, angles in gaze.items()},
        head_yaw_deg=yaw,
        head_pitch_deg=pitch,
        brow=brow,
        smile=_SMILE,
        blink=tuple(blinks),
        hold=_silences(own_turns, duration_s),
    )


def with_nods(motion: Motion, phrase_ends_s: Sequence[float], seed: int) -> Motion:
    """Return the motion with nods at some of the ends of others' phrases.

    Examples
    --------
    >>> nodding = with_nods(Motion.rest(4.0, 50), [1.0, 2.0, 3.0], seed=1)
    >>> float(nodding["headPitch"].min()) < -2
    True
    """
    rng = np.random.default_rng(seed)
    times_s = np.arange(len(motion)) / motion.fps
    nods = np.zeros(len(motion))
    for end_s in phrase_ends_s:
        depth_deg, twice = rng.uniform(*_NOD_DEG), rng.random() < _SECOND_NOD
        if rng.random() > _NODS_AT:
            continue
        for start_s, size in ((end_s, 1.0), (end_s + 0.9 * _NOD_S, 0.5 if twice else 0.0)):
            phase = np.clip((times_s - start_s) / _NOD_S, 0, 1)
            nods -= size * depth_deg * np.sin(np.pi * phase) ** 2
    return offset(motion, headPitch=nods)


def _shift(track: dict, begins_s: float, takes_s: float, value) -> None:
    """Let a track pass to a value, from the one it has last."""
    begins_s = max(begins_s, max(track) + 1e-3)
    track[begins_s] = track[max(track)]
    track[begins_s + takes_s] = value


def _silences(own_turns: Sequence[tuple[float, float]], duration_s: float) -> tuple[tuple[float, float], ...]:
    """Return the times in which the mouth rests, away from the turns."""
    ends = [0.0, *(end_s + _MOUTH_READY_S for _, end_s in own_turns)]
    starts = [*(start_s - _MOUTH_READY_S for start_s, _ in own_turns), duration_s]
    return tuple((round(a, 6), round(b, 6)) for a, b in zip(ends, starts) if b > a)
