"""The head's own axes in the picture, and how the head channels turn and move it."""

import math
from dataclasses import dataclass

import numpy as np

from animate.channels import INDEX
from animate.topology import EYE_CORNERS, NUM_SKIN, canonical_vertices
from animate.types import FaceMesh

_HEAD_COLUMNS = [INDEX[name] for name in ("headPitch", "headYaw", "headRoll", "headX", "headY", "headZ")]
# About 75 cm: the distance at which portraits are usually taken, and the one from which a head looks natural.
CAMERA_DISTANCE = 12.0  # eye distances
# MediaPipe's meshes are flatter than heads: with this factor it finds turned heads turned as far as they were asked.
DEPTH = 1.2

# The chest that fills brings the head nearer: it rises by this share of the head's way, 0.4 % of the height of a head
# in a breath of `animate.motion.idle`, and never by more than the limit, in eye distances.
_CHEST_SHARE, _CHEST_LIMIT = 1.2, 0.04


@dataclass(frozen=True)
class HeadFrame:
    """A frame fixed to the head at rest: x to the picture's right, y down to the chin, z into the head.

    Attributes
    ----------
    origin : float64 [3]
        Pixels; midway between the eyes.
    axes : float64 [3, 3]
        Rows are the unit vectors of the frame, on the axes of `FaceMesh.vertices`.
    unit : float
        Pixels per eye distance, as if the head faced the viewer.
    """

    origin: np.ndarray
    axes: np.ndarray
    unit: float

    def to_head(self, points: np.ndarray) -> np.ndarray:
        """Return picture points [N, 3] (pixels) in the head's frame (eye distances)."""
        return (points - self.origin) @ self.axes.T / self.unit

    def to_picture(self, points: np.ndarray) -> np.ndarray:
        """Return points [N, 3] of the head's frame (eye distances) in the picture (pixels)."""
        return self.vectors_to_picture(points) + self.origin

    def vectors_to_picture(self, vectors: np.ndarray) -> np.ndarray:
        """Return displacements [..., 3] of the head's frame (eye distances) in the picture (pixels)."""
        return vectors @ self.axes * self.unit


def fit_head_frame(face: FaceMesh) -> HeadFrame:
    """Fit the average head to the face and return its axes.

    The rigid fit is Umeyama's (1991) over the upper face, which speech and smiles hardly move.

    Parameters
    ----------
    face : FaceMesh

    Returns
    -------
    HeadFrame
    """
    model = canonical_vertices().astype(np.float64)
    rigid = model[:, 1] < model[2, 1]  # above the base of the nose
    points = face.vertices[:NUM_SKIN].astype(np.float64)
    model_c, points_c = model[rigid].mean(axis=0), points[rigid].mean(axis=0)
    u, singular, vt = np.linalg.svd((points[rigid] - points_c).T @ (model[rigid] - model_c))
    flip = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * flip) @ vt  # model to picture
    scale = (singular * flip).sum() / ((model[rigid] - model_c) ** 2).sum()
    eyes = model[list(EYE_CORNERS)].reshape(2, 2, 3).mean(axis=1)
    origin = points_c + scale * rotation @ (eyes.mean(axis=0) - model_c)
    return HeadFrame(origin, rotation.T, scale * float(np.linalg.norm(eyes[1] - eyes[0])))


def head_rotation(row: np.ndarray, frame: HeadFrame) -> np.ndarray:
    """Return how the head turns for one row of a motion, float64 [3, 3] on the picture's axes.

    Yaw and pitch turn about the head's own axes, so that a tilted head nods along its own neck; roll turns in the
    picture.
    """
    pitch, yaw, roll = np.radians([float(value) for value in row[_HEAD_COLUMNS[:3]]])
    sines, cosines = np.sin([pitch, yaw, roll]), np.cos([pitch, yaw, roll])
    rx = np.array([[1, 0, 0], [0, cosines[0], sines[0]], [0, -sines[0], cosines[0]]])
    ry = np.array([[cosines[1], 0, -sines[1]], [0, 1, 0], [sines[1], 0, cosines[1]]])
    rz = np.array([[cosines[2], -sines[2], 0], [sines[2], cosines[2], 0], [0, 0, 1]])
    return rz @ (frame.axes.T @ rx @ ry @ frame.axes)


@dataclass(frozen=True, eq=False)
class HeadMotion:
    """Where the head is in one frame: it turns and moves, and a camera sees it.

    Attributes
    ----------
    rotation : float64 [3, 3]
        How it turns, on the picture's axes.
    matrix, offset : float64 [3, 3], [3]
        How it turns and moves as p -> matrix @ p + offset on picture points, pixels.
    pivot : float64 [3]
        Pixels; the point that stays when the head turns.
    centre : float64 [2]
        Pixels; what the camera points at.
    distance : float
        Pixels from the camera to the pivot.
    """

    rotation: np.ndarray
    matrix: np.ndarray
    offset: np.ndarray
    pivot: np.ndarray
    centre: np.ndarray
    distance: float

    def placed(self, points: np.ndarray) -> np.ndarray:
        """Return where picture points float32 [N, 3] are seen, float32 [N, 2] px: what comes nearer grows."""
        turned = points @ self.matrix.T.astype(np.float32) + self.offset.astype(np.float32)
        rest_depth = np.float32(self.distance) + np.float32(DEPTH) * (points[:, 2] - np.float32(self.pivot[2]))
        scale = rest_depth / (turned[:, 2] + np.float32(self.distance - self.pivot[2]))
        centre = self.centre.astype(np.float32)
        return centre + (turned[:, :2] - centre) * scale[:, None]

    def near(self, point: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return matrix float64 [2, 3] and offset float64 [2] that place what is around a picture point float [3]."""
        turned = self.matrix @ point + self.offset
        depth = self.distance + turned[2] - self.pivot[2]
        scale = (self.distance + DEPTH * (point[2] - self.pivot[2])) / depth
        grows = (np.array([0, 0, DEPTH]) - scale * self.matrix[2]) / depth  # the gradient of the scale
        from_centre = turned[:2] - self.centre
        matrix = scale * self.matrix[:2] + np.outer(from_centre, grows)
        return matrix, self.centre + scale * from_centre - matrix @ point


def head_motion(row: np.ndarray, frame: HeadFrame, pivot: np.ndarray) -> HeadMotion:
    """Return the motion of the head for one row of a motion.

    It turns as `head_rotation` says, about `pivot` float [3] (pixels); `headZ` brings it nearer to the camera.
    """
    x, y, z = (float(value) for value in row[_HEAD_COLUMNS[3:]])
    zoom = CAMERA_DISTANCE / (CAMERA_DISTANCE - min(max(z, -4.0), 4.0))
    rotation = head_rotation(row, frame)
    matrix = zoom * rotation * (1, 1, DEPTH)
    offset = pivot - matrix @ pivot + np.array([x, y, 0.0]) * frame.unit
    return HeadMotion(rotation, matrix, offset, pivot, frame.origin[:2], CAMERA_DISTANCE * frame.unit)


def chest_rise(row: np.ndarray) -> float:
    """Return how far the chest rises for one row of a motion, eye distances; there is no channel for breath alone."""
    return _CHEST_LIMIT * math.tanh(_CHEST_SHARE * float(row[INDEX["headZ"]]) / _CHEST_LIMIT)


def plane_inverse(matrix: np.ndarray) -> np.ndarray:
    """Return the inverse of the upper left 2 x 2 of a matrix (quicker than LAPACK for so small a one)."""
    (a, b), (c, d) = matrix[0, :2], matrix[1, :2]
    return np.array([[d, -b], [-c, a]]) / (a * d - b * c)
