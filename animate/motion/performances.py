"""Performances without a voice: named scripts of beats, and how they are played.

A script is written for one phrase of some seconds. A longer performance is several phrases, each a little different;
in a loop the last runs into the first. Around the script the face lives on: see `animate.motion.idle`.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from animate.channels import BLENDSHAPES, CHANNELS, HEAD, INDEX
from animate.clock import frame_rate, num_frames
from animate.errors import ConfigError
from animate.motion import idle
from animate.motion.beats import VIEWER, Beat, Blink, Clock, Look, Pose, Swing, ease, lag_s
from animate.motion.edits import mirror
from animate.motion.fixations import EYES_AGAINST_HEAD, SACCADE_S
from animate.motion.latents import GAZE_RANGE_DEG, HEAD_RANGE
from animate.motion.tracks import in_range, nearest
from animate.types import Motion

SHORTEST_S, LONGEST_S = 2.0, 600.0
_ROWS_PER_S = 50

_HEAD_AFTER_EYES_S, _HEAD_TURN_S = 0.12, 0.65  # so that the gaze leads, as animators draw it
_BLINKS_FOR_SURE_DEG = 33.0  # of a shift of the gaze; 97 % of larger ones come with a blink (Evinger et al. 1994)
_LIDS_ACT = 0.3  # of a blink; a pose that lowers a lid further is not blinked into
_FADE_S = 0.6  # from and to the picture at the ends of what is no loop


@dataclass(frozen=True)
class Performance:
    """A script.

    Attributes
    ----------
    what : str
        One line for people.
    phrase_s : float
        Seconds the beats are written for.
    beats : tuple of Beat
    """

    what: str
    phrase_s: float
    beats: tuple[Beat, ...]


def _smile(amount: float) -> dict[str, float]:
    """Return a smile that reaches the eyes (Duchenne; AU 6 and 12)."""
    return {"mouthSmile": amount, "cheekSquint": 0.6 * amount, "eyeSquint": 0.25 * amount, "mouthDimple": 0.15 * amount}


PERFORMANCES: dict[str, Performance] = {
    "gentle": Performance(
        "a warm look, a small smile that comes and goes, the head tilts a little",
        8.0,
        (
            Look(0.9, (7, -3), head=0.6),
            Look(2.1, VIEWER),
            Pose(2.0, {"browInnerUp": 0.22, "browOuterUp": 0.1}, 0.5, 0.8, 1.0),
            Pose(2.2, _smile(0.42), 0.9, 2.6, 1.4),
            Pose(2.3, {"headRoll": 3.5, "headPitch": -1.5, "headZ": 0.05}, 1.2, 2.2, 1.5, windup=0.05, overshoot=0.06),
        ),
    ),
    "curious": Performance(
        "something catches the eye: the head follows it, leans in, and asks the viewer",
        8.0,
        (
            Look(0.8, (19, 5), head=0.45),
            Pose(0.9, {"browInnerUp": 0.3, "browOuterUp": 0.4, "eyeWide": 0.25}, 0.3, 1.6, 0.7),
            Pose(1.3, {"headZ": 0.18, "headRoll": -5.0, "headPitch": 1.5}, 0.8, 1.9, 1.0, windup=0.08, overshoot=0.08),
            Look(2.3, (14, -7), head=0.5),
            Pose(2.5, {"browDown": 0.25, "eyeSquint": 0.2, "mouthPress": 0.15}, 0.4, 0.7, 0.6),
            Look(4.1, VIEWER),
            Pose(4.2, {"browOuterUpLeft": 0.6, "browInnerUp": 0.2, "browDownRight": 0.12}, 0.3, 1.2, 0.9, overshoot=0.08),
            Pose(4.3, {"headRoll": 4.5, "headZ": 0.06}, 0.7, 1.3, 1.2, windup=0.08, overshoot=0.1),
            Pose(4.6, {"mouthSmileLeft": 0.3, "cheekSquintLeft": 0.15, "mouthSmileRight": 0.12}, 0.6, 1.0, 0.9),
        ),
    ),
    "proud": Performance(
        "the chin rises with a deep breath, the eyes look down on us, lips firm and content",
        8.0,
        (
            Look(0.9, (-9, 3), head=0.7),
            Pose(1.1, {"headPitch": 5.5, "headY": -0.05, "headZ": -0.05}, 1.3, 3.4, 1.4, windup=0.1, overshoot=0.04),
            Pose(1.4, {"mouthPress": 0.3, "mouthShrugLower": 0.18}, 0.7, 3.6, 1.0),
            Look(3.3, VIEWER, head=0.6),
            Pose(3.5, {"eyeSquint": 0.22, "browDown": 0.12, "browOuterUp": 0.15}, 0.5, 1.7, 0.9),
            Pose(3.8, {"mouthSmile": 0.26, "cheekSquint": 0.16, "mouthDimple": 0.2}, 0.8, 1.4, 1.2),
        ),
    ),
    "shy-smile": Performance(
        "looks down while a smile takes over, glances up, looks down again",
        8.0,
        (
            Look(0.9, (-9, -13), head=0.3),
            Pose(1.0, {"headPitch": -4.5, "headRoll": 4.0}, 0.9, 3.8, 1.3, windup=0.06),
            Pose(1.4, _smile(0.5), 1.0, 3.3, 1.5),
            Pose(1.5, {"mouthPress": 0.22, "mouthRollLower": 0.15}, 0.6, 1.4, 0.7),
            Look(2.9, VIEWER, head=0.4),
            Pose(2.9, {"browInnerUp": 0.35, "browOuterUp": 0.12}, 0.35, 1.0, 0.7),
            Look(4.3, (-6, -12), head=0.3),
            Look(5.6, VIEWER),
        ),
    ),
    "laugh": Performance(
        "a smile bursts into laughter, the head goes back, and it dies away in chuckles",
        7.0,
        (
            Pose(0.5, {"browInnerUp": 0.25, "browOuterUp": 0.25}, 0.3, 0.6, 0.6),
            Pose(0.6, _smile(0.68), 0.6, 3.6, 1.5),
            Pose(1.0, {"eyeSquint": 0.4, "cheekSquint": 0.3, "mouthUpperUp": 0.1}, 0.4, 1.8, 1.0),
            Pose(1.0, {"headPitch": 4.0, "headRoll": -2.5}, 0.6, 1.2, 1.0, windup=0.15, overshoot=0.05),
            Pose(1.1, {"jawOpen": 0.12}, 0.2, 1.3, 0.5),
            # Notes of laughter follow each other every 210 ms (Provine & Yong 1991).
            Swing(1.1, {"jawOpen": 0.24, "headPitch": 0.9, "headY": -0.02}, 0.21, 7, decay=0.88, pulses=True),
            Look(2.6, (8, -8), head=0.3),
            Swing(3.2, {"jawOpen": 0.13, "headPitch": -0.7, "headY": 0.012}, 0.22, 3, decay=0.75, pulses=True),
            Look(4.1, VIEWER),
        ),
    ),
    "wistful": Performance(
        "the gaze goes far away, a sigh, the inner brows rise; a faint smile on the way back",
        9.0,
        (
            Look(0.8, (13, 6), head=0.6),
            Pose(1.0, {"headRoll": 3.0}, 1.6, 3.8, 1.8),
            Pose(1.3, {"browInnerUp": 0.5, "browDown": 0.08}, 1.2, 3.0, 1.6),
            Pose(1.6, {"mouthFrown": 0.2, "mouthShrugLower": 0.12}, 1.0, 2.4, 1.2),
            Pose(2.4, {"headY": -0.035, "headPitch": 1.8}, 0.9, 0.2, 1.3, overshoot=0.25),
            Look(4.0, (10, -6), head=0.6),
            Pose(3.6, {"eyeBlink": 0.22}, 0.6, 1.4, 0.9),
            Look(6.3, VIEWER),
            Pose(6.4, {"mouthSmile": 0.22, "cheekSquint": 0.16, "eyeSquint": 0.1}, 0.8, 0.6, 0.9),
        ),
    ),
    "look-around": Performance(
        "looks to one side, up, to the other side, and comes back to the viewer",
        8.0,
        (
            Look(0.7, (-22, 1), head=0.45),
            Look(1.7, (-16, -5), head=0.55),
            Look(2.6, (4, 13), head=0.4),
            Pose(2.6, {"browInnerUp": 0.25, "browOuterUp": 0.2, "eyeWide": 0.1}, 0.3, 0.7, 0.6),
            Look(3.7, (22, 2), head=0.45),
            Pose(3.9, {"headRoll": 2.0}, 0.7, 0.8, 0.8),
            Look(4.7, (16, -4), head=0.55),
            Look(5.6, VIEWER),
            Pose(5.7, _smile(0.28), 0.6, 0.6, 0.9),
        ),
    ),
    "nod-yes": Performance(
        "nods, agreeing, with a small smile",
        5.0,
        (
            Pose(0.5, {"browInnerUp": 0.2, "browOuterUp": 0.18}, 0.3, 0.5, 0.7),
            Pose(0.6, {"headPitch": 1.2}, 0.35, 0.05, 0.4),
            Swing(0.95, {"headPitch": -8.5, "headZ": 0.04}, 0.56, 3, decay=0.72, pulses=True),
            Pose(0.9, _smile(0.34), 0.6, 1.7, 1.1),
            Blink(1.2),
        ),
    ),
    "shake-no": Performance(
        "shakes the head, lips pressed, brows a little sorry",
        5.0,
        (
            Swing(0.7, {"headYaw": 7.5}, 0.72, 3.25, decay=0.8),
            Pose(0.7, {"browDown": 0.25, "browInnerUp": 0.3}, 0.4, 1.7, 0.9),
            Pose(0.8, {"mouthPress": 0.4, "mouthFrown": 0.22, "mouthShrugLower": 0.2}, 0.5, 1.6, 1.0),
            Pose(0.8, {"headPitch": -1.0}, 0.6, 1.7, 0.9),
            Blink(0.85),
        ),
    ),
    "surprised": Performance(
        "brows fly up, eyes wide, the mouth falls open; then a laugh at oneself",
        6.0,
        (
            Blink(0.72),
            Pose(0.8, {"browInnerUp": 0.75, "browOuterUp": 0.75}, 0.2, 1.0, 0.9, windup=0.06, overshoot=0.12),
            Pose(0.8, {"eyeWide": 0.75}, 0.18, 1.1, 0.7, overshoot=0.1),
            Pose(0.85, {"jawOpen": 0.26, "mouthFunnel": 0.16}, 0.24, 0.9, 0.7, overshoot=0.08),
            Pose(0.8, {"headPitch": 2.5, "headZ": -0.14}, 0.28, 1.0, 1.0, windup=0.12, overshoot=0.15),
            Blink(2.2),
            Blink(2.75),
            Pose(2.6, _smile(0.45), 0.7, 1.0, 1.1),
            Pose(2.7, {"headPitch": -2.5, "headRoll": 2.5}, 0.7, 0.8, 1.1),
        ),
    ),
    "blow-a-kiss": Performance(
        "leans in, purses the lips, and lets the kiss fly with a smile",
        6.0,
        (
            Pose(0.5, _smile(0.25), 0.5, 0.1, 0.5),
            Pose(0.9, {"mouthPucker": 0.85, "mouthRollLower": 0.08}, 0.55, 0.5, 0.6, windup=0.05),
            Pose(0.9, {"eyeBlink": 0.4, "browInnerUp": 0.25}, 0.5, 0.45, 0.5),
            Pose(0.9, {"headPitch": 2.5, "headZ": 0.12}, 0.6, 0.4, 0.9, windup=0.1),
            Pose(2.05, {"mouthFunnel": 0.4, "jawOpen": 0.1}, 0.16, 0.3, 0.5),
            Pose(1.95, {"headPitch": -2.0, "headRoll": 3.5, "headZ": -0.04}, 0.5, 1.2, 1.2, overshoot=0.1),
            Pose(2.5, _smile(0.5), 0.6, 1.1, 1.2),
        ),
    ),
    "wink": Performance(
        "one eye closes, that corner of the mouth goes up, the head tips to it",
        5.0,
        (
            Pose(0.7, {"browInnerUp": 0.15, "browOuterUpRight": 0.35}, 0.3, 1.0, 0.8),
            Pose(1.15, {"eyeBlinkLeft": 1.0}, 0.14, 0.22, 0.24),
            Pose(1.05, {"cheekSquintLeft": 0.6, "browDownLeft": 0.25, "eyeSquintLeft": 0.2}, 0.2, 0.32, 0.5),
            Pose(1.0, {"mouthSmileLeft": 0.55, "mouthDimpleLeft": 0.2, "mouthSmileRight": 0.2}, 0.35, 1.3, 1.1),
            Pose(1.0, {"headRoll": 4.0, "headPitch": -1.5, "headYaw": -2.0}, 0.35, 0.4, 1.0, windup=0.12, overshoot=0.08),
        ),
    ),
    "listening": Performance(
        "follows what is said: small nods, a thought aside, brows that answer",
        9.0,
        (
            Pose(0.5, {"headRoll": 3.5, "headZ": 0.06}, 1.2, 5.6, 1.4),
            Pose(0.9, {"browInnerUp": 0.18, "browOuterUp": 0.12}, 0.6, 1.2, 1.0),
            Swing(1.9, {"headPitch": -3.0}, 0.5, 2, decay=0.65, pulses=True),
            Pose(3.0, {"browDown": 0.2, "eyeSquint": 0.15}, 0.7, 1.2, 0.9),
            Look(3.9, (8, -7), head=0.3),
            Pose(4.0, {"mouthPress": 0.25}, 0.5, 0.7, 0.7),
            Look(5.1, VIEWER),
            Pose(5.2, {"browInnerUp": 0.3, "browOuterUp": 0.28}, 0.3, 0.5, 0.8),
            Swing(5.5, {"headPitch": -3.5}, 0.5, 2, decay=0.7, pulses=True),
            Pose(5.6, _smile(0.3), 0.7, 0.9, 1.1),
        ),
    ),
    "thinking": Performance(
        "looks up for the answer, mouth to one side, one brow down; then has it",
        8.0,
        (
            Look(0.8, (15, 14), head=0.3),
            Pose(0.9, {"browDownRight": 0.3, "browOuterUpLeft": 0.3, "eyeSquint": 0.15}, 0.6, 2.2, 0.7),
            Pose(1.3, {"mouthLeft": 0.55, "mouthPress": 0.3, "mouthPucker": 0.25}, 0.7, 1.7, 0.7),
            Pose(1.2, {"headRoll": -3.5}, 1.0, 2.0, 1.0),
            Look(2.5, (6, 15), head=0.35),
            Look(4.0, VIEWER),
            Pose(4.0, {"browInnerUp": 0.45, "browOuterUp": 0.5, "eyeWide": 0.3}, 0.2, 0.4, 0.8, overshoot=0.1),
            Pose(4.05, {"headPitch": 3.0}, 0.3, 0.2, 0.7, windup=0.15, overshoot=0.12),
            Pose(4.3, _smile(0.42), 0.6, 1.2, 1.2),
        ),
    ),
    "greeting": Performance(
        "notices the viewer: brows flash, the chin lifts and dips, a wide smile",
        6.0,
        (
            Look(0.3, (-10, -3), head=0.7),
            Look(1.3, VIEWER, head=0.7),
            Pose(1.4, {"browInnerUp": 0.4, "browOuterUp": 0.6, "eyeWide": 0.2}, 0.18, 0.25, 0.5, overshoot=0.1),
            Pose(1.4, {"headPitch": 3.0}, 0.3, 0.05, 0.4),
            Pose(1.9, {"headPitch": -3.0, "headRoll": 2.0, "headZ": 0.05}, 0.4, 0.3, 1.0, overshoot=0.1),
            Pose(1.5, _smile(0.6), 0.6, 1.6, 1.4),
        ),
    ),
}  # fmt: skip


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
        One of `PERFORMANCES`.
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
    _carry_along(face)
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


def _carry_along(face: np.ndarray) -> None:
    """Let a head that turns go along: it turns about the neck, below and behind the face."""
    yaw, pitch, roll = (face[:, INDEX[name]] for name in ("headYaw", "headPitch", "headRoll"))
    face[:, INDEX["headX"]] += 0.008 * yaw + 0.010 * roll
    face[:, INDEX["headY"]] += -0.008 * pitch


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
