"""Performances without a voice: how the scripts of `animate.motion.scripts` are played.

A longer performance is several phrases, each a little different; in a loop the last runs into the first. Around the
script the face lives on: see `animate.motion.idle`.
"""

from __future__ import annotations

import math
import zlib
from fractions import Fraction

import numpy as np

from animate.channels import BLENDSHAPES, CHANNELS, HEAD, INDEX
from animate.clock import frame_rate, num_frames
from animate.errors import ConfigError, nearest
from animate.motion import idle
from animate.motion.beats import Beat, Blink, Clock, Look, Pose, Swing, ease, lag_s
from animate.motion.edits import mirror
from animate.motion.fixations import EYES_AGAINST_HEAD, SACCADE_S
from animate.motion.latents import GAZE_RANGE_DEG, HEAD_RANGE
from animate.motion.scripts import PERFORMANCES, Performance
from animate.motion.tracks import in_range
from animate.types import Motion

SHORTEST_S, LONGEST_S = 2.0, 600.0
_ROWS_PER_S = 50

_HEAD_AFTER_EYES_S, _HEAD_TURN_S = 0.12, 0.65  # so that the gaze leads, as animators draw it
_BLINKS_FOR_SURE_DEG = 33.0  # of a shift of the gaze; 97 % of larger ones come with a blink (Evinger et al. 1994)
_LIDS_ACT = 0.3  # of a blink; a pose that lowers a lid further is not blinked into
_FADE_S = 0.6  # from and to the picture at the ends of what is no loop


def play(
    name: str,
    duration_s: float = 8.0,
    *,
    seed: int = 0,
    loop: bool = False,
    fps: float | str | Fraction = 25,
    expressiveness: float = 1.0,
    head_motion: float = 1.0,
    blink_rate: float = 1.0,
) -> Motion:
    """Return what a face does in a performance without a voice.

    Parameters
    ----------
    name : str
        One of `animate.motion.PERFORMANCES`.
    duration_s : float
        2 to 600 seconds, to the nearest frame.
    seed : int
        The same seed gives the same motion. Half of the seeds play to the other side.
    loop : bool
        What follows the last frame is the first. Otherwise the face begins and ends at rest.
    fps : float, str or Fraction
        Of the video. The motion has a whole number of its frames, so that a loop closes, and 50 rows a second or
        more.
    expressiveness : float
        0 to 2: how far face and head go in the script.
    head_motion : float
        0 to 2: of all that the head does; 0 keeps it still.
    blink_rate : float
        0 to 3: 1 as often as people at rest, 0 only where the script says so.

    Returns
    -------
    Motion

    Raises
    ------
    ConfigError
        If there is no such performance (the message names the nearest), or a number is out of range.

    Examples
    --------
    >>> motion = play("nod-yes", 4.0, seed=1)
    >>> len(motion), bool(motion.values[0].any())
    (200, False)
    """
    if name not in PERFORMANCES:
        raise ConfigError(f"There is no performance {name!r}. {nearest(name, PERFORMANCES)}")
    in_range(SHORTEST_S, LONGEST_S)("The length of a performance in seconds", duration_s)
    for setting, value, limit in (
        ("expressiveness", expressiveness, 2), ("head_motion", head_motion, 2), ("blink_rate", blink_rate, 3)
    ):  # fmt: skip
        in_range(0, limit)(setting, value)
    rate = frame_rate(fps)
    rows = math.ceil(_ROWS_PER_S / rate)  # in each frame
    clock = Clock(rows * num_frames(duration_s, rate), float(rows * rate), loop)
    rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
    mirrored = rng.random() < 0.5
    beats = _beats(PERFORMANCES[name], clock, rng)

    face = _acted([beat for beat in beats if isinstance(beat, Pose | Swing)], clock, expressiveness)
    face *= idle.play_of_muscles(clock, rng)[:, None]
    gaze, turn = _looked(sorted((beat for beat in beats if isinstance(beat, Look)), key=lambda look: look.at_s), clock)
    for part in (idle.sway(clock, rng), idle.breath(clock, rng), turn):
        for channel, curve in part.items():
            face[:, INDEX[channel]] += curve
    face[:, [INDEX[channel] for channel in HEAD]] *= head_motion
    x, y = idle.carried(*(face[:, INDEX[channel]] for channel in ("headPitch", "headYaw", "headRoll")))
    face[:, INDEX["headX"]] += x
    face[:, INDEX["headY"]] += y
    _aim_eyes(face, gaze + idle.glances(clock, rng))
    _blink(face, beats, clock, blink_rate, rng)
    if not loop:
        edge_s = np.minimum(np.arange(clock.num_frames), np.arange(clock.num_frames)[::-1]) / clock.fps
        face *= ease(edge_s / _FADE_S)[:, None]
    _keep_in_range(face)
    motion = Motion(face, clock.fps)
    return mirror(motion) if mirrored else motion


def _beats(performance: Performance, clock: Clock, rng: np.random.Generator) -> list[Beat]:
    """Return the beats of all phrases, in seconds of the whole performance, each as it is done this time."""
    phrases = max(1, round(clock.duration_s / performance.phrase_s))
    phrase_s = clock.duration_s / phrases
    places = phrase_s / performance.phrase_s
    beats = []
    for phrase in range(phrases):
        # A longer phrase has longer pauses rather than slower gestures.
        pace = places**0.5 * rng.uniform(0.93, 1.08)
        beats += [beat.varied(rng).paced(phrase * phrase_s, places, pace) for beat in performance.beats]
    return beats


def _acted(beats: list[Pose | Swing], clock: Clock, expressiveness: float) -> np.ndarray:
    """Return channels float64 [T, 58] of poses and swings together."""
    face = np.zeros((clock.num_frames, len(CHANNELS)))
    for beat in beats:
        for channel, amount in beat.channels.items():
            curve = clock.sample(lambda times_s, beat=beat, channel=channel: beat.curve(times_s, lag_s(channel)))
            face[:, INDEX[channel]] += expressiveness * amount * curve
    return face


def _looked(looks: list[Look], clock: Clock) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return where the eyes look, degrees float64 [T, 2], and how the head turns after them."""
    gaze, head = np.zeros((clock.num_frames, 2)), np.zeros((clock.num_frames, 2))
    ends_s = [look.at_s for look in looks[1:]] + [clock.duration_s]
    for look, until_s in zip(looks, ends_s, strict=False):
        for curve, target, delay_s, length_s in (
            (gaze, look.target, 0.0, SACCADE_S),
            (head, np.multiply(look.target, look.head), _HEAD_AFTER_EYES_S, _HEAD_TURN_S),
        ):

            def held(times_s, since_s=look.at_s + delay_s, until_s=until_s + delay_s, length_s=length_s):
                return ease((times_s - since_s) / length_s) - ease((times_s - until_s) / length_s)

            curve += clock.sample(held)[:, None] * target
    return gaze, {"headYaw": head[:, 0], "headPitch": head[:, 1]}


def _aim_eyes(face: np.ndarray, gaze: np.ndarray) -> None:
    """Turn the eyes so that they look at `gaze`, degrees [T, 2], whatever the head does."""
    for axis, head, positive, negative in (
        (0, "headYaw", ("eyeLookOutLeft", "eyeLookInRight"), ("eyeLookInLeft", "eyeLookOutRight")),
        (1, "headPitch", ("eyeLookUpLeft", "eyeLookUpRight"), ("eyeLookDownLeft", "eyeLookDownRight")),
    ):
        turned = (gaze[:, axis] - EYES_AGAINST_HEAD[axis] * face[:, INDEX[head]]) / GAZE_RANGE_DEG
        face[:, [INDEX[name] for name in positive]] = np.maximum(turned, 0)[:, None]
        face[:, [INDEX[name] for name in negative]] = np.maximum(-turned, 0)[:, None]


def _blink(face: np.ndarray, beats: list[Beat], clock: Clock, rate: float, rng: np.random.Generator) -> None:
    """Draw the blinks of the script, those that large shifts of the gaze bring, and between them those of life."""
    asked = [beat.at_s for beat in beats if isinstance(beat, Blink)]
    before = np.zeros(2)
    for look in beats:
        if isinstance(look, Look):
            shift_deg = float(np.hypot(*(np.array(look.target) - before)))
            before = np.array(look.target)
            if rate and rng.random() < shift_deg / _BLINKS_FOR_SURE_DEG:
                asked.append(look.at_s + 0.04)
    lids = ("eyeBlinkLeft", "eyeBlinkRight")
    taken = [
        beat.span_s
        for beat in beats
        if isinstance(beat, Pose) and max(beat.channels.get(lid, 0) for lid in lids) > _LIDS_ACT
    ]
    asked = [time_s for time_s in asked if all(not start < time_s < stop for start, stop in taken)]
    kept_free = [*taken, *((time_s, time_s) for time_s in asked)]
    if not clock.loop:
        kept_free += [(0.0, 0.0), (clock.duration_s, clock.duration_s)]
    closed = idle.blinks(clock, asked + idle.blink_times(clock, rate, kept_free, rng), rng)
    for lid in lids:
        face[:, INDEX[lid]] = np.maximum(face[:, INDEX[lid]], closed)


def _keep_in_range(face: np.ndarray) -> None:
    shapes = len(BLENDSHAPES)
    np.clip(face[:, :shapes], 0, 1, out=face[:, :shapes])
    for name, limit in HEAD_RANGE.items():
        np.clip(face[:, INDEX[name]], -limit, limit, out=face[:, INDEX[name]])
