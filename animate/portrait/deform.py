"""Spread the displacement of a few vertices smoothly over the whole face."""

from __future__ import annotations

from functools import cache

import numpy as np

from animate.topology import NUM_SKIN, canonical_vertices, triangles


def spread_displacements(anchors: np.ndarray, displacements: np.ndarray) -> np.ndarray:
    """Extend displacements from some vertices to all, bending the skin as little as possible.

    The field is biharmonic along the surface (Botsch & Kobbelt 2004, "An intuitive framework for real-time freeform
    modeling"), so the lips, which lie close together in space, move independently of each other.

    Parameters
    ----------
    anchors : int [K]
        Vertices whose displacement is given, each once.
    displacements : float [K, 3]

    Returns
    -------
    float64 [468, 3]
        Equal to `displacements` at `anchors`.

    Examples
    --------
    >>> spread_displacements(np.array([10, 152, 234]), np.ones((3, 3))).round(6).min()
    1.0
    """
    bending = _bending_energy()
    free = np.setdiff1d(np.arange(NUM_SKIN), anchors)
    field = np.empty((NUM_SKIN, displacements.shape[1]))
    field[anchors] = displacements
    field[free] = np.linalg.solve(bending[np.ix_(free, free)], -bending[np.ix_(free, anchors)] @ displacements)
    return field


@cache
def _bending_energy() -> np.ndarray:
    """Return the squared graph Laplacian of the canonical face, float64 [468, 468], short edges weighing more."""
    vertices, faces = canonical_vertices(), triangles()
    weights = np.zeros((NUM_SKIN, NUM_SKIN))
    for a, b in ((0, 1), (1, 2), (2, 0)):
        start, end = faces[:, a], faces[:, b]
        weights[start, end] = weights[end, start] = 1 / np.linalg.norm(vertices[start] - vertices[end], axis=1)
    laplacian = np.eye(NUM_SKIN) - weights / weights.sum(axis=1, keepdims=True)
    return laplacian.T @ laplacian
