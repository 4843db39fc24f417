"""Who speaks when: read from RTTM, JSON or a list."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from animate.errors import ConfigError, nearest

_KEYS = ("who", "start_s", "end_s", "voice")
_ALSO = {"speaker": "who", "start": "start_s", "end": "end_s"}  # as diarisation tools write them


@dataclass(frozen=True)
class Turn:
    """Somebody speaks.

    Attributes
    ----------
    who : str
    start_s, end_s : float or None
        Seconds from the beginning; None where they follow from the length of the voice.
    voice : str or None
        File of what is said, where each turn has its own.
    """

    who: str
    start_s: float | None = None
    end_s: float | None = None
    voice: str | None = None


def read_turns(path: str | Path) -> list[Turn]:
    """Read turns from a file, in the order of their beginnings.

    Parameters
    ----------
    path : path
        ``.rttm`` (NIST Rich Transcription Time Marked: of the lines only SPEAKER counts), or ``.json``: a list of
        ``{"who": ..., "start_s": ..., "end_s": ...}``; ``speaker``, ``start`` and ``end`` are understood too, and so is
        such a list under ``turns`` or ``segments``.

    Raises
    ------
    ConfigError
        If it cannot be read; the message names the line or the item.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "talk.rttm"
    >>> _ = path.write_text("SPEAKER talk 1 0.50 1.25 <NA> <NA> ada <NA> <NA>")
    >>> read_turns(path)
    [Turn(who='ada', start_s=0.5, end_s=1.75, voice=None)]
    """
    path = Path(path)
    if path.suffix.lower() not in (".rttm", ".json"):
        raise ConfigError(f"{path.name}: turns are read from .rttm or .json. Name such a file, or list them.")
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"Cannot read the turns {path}: {getattr(error, 'strerror', None) or error}.") from None
    turns = _from_rttm(text, path.name) if path.suffix.lower() == ".rttm" else _from_json(text, path.name)
    if not turns:
        raise ConfigError(f"{path.name} holds no turn of any speaker. Give one at least.")
    return sorted(turns, key=lambda turn: turn.start_s or 0.0)


def turns_from(items: object, where: str) -> list[Turn]:
    """Return turns from a list of mappings.

    Raises
    ------
    ConfigError
        If it is no such list, or an item is wrong; the message begins with `where` and the item's number.
    """
    if not isinstance(items, list) or not items:
        raise ConfigError(f"{where}: turns are a list such as [{{who: ada, start_s: 0, end_s: 2.5}}].")
    return [_turn(item, f"{where}, turn {number}") for number, item in enumerate(items, start=1)]


def check_turns(turns: Iterable[Turn], names: Iterable[str], where: str) -> None:
    """Raise ConfigError if a turn is of somebody unknown, or somebody speaks twice at once.

    All turns must have their times.
    """
    names, last = list(names), {}
    for turn in sorted(turns, key=lambda turn: turn.start_s):
        if turn.who not in names:
            raise ConfigError(f"{where}: {turn.who!r} speaks but is not among the people. {nearest(turn.who, names)}")
        if turn.who in last and turn.start_s < last[turn.who] - 1e-6:
            raise ConfigError(
                f"{where}: {turn.who} begins at {turn.start_s:g} s while still speaking. Join the two turns."
            )
        last[turn.who] = turn.end_s


def _from_rttm(text: str, name: str) -> list[Turn]:
    turns = []
    for number, line in enumerate(text.splitlines(), start=1):
        fields = line.split()
        if not fields or fields[0] != "SPEAKER":
            continue
        where = f"{name}, line {number}"
        if len(fields) < 8:
            raise ConfigError(
                f"{where}: SPEAKER has {len(fields)} fields. Write: SPEAKER file channel start duration <NA> <NA> name."
            )
        start_s, duration_s = (_seconds(value, what, where) for value, what in zip(fields[3:5], ("start", "duration")))
        turns.append(_timed(Turn(fields[7], start_s, start_s + duration_s), where))
    return turns


def _from_json(text: str, name: str) -> list[Turn]:
    try:
        items = json.loads(text)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{name}, line {error.lineno}: this is not JSON ({error.msg}).") from None
    if isinstance(items, dict):
        items = items.get("turns", items.get("segments"))
    if isinstance(items, list):  # the tools add what was said, and more
        items = [_known(item) for item in items]
    turns = turns_from(items, name)
    for number, turn in enumerate(turns, start=1):
        if turn.start_s is None or turn.end_s is None:
            raise ConfigError(f"{name}, turn {number}: start_s and end_s are missing. Give both, in seconds.")
    return turns


def _known(item: object) -> object:
    return {key: item[key] for key in item if key in (*_KEYS, *_ALSO)} if isinstance(item, dict) else item


def _turn(item: object, where: str) -> Turn:
    if not isinstance(item, dict):
        raise ConfigError(f"{where} is {item!r}. Write {{who: ada, start_s: 0, end_s: 2.5}}.")
    named = {_ALSO.get(key, key): value for key, value in item.items()}
    for key in named:
        if key not in _KEYS:
            raise ConfigError(f"{where} has {key!r}. {nearest(key, _KEYS)}")
    if not isinstance(named.get("who"), str):
        raise ConfigError(f"{where} does not say who speaks. Write who: and a name.")
    start_s, end_s = (
        None if named.get(key) is None else _seconds(named[key], key, where) for key in ("start_s", "end_s")
    )
    return _timed(Turn(named["who"], start_s, end_s, named.get("voice")), where)


def _timed(turn: Turn, where: str) -> Turn:
    if turn.end_s is not None and turn.end_s <= (turn.start_s or 0.0):
        raise ConfigError(f"{where}: {turn.who} stops at {turn.end_s:g} s, not after beginning. Give a length above 0.")
    return turn


def _seconds(value: object, what: str, where: str) -> float:
    try:
        seconds = float(value)
    except (TypeError, ValueError):
        seconds = math.nan
    if isinstance(value, bool) or not 0 <= seconds < math.inf:
        raise ConfigError(f"{where}: {what} is {value!r}. Use seconds from 0, such as 2.5.")
    return seconds
