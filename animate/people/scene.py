"""A conversation as a file: people, turns and voices, read and checked before anything is rendered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import yaml

from animate.errors import AnimateError, ConfigError, nearest
from animate.people.conversation import Conversation
from animate.people.mixing import lasting, mixed, resampled
from animate.people.stage import LAYOUTS
from animate.people.turns import Turn, check_turns, read_turns, turns_from
from animate.pipeline import read_portrait, read_voice
from animate.portrait import LandmarkDetector, read_people
from animate.types import Portrait, Speech

_SCENE_KEYS = ("people", "recording", "turns", "layout")
_PERSON_KEYS = ("portrait", "face", "voice", "consent")
_PAUSE_S, _TAIL_S = 0.3, 0.6  # between turns without times, and after the last
_FADE_S = 0.01  # at the ends of a turn cut from a recording


def read_conversation(
    path: str | Path, *, detector: str | LandmarkDetector = "mediapipe", restore: str | Sequence[str] = "off"
) -> Conversation:
    """Read a conversation from YAML, with all its pictures and voices.

    ::

        people:
          ada: {portrait: ada.jpg, consent: public-domain}
          bob: {portrait: club.jpg, face: 2}
        turns: [{who: ada, voice: hello.wav}, {who: bob, voice: reply.wav}]
        layout: side-by-side

    A turn with a `voice` is said from beginning to end, after the turn before or at its `start_s`. A turn with
    `start_s` and `end_s` and no voice is taken at these times from the person's own `voice`, or from the `recording` of
    all; such turns may stand in a file (`turns: talk.rttm`, or .json). Without turns everybody says their own `voice`,
    one after the other. Files are named from the folder of the YAML.

    Parameters
    ----------
    path : path
    detector, restore
        As for `animate.read_portrait`, for all pictures.

    Raises
    ------
    ConfigError
        If something is missing, unknown or impossible; the message names the key or the line.
    PortraitError, VoiceError
        If a picture or a voice cannot be used; the message names the person.
    """
    path = Path(path)
    scene = _read_yaml(path)
    layout = scene.get("layout")
    if layout is not None and layout not in LAYOUTS:
        raise ConfigError(f"{path.name}, layout: there is no {layout!r}. {nearest(layout, LAYOUTS)}")
    turns = _read_turns(scene.get("turns"), path)
    roles = {name: _role(name, role, path) for name, role in scene["people"].items()}
    for turn in turns or ():
        if turn.who not in roles:
            raise ConfigError(
                f"{path.name}: {turn.who!r} speaks but is not among the people. {nearest(turn.who, roles)}"
            )
    voices = {
        name: _named(f"{path.name}, people.{name}.voice", read_voice, path.parent / role["voice"])
        for name, role in roles.items()
        if "voice" in role
    }
    recording = scene.get("recording")
    recording = recording and _named(f"{path.name}, recording", read_voice, path.parent / recording)
    turns, said = _placed(turns, voices, recording, path)
    check_turns(turns, roles, path.name)
    duration_s = recording.duration_s if recording else max(turn.end_s for turn in turns) + _TAIL_S
    tracks = {name: _track([part for who, part in said if who == name], duration_s) for name, _ in said}
    return Conversation(
        people=_read_portraits(roles, path, {"detector": detector, "restore": restore}),
        consents={name: role.get("consent") for name, role in roles.items()},
        turns=tuple(sorted(turns, key=lambda turn: turn.start_s)),
        tracks=tracks,
        sources={name: tuple(part.source for who, part in said if who == name) for name in tracks},
        speech=recording or mixed(list(tracks.values())),
        layout=layout,
    )


@dataclass(frozen=True, eq=False)
class _Said:
    """A piece of a voice, from `from_s` to `to_s` of its own time, that is heard at `at_s`."""

    source: Speech
    from_s: float
    to_s: float
    at_s: float


def _placed(turns: list[Turn] | None, voices: dict, recording: Speech | None, path: Path):
    """Return the turns with their times, and what is said in each: list of (name, _Said)."""
    if turns is None:
        if recording is not None:
            raise ConfigError(
                f"{path.name}: turns are missing. Say who speaks when in the recording, as in turns: talk.rttm."
            )
        turns = [Turn(name) for name in voices]
    if not turns:
        raise ConfigError(f"{path.name}: nobody speaks. Give people a voice, or turns with one.")
    clock_s, timed, said = 0.0, [], []
    for number, turn in enumerate(turns, start=1):
        where = f"{path.name}, turn {number} ({turn.who})"
        own = turn.voice and _named(where, read_voice, path.parent / turn.voice)
        source = own or voices.get(turn.who) or recording
        if source is None:
            raise ConfigError(
                f"{where}: there is nothing to say. Give the turn or {turn.who} a voice, or all a recording."
            )
        in_place = own is None and turn.start_s is not None and turn.end_s is not None
        if not in_place and source is recording:
            raise ConfigError(f"{where}: start_s and end_s are missing. Say when in the recording that is.")
        start_s = clock_s if turn.start_s is None else turn.start_s
        end_s = turn.end_s if turn.end_s is not None else start_s + source.duration_s
        part = _Said(source, start_s, end_s, start_s) if in_place else _Said(source, 0.0, end_s - start_s, start_s)
        if part.to_s > source.duration_s + 0.05:
            raise ConfigError(
                f"{where} ends at {end_s:g} s, but {source.name} lasts {source.duration_s:.2f} s. Shorten the turn."
            )
        timed.append(replace(turn, start_s=start_s, end_s=end_s))
        said.append((turn.who, part))
        clock_s = end_s + _PAUSE_S
    return timed, said


def _track(parts: list[_Said], duration_s: float) -> Speech:
    """Return what somebody says, on the time of the whole, with silence between."""
    rate = max(part.source.sample_rate for part in parts)
    total = np.zeros(round(duration_s * rate), np.float32)
    for part in parts:
        samples = resampled(part.source, rate).samples[round(part.from_s * rate) : round(part.to_s * rate)].copy()
        fade = np.linspace(0, 1, min(round(_FADE_S * rate), len(samples) // 2), dtype=np.float32)
        samples[: len(fade)] *= fade
        samples[len(samples) - len(fade) :] *= fade[::-1]
        begin = round(part.at_s * rate)
        room = total[begin : begin + len(samples)]
        room += samples[: len(room)]
    return lasting(Speech(total, rate, parts[0].source.name), duration_s)


def _read_yaml(path: Path) -> dict:
    try:
        scene = yaml.safe_load(path.read_text())
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"Cannot read the scene {path}: {getattr(error, 'strerror', None) or error}.") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{path.name} is not valid YAML: {error}") from None
    if not isinstance(scene, dict):
        raise ConfigError(
            f"{path.name} holds no scene. Write people:, turns: and, if you like, recording: and layout:."
        )
    _check_keys(scene, _SCENE_KEYS, path.name)
    if not isinstance(scene.get("people"), dict) or not scene["people"]:
        raise ConfigError(f"{path.name}, people: name them, as in people: {{ada: {{portrait: ada.jpg}}}}.")
    return scene


def _role(name: str, role: object, path: Path) -> dict:
    where = f"{path.name}, people.{name}"
    if not isinstance(role, dict) or "portrait" not in role:
        raise ConfigError(f"{where}: the portrait is missing. Write {name}: {{portrait: FILE}}.")
    _check_keys(role, _PERSON_KEYS, where)
    if not isinstance(role.get("face", 1), int):
        raise ConfigError(f"{where}.face is {role['face']!r}. Use the number that animate-portrait faces shows.")
    return role


def _check_keys(given: dict, known: tuple[str, ...], where: str) -> None:
    for key in given:
        if key not in known:
            raise ConfigError(f"{where} has no key {key!r}. {nearest(key, known)}")


def _read_turns(turns: object, path: Path) -> list[Turn] | None:
    if turns is None or isinstance(turns, list):
        return turns and turns_from(turns, path.name)
    return read_turns(path.parent / str(turns))


def _read_portraits(roles: dict[str, dict], path: Path, how: dict) -> dict[str, Portrait]:
    """Return a portrait for everybody, read as `how` says; people of one picture are cut out of it together."""
    people = {}
    for file in dict.fromkeys(role["portrait"] for role in roles.values()):
        members = {name: role.get("face") for name, role in roles.items() if role["portrait"] == file}
        where = f"{path.name}, people.{next(iter(members))}.portrait"
        if len(members) == 1:
            ((name, number),) = members.items()
            people[name] = _named(where, read_portrait, path.parent / file, face=number, **how)
            continue
        if None in members.values() or len(set(members.values())) < len(members):
            raise ConfigError(
                f"{path.name}: {' and '.join(members)} are in the same picture {file}. Give each a face of their own, "
                "by the number that animate-portrait faces shows."
            )
        found = _named(where, read_people, path.parent / file, faces=sorted(members.values()), **how)
        people |= {name: found[number] for name, number in members.items()}
    return {name: people[name] for name in roles}


def _named(where: str, read: Callable, *arguments, **keywords):
    """Return what a reader returns; its errors begin with where the file was named."""
    try:
        return read(*arguments, **keywords)
    except AnimateError as error:
        raise type(error)(f"{where}: {error}") from None
