"""Tracks: values keyed over seconds that pass smoothly from key to key."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from animate.easing import smoothstep
from animate.errors import ConfigError
from animate.types import Word

_ON_WORDS = re.compile(r"word (?P<place>\d+)|(?P<when>on|after) (?P<word>\S+)(?: (?P<time>\d+))?")


@dataclass(frozen=True)
class Track:
    """Numbers, or rows of numbers, at times.

    Between two keys the value eases from one to the other (smoothstep), so that it starts and ends at rest; before
    the first and after the last it holds.

    Attributes
    ----------
    times_s : tuple of float
        Rising.
    values : tuple of tuple of float
        One row for each time.

    Examples
    --------
    >>> track = Track((0.0, 2.0), ((0.0,), (1.0,)))
    >>> track.at(np.array([-1.0, 0.5, 1.0, 9.0])).ravel().tolist()
    [0.0, 0.15625, 0.5, 1.0]
    """

    times_s: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]

    def at(self, times_s: np.ndarray) -> np.ndarray:
        """Return the values float64 [T, D] at times float [T] in seconds."""
        keys, values = np.array(self.times_s), np.array(self.values, float)
        if len(keys) == 1:
            return np.repeat(values, len(times_s), axis=0)
        place = np.clip(np.searchsorted(keys, times_s, side="right") - 1, 0, len(keys) - 2)
        share = smoothstep((times_s - keys[place]) / (keys[place + 1] - keys[place]))[:, None]
        return (1 - share) * values[place] + share * values[place + 1]


def read_track(name: str, keys, read_value: Callable[[str, object], tuple[float, ...]]) -> Track:
    """Make a track of what a director wrote.

    Parameters
    ----------
    name : str
        For messages.
    keys : value or mapping of seconds to value
        One value holds all the time.
    read_value : callable
        Turns the name and a value into numbers, or raises ConfigError.

    Raises
    ------
    ConfigError
        If a time is not a number of seconds from 0, or there is no key.
    """
    if not isinstance(keys, Mapping):
        return Track((0.0,), (read_value(name, keys),))
    if not keys:
        raise ConfigError(f"The track {name} has no key. Write one, such as {name}: {{0: ..., 2.5: ...}}.")
    timed = sorted((read_time(name, time), read_value(name, value)) for time, value in keys.items())
    times_s, values = zip(*timed, strict=True)
    if len(set(times_s)) < len(times_s):
        raise ConfigError(f"The track {name} has two keys at the same time. Leave one of them.")
    return Track(times_s, values)


def read_time(name: str, time) -> float:
    """Return a time in seconds.

    Raises
    ------
    ConfigError
        If it is not a number from 0.
    """
    number = _number(time)
    if number is None or not 0 <= number < float("inf"):
        raise ConfigError(f"{name} has a key at {time!r}. Use seconds from 0, such as 2.5.")
    return number


def word_time(name: str, time, words: Sequence[Word] | None):
    """Return the seconds that a key on words means; other keys as they are.

    Parameters
    ----------
    name : str
        Of the track, for messages.
    time : object
        ``"word 3"`` (the third word of the transcript begins), ``"on never"`` (the word begins), ``"after never"``
        (it ends), ``"on never 2"`` (its second time).
    words : sequence of Word or None

    Raises
    ------
    ConfigError
        If there is no such word, or no transcript.
    """
    if not isinstance(time, str) or not (match := _ON_WORDS.fullmatch(time.strip())):
        return time
    if words is None:
        raise ConfigError(f"{name} has a key at {time!r}, but what is said is not known. Give the transcript as well.")
    if match["place"]:
        found, place = list(words), int(match["place"])
    else:
        found, place = [word for word in words if word.text.lower() == match["word"].lower()], int(match["time"] or 1)
    if not 1 <= place <= len(found):
        spoken = " ".join(word.text for word in words)
        raise ConfigError(f"{name} has a key at {time!r}, which is not said in {spoken[:80]!r}. Use its words.")
    return found[place - 1].end_s if match["when"] == "after" else found[place - 1].start_s


def in_range(low: float, high: float) -> Callable[[str, object], tuple[float, ...]]:
    """Return a reader of single numbers from `low` to `high`."""

    def read(name: str, value) -> tuple[float, ...]:
        number = _number(value)
        if number is None or not low <= number <= high:
            raise ConfigError(f"{name} is {value!r}; use a number from {low:g} to {high:g}.")
        return (number,)

    return read


def _number(value) -> float | None:
    try:
        return None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return None
