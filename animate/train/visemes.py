"""Targets of the mouth for each IPA phone.

Four articulators, scaled by a speaker's range (0 = closed, 1 = widest in talk): how far the lips part (`gap`), how
far the jaw drops (`jaw`), how wide the corners stand against rest (`width`) and how far the lips purse (`pucker`);
and the lips' flare (`funnel`). Class means were measured on 11 minutes of talking video (4170 phones of about 35
speakers; aggregate figures, project note), deconvolved for Gaussian blending. Phones that the note pools (the high
front vowels, the back vowels) are told apart by their place in the IPA chart; funnel is set by hand, because the
tracker under-scales it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from animate.train.phonemes import Phone


@dataclass(frozen=True)
class Viseme:
    """Targets of one phone, and how firmly it holds its neighbours off (dominance, Cohen & Massaro 1993)."""

    gap: float
    jaw: float
    width: float
    pucker: float
    funnel: float = 0.0
    rounding_dominance: float = 1.0  # of width, pucker and funnel; low lets the neighbours' rounding through
    dominance: float = 1.0  # of gap and jaw
    contact: str = ""  # 'lips' seals them (p b m), 'teeth' sets the lower lip to the teeth (f v)


_LIPS = Viseme(0.0, 0.16, -0.10, 0.20, 0.0, 0.5, 1.0, "lips")
_TEETH = Viseme(0.05, 0.15, -0.10, 0.05, 0.0, 0.8, 1.0, "teeth")
_TEETH_TONGUE = Viseme(0.48, 0.37, 0.11, 0.0, 0.0, 0.4)
_ALVEOLAR = Viseme(0.55, 0.29, 0.07, 0.05, 0.0, 0.3, 0.8)
_NASAL = Viseme(0.52, 0.41, 0.04, 0.05, 0.0, 0.3, 0.8)
_VELAR = Viseme(0.68, 0.53, 0.10, 0.05, 0.0, 0.2, 0.6)
_POSTALVEOLAR = Viseme(0.60, 0.28, -0.25, 0.35, 0.30, 0.9)
_PALATAL = Viseme(0.56, 0.28, 0.10, 0.05, 0.05, 0.5)
_SIBILANT = Viseme(0.54, 0.24, 0.15, 0.02, 0.0, 0.5)
_RHOTIC = Viseme(0.34, 0.44, -0.40, 0.51, 0.15, 0.9)
_GLIDE_W = Viseme(0.14, 0.36, -0.96, 1.25, 0.25, 2.0)
_BREATH = Viseme(0.65, 0.55, 0.05, 0.05, 0.0, 0.1, 0.1)  # h takes the shape of the vowel after it

VISEMES: dict[str, Viseme] = {
    **dict.fromkeys("pbmɓ", _LIPS),
    **dict.fromkeys("fvɱʋ", _TEETH),
    **dict.fromkeys("ɸβ", Viseme(0.18, 0.25, -0.40, 0.55, 0.1, 0.8)),
    **dict.fromkeys("θð", _TEETH_TONGUE),
    **dict.fromkeys("tdɾrʈɖɗ", _ALVEOLAR),
    **dict.fromkeys("nlɭɳɫʎ", _NASAL),
    **dict.fromkeys("kɡgŋxɣʁχqɢɴʔʡʀ", _VELAR),
    **dict.fromkeys("ʃʒʂʐ", _POSTALVEOLAR),
    **dict.fromkeys("ɕʑçʝɲjcɟ", _PALATAL),
    **dict.fromkeys("sz", _SIBILANT),
    **dict.fromkeys("ɹɻ", _RHOTIC),
    **dict.fromkeys("ɝɚɜ", Viseme(0.42, 0.48, -0.30, 0.40, 0.15)),
    **dict.fromkeys("hɦħʕ", _BREATH),
    **dict.fromkeys("wʍɥ", _GLIDE_W),
    **dict.fromkeys("aɑäɶ", Viseme(0.98, 0.94, 0.22, 0.03)),
    **dict.fromkeys("æ", Viseme(1.0, 0.94, 0.40, 0.0)),
    **dict.fromkeys("ʌɐ", Viseme(0.80, 0.70, 0.10, 0.08)),
    **dict.fromkeys("ɒɔ", Viseme(0.78, 0.82, -0.20, 0.40, 0.35)),
    **dict.fromkeys("ɛ", Viseme(0.96, 0.84, 0.40, 0.0)),
    **dict.fromkeys("e", Viseme(0.82, 0.70, 0.45, 0.0)),
    **dict.fromkeys("əɘɵ", Viseme(0.59, 0.44, 0.06, 0.11, 0.0, 0.6, 0.8)),
    **dict.fromkeys("ɪɨᵻ", Viseme(0.70, 0.50, 0.27, 0.05)),
    **dict.fromkeys("i", Viseme(0.62, 0.40, 0.60, 0.0)),
    **dict.fromkeys("ɯɤ", Viseme(0.50, 0.42, 0.0, 0.25, 0.05)),
    **dict.fromkeys("o", Viseme(0.47, 0.66, -0.57, 0.76, 0.45, 1.5)),
    **dict.fromkeys("u", Viseme(0.16, 0.41, -0.96, 1.30, 0.30, 2.0)),
    **dict.fromkeys("ʊ", Viseme(0.34, 0.45, -0.60, 0.90, 0.20, 1.2)),
    **dict.fromkeys("yʏ", Viseme(0.22, 0.36, -0.80, 1.10, 0.25, 2.0)),
    **dict.fromkeys("øœ", Viseme(0.50, 0.62, -0.45, 0.75, 0.40, 1.5)),
}  # fmt: skip
VOWELS = frozenset("aɑäɶæʌɐɒɔɛeəɘɵɪɨᵻiɯɤouʊyʏøœɝɚɜ")
# Classes of `phone_classes`: 0 is a pause
PHONE_CLASSES = ("", *sorted(VISEMES))
_AFFRICATES = frozenset({"tʃ", "dʒ", "ts", "dz", "tɕ", "dʑ", "ʈʂ"})


def visemes_of(symbol: str) -> list[tuple[Viseme, float, str]]:
    """Return the visemes of an IPA phone in order, each with its share of the duration and its base symbol.

    Diphthongs have two; an affricate is shaped like its fricative; unknown symbols are neutral.

    Examples
    --------
    >>> [base for _, _, base in visemes_of("oʊ")]
    ['o', 'ʊ']
    """
    bases = [letter for letter in symbol if letter in VISEMES]
    if not bases:
        return [(VISEMES["ə"], 1.0, "ə")]
    if len(bases) == 1 or "".join(bases[:2]) in _AFFRICATES:
        return [(VISEMES[bases[-1]], 1.0, bases[-1])]
    shares = (0.55, 0.45) if bases[0] in VOWELS else (0.6, 0.4)
    return [(VISEMES[base], share, base) for base, share in zip(bases, shares, strict=False)]


def phone_classes(phones: list[Phone], num_frames: int, fps: float) -> np.ndarray:
    """Return the index in `PHONE_CLASSES` of what sounds in each frame, uint8 [num_frames].

    Examples
    --------
    >>> classes = phone_classes([Phone("m", 0.0, 0.04)], 3, 50)
    >>> [PHONE_CLASSES[index] for index in classes]
    ['m', 'm', '']
    """
    classes = np.zeros(num_frames, np.uint8)
    for phone in phones:
        clock = phone.start_s
        for _, share, base in visemes_of(phone.symbol) if phone.symbol else []:
            end = clock + share * (phone.end_s - phone.start_s)
            classes[round(clock * fps) : round(end * fps)] = PHONE_CLASSES.index(base)
            clock = end
    return classes
