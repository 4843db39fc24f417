"""What a face does in each frame: the channels of mouth and brows that make the rig show it, head, lids and gaze."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from animate.channels import BROWS, HEAD
from animate.renderer.controls import COLUMN
from animate.topology import (
    BROW_LEFT_LOWER,
    BROW_LEFT_UPPER,
    BROW_RIGHT_LOWER,
    BROW_RIGHT_UPPER,
    CHIN,
    EYE_LEFT_UPPER,
    EYE_RIGHT_UPPER,
    EYES,
    JAWLINE,
    LIPS_INNER_LOWER,
    LIPS_INNER_UPPER,
    LIPS_OUTER_LOWER,
    LIPS_OUTER_UPPER,
)
from animate.tracking.head import shifts, turns
from animate.tracking.person import Person

# What 468 points can tell apart; the other channels of the mouth would only share its noise.
MOUTH = (
    "jawOpen", "jawLeft", "jawRight", "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight",
    "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthLowerDownLeft", "mouthLowerDownRight",
    "mouthUpperUpLeft", "mouthUpperUpRight",
)  # fmt: skip
OPENINGS = ("openingLeft", "openingRight")  # of the lids, in widths of the eye
GAZE = ("gazeX", "gazeY")  # of the irises between the corners of the eyes, eye distances to the right and down
MEASURES = MOUTH + BROWS + HEAD + OPENINGS + GAZE

# What is compared with the rig: a vertex, the one it is seen from (or None), and how much that counts. The distances
# between the lips and the corners of the mouth count most, because that is what a viewer reads.
_LIPS = LIPS_OUTER_UPPER + LIPS_OUTER_LOWER[1:-1] + LIPS_INNER_UPPER + LIPS_INNER_LOWER[1:-1]
_MOUTH_ROWS = (
    *((vertex, None, 1.0) for vertex in _LIPS),
    *((vertex, None, 0.5) for vertex in (CHIN, *JAWLINE[6:-6])),
    *((lower, upper, 8.0) for lower, upper in zip(LIPS_INNER_LOWER[2:9], LIPS_INNER_UPPER[2:9])),
    (LIPS_OUTER_UPPER[-1], LIPS_OUTER_UPPER[0], 10.0),
)
_BROW_ROWS = tuple(
    (vertex, eye[0] if place < 3 else eye[-1], 1.0)
    for eye, edges in (
        (EYE_RIGHT_UPPER, (BROW_RIGHT_UPPER, BROW_RIGHT_LOWER)),
        (EYE_LEFT_UPPER, (BROW_LEFT_UPPER, BROW_LEFT_LOWER)),
    )
    for edge in edges
    for place, vertex in enumerate(edge)
)
_DEPTH_WEIGHT = 0.1  # MediaPipe only guesses it
# Against channels that work against each other: much for the mouth, where many explain the same.
_MOUTH_RIDGE, _BROW_RIDGE = 0.1, 0.02


def solve(person: Person, meshes: np.ndarray) -> np.ndarray:
    """Return `MEASURES` float64 [T, M] of meshes float32 [T, 478, 3] in pixels.

    Mouth and brows are channels already, by regularised least squares on the person's own rig.
    """
    rotation, unit, place, shapes = person.lay_over(meshes)
    moved = shapes - person.neutral
    return np.hstack(
        [
            _fitted(person, moved, MOUTH, _MOUTH_ROWS, _MOUTH_RIDGE),
            _fitted(person, moved, BROWS, _BROW_ROWS, _BROW_RIDGE),
            person.rest_deg + turns(rotation, person.rest),
            shifts(rotation, unit / person.unit, place / person.unit),
            np.stack([_opening(shapes, upper, lower) for upper, lower, _ in EYES[::-1]], axis=1),
            np.mean([_gaze(shapes, upper, iris) for upper, _, iris in EYES[::-1]], axis=0),
        ]
    )


def _fitted(person: Person, moved: np.ndarray, names: tuple[str, ...], rows, ridge: float) -> np.ndarray:
    """Return the channels, 0 to 1, that move the rig as float [T, 478, 3] eye distances."""

    def seen(field: np.ndarray) -> np.ndarray:  # [..., N, 3] -> [..., n * 3]
        parts = [weight * (field[..., a, :] - (0 if b is None else field[..., b, :])) for a, b, weight in rows]
        return (np.stack(parts, axis=-2) * (1, 1, _DEPTH_WEIGHT)).reshape(*field.shape[:-2], -1)

    basis = seen(np.moveaxis(person.basis[..., [COLUMN[name] for name in names]], -1, 0)).T  # [n * 3, K]
    q, r = np.linalg.qr(np.vstack([basis, ridge * np.sqrt(len(rows)) * np.eye(len(names))]))
    return np.minimum([nnls(r, wanted)[0] for wanted in seen(moved) @ q[: len(basis)]], 1)


def _opening(shapes: np.ndarray, upper: tuple[int, ...], lower: tuple[int, ...]) -> np.ndarray:
    gap = (shapes[:, lower[3:6], 1] - shapes[:, upper[3:6], 1]).mean(axis=1)
    return gap / np.linalg.norm(shapes[:, upper[0], :2] - shapes[:, upper[-1], :2], axis=1)


def _gaze(shapes: np.ndarray, upper: tuple[int, ...], iris: tuple[int, ...]) -> np.ndarray:
    return shapes[:, iris[0], :2] - shapes[:, [upper[0], upper[-1]], :2].mean(axis=1)
