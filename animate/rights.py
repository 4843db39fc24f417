"""By what right a portrait is animated, and whether it is at all: asked before anything is rendered."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from animate import provenance
from animate.errors import ProvenanceError
from animate.types import Consent, Portrait

_log = logging.getLogger(__name__)


def resolve_consent(portrait: Portrait, consent: str | Consent | None) -> Consent:
    """Return the consent that counts for a portrait, and remember it if it is declared.

    Raises
    ------
    ProvenanceError
        If the word is unknown, or a permission lacks its reference.
    """
    sha256 = portrait_sha256(portrait)
    if consent is not None:
        consent = provenance.parse_consent(consent)
        if consent.basis != "undeclared":
            provenance.remember(sha256, consent)
        return consent
    if (before := provenance.remembered(sha256)) is not None:
        return before
    choices = "\n".join(f"  {basis:15}{meaning}" for basis, meaning in provenance.BASES.items())
    _log.warning(
        "No consent was declared for %s, so the video carries a visible label. Say once for this portrait by what "
        "right it is animated (consent=... in Python, --consent on the command line, consent: in a scene or a shot "
        "list):\n%s",
        portrait.name,
        choices,
    )
    return Consent()


def joint_consent(consents: Sequence[Consent]) -> Consent:
    """Return one consent for several people: undeclared if that of one is; else all that were given."""
    if any(consent.basis == "undeclared" for consent in consents):
        return Consent()
    basis, reference = (
        ", ".join(dict.fromkeys(filter(None, (getattr(consent, part) for consent in consents))))
        for part in ("basis", "reference")
    )
    return Consent(basis, reference)


def visible_label(consent: Consent, label: str, language: str, font: str, text: str) -> provenance.Label | None:
    """Return the words that must be seen in the frames, or None.

    Parameters
    ----------
    consent : Consent
    label, language, font, text : str
        `label` and `label_language`, `label_font` and `label_text` of `RenderConfig`.

    Raises
    ------
    ProvenanceError
        If own words are to stand where consent is undeclared, or the label cannot be drawn.
    """
    undeclared = consent.basis == "undeclared"
    if text and undeclared:
        raise ProvenanceError("Without a declared consent the label says that the picture is AI-generated. Declare it.")
    words = provenance.label(language, font, text)  # also where it is not shown, so that no mistake goes unnoticed
    return words if undeclared or text or label == "always" else None


@lru_cache(maxsize=4)  # a clip asks at its start and for each pass over its frames
def examine(portrait: Portrait, allow_marked: bool = False) -> provenance.Findings:
    """Check a portrait before anything is rendered.

    Raises
    ------
    RefusalError
        If the portrait is explicit, was made here and is not allowed, or cannot be checked.
    """
    sha256 = portrait_sha256(portrait)
    return provenance.examine(_as_read(portrait), sha256, file=portrait.file, allow_marked=allow_marked)


def portrait_sha256(portrait: Portrait) -> str:
    """Return the hash of a portrait's file, or of its pixels if it was made in memory."""
    return portrait.sha256 or picture_sha256(_as_read(portrait))


def restored_steps(portrait: Portrait) -> tuple[str, ...]:
    """Return the steps of restoration that changed a portrait: what its credentials must not keep quiet about."""
    return tuple(treatment.step for treatment in portrait.restoration if treatment.done)


def picture_sha256(image: np.ndarray) -> str:
    """Return the hash of the pixels of a picture that was made in memory."""
    return hashlib.sha256(str(image.shape).encode() + np.ascontiguousarray(image).tobytes()).hexdigest()


def _as_read(portrait: Portrait) -> np.ndarray:
    """Return the picture that was given: restoration could wash out a mark."""
    return portrait.image if portrait.original is None else portrait.original
