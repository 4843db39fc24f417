"""Single pictures: one frame as a still, or every frame as a PNG."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from animate.errors import MediaError
from animate.media.encode import Encoding
from animate.types import MarkedFrames, Speech

_PNG = [cv2.IMWRITE_PNG_COMPRESSION, 3]
_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]


class StillWriter:
    """Keeps the frame nearest to `Encoding.still_at_s`, as .png or .jpg.

    Raises
    ------
    MediaError
        If there is no such moment.
    """

    def __init__(self, draft: Path, frames: MarkedFrames, speech: Speech | None, encoding: Encoding):
        self._draft, self._left = draft, round(encoding.still_at_s * frames.fps)
        if not 0 <= self._left < frames.num_frames:
            last_s = float((frames.num_frames - 1) / frames.fps)
            raise MediaError(f"There is no frame at {encoding.still_at_s} s. Ask for a still at 0 to {last_s:.2f} s.")

    def add(self, frame: np.ndarray) -> None:
        """Keep the frame if it is the one."""
        if self._left == 0:
            _save(self._draft, frame)
        self._left -= 1

    def finish(self) -> None:
        """Do nothing: the draft is complete."""

    def close(self) -> None:
        """Do nothing: nothing is open."""


class SequenceWriter:
    """Writes each frame as a PNG, numbered from 1, into a folder: `draft` is the pattern of their names in it."""

    def __init__(self, draft: Path, frames: MarkedFrames, speech: Speech | None, encoding: Encoding):
        draft.parent.mkdir()
        self._draft, self._count = draft, 0

    def add(self, frame: np.ndarray) -> None:
        """Write the next picture."""
        self._count += 1
        _save(self._draft.with_name(self._draft.name % self._count), frame)

    def finish(self) -> None:
        """Do nothing: all pictures are written."""

    def close(self) -> None:
        """Do nothing: nothing is open."""


def _save(path: Path, frame: np.ndarray) -> None:
    ordered = cv2.cvtColor(frame, cv2.COLOR_RGBA2BGRA if frame.shape[2] == 4 else cv2.COLOR_RGB2BGR)
    suffix = path.suffix.lower()
    _, stored = cv2.imencode(suffix, ordered, _PNG if suffix == ".png" else _JPEG)
    path.write_bytes(stored)
