"""Restore a picture and keep it as a picture of its own: marked and signed as an edited photograph, not a made one.

To animate an old photograph, hand the steps to `animate.read_portrait` instead: it needs no file in between.

>>> restored = restore("grandmother.jpg")                   # doctest: +SKIP
>>> restored.save("grandmother.png")                        # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from animate import provenance
from animate.errors import PortraitError
from animate.media import check_png, write_video
from animate.portrait import LandmarkDetector, read_image, restore_image
from animate.rights import picture_sha256
from animate.types import Consent, Signer, Treatment

_SHEET_GAP_PX = 8


@dataclass(frozen=True, eq=False)
class Restored:
    """A restored picture.

    Attributes
    ----------
    image : uint8 [H', W', 3]
        RGB; the very array of `original` if nothing was justified.
    report : tuple of Treatment
        What each step did, or why it left the picture alone.
    original : uint8 [H, W, 3]
        As it was read.
    sha256 : str
        Of the file, or of the pixels of a picture in memory.
    findings : Findings
        What the checks of the original found.
    """

    image: np.ndarray
    report: tuple[Treatment, ...]
    original: np.ndarray
    sha256: str
    findings: provenance.Findings

    def save(self, path: str | Path, *, signer: Signer | None = None) -> Path:
        """Write the restored picture as PNG, marked, signed and noted in the record.

        Parameters
        ----------
        path : path
        signer : Signer, optional
            Who signs, instead of the key of this user.

        Raises
        ------
        MediaError
            If the name does not end in .png or the file cannot be written.
        ProvenanceError
            If it cannot be signed or noted.
        """
        return self._write(self.image, path, signer)

    def save_before_after(self, path: str | Path, *, signer: Signer | None = None) -> Path:
        """Write the original and the restored picture side by side, in the same way.

        Raises
        ------
        MediaError, ProvenanceError
            As for `save`.
        """
        height, width = self.image.shape[:2]
        before = cv2.resize(self.original, (width, height), interpolation=cv2.INTER_CUBIC)
        gap = np.full((height, _SHEET_GAP_PX, 3), 255, np.uint8)
        return self._write(np.hstack([before, gap, self.image]), path, signer)

    def _write(self, picture: np.ndarray, path: str | Path, signer: Signer | None) -> Path:
        target = Path(path)
        check_png(target)
        origin = provenance.Origin(
            portrait_sha256=self.sha256,
            consent=provenance.remembered(self.sha256) or Consent(),
            source_mark_id=self.findings.source_mark_id,
            guard={"explicit": self.findings.explicit},
            edits=tuple(f"{step.step}: {step.words}" for step in self.report if step.done),
        )
        mark_id = picture_sha256(picture)[:12]
        frames = provenance.mark(lambda: iter([picture]), picture, fps=1, num_frames=1, mark_id=mark_id, origin=origin)
        return write_video(target, frames.signed_by(signer))


def restore(
    picture: str | Path | np.ndarray,
    steps: str | Sequence[str] = "auto",
    *,
    detector: str | LandmarkDetector = "mediapipe",
    allow_marked: bool = False,
) -> Restored:
    """Restore a picture where it is justified; with or without a face in it.

    Parameters
    ----------
    picture : path or uint8 [H, W, 3]
        RGB if it is in memory.
    steps : str or sequence of str
        "auto", "off" or names of steps, as for `animate.portrait.restore.parse_steps`.
    detector : str or LandmarkDetector
        As for `animate.read_portrait`.
    allow_marked : bool
        Accept a picture that came out of this engine; it is named as source.

    Returns
    -------
    Restored

    Raises
    ------
    PortraitError
        If the picture cannot be read, or is not uint8 [H, W, 3].
    ConfigError
        If a step is unknown.
    RefusalError
        If the picture is explicit, or marked and not allowed.
    DependencyError
        If the detector is missing.

    Examples
    --------
    >>> restored = restore("grandmother.jpg", "repair,denoise")         # doctest: +SKIP
    >>> print(restored.report[0].words)                                 # doctest: +SKIP
    9 scratches, 31 spots, 0.6% of the picture: repaired
    """
    if isinstance(picture, np.ndarray):
        if picture.ndim != 3 or picture.shape[2] != 3 or picture.dtype != np.uint8:
            raise PortraitError(f"A picture is uint8 [H, W, 3] in RGB, not {picture.dtype} {list(picture.shape)}.")
        original, sha256, file = picture, picture_sha256(picture), None
    else:
        (original, sha256), file = read_image(picture), Path(picture)
    findings = provenance.examine(original, sha256, file=file, allow_marked=allow_marked)
    image, report = restore_image(original, steps, detector=detector)
    return Restored(image, report, original, sha256, findings)


def in_words(report: Sequence[Treatment]) -> str:
    """Return a report as lines of text; what was done is starred.

    Examples
    --------
    >>> print(in_words([Treatment("contrast", False, "blacks at 3 and whites at 250 of 255: not faded")]))
      contrast    blacks at 3 and whites at 250 of 255: not faded
    """
    return "\n".join(f"{'*' if step.done else ' '} {step.step:11} {step.words}" for step in report)
