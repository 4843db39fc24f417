"""Thin places of a face, such as the red at the corners of thin lips, move as one piece instead of folding."""

import numpy as np

from animate.renderer.controls import COLUMN, NUM_CONTROLS
from animate.renderer.mesh import PortraitMesh

# Beside each control alone, what speech does together.
_TOGETHER = (
    {"jawOpen": 0.7, "mouthUpperUpLeft": 0.7, "mouthUpperUpRight": 0.7, "mouthFunnel": 0.3},
    {"jawOpen": 0.7, "mouthLowerDownLeft": 0.7, "mouthLowerDownRight": 0.7, "mouthFunnel": 0.3},
    {"jawOpen": 0.6, "mouthPucker": 0.6, "mouthFunnel": 0.6},
    {"jawOpen": 0.5, "mouthSmileLeft": 0.8, "mouthSmileRight": 0.8, "mouthUpperUpLeft": 0.5, "mouthUpperUpRight": 0.5},
    {"jawOpen": 0.4, "mouthRollLower": 0.6, "mouthRollUpper": 0.6, "mouthPucker": 0.6, "mouthShrugLower": 0.4},
    {"mouthPucker": 0.6, "mouthPressLeft": 0.6, "mouthPressRight": 0.6, "mouthRollLower": 0.5, "mouthRollUpper": 0.5},
    {"mouthFunnel": 0.6, "mouthPucker": 0.7, "mouthShrugLower": 0.6, "mouthShrugUpper": 0.5, "jawOpen": 0.2},
    {"mouthSmileLeft": 0.7, "mouthSmileRight": 0.7, "mouthRollLower": 0.5, "mouthRollUpper": 0.5, "jawOpen": 0.3},
    {"jawOpen": 0.5, "mouthFrownLeft": 0.5, "mouthFrownRight": 0.5, "mouthStretchLeft": 0.5, "mouthStretchRight": 0.5},
)
_ROUNDS = 30
_LEAST = 0.12  # of its area that a triangle keeps
_SLIVER = 1e-4  # square eye distances below which a triangle is too thin to be seen


def unfold(moves: np.ndarray, mesh: PortraitMesh, unit: float) -> None:
    """Even out the fields, in place, at vertices whose triangles would turn over.

    Parameters
    ----------
    moves : float64 [1 + NUM_CONTROLS, N, 3]
        What closes the lips, then the fields of the rig, pixels.
    mesh : PortraitMesh
    unit : float
        Eye distance, pixels.
    """
    edges = np.concatenate([chain for pair in mesh.openings.values() for chain in pair])
    lids = np.concatenate([chain for eye in ("eyeRight", "eyeLeft") for chain in mesh.openings[eye]])
    fixed = np.zeros(len(mesh.rest), bool)
    fixed[edges] = fixed[mesh.between_lips] = True
    triangles = mesh.triangles[~np.isin(mesh.triangles, np.concatenate([lids, mesh.between_lips])).any(axis=1)]
    size = _areas(mesh.rest[None, :, :2], triangles)[0]
    triangles, size = triangles[size > _SLIVER * unit**2], size[size > _SLIVER * unit**2]
    trials = np.eye(1 + NUM_CONTROLS)
    for row in _TOGETHER:
        trial = np.zeros((1, 1 + NUM_CONTROLS))
        for name, value in row.items():
            trial[0, 1 + COLUMN[name]] = value
        trials = np.vstack([trials, trial])
    trials[:, 0] = 1
    folded = _turned_over(moves, mesh.rest, trials, triangles, size)
    for _ in range(_ROUNDS):
        if not folded.any():
            return
        _even_out(moves, triangles[folded], ~fixed)
        near = folded | np.isin(triangles, triangles[folded]).any(axis=1)  # nothing else can have changed
        folded[near] = _turned_over(moves, mesh.rest, trials, triangles[near], size[near])


def _turned_over(moves, rest: np.ndarray, trials: np.ndarray, triangles: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Return bool [F]: triangles that any of the trials [R, 1 + NUM_CONTROLS] leaves less than a little of its size."""
    used, corners = np.unique(triangles, return_inverse=True)
    shapes = rest[used, :2] + np.tensordot(trials, moves[:, used, :2], axes=1)  # [R, V, 2]
    return (_areas(shapes, corners.reshape(triangles.shape)) < _LEAST * size).any(axis=0)


def _even_out(moves: np.ndarray, folded: np.ndarray, free: np.ndarray) -> None:
    """Bring the free vertices of triangles half-way to their mean motion, in place."""
    vertices, corners = np.unique(folded, return_inverse=True)
    corners = corners.reshape(folded.shape)
    total, count = np.zeros((len(moves), len(vertices), 3)), np.zeros(len(vertices))
    for corner in range(3):
        np.add.at(total, (slice(None), corners[:, corner]), moves[:, folded].mean(axis=2))
        np.add.at(count, corners[:, corner], 1)
    moving = free[vertices]
    moves[:, vertices[moving]] += 0.5 * ((total / count[:, None])[:, moving] - moves[:, vertices[moving]])


def _areas(shapes: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Return twice the areas float [R, F] of triangles of shapes [R, N, 2], positive where they face the viewer."""
    x, y = (shapes[..., axis][:, triangles] for axis in (0, 1))  # [R, F, 3]
    return (x[..., 2] - x[..., 0]) * (y[..., 1] - y[..., 0]) - (x[..., 1] - x[..., 0]) * (y[..., 2] - y[..., 0])
