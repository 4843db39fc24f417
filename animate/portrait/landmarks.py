"""The seam between the library and whatever finds faces in pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from animate.errors import ConfigError


@dataclass(frozen=True, eq=False)
class FaceCandidate:
    """Something that a detector took for a face.

    Attributes
    ----------
    vertices : float32 [478, 3]
        In the topology of `animate.topology`; pixels, z on the scale of x and negative towards the viewer.
    confidence : float
        The detector's belief that this is a human face, 0 to 1.
    spread : float
        How far repeated detections disagree, as a share of the eye distance; 0 if the detector does not repeat.
    """

    vertices: np.ndarray
    confidence: float
    spread: float = 0.0

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the skin, in pixels."""
        low, high = self.vertices[:, :2].min(axis=0), self.vertices[:, :2].max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def left_to_right(found: list[FaceCandidate]) -> list[FaceCandidate]:
    """Return faces in the order in which they are numbered: by their middles, from the left of the picture."""
    return sorted(found, key=lambda face: face.box[0] + face.box[2])


class LandmarkDetector(Protocol):
    """Finds faces. Implement `detect` to bring another detector."""

    def detect(self, image: np.ndarray) -> list[FaceCandidate]:
        """Return the faces in a picture, uint8 [H, W, 3] RGB, in any order; the same picture gives the same faces."""
        ...


DETECTORS = ("mediapipe", "face-alignment")


def load_detector(name: str) -> LandmarkDetector:
    """Load a detector by name; each is loaded once per process.

    Raises
    ------
    ConfigError
        If there is no detector of that name.
    DependencyError
        If its package or its weights are missing.

    Examples
    --------
    >>> load_detector("dlib")
    Traceback (most recent call last):
    animate.errors.ConfigError: There is no landmark detector 'dlib'. Use mediapipe or face-alignment.
    """
    # Imported here because MediaPipe takes three seconds to import and face-alignment brings torch.
    if name == "mediapipe":
        from animate.portrait.mediapipe_detector import load_mediapipe

        return load_mediapipe()
    if name == "face-alignment":
        from animate.portrait.face_alignment_detector import load_face_alignment

        return load_face_alignment()
    raise ConfigError(f"There is no landmark detector {name!r}. Use {' or '.join(DETECTORS)}.")
