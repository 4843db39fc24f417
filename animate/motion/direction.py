"""Direction: what happens when, on one timeline of keyed tracks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import yaml

from animate.channels import BLENDSHAPES, INDEX
from animate.easing import smoothstep
from animate.errors import ConfigError, nearest
from animate.motion.emotions import emotion_vector, parse_emotion
from animate.motion.lids import blink_shape
from animate.motion.tracks import Track, in_range, read_time, read_track, word_time
from animate.types import Motion, Word

Keys = float | str | list | Mapping | Track | None

GAZE_LIMIT_DEG = 25.0
GAZES = {"camera": (0.0, 0.0), "left": (-15.0, 0.0), "right": (15.0, 0.0), "up": (0.0, 12.0), "down": (0.0, -12.0)}
_HOLD_EASE_S = 0.2
# What speech moves; a smile or a frown is not among them, so that a listener keeps it
SPEECH = tuple(
    name
    for name in BLENDSHAPES
    if name.startswith(("jaw", "mouth")) and not name.startswith(("mouthSmile", "mouthFrown", "mouthDimple"))
)


def _read_emotion(name: str, value) -> tuple[float, ...]:
    return tuple(emotion_vector(parse_emotion(str(value))).tolist())


def read_gaze(name: str, value) -> tuple[float, ...]:
    """Return degrees to the right of the picture and up for a name in `GAZES` or two numbers.

    Raises
    ------
    ConfigError
        If it is neither, or too far.
    """
    if isinstance(value, str):
        if value not in GAZES:
            raise ConfigError(f"There is no {name} {value!r}. {nearest(value, GAZES)}")
        return GAZES[value]
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        raise ConfigError(f"{name} is {value!r}; use one of {', '.join(GAZES)}, or [degrees right, degrees up].")
    return tuple(number for part in value for number in in_range(-GAZE_LIMIT_DEG, GAZE_LIMIT_DEG)(name, part))


_READERS = {
    "emotion": _read_emotion,
    "expressiveness": in_range(0, 2),
    "articulation": in_range(0, 2),
    "head_motion": in_range(0, 2),
    "blink_rate": in_range(0, 3),
    "gaze": read_gaze,
    "head_pitch_deg": in_range(-20, 20),
    "head_yaw_deg": in_range(-25, 25),
    "head_roll_deg": in_range(-20, 20),
    "brow": in_range(-1, 1),
    "smile": in_range(-1, 1),
    "camera_zoom": in_range(1, 4),
    "camera_x": in_range(-1, 1),
    "camera_y": in_range(-1, 1),
}
_GENERATED = ("emotion", "expressiveness", "head_motion", "blink_rate", "gaze")  # what only a generator can follow


@dataclass(frozen=True)
class Direction:
    """Tracks over seconds. A track is one value, or a mapping of seconds to values between which it eases.

    Attributes
    ----------
    emotion : as ``"happy:0.6"`` or ``"sad:0.4,fearful:0.2"``
        A condition of the network, frame by frame; mixtures pass into one another.
    expressiveness : 0 to 2
        How far mouth, brows and head move; a condition of the network as well.
    articulation : 0 to 2
        How far speech moves jaw and lips; closed lips stay closed.
    head_motion : 0 to 2
        Range of the head; 0 keeps it still.
    blink_rate : 0 (never) to 3
    blink : list of seconds
        Blinks whose lids meet then, beside the others.
    gaze : camera, left, right, up, down, or [degrees to the right of the picture, degrees up]
    head_pitch_deg, head_yaw_deg, head_roll_deg : degrees
        Added to the head's own motion, with the signs of `animate.channels`.
    brow : -1 (lowered) to 1 (raised)
    smile : -1 (corners down) to 1
    hold : list of [from, to] in seconds
        The face listens: the mouth rests, eyes, brows and head live on.
    camera_zoom : 1 (the whole picture) to 4
        The camera closes in on the face.
    camera_x, camera_y : -1 to 1
        Where it looks beside the face, in widths and heights of what it sees, to the right and down.

    Whatever is left out is as in `animate.motion.Acting`, or does nothing.

    Raises
    ------
    ConfigError
        If a value, a name or a time cannot be understood.

    Examples
    --------
    >>> scene = Direction(emotion={0: "neutral", 2: "happy:0.8"}, blink=[1.2], smile=0.2)
    >>> scene.smile.at(np.array([1.0])).tolist()
    [[0.2]]
    """

    emotion: Keys = None
    expressiveness: Keys = None
    articulation: Keys = None
    head_motion: Keys = None
    blink_rate: Keys = None
    blink: tuple[float, ...] = ()
    gaze: Keys = None
    head_pitch_deg: Keys = None
    head_yaw_deg: Keys = None
    head_roll_deg: Keys = None
    brow: Keys = None
    smile: Keys = None
    hold: tuple[tuple[float, float], ...] = ()
    camera_zoom: Keys = None
    camera_x: Keys = None
    camera_y: Keys = None

    def __post_init__(self):
        for name, read_value in _READERS.items():
            keys = getattr(self, name)
            if keys is not None and not isinstance(keys, Track):
                object.__setattr__(self, name, read_track(name, keys, read_value))
        blinks = self.blink if isinstance(self.blink, (list, tuple)) else [self.blink]
        object.__setattr__(self, "blink", tuple(read_time("blink", time) for time in blinks))
        object.__setattr__(self, "hold", tuple(_read_span(span) for span in self.hold))
        if (self.camera_x is not None or self.camera_y is not None) and self.camera_zoom is None:
            raise ConfigError("The camera cannot pan while it sees the whole picture. Give camera_zoom, such as 1.5.")

    @property
    def moves_camera(self) -> bool:
        """Whether the framing is other than the whole picture."""
        return self.camera_zoom is not None

    def curve(self, name: str, times_s: np.ndarray, otherwise) -> np.ndarray:
        """Return a track at times float [T], or the value to take where it was not given.

        Returns
        -------
        float64 [T] of tracks of one number, [T, D] of others
        """
        track = getattr(self, name)
        rows = np.tile(np.atleast_1d(otherwise), (len(times_s), 1)) if track is None else track.at(times_s)
        return rows[:, 0] if rows.shape[1] == 1 else rows

    def edited(self, channels: np.ndarray, times_s: np.ndarray) -> np.ndarray:
        """Return channels float32 [T, 58] at times float [T] as directed, as far as no network is needed."""
        channels = channels.copy()

        def add(amount: np.ndarray, *names: str) -> None:
            channels[:, [INDEX[name] for name in names]] += amount[:, None]

        speech = [INDEX[name] for name in SPEECH]
        share = self.curve("articulation", times_s, 1.0) * (1 - self._held(times_s))
        channels[:, speech] *= share[:, None]
        smile, brow = self.curve("smile", times_s, 0.0), self.curve("brow", times_s, 0.0)
        add(np.maximum(smile, 0), "mouthSmileLeft", "mouthSmileRight")
        add(0.5 * np.maximum(smile, 0), "cheekSquintLeft", "cheekSquintRight")  # a smile that reaches the eyes
        add(np.maximum(-smile, 0), "mouthFrownLeft", "mouthFrownRight")
        add(np.maximum(brow, 0), "browInnerUp", "browOuterUpLeft", "browOuterUpRight")
        add(np.maximum(-brow, 0), "browDownLeft", "browDownRight")
        for name, channel in (("pitch", "headPitch"), ("yaw", "headYaw"), ("roll", "headRoll")):
            add(self.curve(f"head_{name}_deg", times_s, 0.0), channel)
        for onset_s in self.blink:
            for lid in ("eyeBlinkLeft", "eyeBlinkRight"):
                column = channels[:, INDEX[lid]]
                np.maximum(column, blink_shape(times_s, onset_s), out=column)
        np.clip(channels[:, : len(BLENDSHAPES)], 0, 1, out=channels[:, : len(BLENDSHAPES)])
        return channels

    def _held(self, times_s: np.ndarray) -> np.ndarray:
        """Return float [T], 1 where the face listens, easing from and to 0 around it."""
        held = np.zeros(len(times_s))
        for start_s, stop_s in self.hold:
            outside = np.maximum(start_s - times_s, times_s - stop_s)
            held = np.maximum(held, smoothstep(1 - outside / _HOLD_EASE_S))
        return held


def direct(motion: Motion, direction: Direction) -> Motion:
    """Return a motion that exists already, as directed.

    Raises
    ------
    ConfigError
        If the direction has tracks that only the generator can follow: emotion, expressiveness, head_motion,
        blink_rate, gaze.
    """
    if impossible := [name for name in _GENERATED if getattr(direction, name) is not None]:
        raise ConfigError(
            f"A motion that exists cannot follow the track {impossible[0]}. Generate it anew from the voice, or leave "
            f"out {', '.join(impossible)}."
        )
    return replace(motion, values=direction.edited(motion.values, np.arange(len(motion)) / motion.fps))


def read_direction(path: str | Path, words: Sequence[Word] | None = None) -> Direction:
    """Read a direction from YAML, one track a line.

    Parameters
    ----------
    path : path
    words : sequence of Word, optional
        What is said and when (`animate.speech.align_words`); then a key may be ``word 3``, ``on never``,
        ``after never`` or ``on never 2`` in place of seconds.

    Raises
    ------
    ConfigError
        If the file cannot be read, names an unknown track (the message names the nearest) or holds an impossible
        value.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "scene.yaml"
    >>> _ = path.write_text("emotion: {0: neutral, 2.5: 'happy:0.8'}")
    >>> read_direction(path).emotion.times_s
    (0.0, 2.5)
    """
    tracks = _read_tracks(path)
    try:
        return Direction(**{name: _timed(name, value, words) for name, value in tracks.items() if value is not None})
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from None


def needs_words(path: str | Path) -> bool:
    """Return whether the direction in a file has keys on words.

    Raises
    ------
    ConfigError
        If the file cannot be read or names an unknown track.
    """
    tracks = _read_tracks(path)
    try:
        for name, track in tracks.items():
            _timed(name, track, None)
    except ConfigError:
        return True
    return False


def _read_tracks(path: str | Path) -> dict:
    """Return the tracks of a YAML file as they are written; all their names are known."""
    try:
        tracks = yaml.safe_load(Path(path).read_text()) or {}
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"Cannot read the direction {path}: {getattr(error, 'strerror', None) or error}.") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not valid YAML: {error}") from None
    if not isinstance(tracks, dict):
        raise ConfigError(f"{path} holds a {type(tracks).__name__}; write one 'track: value' per line.")
    names = [field.name for field in fields(Direction)]
    for name in tracks:
        if name not in names:
            raise ConfigError(f"{path}: there is no track {name!r}. {nearest(name, names)}")
    return tracks


def _timed(name: str, track, words: Sequence[Word] | None):
    """Put seconds in place of words, in the keys of a mapping and in the times of `blink` and `hold`."""
    if isinstance(track, dict):
        return {word_time(name, time, words): value for time, value in track.items()}
    if name in ("blink", "hold") and isinstance(track, list):
        return [_timed(name, time, words) for time in track]
    return word_time(name, track, words) if name in ("blink", "hold") else track


def _read_span(span) -> tuple[float, float]:
    if not isinstance(span, (list, tuple)) or len(span) != 2:
        raise ConfigError(f"hold has {span!r}; use a list of [from, to] in seconds, such as [[3.0, 4.5]].")
    start_s, stop_s = (read_time("hold", time) for time in span)
    if not start_s < stop_s:
        raise ConfigError(f"hold ends at {stop_s:g} s, before it begins. Write [from, to].")
    return start_s, stop_s
