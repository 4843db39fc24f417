"""By what right: parse a declared consent, and remember it for the portrait."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path

from animate.errors import ProvenanceError, nearest
from animate.provenance.home import home, writable_home
from animate.types import Consent

BASES = {
    "self": "the portrait and the voice are my own",
    "permission": "the person agreed; permission:REFERENCE says where that is written",
    "public-domain": "the picture is free of rights, and its use harms nobody",
    "historical": "the person is long dead, and treated with respect",
    "fictional": "the person never lived",
    "undeclared": "I do not say: the video carries a visible label",
}


def parse_consent(text: str | Consent) -> Consent:
    """Return the consent that a word stands for.

    Raises
    ------
    ProvenanceError
        If the word is unknown, or a permission lacks its reference.

    Examples
    --------
    >>> parse_consent("permission:release 12")
    Consent(basis='permission', reference='release 12')
    """
    if isinstance(text, Consent):
        text = f"{text.basis}:{text.reference}"
    basis, _, reference = (part.strip() for part in text.partition(":"))
    if basis not in BASES:
        raise ProvenanceError(f"{basis!r} is no consent. {nearest(basis, BASES)}")
    if basis == "permission" and not reference:
        raise ProvenanceError("A permission needs a reference. Write it as 'permission:release 12'.")
    return Consent(basis, reference)


def remember(portrait_sha256: str, consent: Consent) -> None:
    """Keep a declared consent for this portrait; the latest one counts.

    Raises
    ------
    ProvenanceError
        If it cannot be written.
    """
    writable_home()
    file = _file(portrait_sha256)
    try:
        file.parent.mkdir(mode=0o700, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False) as draft:
            json.dump(asdict(consent), draft)
        os.replace(draft.name, file)
    except OSError as error:
        raise ProvenanceError(f"The consent cannot be kept in {file.parent}: {error.strerror}.") from error


def remembered(portrait_sha256: str) -> Consent | None:
    """Return the consent declared for this portrait before, or None."""
    try:
        return Consent(**json.loads(_file(portrait_sha256).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _file(portrait_sha256: str) -> Path:
    return home() / "consents" / f"{portrait_sha256}.json"
