"""Captions from a transcript, as .srt or .vtt: when each word is said, and how the text is broken.

Figures are those of the Netflix Timed Text Style Guide (General Requirements; English; Chinese): two lines of at most
42 characters, or 16 of wide ones, and 7 seconds at most; for 1 second at least where there is room (it allows 5/6).
"""

from __future__ import annotations

import html
import logging
import os
import re
import tempfile
import unicodedata
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from animate.errors import ConfigError, DependencyError, MediaError, VoiceError
from animate.speech import MOTION_FPS, align_words, extract_features, split_words
from animate.speech.features import FEATURES
from animate.types import Speech, Word

_log = logging.getLogger(__name__)

_SUFFIXES = (".srt", ".vtt")
_LINE, _WIDE_LINE = 42, 16  # characters
_LONGEST_S, _SHORTEST_S = 7.0, 1.0
_HELD_S = 0.5  # a gap to the next caption that is shorter is closed, so that nothing flickers
_PAUSE_S = 0.7  # of the voice, at which a caption ends
_BONUS = 20  # characters by which a cut after a clause may lie further from the middle
_HEARD = 0.4  # of the energy of speech, on the scale of `animate.speech.features`
_SENTENCE_END = re.compile(r"[.!?…。！？][\"'”’)»]*$")
_CLAUSE_END = re.compile(r"[,;:–—、，；：][\"'”’)»]*$")


@dataclass(frozen=True)
class Caption:
    """One or two lines of text, and when they are shown, in seconds."""

    start_s: float
    end_s: float
    lines: tuple[str, ...]


def captions(speech: Speech, transcript: str) -> list[Caption]:
    """Return captions for a voice.

    Words are aligned with the sound if they are English and the extra ``[align]`` is installed. Otherwise, and a
    warning says so, they are spread over the stretches where there is a voice, by their lengths.

    Parameters
    ----------
    speech : Speech
    transcript : str
        What is said, all of it.

    Raises
    ------
    VoiceError
        If the transcript has no words, or there is no sound.

    Examples
    --------
    >>> tone = Speech(np.sin(np.arange(32000) / 10).astype(np.float32), 16000)
    >>> [caption.lines for caption in captions(tone, "Hallo. Guten Morgen!")]
    [('Hallo. Guten Morgen!',)]
    """
    if not split_words(transcript):
        raise VoiceError("The transcript has no words. Give what is said.")
    groups = _grouped(_timed(speech, transcript))
    starts = [group[0].start_s for group in groups[1:]] + [speech.duration_s]
    return [_caption(group, next_s) for group, next_s in zip(groups, starts, strict=True)]


def check_captions(path: str | Path, speech: Speech | None, transcript: str | None) -> None:
    """Raise what `captions` and `write_captions` would raise later, before anything is rendered.

    Raises
    ------
    ConfigError
        If there is no voice or no transcript.
    MediaError
        If captions cannot be written there.
    """
    if speech is None or transcript is None:
        raise ConfigError("Captions need a voice and what is said in it. Give both, the text with --transcript.")
    target = Path(path)
    if target.suffix.lower() not in _SUFFIXES:
        raise MediaError(f"{target.name}: captions are not written as that. Use {' or '.join(_SUFFIXES)}.")
    if not target.absolute().parent.is_dir():
        raise MediaError(f"The folder {target.parent} does not exist. Create it first.")


def write_captions(shown: list[Caption], path: str | Path) -> Path:
    """Write captions as SubRip (.srt) or WebVTT (.vtt), in one step.

    Raises
    ------
    MediaError
        If the file cannot be written.
    """
    target = Path(path)
    text = _as_vtt(shown) if target.suffix.lower() == ".vtt" else _as_srt(shown)
    try:
        with tempfile.TemporaryDirectory(prefix=f".{target.stem[:64]}-", dir=target.absolute().parent) as folder:
            draft = Path(folder, target.name)
            draft.write_text(text, encoding="utf-8")
            os.replace(draft, target)
    except OSError as error:
        raise MediaError(f"{target} could not be written: {error.strerror or error}.") from None
    return target


def _timed(speech: Speech, transcript: str) -> list[Word]:
    """Return the pieces of text that captions are made of, with their times."""
    words = split_words(transcript)
    try:
        spoken = align_words(speech, transcript)
        return [Word(text, word.start_s, word.end_s) for text, word in zip(words, spoken, strict=True)]
    except (DependencyError, VoiceError) as error:
        _log.warning("Captions are timed by the lengths of the words, not word by word. %s", error)
    # Chinese and Japanese have no spaces: every letter is a piece, with the punctuation that follows it.
    pieces = [
        piece
        for word in words
        for piece in re.findall(r"[\u3040-\u30ff\u3400-\u9fff]\W*|[^\u3040-\u30ff\u3400-\u9fff]+", word)
    ]
    energy = extract_features(speech).values[:, FEATURES.index("energy")]
    heard = np.flatnonzero(energy > _HEARD) if (energy > _HEARD).any() else np.arange(len(energy))
    said = np.cumsum([0, *(len(piece) + 1 for piece in pieces)])
    bounds = np.round(said / said[-1] * len(heard)).astype(int)  # a piece has the heard rows from one to the next
    starts_s = heard[np.minimum(bounds[:-1], len(heard) - 1)] / MOTION_FPS
    ends_s = np.maximum((heard[np.maximum(bounds[1:] - 1, 0)] + 1) / MOTION_FPS, starts_s)
    return [Word(text, float(start), float(end)) for text, start, end in zip(pieces, starts_s, ends_s)]


def _grouped(words: list[Word]) -> list[list[Word]]:
    """Cut the words into captions: at the ends of sentences and in pauses, and within what is too long."""
    sentences = [[words[0]]]
    for before, word in pairwise(words):
        if _SENTENCE_END.search(before.text) or word.start_s - before.end_s > _PAUSE_S:
            sentences.append([])
        sentences[-1].append(word)
    groups: list[list[Word]] = []
    for group in (part for sentence in sentences for part in _divided(sentence)):
        short = groups and min(_length_s(groups[-1]), _length_s(group)) < _SHORTEST_S
        if short and _fits(groups[-1] + group):
            groups[-1] += group
        else:
            groups.append(group)
    return groups


def _divided(group: list[Word]) -> list[list[Word]]:
    """Halve words until each part fits into a caption, after a clause if one ends near the middle."""
    if _fits(group) or len(group) == 1:
        return [group]
    before = [len(_joined(group[:place])) for place in range(1, len(group) + 1)]
    unbalance = [abs(2 * length - before[-1]) - _BONUS * _ends_clause(word) for length, word in zip(before, group[:-1])]
    cut = int(np.argmin(unbalance)) + 1
    return _divided(group[:cut]) + _divided(group[cut:])


def _fits(group: list[Word]) -> bool:
    return _length_s(group) <= _LONGEST_S and _lines(_joined(group)) is not None


def _length_s(group: list[Word]) -> float:
    return group[-1].end_s - group[0].start_s


def _ends_clause(word: Word) -> bool:
    return _CLAUSE_END.search(word.text) is not None


def _caption(group: list[Word], next_s: float) -> Caption:
    start_s, end_s = group[0].start_s, max(group[-1].end_s, group[0].start_s + _SHORTEST_S)
    end_s = next_s if end_s > next_s or next_s - end_s < _HELD_S else end_s
    text = _joined(group)
    return Caption(start_s, end_s, _lines(text) or (text,))  # one word that is longer than two lines


def _joined(group: list[Word]) -> str:
    text = group[0].text
    for word in group[1:]:
        text += word.text if _is_wide(text[-1]) or _is_wide(word.text[0]) else f" {word.text}"
    return text


def _lines(text: str) -> tuple[str, ...] | None:
    """Return text in one or two lines of like length, cut after a clause if one ends there; None if it does not fit."""
    limit = _WIDE_LINE if sum(map(_is_wide, text)) > len(text) / 2 else _LINE
    if len(text) <= limit:
        return (text,)
    places = [place for place in range(1, len(text)) if text[place - 1] == " " or _is_wide(text[place])]
    cuts = [(text[:place].rstrip(), text[place:]) for place in places]
    cuts = [cut for cut in cuts if max(map(len, cut)) <= limit]
    if not cuts:
        return None
    return min(cuts, key=lambda cut: abs(len(cut[0]) - len(cut[1])) - _BONUS * (_CLAUSE_END.search(cut[0]) is not None))


def _is_wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in "WF" and not "\uac00" <= letter <= "\ud7a3"  # Korean has spaces


def _as_srt(shown: list[Caption]) -> str:
    return "".join(
        f"{number}\n{_clock(caption.start_s, ',')} --> {_clock(caption.end_s, ',')}\n{_text(caption)}\n\n"
        for number, caption in enumerate(shown, start=1)
    )


def _as_vtt(shown: list[Caption]) -> str:
    cues = (
        f"{_clock(caption.start_s, '.')} --> {_clock(caption.end_s, '.')}\n"
        f"{html.escape(_text(caption), quote=False)}\n\n"
        for caption in shown
    )
    return "WEBVTT\n\n" + "".join(cues)


def _text(caption: Caption) -> str:
    return "\n".join(caption.lines)


def _clock(seconds: float, point: str) -> str:
    milliseconds = round(1000 * seconds)
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest // 1000:02d}{point}{rest % 1000:03d}"
