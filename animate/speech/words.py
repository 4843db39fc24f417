"""When each word of a transcript is said: forced alignment of English, offline, with pocketsphinx."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from animate.errors import DependencyError, VoiceError
from animate.speech.features import SAMPLE_RATE, resampled_blocks
from animate.types import Speech, Word

SILENCE_S = 0.5
_AROUND_WORDS = ' .,;:!?"()[]“”‘’…—–-'
_LEAST_KNOWN = 0.5  # of the words; with fewer in the dictionary the text is in another language


def align_words(speech: Speech, transcript: str) -> list[Word]:
    """Return the words of a transcript with their times, on a 10 ms grid.

    Parameters
    ----------
    speech : Speech
        English.
    transcript : str
        What is said, from the first to the last word. A word that is not in pocketsphinx's dictionary, such as a
        number in digits, is given the time between its neighbours.

    Returns
    -------
    list of Word
        One for each word of the transcript, in its spelling without punctuation.

    Raises
    ------
    DependencyError
        If pocketsphinx is missing.
    VoiceError
        If half of the words or more are unknown, or they do not fit the sound.

    Examples
    --------
    >>> align_words(speech, "Never say never.")[2].start_s              # doctest: +SKIP
    0.83
    """
    try:
        from pocketsphinx import Decoder
    except ImportError:
        raise DependencyError("pocketsphinx is missing. Install it: pip install 'animate-portrait[align]'") from None
    decoder = Decoder(lm=None, loglevel="FATAL", samprate=SAMPLE_RATE)
    spellings = [token.strip(_AROUND_WORDS) for token in split_words(transcript)]
    spoken = [
        [part for part in re.sub(r"[^a-z']", " ", word.lower().replace("’", "'")).split() if decoder.lookup_word(part)]
        for word in spellings
    ]
    known = [part for parts in spoken for part in parts]
    if sum(map(bool, spoken)) <= _LEAST_KNOWN * len(spoken):
        raise VoiceError(
            f"Few words of {transcript[:40]!r} are in the English dictionary. Give what is said, in English."
        )
    spans = _spans(decoder, known, speech)
    return _with_unknown(spellings, [[spans.pop(0) for _ in parts] for parts in spoken], speech.duration_s)


def split_words(transcript: str) -> list[str]:
    """Return the words of a text with the punctuation around them; a dash that stands alone goes with the word before.

    Examples
    --------
    >>> split_words("Never – say never.")
    ['Never –', 'say', 'never.']
    """
    words = []
    for token in transcript.split():
        if token.strip(_AROUND_WORDS):
            words.append(token)
        elif words:
            words[-1] += f" {token}"
    return words


def sound_for_alignment(samples: np.ndarray) -> bytes:
    """Return 16 kHz samples float32 [N] as pocketsphinx takes them, with `SILENCE_S` of silence on both sides.

    Without the silence many a clip fails to align.
    """
    padded = np.pad(samples, round(SILENCE_S * SAMPLE_RATE))
    return (np.clip(padded, -1, 1) * 32767).astype("<i2").tobytes()


def read_transcript(path: str | Path) -> str:
    """Return the text of a file.

    Raises
    ------
    VoiceError
        If it cannot be read as UTF-8.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise VoiceError(f"Cannot read the transcript {path}: {error.strerror}. Check its path.") from None
    except UnicodeDecodeError:
        raise VoiceError(f"The transcript {path} is not plain text. Save it as UTF-8.") from None


def _spans(decoder, known: list[str], speech: Speech) -> list[tuple[float, float]]:
    """Return the beginning and end in seconds of each known word."""
    decoder.set_align_text(" ".join(known))
    decoder.start_utt()
    samples = np.concatenate(list(resampled_blocks(speech, SAMPLE_RATE * 60)))
    decoder.process_raw(sound_for_alignment(samples), full_utt=True)
    try:
        decoder.end_utt()
        segments = list(decoder.seg() or [])
    except RuntimeError:
        segments = []
    spans = [
        tuple(max(0.0, frame / 100 - SILENCE_S) for frame in (segment.start_frame, segment.end_frame + 1))
        for segment in segments
        if re.sub(r"\(\d+\)$", "", segment.word) in known  # pauses and noises are segments too
    ]
    if len(spans) != len(known):
        raise VoiceError(
            f"The words of {speech.name} cannot be found in its sound. Check that the transcript is what is said, "
            "in English."
        )
    return spans


def _with_unknown(spellings: list[str], spans: list[list], duration_s: float) -> list[Word]:
    """Join the parts of each word, and place words without a part between their neighbours."""
    words, before_s = [], 0.0
    for place, (text, parts) in enumerate(zip(spellings, spans, strict=True)):
        if not parts:
            following = next((later[0][0] for later in spans[place:] if later), duration_s)
            unknown = next((count for count, later in enumerate(spans[place:]) if later), len(spans) - place)
            parts = [(before_s, before_s + (following - before_s) / unknown)]
        words.append(Word(text, parts[0][0], parts[-1][1]))
        before_s = parts[-1][1]
    return words
