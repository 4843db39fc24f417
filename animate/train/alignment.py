"""Phones of recorded speech: from Praat TextGrids, or by forced alignment of English with pocketsphinx."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from animate.errors import DependencyError, VoiceError
from animate.speech.words import SILENCE_S, sound_for_alignment
from animate.train.phonemes import ARPABET, PAUSE, Phone


def read_textgrid(path: Path, tier: str = "phones") -> list[Phone]:
    """Return the phones of a tier of ARPABET intervals, in the long or the short text format of Praat.

    Words of other tiers and unknown labels are left out; an interval without a label is a pause.
    """
    text = re.sub(r"(item|intervals) \[\d*\]", "", path.read_text(encoding="utf-8"))
    tokens = re.findall(r'"[^"]*"|(?<![\w.])-?\d+(?:\.\d+)?', text)
    phones: list[Phone] = []
    while '"IntervalTier"' in tokens:
        tokens = tokens[tokens.index('"IntervalTier"') + 1 :]
        count = int(tokens[3])
        if tokens[0].strip('"') == tier:
            rows = [tokens[4 + 3 * row : 7 + 3 * row] for row in range(count)]
            phones = [Phone(_ipa(label.strip('"')), float(start), float(end)) for start, end, label in rows]
        tokens = tokens[4 + 3 * count :]
    return phones


def align_english(samples: np.ndarray, text: str) -> list[Phone]:
    """Return the phones of spoken English whose words are known, on a 10 ms grid.

    Parameters
    ----------
    samples : float32 [N]
        At 16 kHz.
    text : str
        Words of pocketsphinx's dictionary; punctuation is ignored.

    Raises
    ------
    DependencyError
        If pocketsphinx is missing.
    VoiceError
        If the words do not fit the sound.
    """
    try:
        from pocketsphinx import Decoder
    except ImportError:
        raise DependencyError("pocketsphinx is missing. Use: pip install pocketsphinx") from None
    sound = sound_for_alignment(samples)
    decoder = Decoder(lm=None, loglevel="FATAL")
    words = re.sub(r"[^a-z' ]", " ", text.lower().replace("-", " ")).split()
    decoder.set_align_text(" ".join(word for word in words if decoder.lookup_word(word)))
    for phones_wanted in (False, True):  # the first pass finds the words, the second their phones
        if phones_wanted:
            decoder.set_alignment()
        decoder.start_utt()
        decoder.process_raw(sound, full_utt=True)
        try:
            decoder.end_utt()
        except RuntimeError:
            raise VoiceError(f"The words {text[:40]!r} cannot be aligned with the sound.") from None
    return [
        Phone(_ipa(phone.name), max(0.0, start_s), start_s + phone.duration / 100)
        for word in decoder.get_alignment()
        for phone in word
        if (start_s := phone.start / 100 - SILENCE_S) + phone.duration / 100 > 0
    ]


def _ipa(label: str) -> str:
    return ARPABET.get(re.sub(r"\d", "", label.lower()), PAUSE)
