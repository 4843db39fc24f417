"""Thin places of a face, such as the red at the corners of thin lips, give way a little instead of folding."""

from itertools import product

import numpy as np

from animate.channels import BLENDSHAPES, CHANNELS, INDEX
from animate.renderer.controls import controls_from_row
from animate.renderer.mesh import PortraitMesh

# Beside each blendshape alone, what faces do together; a name without its side stands for both.
_TOGETHER = (
    {"jawOpen": 0.7, "mouthUpperUp": 0.7, "mouthFunnel": 0.3},
    {"jawOpen": 0.7, "mouthLowerDown": 0.7, "mouthFunnel": 0.3},
    {"jawOpen": 0.6, "mouthPucker": 0.6, "mouthFunnel": 0.6},
    {"jawOpen": 0.5, "mouthSmile": 0.8, "mouthUpperUp": 0.5},
    {"jawOpen": 0.4, "mouthRollLower": 0.6, "mouthRollUpper": 0.6, "mouthPucker": 0.6, "mouthShrugLower": 0.4},
    {"mouthPucker": 0.6, "mouthPress": 0.6, "mouthRollLower": 0.5, "mouthRollUpper": 0.5},
    {"mouthFunnel": 0.6, "mouthPucker": 0.7, "mouthShrugLower": 0.6, "mouthShrugUpper": 0.5, "jawOpen": 0.2},
    {"mouthSmile": 0.7, "mouthRollLower": 0.5, "mouthRollUpper": 0.5, "jawOpen": 0.3},
    {"jawOpen": 0.2, "mouthUpperUp": 0.1},
    {"jawOpen": 0.5, "mouthFrown": 0.5, "mouthStretch": 0.5},
    {"jawOpen": 0.2, "jawForward": 0.4, "mouthFrown": 0.4, "mouthUpperUp": 0.7},
    {"eyeBlink": 0.6},
    {"eyeBlink": 0.7},
    {"eyeBlink": 0.8},
    {"eyeBlink": 0.9, "browDown": 0.2},
    {"eyeBlink": 1.0, "browDown": 0.6},
    {"eyeSquint": 0.8, "browDown": 0.8},
)
# Lips part unevenly in speech.
_PARTS = ("mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft", "mouthLowerDownRight")
_PARTED = 0.55
_SHAPED = (
    {},
    {"mouthPucker": 0.45, "mouthFunnel": 0.5},
    {"mouthSmile": 0.8, "mouthPucker": 0.3, "cheekSquint": 0.6},
)
_ROUNDS = 80
_LEAST = 0.15  # of its area that a triangle keeps
_AIM = 0.18  # of its area that a triangle gets back
_SLIVER = 1e-4  # square eye distances below which a triangle is too thin to be seen


def unfold(fields: np.ndarray, shape: np.ndarray, trials: np.ndarray, mesh: PortraitMesh, unit: float) -> None:
    """Change fields as little as keeps every triangle from turning over, in place; edges of lips and lids stay.

    Each triangle that a trial squeezes pushes its corners apart in that trial, as position-based dynamics does
    (Mueller et al. 2007), and the fields that move them there take the push.

    Parameters
    ----------
    fields : float64 [K, N, 3]
        Pixels.
    shape : float64 [N, 3]
        What they move, pixels.
    trials : float [R, K]
        How much of each field every trial takes.
    mesh : PortraitMesh
    unit : float
        Eye distance, pixels.
    """
    edges = np.concatenate([chain for pair in mesh.openings.values() for chain in pair])
    lids = np.concatenate([chain for eye in ("eyeRight", "eyeLeft") for chain in mesh.openings[eye]])
    fixed = np.isin(np.arange(len(mesh.rest)), np.concatenate([edges, mesh.between_lips]))
    seams = np.isin(mesh.triangles, np.concatenate([lids, mesh.between_lips])).any(axis=1)
    triangles = mesh.triangles[~seams & ~fixed[mesh.triangles].all(axis=1)]
    # What closing the lips has squeezed is none of the other fields' doing.
    size = np.minimum(*_areas(np.stack([mesh.rest, shape])[..., :2], triangles))
    triangles, size = triangles[size > _SLIVER * unit**2], size[size > _SLIVER * unit**2]
    strength = trials / np.abs(trials).max(axis=1, keepdims=True)
    near = np.ones(len(triangles), bool)
    for _ in range(_ROUNDS):
        used, corners = np.unique(triangles[near], return_inverse=True)
        corners = corners.reshape(-1, 3)
        shapes = shape[used, :2] + np.tensordot(trials, fields[:, used, :2], axes=1)  # [R, V, 2]
        areas = _areas(shapes, corners)  # [R, F]
        squeezed = areas < _LEAST * size[near]
        if not squeezed.any():
            return
        trial, triangle = np.nonzero(squeezed)
        whole = size[near][triangle]
        lacking = _AIM * whole - areas[trial, triangle]
        push, pushed = _pushes(shapes, trial, corners[triangle], lacking, whole, ~fixed[used])
        # A blink must not move the cheek because a squint does: what moves a place more takes more of the push.
        reach = _reach(np.abs(fields[:, used]).max(axis=2), corners[squeezed.any(axis=0)]) + 1e-6 * unit  # [K, V]
        push /= (trials**2 @ reach)[..., None]
        crowd = np.maximum(1, strength.T**2 @ pushed)  # [K, V]
        fields[:, used, :2] += np.tensordot(trials.T, push, axes=1) * (reach / crowd)[..., None]
        near = np.isin(triangles, triangles[near][squeezed.any(axis=0)]).any(axis=1)  # nothing else has changed


def plausible_trials() -> np.ndarray:
    """Return the controls float32 [R, NUM_CONTROLS] of rows that a face can perform."""
    alone = [{"jawOpen": float(name == "mouthClose"), name: 1.0} for name in BLENDSHAPES]  # the jaw limits mouthClose
    uneven = [
        {"jawOpen": 0.45, **dict(zip(_PARTS, parts)), **shaped}
        for parts in product((0.0, _PARTED), repeat=len(_PARTS))
        for shaped in _SHAPED
    ]
    return np.stack([controls_from_row(_row(shapes)) for shapes in (*alone, *_TOGETHER, *uneven)])


def _row(shapes: dict) -> np.ndarray:
    row = np.zeros(len(CHANNELS), np.float32)
    for name, value in shapes.items():
        row[[INDEX[key] for key in (name, name + "Left", name + "Right") if key in INDEX]] = value
    return row


def _pushes(shapes, trial, corners, lacking, size, free: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how squeezed triangles push their corners in each trial, float [R, V, 2] px, and whom, bool [R, V].

    Parameters
    ----------
    shapes : float [R, V, 2]
    trial : int [B]
        Where each triangle is squeezed; `corners` int [B, 3] are its vertices.
    lacking, size : float [B]
        Twice the area that it lacks there, and that it has at rest.
    free : bool [V]
    """
    x, y = np.moveaxis(shapes[trial[:, None], corners], -1, 0)  # [B, 3]
    across = np.roll(y, 1, axis=1) - np.roll(y, -1, axis=1), np.roll(x, -1, axis=1) - np.roll(x, 1, axis=1)
    slopes = np.stack(across, axis=-1) * free[corners][..., None]  # of the area in the place of each corner
    steps = (lacking / np.maximum((slopes**2).sum(axis=(1, 2)), size))[:, None, None] * slopes
    push, count = np.zeros(shapes.shape), np.zeros(shapes.shape[:2])
    for corner in range(3):
        np.add.at(push, (trial, corners[:, corner]), steps[:, corner])
        np.add.at(count, (trial, corners[:, corner]), 1)
    return push / np.maximum(count, 1)[..., None], count > 0


def _reach(moved: np.ndarray, squeezed: np.ndarray) -> np.ndarray:
    """Return how far each field moves a place or what shares a squeezed triangle with it, float [K, V] px.

    Skin that nothing moves gives way to what comes near it, not to the blink of the other eye.

    Parameters
    ----------
    moved : float [K, V]
        How far it moves the place itself, pixels.
    squeezed : int [B, 3]
        Triangles.
    """
    reach = moved.T.copy()
    np.maximum.at(reach, squeezed, moved[:, squeezed].max(axis=2).T[:, None])
    return reach.T


def _areas(shapes: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Return twice the areas float [R, F] of triangles of shapes [R, N, 2], positive where they face the viewer."""
    x, y = (shapes[..., axis][:, triangles] for axis in (0, 1))  # [R, F, 3]
    return (x[..., 2] - x[..., 0]) * (y[..., 1] - y[..., 0]) - (x[..., 1] - x[..., 0]) * (y[..., 2] - y[..., 0])
