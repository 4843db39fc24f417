"""Fit the 478-vertex mesh to the 68 points of iBUG 300-W."""

import numpy as np

from animate.errors import PortraitError
from animate.portrait.deform import spread_displacements
from animate.topology import EYES, IBUG68, NUM_VERTICES, canonical_vertices

# Median of MediaPipe's irises on 16 human pictures (0.20 to 0.25).
_IRIS_RADIUS = 0.22  # of the distance between the corners of the eye


def mesh_from_68_points(points: np.ndarray) -> np.ndarray:
    """Pose the canonical face so that it meets 68 points, then bend it smoothly until it meets them exactly.

    Parameters
    ----------
    points : float [68, 2]
        Pixels, in iBUG's order, those of the jaw on the skull and not on the visible outline (in the terms of
        `face_alignment`: LandmarksType.TWO_HALF_D).

    Returns
    -------
    float32 [478, 3]
        Pixels; `result[IBUG68, :2]` equals `points`. Depths are the posed canonical face's, and the irises look
        straight ahead: 68 points tell neither.

    Raises
    ------
    PortraitError
        If `points` is not [68, 2], not finite, or all in one line.

    Examples
    --------
    >>> points = 20 * canonical_vertices()[list(IBUG68), :2] + 300
    >>> mesh_from_68_points(points).shape
    (478, 3)
    """
    points = np.asarray(points, float)
    if points.shape != (68, 2) or not np.isfinite(points).all() or np.linalg.matrix_rank(points - points[0], 1) < 2:
        raise PortraitError(
            f"The landmark detector gave {list(points.shape)} points that make no face. Use another picture."
        )
    ibug = np.array(IBUG68)
    mesh = np.zeros((NUM_VERTICES, 3))
    skin = _posed(canonical_vertices().astype(float), ibug, points)  # [468, 3]
    residual = np.column_stack([points - skin[ibug, :2], np.zeros(68)])
    mesh[: len(skin)] = skin + spread_displacements(ibug, residual)
    for upper, lower, iris in EYES:
        mesh[list(iris)] = _iris(mesh, upper, lower)
    return mesh.astype(np.float32)


def _posed(canonical: np.ndarray, ibug: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Turn, scale and shift the canonical face so that its 68 vertices lie nearest to `points` in the picture.

    Scaled orthographic projection: the best affine camera, made orthonormal (DeMenthon & Davis 1995, POS).
    """
    known = np.column_stack([canonical[ibug], np.ones(68)])
    camera = np.linalg.lstsq(known, points, rcond=None)[0].T  # [2, 4]
    u, scales, vt = np.linalg.svd(camera[:, :3], full_matrices=False)
    axes, scale = u @ vt, scales.mean()
    rotation = np.vstack([axes, np.cross(axes[0], axes[1])])
    posed = scale * canonical @ rotation.T
    posed[:, :2] += points.mean(axis=0) - posed[ibug, :2].mean(axis=0)
    return posed


def _iris(mesh: np.ndarray, upper: tuple[int, ...], lower: tuple[int, ...]) -> np.ndarray:
    """Return centre and rim of an iris in the middle of its lids, float64 [5, 3]."""
    lids = mesh[list(upper + lower[1:-1])]
    centre, corners = lids.mean(axis=0), mesh[[upper[0], upper[-1]]]
    across = (corners[1] - corners[0]) * np.sign(corners[1, 0] - corners[0, 0])  # towards the picture's right
    right = _IRIS_RADIUS * across
    down = np.linalg.norm(right) * np.array([-across[1], across[0], 0]) / np.hypot(*across[:2])
    return centre + np.array([np.zeros(3), right, -down, -right, down])
