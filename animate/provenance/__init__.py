"""Where a file comes from: the mark in every frame, signed credentials, consent, refusal and the record.

`mark` puts the mark into frames and seals the file they are written to; `detect` finds it. SPEC.md says how it works
and what it proves.
"""

from animate.provenance.consent import BASES, parse_consent, remember, remembered
from animate.provenance.credentials import Ingredient, Origin, in_words, read_credentials, sign
from animate.provenance.detection import MAX_FRAMES, detect
from animate.provenance.embedding import MIN_SIZE, PUBLIC_KEY, STRENGTHS, mark
from animate.provenance.guard import Findings, examine
from animate.provenance.identity import read_signer
from animate.provenance.label import LABELS, Label, label, labelled

__all__ = [
    "BASES",
    "LABELS",
    "MAX_FRAMES",
    "MIN_SIZE",
    "PUBLIC_KEY",
    "STRENGTHS",
    "Findings",
    "Ingredient",
    "Label",
    "Origin",
    "detect",
    "examine",
    "in_words",
    "label",
    "labelled",
    "mark",
    "parse_consent",
    "read_credentials",
    "read_signer",
    "remember",
    "remembered",
    "sign",
]
