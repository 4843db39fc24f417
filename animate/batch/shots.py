"""The shot list: read, and checked to the last row before anything is rendered."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import yaml

from animate.config import VOICE_SETTINGS, RenderConfig, load_config
from animate.errors import AnimateError, BatchError, ConfigError, MediaError, ProvenanceError, nearest
from animate.media import FORMATS, Encoding, check_targets
from animate.motion.acting import Acting
from animate.motion.direction import read_direction
from animate.motion.performances import LONGEST_S, SHORTEST_S
from animate.motion.scripts import PERFORMANCES
from animate.motion.tracks import in_range
from animate.provenance import label, parse_consent

PICTURES = tuple(suffix[1:] for suffix in FORMATS)
CAPTIONS = ("srt", "vtt")
OUTPUTS = (*PICTURES, "npz", "json", "csv", "glb", "gltf", *CAPTIONS)
FILES = ("portrait", "voice", "direction", "transcript")
_SETTINGS = tuple(field.name for field in fields(RenderConfig))
_ACT = ("performance", "seconds", "loop")
_COLUMNS = ("id", *FILES, *_ACT, "face", "restore", "consent", "outputs", *_SETTINGS)
_NUMBERS = ("face", "seconds", *_SETTINGS)  # columns in which a CSV may mean a number
_SUFFIXES = (".csv", ".jsonl", ".yaml", ".yml")


@dataclass(frozen=True)
class Shot:
    """One row of the list.

    Attributes
    ----------
    id : str
        Names the outputs; letters, digits, point, dash and underscore.
    portrait : Path
    voice : Path or None
        None if there is a performance instead.
    direction, transcript : Path or None
        YAML, as `animate.motion.direction.read_direction` takes it, and the text for its keys on words.
    performance : str or None
    seconds : float
    loop : bool
        Of the performance, as for `animate.revive`.
    face : int or None
    restore : str
        As for `animate.read_portrait`.
    config : RenderConfig
    consent : str or None
        By what right, as `animate.Animator` takes it.
    outputs : tuple of str
        Videos and pictures first, mp4 if none is named; then formats of the motion and of captions.
    row : int
        Line of the file, or number of the item in YAML, for messages.
    """

    id: str
    portrait: Path
    voice: Path | None
    direction: Path | None
    transcript: Path | None
    performance: str | None
    seconds: float
    loop: bool
    face: int | None
    restore: str
    config: RenderConfig
    consent: str | None
    outputs: tuple[str, ...]
    row: int


def read_shots(path: str | Path, checks: dict[tuple[str, ...], Callable] | None = None) -> list[Shot]:
    """Read a shot list and check every row.

    Columns are id, portrait, and voice or performance (with seconds and loop), and if wanted direction, transcript,
    face, restore, consent, outputs (such as ``mp4 gif csv``) and every setting of `RenderConfig` (seed, fps, emotion
    ...). Files are found from the folder of the list.

    Parameters
    ----------
    path : path
        .csv with a header, .jsonl with one object a line, or .yaml with a list of mappings.
    checks : dict, optional
        For columns, such as ``("voice",)``, what takes a shot's values of these columns and raises AnimateError if they
        will not do; called once for equal values, and not where a file is missing.

    Raises
    ------
    BatchError
        If the list cannot be read; or with all that is wrong in it, by row.

    Examples
    --------
    >>> read_shots("shots.csv")                                         # doctest: +SKIP
    """
    source = Path(path)
    shots, problems, seen = [], [], {}
    for row, values in _rows(source):
        shot, wrong = _shot(row, values, source.parent)
        if shot and (before := seen.setdefault(shot.id.lower(), row)) != row:
            wrong.append(f"the id {shot.id!r} is that of row {before} (capitals make no difference); give it its own")
        problems += [(row, reason) for reason in wrong]
        if shot:
            shots.append(shot)
    for columns, check in (checks or {}).items():
        problems += _unfit(columns, check, shots)
    if problems:
        listed = "\n".join(f"  row {row}: {reason}" for row, reason in sorted(problems))
        raise BatchError(f"{source.name} has {len(problems)} mistakes; nothing was rendered.\n{listed}")
    if not shots:
        raise BatchError(f"{source.name} lists no shot. Write one a row: id, portrait, and voice or performance.")
    return shots


def _rows(source: Path) -> list[tuple[int, dict]]:
    """Return each row's number and its values that are not empty."""
    if source.suffix.lower() not in _SUFFIXES:
        raise BatchError(f"{source.name} is no shot list. Use {', '.join(_SUFFIXES)}.")
    try:
        text = source.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise BatchError(
            f"The shot list {source} cannot be read: {getattr(error, 'strerror', None) or error}."
        ) from None
    if source.suffix.lower() == ".csv":
        reader = csv.DictReader(text.splitlines())
        rows = [
            (reader.line_num, {name: _number(value) if name in _NUMBERS else value for name, value in row.items()})
            for row in reader
        ]
    else:
        rows = _parsed(source, text)
    for row, values in rows:
        if not isinstance(values, dict):
            raise BatchError(
                f"{source.name}, row {row}: {values!r} is no shot. Write names and values: id, portrait ..."
            )
    return [(row, {name: value for name, value in values.items() if value not in (None, "")}) for row, values in rows]


def _parsed(source: Path, text: str) -> list[tuple[int, object]]:
    try:
        if source.suffix.lower() == ".jsonl":
            lines = enumerate(text.splitlines(), start=1)
            return [(row, json.loads(line)) for row, line in lines if line.strip()]
        items = yaml.safe_load(text)
    except (json.JSONDecodeError, yaml.YAMLError) as error:
        raise BatchError(f"{source.name} cannot be read: {error}") from None
    if not isinstance(items, list):
        raise BatchError(f"{source.name} holds no list. Begin each shot with a dash: - id: ...")
    return list(enumerate(items, start=1))


def _number(text: str | None):
    """Return the number that a CSV writes as text, or the text."""
    for kind in (int, float):
        try:
            return kind(text)
        except (TypeError, ValueError):
            continue
    return text


def _shot(row: int, values: dict, folder: Path) -> tuple[Shot | None, list[str]]:
    """Return the shot, or None, and what is wrong with it."""
    wrong = []
    if None in values:
        wrong.append(f"it has more values than the header has names, such as {values.pop(None)[0]!r}")
    for name in [name for name in values if name not in _COLUMNS]:
        wrong.append(f"there is no column {name!r}. {nearest(name, _COLUMNS)}")
    wrong += [f"{name} is missing" for name in ("id", "portrait") if name not in values]
    performance, seconds, loop = values.get("performance"), values.get("seconds", 8.0), values.get("loop", False)
    if performance is None:
        wrong += ["voice is missing, or a performance instead"] if "voice" not in values else []
        wrong += [f"{name} is for a performance; leave it out" for name in ("seconds", "loop") if name in values]
    else:
        wrong += _wrong_act(performance, seconds, loop)
        spoken = [name for name in ("voice", "direction", "transcript", *VOICE_SETTINGS) if name in values]
        wrong += [f"{name} is for a voice, and a performance has none; leave it out" for name in spoken]
    name = str(values.get("id", "x"))
    if not re.fullmatch(r"[\w-][\w.-]{0,99}", name, re.ASCII):
        wrong.append(f"the id {name!r} cannot name a file; use letters, digits, '.', '-' and '_'")
    files = {column: folder / str(values[column]) for column in FILES if column in values}
    for column, file in files.items():
        if not file.is_file():
            wrong.append(f"there is no {column} {values[column]}")
    listed = list(dict.fromkeys(re.split(r"[\s,;+]+", str(values.get("outputs", "mp4")).lower())))
    shown = [kind for kind in listed if kind in PICTURES] or ["mp4"]
    outputs = (*shown, *(kind for kind in listed if kind not in PICTURES))
    wrong += [f"no output is called {kind!r}. {nearest(kind, OUTPUTS)}" for kind in outputs if kind not in OUTPUTS]
    face = values.get("face")
    if face is not None and not isinstance(face, int):
        wrong.append(f"face is {face!r}; use the number that animate-portrait faces shows")
    config = None
    try:
        config = load_config(RenderConfig, overrides={name: values[name] for name in _SETTINGS if name in values})
        Acting(**{field.name: getattr(config, field.name) for field in fields(Acting)})
        check_targets([f"{name}.{kind}" for kind in shown], Encoding.of(config), config.alpha)
        label(config.label_language, config.label_font, config.label_text)
    except (ConfigError, MediaError, ProvenanceError) as error:
        wrong.append(str(error))
    captioned = any(kind in CAPTIONS for kind in outputs)
    if captioned and "transcript" not in files:
        wrong.append("captions need a transcript; give one, or leave them out of the outputs")
    if "transcript" in files and "direction" not in files and not captioned:
        wrong.append("a transcript is for captions and the words of a direction; give one, or leave it out")
    consent = values.get("consent")
    try:
        parse_consent(consent or "undeclared")
        if "direction" in files and files["direction"].is_file() and "transcript" not in files:
            read_direction(files["direction"])
    except (ConfigError, ProvenanceError) as error:
        wrong.append(str(error))
    if wrong:
        return None, wrong
    found = [files.get(column) for column in FILES]
    act = (performance, float(seconds), loop in (True, "true"))
    restore = str(values.get("restore", "off" if performance is None else "auto"))  # as `render` and `revive`
    return Shot(name, *found, *act, face, restore, config, consent, outputs, row), []


def _wrong_act(performance, seconds, loop) -> list[str]:
    wrong = []
    if performance not in PERFORMANCES:
        wrong.append(f"there is no performance {performance!r}. {nearest(performance, PERFORMANCES)}")
    try:
        in_range(SHORTEST_S, LONGEST_S)("seconds", seconds)
    except ConfigError as error:
        wrong.append(str(error))
    if loop not in (True, False, "true", "false"):
        wrong.append(f"loop is {loop!r}; use true or false")
    return wrong


def _unfit(columns: tuple[str, ...], check: Callable, shots: list[Shot]) -> list[tuple[int, str]]:
    """Check equal values once; return the rows that have some that will not do, and why."""
    reasons: dict[tuple, str | None] = {}
    problems = []
    for shot in shots:
        values = tuple(getattr(shot, column) for column in columns)
        if any(value is None for column, value in zip(columns, values) if column in FILES):
            continue
        if values not in reasons:
            try:
                check(*values)
                reasons[values] = None
            except AnimateError as error:
                reasons[values] = str(error)
        if reasons[values]:
            problems.append((shot.row, reasons[values]))
    return problems


def settings_of(shot: Shot) -> dict:
    """Return what decides how the shot looks, apart from the contents of its files."""
    own = {name: getattr(shot, name) for name in (*_ACT, "face", "restore", "consent", "outputs")}
    return {**asdict(shot.config), **own}
