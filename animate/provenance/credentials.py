"""Content credentials (C2PA): sign a finished file, and read what a file says of itself.

A manifest names the engine, the mark's id (soft binding), portrait and voice by their hashes, and the consent. It
holds no pictures: thumbnails would put the face into a place where nobody looks for it.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from animate import __version__
from animate.errors import DependencyError, ProvenanceError
from animate.provenance.identity import Scheme, signer_of_this_user, trusted_roots
from animate.types import Consent, Credentials, Signer

SOFT_BINDING = "org.animate-portrait.tile.1"
CONSENT_LABEL = "org.animate-portrait.consent"
_SYNTHETIC = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
_ENHANCED = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicallyEnhanced"
_TYPES = {
    ".mp4": "video/mp4",
    ".mov": "video/quicktime",
    ".gif": "image/gif",
    ".png": "image/png",
    ".webp": "image/webp",
    ".jpg": "image/jpeg",
    ".wav": "audio/wav",
}
_BESIDE = {".webm": "video/webm"}  # no container of these holds a manifest: it lies beside the file, as c2patool has it
SIDECAR = ".c2pa"
# Nothing is fetched: no remote manifests, no revocation lists.
_OFFLINE = {
    "builder": {"thumbnail": {"enabled": False}},
    "verify": {"verify_after_sign": False, "remote_manifest_fetch": False, "ocsp_fetch": False},
}


@dataclass(frozen=True)
class Ingredient:
    """A file that a stream was made from.

    Attributes
    ----------
    role : str
        "portrait", "voice"; others of a kind are numbered, as in "portrait 2".
    sha256 : str
        Of the file as it was read.
    source_mark_id : str or None
        The id of its mark, if it came out of this engine.
    restored : tuple of str
        The steps of restoration that changed it before it was used.
    """

    role: str
    sha256: str
    source_mark_id: str | None = None
    restored: tuple[str, ...] = ()

    @property
    def description(self) -> str:
        """What else is to be known of it, in words; empty if there is nothing."""
        words = [f"made by animate, mark {self.source_mark_id}"] if self.source_mark_id else []
        return "; ".join(words + ([f"restored: {', '.join(self.restored)}"] if self.restored else []))


@dataclass(frozen=True)
class Origin:
    """What a marked stream was made from.

    Attributes
    ----------
    portrait_sha256, voice_sha256 : str
        Of the files as they were read; empty if there is none.
    consent : Consent
    source_mark_id : str or None
        The id of the portrait's own mark, if it came out of this engine.
    restored : tuple of str
        The steps of restoration that changed the portrait before it was animated.
    guard : dict
        What the checks of the portrait found, for the record.
    further : tuple of Ingredient
        The other portraits and voices, where there are several.
    edits : tuple of str or None
        What was done to a picture that is still the same photograph; None for what was generated.
    """

    portrait_sha256: str = ""
    voice_sha256: str = ""
    consent: Consent = field(default_factory=Consent)
    source_mark_id: str | None = None
    restored: tuple[str, ...] = ()
    guard: dict | None = None
    further: tuple[Ingredient, ...] = ()
    edits: tuple[str, ...] | None = None


def sign(path: str | Path, mark_id: str, origin: Origin, signer: Signer | None = None) -> Path | None:
    """Sign a finished file; must be the last change to it.

    Parameters
    ----------
    path : path
        mp4, mov, gif, png, webp, jpg or wav, signed in place, atomically; or webm.
    mark_id : str
        12 hex digits, the id in the mark.
    origin : Origin
    signer : Signer, optional
        `signer_of_this_user()` by default.

    Returns
    -------
    Path or None
        Where the manifest lies if the format cannot hold it: beside the file, with the suffix .c2pa.

    Raises
    ------
    ProvenanceError
        If the format cannot be signed, or signing fails. The file is then as it was.
    """
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in _TYPES | _BESIDE:
        known = ", ".join(_TYPES | _BESIDE)
        raise ProvenanceError(f"{path.name}: files of type {path.suffix!r} cannot be signed. Use {known}.")
    c2pa, pen = _c2pa(), _Pen(signer or signer_of_this_user())
    beside = path.with_suffix(SIDECAR) if kind in _BESIDE else None
    draft = path.with_name(f".{path.name}.signed")
    try:
        algorithm = c2pa.C2paSigningAlg[pen.scheme.name]
        builder = c2pa.Builder(_manifest(mark_id, origin), c2pa.Context.from_dict(_OFFLINE))
        if beside:
            builder.set_no_embed()
        signing = c2pa.Signer.from_callback(pen, algorithm, pen.certificates)
        with path.open("rb") as source, draft.open("w+b") as target:
            manifest = builder.sign(signing, (_TYPES | _BESIDE)[kind], source, target)
        if beside:
            draft.write_bytes(manifest)
        os.replace(draft, beside or path)
    except (c2pa.C2paError, OSError) as error:
        cause = pen.failure or error
        raise ProvenanceError(f"{path.name} could not be signed: {cause}. Check the signing chain and key.") from cause
    finally:
        draft.unlink(missing_ok=True)
    return beside


class _Pen:
    """Signs for c2pa-python, to which all failures of a signer are one: keeps the reason.

    Every signature is checked, so that a wrong key is noticed here and not by who reads the files.
    """

    def __init__(self, signer: Signer):
        self.certificates, self._signer = signer.certificates, signer
        self.scheme, self.failure = Scheme.of(signer.certificates), None

    def __call__(self, data: bytes) -> bytes:
        try:
            signature = self._signer.sign(data)
            if not self.scheme.fits(signature, data):
                raise ProvenanceError("the signature does not fit the first certificate of the chain")
        except Exception as error:  # whatever a signer raises: c2pa-python would swallow it
            self.failure = error
            return b""
        return signature


def read_credentials(path: str | Path) -> Credentials:
    """Read the manifest of a file, in it or beside it.

    Returns
    -------
    Credentials
        ``state`` is "trusted", "unknown signer", "invalid" or "absent".

    Raises
    ------
    DependencyError
        If c2pa-python is missing.
    """
    c2pa, roots = _c2pa(), trusted_roots()
    context = c2pa.Context.from_dict({**_OFFLINE, "trust": {"user_anchors": roots}} if roots else _OFFLINE)
    path = Path(path)
    beside = path.with_suffix(SIDECAR)
    try:
        if path.suffix.lower() in _BESIDE and beside.is_file():
            with path.open("rb") as file:
                reader = c2pa.Reader(_BESIDE[path.suffix.lower()], file, beside.read_bytes(), context)
        else:
            reader = c2pa.Reader(str(path), context=context)
        described = json.loads(reader.json())
    except (c2pa.C2paError.ManifestNotFound, c2pa.C2paError.NotSupported, c2pa.C2paError.Other):
        return Credentials()  # Other: not a container of its type, so there is no place for one
    except (c2pa.C2paError, OSError) as error:
        return Credentials("invalid", reason=str(error).rstrip(": "))
    return _described(described)


def in_words(credentials: Credentials) -> str:
    """Return one plain sentence about the manifest of a file."""
    who = credentials.signer or "somebody"
    return {
        "trusted": f"credentials: trusted, signed by {who}",
        "unknown signer": f"credentials: valid, but nobody you trust vouches for the signer ({who})",
        "invalid": f"credentials: INVALID, the file was changed after it was signed ({credentials.reason})",
        "absent": "credentials: absent (they get lost when files are re-encoded or passed on)",
    }[credentials.state]


def _manifest(mark_id: str, origin: Origin) -> dict:
    inputs = (
        Ingredient("portrait", origin.portrait_sha256, origin.source_mark_id, origin.restored),
        Ingredient("voice", origin.voice_sha256),
        *origin.further,
    )
    ingredients = [
        {
            "title": part.role,
            "relationship": "componentOf" if origin.edits is None else "parentOf",
            "label": part.role,
            "instance_id": f"sha256:{part.sha256}",
            **({"description": part.description} if part.description else {}),
        }
        for part in inputs
        if part.sha256
    ]
    labels = {"parameters": {"ingredientIds": [part["label"] for part in ingredients]}} if ingredients else {}
    if origin.edits is None:
        made = [{"action": "c2pa.created", "digitalSourceType": _SYNTHETIC}]
        made += [{"action": "c2pa.placed", **labels}] if ingredients else []
    else:
        made = [{"action": "c2pa.opened", **labels}]
        made += [
            {"action": "c2pa.edited", "digitalSourceType": _ENHANCED, "description": edit} for edit in origin.edits
        ]
    actions = [*made, {"action": "c2pa.watermarked.bound"}]
    consent = {"basis": origin.consent.basis, "reference": origin.consent.reference}
    return {
        "claim_generator_info": [{"name": "animate-portrait", "version": __version__}],
        "title": "talking portrait" if origin.edits is None else "restored picture",
        "ingredients": ingredients,
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": actions}},
            {"label": "c2pa.soft-binding", "data": {"alg": SOFT_BINDING, "blocks": [{"scope": {}, "value": mark_id}]}},
            {"label": CONSENT_LABEL, "data": consent},
        ],
    }


def _described(manifest_store: dict) -> Credentials:
    manifest = manifest_store.get("manifests", {}).get(manifest_store.get("active_manifest"), {})
    state = {"Trusted": "trusted", "Valid": "unknown signer"}.get(manifest_store.get("validation_state"), "invalid")
    failures = manifest_store.get("validation_results", {}).get("activeManifest", {}).get("failure", [])
    signature = manifest.get("signature_info", {})
    found = {part["label"]: part["data"] for part in manifest.get("assertions", [])}
    consent = found.get(CONSENT_LABEL, {})
    generator = (manifest.get("claim_generator_info") or [{}])[0]
    return Credentials(
        state=state,
        signer=", ".join(filter(None, (signature.get("issuer"), signature.get("common_name")))),
        generator=" ".join(filter(None, (generator.get("name"), generator.get("version")))),
        mark_id=_bound_id(found.get("c2pa.soft-binding")),
        consent=consent.get("basis"),
        reason=", ".join(sorted({part["code"] for part in failures})) if state == "invalid" else "",
    )


def _bound_id(binding: object) -> str | None:
    """Return the id of our mark in a soft binding; None for others, and for what is no id: anybody can write one."""
    try:
        mark_id = binding["blocks"][0]["value"] if binding["alg"] == SOFT_BINDING else ""
        return mark_id if re.fullmatch("[0-9a-f]{12}", mark_id) else None
    except (KeyError, IndexError, TypeError):
        return None


def _c2pa():
    try:
        import c2pa
    except ImportError as error:
        raise DependencyError(
            "Content credentials need the package c2pa-python. Run: pip install c2pa-python"
        ) from error
    return c2pa
