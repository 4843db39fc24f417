"""The person in a video: a neutral face of their own, its rig, and every frame's face laid over it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from animate.channels import CHANNELS, HEAD, INDEX
from animate.portrait.neutral import neutral_vertices
from animate.portrait.pose import similarities
from animate.renderer.head import HeadFrame, fit_head_frame, head_rotation
from animate.renderer.mesh import build_mesh
from animate.renderer.rig import build_rig
from animate.topology import (
    BROW_LEFT,
    BROW_RIGHT,
    EYE_CORNERS,
    EYE_LEFT_LOWER,
    EYE_LEFT_UPPER,
    EYE_RIGHT_LOWER,
    EYE_RIGHT_UPPER,
    LIPS_INNER_LOWER,
    LIPS_INNER_UPPER,
    NOSTRIL_RIGHT,
    NUM_SKIN,
    canonical_vertices,
    triangles,
)
from animate.tracking.head import turns
from animate.types import FaceMesh, Portrait

_LIDS = EYE_RIGHT_UPPER + EYE_RIGHT_LOWER + EYE_LEFT_UPPER + EYE_LEFT_LOWER
_SOFT_CM = 0.9  # around lids and brows the skin goes along
_CALM = 0.2  # share of the frames, those with the least gap between the lips, that show the mouth at rest
_CANVAS_PX, _UNIT_PX = 1200, 120.0  # picture and eye distance in pixels of the face that the rig is built for


@dataclass(frozen=True, eq=False)
class Person:
    """A face at rest, and how it can move.

    Attributes
    ----------
    neutral : float64 [478, 3]
        Looking into the camera, lips together; eye distances from the point between the eyes.
    basis : float64 [468, 3, NUM_CONTROLS]
        What each control of the renderer's rig adds, eye distances.
    unit : float
        Median eye distance in the video, pixels, as if the head faced the camera.
    rest_deg : float64 [3]
        Median pitch, yaw and roll against the camera, and the same as a rotation: `rest` float64 [3, 3].
    """

    neutral: np.ndarray
    basis: np.ndarray
    unit: float
    rest_deg: np.ndarray
    rest: np.ndarray

    @classmethod
    def from_meshes(cls, meshes: np.ndarray) -> Person:
        """Calibrate on meshes float32 [n, 478, 3] (pixels) from all over a video.

        Every vertex takes its median; those below the nose only over the frames in which the mouth is most closed.
        """
        canonical = canonical_vertices().astype(float)
        rotation, scale, place = similarities(canonical[_rigid()], meshes[:, _rigid()])
        shapes = _unposed(meshes, rotation, scale, place)
        gap = np.linalg.norm(shapes[:, LIPS_INNER_LOWER[5]] - shapes[:, LIPS_INNER_UPPER[5]], axis=1)
        calm = gap <= np.quantile(gap, _CALM)
        upper = np.append(canonical[:, 1] < canonical[NOSTRIL_RIGHT, 1], np.ones(10, bool))
        middle = np.where(upper[:, None], np.median(shapes, axis=0), np.median(shapes[calm], axis=0))
        neutral, basis, unit_cm = _rigged(middle)
        rest_deg = np.median(turns(rotation, np.eye(3)), axis=0)
        row = np.zeros(len(CHANNELS))
        row[[INDEX[name] for name in HEAD[:3]]] = rest_deg
        into_camera = HeadFrame(np.zeros(3), np.eye(3), 1.0)
        return cls(neutral, basis, float(np.median(scale)) * unit_cm, rest_deg, head_rotation(row, into_camera))

    def lay_over(self, meshes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Find the neutral face again in meshes float32 [T, 478, 3].

        Returns
        -------
        rotation : float64 [T, 3, 3]
            From the face that looks into the camera, on the picture's axes.
        unit : float64 [T]
            Pixels per eye distance.
        place : float64 [T, 3]
            The point between the eyes, pixels.
        shapes : float64 [T, 478, 3]
            The meshes as if the head had not turned, in the frame of `neutral`.
        """
        rotation, unit, place = similarities(self.neutral[_rigid()], meshes[:, _rigid()])
        return rotation, unit, place, _unposed(meshes, rotation, unit, place)


def _rigged(face_cm: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return `neutral` and `basis` of a person with the face float64 [478, 3], and their eye distance, in its units."""
    eyes = face_cm[list(EYE_CORNERS)].reshape(2, 2, 3).mean(axis=1)
    scale = _UNIT_PX / float(np.linalg.norm(eyes[1] - eyes[0]))
    vertices = (face_cm * scale + (_CANVAS_PX / 2, _CANVAS_PX / 2, 0)).astype(np.float32)
    face = FaceMesh(vertices, triangles(), neutral_vertices(vertices))
    # The rig asks of a picture only its size.
    picture = np.zeros((_CANVAS_PX, _CANVAS_PX, 3), np.uint8)
    frame = fit_head_frame(face)
    rig = build_rig(build_mesh(Portrait(picture, face, picture[..., 0].astype(np.float32)), frame), frame)
    neutral = np.vstack([rig.neutral[:NUM_SKIN], vertices[NUM_SKIN:]])
    basis = rig.basis.reshape(-1, 3, rig.basis.shape[1])[:NUM_SKIN]
    return (neutral - frame.origin) / frame.unit, basis / frame.unit, frame.unit / scale


@cache
def _rigid() -> np.ndarray:
    """Return the vertices that neither speech nor lids nor brows move: forehead, nose, cheek bones."""
    canonical = canonical_vertices().astype(float)
    soft = canonical[list(_LIDS + BROW_RIGHT + BROW_LEFT)]
    apart = np.linalg.norm(canonical[:, None] - soft, axis=-1).min(axis=1)
    return np.flatnonzero((canonical[:, 1] < canonical[NOSTRIL_RIGHT, 1]) & (apart > _SOFT_CM))


def _unposed(meshes: np.ndarray, rotation: np.ndarray, scale: np.ndarray, place: np.ndarray) -> np.ndarray:
    return (meshes - place[:, None]) @ rotation / scale[:, None, None]
