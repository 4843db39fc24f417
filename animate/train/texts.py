"""What the synthesisers say: sentences written for this project, then endless sentences of drawn words.

Written sentences are few, and a model that only hears them learns their words. Drawn words mean nothing, but every
sound meets every other.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import yaml

from animate.errors import DependencyError

_VOCABULARY = 5000  # most frequent words of a language
_SHORT_WORDS = 40  # of the most frequent ones, mixed in as function words
_LETTERS_MIN = {"zh": 1, "ja": 2}  # shorter entries of the lists are letters and symbols


def sentences(language: str, rng: random.Random) -> Iterator[str]:
    """Yield sentences of a language endlessly, in seeded order: the written ones once, then drawn words.

    Parameters
    ----------
    language : str
        Such as 'en-us' or 'hi'.
    rng : random.Random

    Yields
    ------
    str
        In the script of the language; Japanese in Hepburn romaji and Mandarin in numbered pinyin.

    Raises
    ------
    DependencyError
        If the word lists are missing.
    """
    book = yaml.safe_load((Path(__file__).parent / "sentences.yaml").read_text(encoding="utf-8"))
    language = language.split("-")[0]
    written = book.get(language, [])
    yield from rng.sample(written, len(written))
    while True:
        yield _drawn(language, rng)


def _drawn(language: str, rng: random.Random) -> str:
    """Return four to nine words, every third a very frequent one, sometimes with a comma in the middle."""
    words = _word_list(language)
    chosen = [rng.choice(words[:_SHORT_WORDS] if rng.random() < 0.3 else words) for _ in range(rng.randint(4, 9))]
    if len(chosen) > 5 and rng.random() < 0.4:
        chosen[len(chosen) // 2] += ","
    text = " ".join(chosen)
    return text[:1].upper() + text[1:] + rng.choice("...?!")


@cache
def _word_list(language: str) -> list[str]:
    try:
        from wordfreq import top_n_list
    except ImportError:
        raise DependencyError("wordfreq is missing. Use: pip install wordfreq") from None
    shortest = _LETTERS_MIN.get(language, 2)
    words = [word for word in top_n_list(language, _VOCABULARY) if _is_word(word) and len(word) >= shortest]
    if language == "hi":
        words = [word for word in words if not word.isascii()]
    reading = {"ja": _romaji, "zh": _pinyin}.get(language)
    return [word for word in map(reading, words) if word] if reading else words


def _is_word(word: str) -> bool:
    """Return whether a text is made of letters and of marks on letters (which `str.isalpha` does not count)."""
    return all(unicodedata.category(letter)[0] in "LM" for letter in word)


def _pinyin(word: str) -> str:
    try:
        from pypinyin import Style, lazy_pinyin
    except ImportError:
        raise DependencyError("pypinyin is missing. Use: pip install pypinyin") from None
    syllables = lazy_pinyin(word, style=Style.TONE3, neutral_tone_with_five=True, errors="ignore")
    fits = len(syllables) == len(word) and all(len(syllable) > 2 for syllable in syllables)
    return " ".join(syllables) if fits else ""


def _romaji(word: str) -> str:
    try:
        from pyopenjtalk import g2p
    except ImportError:
        raise DependencyError("pyopenjtalk is missing. Use: pip install pyopenjtalk-plus") from None
    phones = g2p(word).split()
    romaji = ""
    for phone, follower in zip(phones, [*phones[1:], ""], strict=False):
        romaji += {"cl": follower[:1], "N": "n", "pau": " "}.get(phone, phone.lower())
    return romaji if romaji.isascii() and romaji.isalpha() else ""
