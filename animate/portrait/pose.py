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
    rotation = similarities(canonical[rigid], vertices[None, rigid].astype(float))[0][0]
    roll = np.arctan2(rotation[1, 0], rotation[0, 0])
    yaw = np.arcsin(np.clip(rotation[2, 0], -1, 1))
    pitch = np.arctan2(-rotation[2, 1], rotation[2, 2])
    return HeadPose(*(float(angle) for angle in np.degrees([pitch, yaw, roll])))


def similarities(source: np.ndarray, targets: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the least-squares similarity transforms from points to each of many sets of paired points.

    Umeyama (1991): target = scale * rotation @ source + place.

    Parameters
    ----------
    source : float [N, 3]
    targets : float [T, N, 3]

    Returns
    -------
    rotation : float64 [T, 3, 3]
    scale : float64 [T]
    place : float64 [T, 3]
    """
    centre, centres = source.mean(axis=0), targets.mean(axis=1, dtype=float)
    u, singular, vt = np.linalg.svd(np.swapaxes(targets - centres[:, None], 1, 2) @ (source - centre))
    flip = np.ones_like(singular)
    flip[:, 2] = np.sign(np.linalg.det(u @ vt))
    rotation = (u * flip[:, None]) @ vt
    scale = (singular * flip).sum(axis=1) / ((source - centre) ** 2).sum()
    return rotation, scale, centres - scale[:, None] * (rotation @ centre)
