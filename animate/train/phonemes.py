"""Phones of the corpus: every synthesiser's own symbols turned into IPA, and text that none of them reads well.

Japanese comes in Hepburn romaji and Mandarin in numbered pinyin; both become IPA by table. English ARPABET is that
of CMUdict. Only what a mouth shows must be right: tones, stress and voicing are dropped by the teacher.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

PAUSE = ""  # the phone of a silence


@dataclass(frozen=True)
class Phone:
    """One IPA segment (`PAUSE` for silence) with its start and end in seconds."""

    symbol: str
    start_s: float
    end_s: float


ARPABET = {
    "aa": "ɑ", "ae": "æ", "ah": "ʌ", "ao": "ɔ", "aw": "aʊ", "ax": "ə", "axr": "ɚ", "ay": "aɪ", "b": "b", "ch": "tʃ",
    "d": "d", "dh": "ð", "dx": "ɾ", "eh": "ɛ", "el": "l", "em": "m", "en": "n", "er": "ɝ", "ey": "eɪ", "f": "f",
    "g": "ɡ", "hh": "h", "hv": "h", "ih": "ɪ", "ix": "ɨ", "iy": "i", "jh": "dʒ", "k": "k", "l": "l", "m": "m",
    "n": "n", "ng": "ŋ", "nx": "n", "ow": "oʊ", "oy": "ɔɪ", "p": "p", "r": "ɹ", "s": "s", "sh": "ʃ", "t": "t",
    "th": "θ", "uh": "ʊ", "uw": "u", "v": "v", "w": "w", "y": "j", "z": "z", "zh": "ʒ", "pau": PAUSE, "sil": PAUSE,
    "spn": PAUSE, "brth": PAUSE, "h#": PAUSE, "#": PAUSE, "q": "ʔ", "sp": PAUSE,
}  # fmt: skip

# Kokoro and hibari write affricates and English diphthongs with one letter (the 'misaki' alphabet)
ONE_LETTER = {
    "A": "eɪ", "I": "aɪ", "O": "oʊ", "Q": "əʊ", "W": "aʊ", "Y": "ɔɪ", "T": "ɾ", "S": "ʃ", "ʧ": "tʃ", "ʤ": "dʒ",
    "ʦ": "ts", "ʣ": "dz", "ʨ": "tɕ", "ʥ": "dʑ", "ꭧ": "ʈʂ", "ᵊ": "ə", "ᵻ": "ɪ",
}  # fmt: skip

# Festival's names for phones outside English, by language; what is not listed is its own first letter. Digits (stress)
# and colons (length) are dropped before.
FESTIVAL = {
    "ca": {"ax": "ə", "O": "ɔ", "E": "ɛ", "J": "ɲ", "S": "ʃ", "Z": "ʒ", "L": "ʎ", "rr": "r", "N": "ŋ", "tS": "tʃ",
           "dZ": "dʒ", "uw": "w", "y": "j"},
    "cs": {"h": "ɦ", "r~": "ʒ", "z~": "ʒ", "s~": "ʃ", "c~": "tʃ", "n~": "ɲ", "t~": "c", "d~": "ɟ", "c": "ts",
           "ch": "x", "dz": "dz", "dz~": "dʒ", "_": "ʔ"},
    "fi": {"@": "æ", "7": "ø", "N": "ŋ", "v": "ʋ", "h": "h"},
    "ru": {"ay": "ɐ", "ae": "ɛ", "sch": "ɕ", "sh": "ʂ", "zh": "ʐ", "ch": "tɕ", "c": "ts", "y": "ɨ", "yy": "ɨ",
           "h": "x", "hh": "x"},
    "it": {"dZ": "dʒ", "tS": "tʃ", "J": "ɲ", "S": "ʃ", "O": "ɔ", "E": "ɛ", "L": "ʎ", "ts": "ts", "dz": "dz",
           "r": "r"},
}  # fmt: skip
_FESTIVAL_PAUSES = frozenset({"pau", "#", "##", "ssil", "sil", "brth"})

_ROMAJI = {
    "shi": "ɕi", "chi": "ʨi", "tsu": "ʦɯ", "fu": "ɸɯ", "hi": "çi", "ji": "ʥi", "sh": "ɕ", "ch": "ʨ", "ts": "ʦ",
    "ky": "kj", "gy": "ɡj", "ny": "ɲ", "hy": "ç", "by": "bj", "py": "pj", "my": "mj", "ry": "ɾj", "j": "ʥ", "f": "ɸ",
    "r": "ɾ", "u": "ɯ", "y": "j", "g": "ɡ", "ou": "oː", "oo": "oː", "uu": "ɯː", "aa": "aː", "ii": "iː", "ei": "eː",
}  # fmt: skip

_INITIALS = {
    "zh": "ꭧ", "ch": "ꭧʰ", "sh": "ʂ", "b": "p", "p": "pʰ", "m": "m", "f": "f", "d": "t", "t": "tʰ", "n": "n",
    "l": "l", "g": "k", "k": "kʰ", "h": "x", "j": "ʨ", "q": "ʨʰ", "x": "ɕ", "r": "ɻ", "z": "ʦ", "c": "ʦʰ", "s": "s",
}  # fmt: skip
_FINALS = {
    "a": "a", "o": "wo", "e": "ɤ", "i": "i", "u": "u", "v": "y", "ai": "ai", "ei": "ei", "ao": "au", "ou": "ou",
    "an": "an", "en": "ən", "ang": "aŋ", "eng": "əŋ", "ong": "ʊŋ", "er": "aɚ", "ia": "ja", "ie": "je", "iao": "jau",
    "iu": "jou", "ian": "jɛn", "in": "in", "iang": "jaŋ", "ing": "iŋ", "iong": "jʊŋ", "ua": "wa", "uo": "wo",
    "uai": "wai", "ui": "wei", "uan": "wan", "un": "wən", "uang": "waŋ", "ve": "ɥe", "van": "ɥɛn", "vn": "yn",
}  # fmt: skip
_TONES = {"1": "→", "2": "↗", "3": "↓", "4": "↘", "5": ""}


def festival_to_ipa(name: str, language: str) -> str:
    """Return IPA for one of Festival's phone names.

    Examples
    --------
    >>> festival_to_ipa("O1", "it"), festival_to_ipa("nn", "ru"), festival_to_ipa("#", "cs")
    ('ɔ', 'n', '')
    """
    if name in _FESTIVAL_PAUSES:
        return PAUSE
    if language == "en-us":
        return ARPABET.get(name, PAUSE)
    table = FESTIVAL[language]
    bare = name if name in table else re.sub(r"(?<=.)[\d:]", "", name)
    return table.get(bare, bare[:1])


def romaji_to_ipa(text: str) -> str:
    """Return IPA in Kokoro's alphabet for Japanese in Hepburn romaji.

    Examples
    --------
    >>> romaji_to_ipa("konban wa")
    'koɴbaɴ wa'
    """
    text = re.sub(r"n(?![aiueoy])", "ɴ", text.lower())
    ipa = ""
    while text:
        key = next((text[:size] for size in (3, 2, 1) if text[:size] in _ROMAJI), None)
        if key is None and len(text) > 1 and text[0] == text[1] and text[0].isalpha():
            key, symbol = text[0], "ʔ"  # a long consonant begins with a stop
        else:
            symbol = _ROMAJI.get(key, text[0])
            key = key or text[0]
        ipa, text = ipa + symbol, text[len(key) :]
    return ipa


def pinyin_to_ipa(text: str) -> str:
    """Return IPA in Kokoro's alphabet (with its tone arrows) for Mandarin in numbered pinyin.

    Examples
    --------
    >>> pinyin_to_ipa("ni3 hao3")
    'ni↓ xau↓'
    """
    return re.sub(r"([a-zü]+)([1-5])", lambda match: _syllable(match[1].replace("ü", "v"), match[2]), text.lower())


def _syllable(spelling: str, tone: str) -> str:
    initial = next((spelling[:size] for size in (2, 1) if spelling[:size] in _INITIALS), "")
    final = spelling[len(initial) :]
    if not initial:  # y and w only mark a syllable that begins with a vowel
        final = re.sub(r"^yu", "v", final)
        final = re.sub(r"^yi?(?=[aeio]|n|$)", "i", final) if final.startswith("y") else final
        final = re.sub(r"^wu?", "u", final)
        final = {"iou": "iu", "uei": "ui", "uen": "un", "ueng": "eng", "ien": "in", "uo": "uo"}.get(final, final)
    elif initial in "jqx" and final.startswith("u"):
        final = "v" + final[1:]
    rime = _FINALS[final]
    if final == "i" and initial in ("zh", "ch", "sh", "r", "z", "c", "s"):
        rime = "ɨ"
    coda = rime[-1] if rime[-1] in "nŋ" else ""
    return _INITIALS.get(initial, "") + rime[: len(rime) - len(coda)] + _TONES[tone] + coda
