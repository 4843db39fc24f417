"""Motions as the CSV of Epic's Live Link Face app, which Unreal and Faceit import.

A row is a time code ``HH:MM:SS:FF.fff`` (fff: thousandths of a frame), the number 61, the 52 blendshapes under
Apple's names with a capital letter, and nine angles in radians about the axes of ARKit's face anchor (x to the right of
the picture, y up, z towards the viewer; right-hand rule):

============================ ======================= ====================================
column                       positive                here
============================ ======================= ====================================
HeadYaw                      to the picture's right  `headYaw`
HeadPitch                    chin down               -`headPitch`
HeadRoll                     counter-clockwise       -`headRoll`
LeftEyeYaw, RightEyeYaw      to the picture's right  from `eyeLookIn` and `eyeLookOut`
LeftEyePitch, RightEyePitch  down                    from `eyeLookDown` and `eyeLookUp`
LeftEyeRoll, RightEyeRoll    -                       0
============================ ======================= ====================================

The app records yaw and pitch inverted when the telephone lies on its side; `scale` them by -1 then. Four columns of
ours follow, which other programs pass over: HeadX, HeadY, HeadZ (eye distances) and FrameRate. On reading, the angles
of the eyes are not needed, because the blendshapes say the same; a head with an offset, as in every recording of the
app, is kept as it is.
"""

from __future__ import annotations

import csv
import io

import numpy as np

from animate.channels import BLENDSHAPES, CHANNELS, INDEX
from animate.clock import frame_rate
from animate.errors import MotionError
from animate.motion.latents import GAZE_RANGE_DEG
from animate.types import Motion

_TURNS = {"HeadYaw": ("headYaw", 1), "HeadPitch": ("headPitch", -1), "HeadRoll": ("headRoll", -1)}
_EYES = ("LeftEyeYaw", "LeftEyePitch", "LeftEyeRoll", "RightEyeYaw", "RightEyePitch", "RightEyeRoll")
_MOVES = {"HeadX": "headX", "HeadY": "headY", "HeadZ": "headZ"}
_COUNT = len(BLENDSHAPES) + len(_TURNS) + len(_EYES)
_APP_RATES = (24, 25, 30, 48, 50, 60)
_APP_RATE = 60  # of a take too short to tell


def _apple_order() -> tuple[str, ...]:
    """The app has right before left where the sides are channels of their own; some importers go by place."""
    names = list(BLENDSHAPES)
    for left, right in (("jawLeft", "jawRight"), ("mouthLeft", "mouthRight")):
        a, b = names.index(left), names.index(right)
        names[a], names[b] = right, left
    return tuple(names)


_ORDER = _apple_order()


def to_live_link(motion: Motion) -> str:
    """Return a motion as the text of a Live Link Face file.

    Examples
    --------
    >>> to_live_link(Motion.rest(1.0, 50)).splitlines()[1][:16]
    '00:00:00:00.000,'
    """
    titles = [name[0].upper() + name[1:] for name in _ORDER]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["Timecode", "BlendShapeCount", *titles, *_TURNS, *_EYES, *_MOVES, "FrameRate"])
    turns = np.stack([sign * np.radians(motion[channel].astype(float)) for channel, sign in _TURNS.values()], axis=1)
    columns = [motion.values[:, [INDEX[name] for name in _ORDER]], turns, _eye_angles(motion)]
    columns.append(motion.values[:, [INDEX[name] for name in _MOVES.values()]])
    nominal = round(motion.fps)
    for row, numbers in enumerate(np.hstack(columns)):
        seconds, frame = divmod(row, nominal)
        minutes, second = divmod(seconds, 60)
        code = f"{minutes // 60:02d}:{minutes % 60:02d}:{second:02d}:{frame:02d}.000"
        writer.writerow([code, _COUNT, *(f"{number:.9g}" for number in numbers), repr(float(motion.fps))])
    return out.getvalue()


def from_live_link(text: str, name: str = "motion.csv", fps: float | None = None) -> Motion:
    """Return the motion of a Live Link Face file; frames that the app dropped are filled in.

    Parameters
    ----------
    text : str
    name : str
        For messages.
    fps : float, optional
        Rate of the recording; by default what its time codes tell (60 for a take shorter than a second).

    Raises
    ------
    MotionError
        If it is no such file.
    """
    titles, *rows = [row for row in csv.reader(io.StringIO(text)) if row] or [[]]
    place = {title.strip().lower(): column for column, title in enumerate(titles)}
    if "timecode" not in place or "jawopen" not in place or not rows:
        raise MotionError(
            f"{name} is not a Live Link Face recording. It needs the columns Timecode, JawOpen and so on."
        )
    try:
        codes = [row[place["timecode"]] for row in rows]
        table = {
            title: np.array([float(row[at]) for row in rows]) for title, at in place.items() if title != "timecode"
        }
    except (ValueError, IndexError) as error:
        raise MotionError(f"{name} has a row that cannot be read ({error}). Export it again.") from None
    values = np.zeros((len(rows), len(CHANNELS)))
    for channel in (*BLENDSHAPES, *_MOVES.values()):
        values[:, INDEX[channel]] = table.get(channel.lower(), 0.0)
    for title, (channel, sign) in _TURNS.items():
        values[:, INDEX[channel]] = sign * np.degrees(table.get(title.lower(), 0.0))
    frames, rate = _frame_numbers(codes, name, fps or (table["framerate"][0] if "framerate" in table else None))
    if np.any(np.diff(frames) <= 0):
        raise MotionError(f"The time codes of {name} do not rise. Export the take again.")
    whole = np.arange(round(frames[-1] - frames[0]) + 1)
    filled = np.stack([np.interp(whole, frames - frames[0], curve) for curve in values.T], axis=1)
    return Motion(filled, rate)


def _eye_angles(motion: Motion) -> np.ndarray:
    """Return float64 [T, 6] radians in the order of `_EYES`."""
    unit = np.radians(GAZE_RANGE_DEG)
    none = np.zeros(len(motion))
    down = [(motion["eyeLookDown" + side] - motion["eyeLookUp" + side]) * unit for side in ("Left", "Right")]
    left = (motion["eyeLookOutLeft"] - motion["eyeLookInLeft"]) * unit
    right = (motion["eyeLookInRight"] - motion["eyeLookOutRight"]) * unit
    return np.stack([left, down[0], none, right, down[1], none], axis=1)


def _frame_numbers(codes: list[str], name: str, fps: float | None) -> tuple[np.ndarray, float]:
    """Return float64 [T] frame numbers since midnight, with the fractions of the time codes, and the rate."""
    try:
        parts = np.array([[float(part) for part in code.replace(";", ":").split(":")] for code in codes])
        hours, minutes, seconds, within = parts.T
    except ValueError:
        raise MotionError(f"{name} has a time code that is not HH:MM:SS:FF, such as {codes[0]!r}.") from None
    whole_s = hours * 3600 + minutes * 60 + seconds
    if fps is None:
        counted = int(within.max()) + 1
        spans_a_second = whole_s[-1] - whole_s[0] >= 2
        fps = next((rate for rate in _APP_RATES if rate >= counted), counted) if spans_a_second else _APP_RATE
    rate = float(frame_rate(fps))
    return whole_s * round(rate) + within, rate
