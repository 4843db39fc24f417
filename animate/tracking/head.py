"""How a head must turn and move in the picture, in the channels that `animate.renderer.head` plays."""

from __future__ import annotations

import numpy as np

from animate.renderer.head import CAMERA_DISTANCE, DEPTH
from animate.renderer.mesh import PIVOT

_ROUNDS = 8  # after four of them a head that rests 25 degrees askew is a hundredth of a degree off


def turns(rotation: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Return pitch, yaw and roll, degrees float64 [T, 3], that turn a head from its rest pose.

    A portrait in the pose `rest` shows the poses `rotation` with them: yaw and pitch are about its own axes, roll is in
    the picture (see `animate.renderer.head.head_rotation`).

    Parameters
    ----------
    rotation : float64 [T, 3, 3]
        Poses, from the face that looks into the camera, on the picture's axes.
    rest : float64 [3, 3]
        Likewise.
    """
    roll = np.zeros(len(rotation))
    for _ in range(_ROUNDS):
        own = rest.T @ _in_picture(-roll) @ rotation
        roll += np.arctan2(-own[:, 0, 1], own[:, 1, 1])
    pitch, yaw = np.arcsin(np.clip(-own[:, 2, 1], -1, 1)), np.arctan2(own[:, 2, 0], own[:, 2, 2])
    return np.degrees([pitch, yaw, roll]).T


def shifts(rotation: np.ndarray, zoom: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Return x, y and z in eye distances, float64 [T, 3], that bring a turned head to its place.

    Parameters
    ----------
    rotation : float64 [T, 3, 3]
    zoom : float64 [T]
        Size of the head, 1 at rest.
    place : float64 [T, 3]
        Of the point between the eyes, eye distances.
    """
    from_pivot = -np.array(PIVOT) * (1, 1, DEPTH)  # to the point between the eyes
    moved = place - zoom[:, None] * (rotation @ from_pivot)
    return np.column_stack([moved[:, :2], CAMERA_DISTANCE * (1 - 1 / zoom)])


def _in_picture(roll: np.ndarray) -> np.ndarray:
    """Return the rotations [T, 3, 3] by an angle in radians, clockwise as the viewer sees it."""
    rotation = np.tile(np.eye(3), (len(roll), 1, 1))
    rotation[:, 0, 0] = rotation[:, 1, 1] = np.cos(roll)
    rotation[:, 1, 0], rotation[:, 0, 1] = np.sin(roll), -np.sin(roll)
    return rotation
