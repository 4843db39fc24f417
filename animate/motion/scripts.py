"""The scripts of the performances without a voice; `animate.motion.performances` plays them.

A script is written for one phrase of some seconds, for a face that looks at the viewer and is at rest before and after.
To the left means to the left of the picture; half of the seeds play it the other way round.
"""

from __future__ import annotations

from dataclasses import dataclass

from animate.motion.beats import VIEWER, Beat, Blink, Look, Pose, Swing


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
            Pose(4.2, {"browOuterUpLeft": 0.6, "browInnerUp": 0.2, "browDownRight": 0.1}, 0.3, 1.2, 0.9, overshoot=0.1),
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
            Pose(1.0, {"headRoll": 4.0, "headPitch": -1.5, "headYaw": -2.0}, 0.35, 0.4, 1.0, windup=0.1, overshoot=0.1),
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
