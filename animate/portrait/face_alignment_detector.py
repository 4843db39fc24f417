"""Find faces with the `face-alignment` package (Bulat & Tzimiropoulos 2017), whose weights download on first use."""

from __future__ import annotations

import threading
import warnings
from functools import cache
from pathlib import Path

import numpy as np

from animate.errors import DependencyError
from animate.portrait.ibug_fit import mesh_from_68_points
from animate.portrait.landmarks import FaceCandidate
from animate.portrait.mediapipe_detector import load_mediapipe

_SOURCE = "https://www.adrianbulat.com/downloads/python-fan/"
WEIGHTS = ("s3fd-619a316812.pth", "3DFAN4-7835d9f11d.pth.tar")  # face detector, landmarks


@cache
def load_face_alignment() -> FaceAlignmentDetector:
    """Load the detector, once per process; a failure is not remembered.

    Raises
    ------
    DependencyError
        If the package is missing, or its weights are missing and cannot be downloaded, or are damaged.
    """
    return FaceAlignmentDetector()


class FaceAlignmentDetector:
    """68 points on the skull (TWO_HALF_D), fitted onto the 478-vertex mesh.

    Parameters
    ----------
    network : object, optional
        Anything with `face_alignment.FaceAlignment`'s `get_landmarks_from_image`; by default the real one.

    Raises
    ------
    DependencyError
        As for `load_face_alignment`.
    """

    def __init__(self, network=None):
        self._network = network or _load_network()
        self._lock = threading.Lock()

    def detect(self, image: np.ndarray) -> list[FaceCandidate]:
        """Return the faces in a picture, uint8 [H, W, 3] RGB, the largest first."""
        with self._lock, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns when a picture has no face; we say so in our own words
            # With both flags it always returns three items; without them the type depends on what it found.
            found, _, _ = self._network.get_landmarks_from_image(image, return_bboxes=True, return_landmark_score=True)
        meshes = [mesh_from_68_points(np.asarray(points)[:, :2]) for points in found or ()]
        # Its own detector's score says little about animals, so that MediaPipe judges the faces of both backends.
        faces = [FaceCandidate(mesh, load_mediapipe().human_score(image, mesh)) for mesh in meshes]
        return sorted(faces, key=lambda face: face.box[0] - face.box[2])


def _load_network():
    try:
        import face_alignment
        import torch
    except ImportError as error:
        raise DependencyError(
            f"The package face-alignment is missing ({error}). Install it with: pip install face-alignment"
        ) from None
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    missing = [name for name in WEIGHTS if not (folder / name).is_file()]
    try:
        return face_alignment.FaceAlignment(face_alignment.LandmarksType.TWO_HALF_D, device="cpu", compile=False)
    except OSError as error:  # urllib's errors are OSErrors
        raise DependencyError(
            f"The weights of face-alignment are missing and cannot be downloaded ({error}). "
            f"Looked for {' and '.join(missing or WEIGHTS)} in {folder}. "
            f"Download them from {_SOURCE} into that folder, or use the detector mediapipe, which needs no download."
        ) from None
    except Exception as error:  # noqa: BLE001 - torch raises RuntimeError, UnpicklingError, EOFError, KeyError, ...
        raise DependencyError(
            f"The weights of face-alignment in {folder} are damaged ({type(error).__name__}: {error}). "
            f"Delete {' and '.join(WEIGHTS)} there and run again, or use the detector mediapipe."
        ) from None
