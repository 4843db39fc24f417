"""Where a head points: the rotation from the canonical face to a mesh in the picture."""

import numpy as np

from animate.topology import NOSTRIL_RIGHT, canonical_vertices
from animate.types import HeadPose


def head_pose(vertices: np.ndarray) -> HeadPose:
    """Measure how a head is turned.

    The rotation is the best similarity transform from the canonical face (Umeyama 1991), read as pitch, then yaw,
    then roll in the plane of the picture. Only the parts count that expressions do not move: everything above the
    mouth.

    Parameters
    ----------
    vertices : float32 [478, 3]
        Pixels, z on the scale of x and negative towards the viewer.

    Returns
    -------
    HeadPose
        Degrees, signed as in `animate.channels`: chin up, towards the picture's right and clockwise are positive.

    Examples
    --------
    >>> pose = head_pose(np.vstack([canonical_vertices(), np.zeros((10, 3))]))
    >>> abs(round(pose.pitch_deg, 3)), abs(round(pose.yaw_deg, 3)), abs(round(pose.roll_deg, 3))
    (0.0, 0.0, 0.0)
    """
    canonical = canonical_vertices().astype(float)
    rigid = np.flatnonzero(canonical[:, 1] < canonical[NOSTRIL_RIGHT, 1])
    rotation = _similarity(canonical[rigid], vertices[rigid].astype(float))
    roll = np.arctan2(rotation[1, 0], rotation[0, 0])
    yaw = np.arcsin(np.clip(rotation[2, 0], -1, 1))
    pitch = np.arctan2(-rotation[2, 1], rotation[2, 2])
    return HeadPose(*(float(angle) for angle in np.degrees([pitch, yaw, roll])))


def _similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the rotation, float64 [3, 3], of the least-squares similarity transform between paired points [N, 3]."""
    covariance = (target - target.mean(axis=0)).T @ (source - source.mean(axis=0))
    u, _, vt = np.linalg.svd(covariance)
    return u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt
