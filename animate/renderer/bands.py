"""Which part of the picture can change at all: everything else is never touched, and costs nothing."""

import cv2
import numpy as np

from animate.renderer.mesh import PortraitMesh
from animate.renderer.rig import Rig

_TRAVEL = 0.9  # eye distances; further than any part of the head goes in a plausible motion
_NUM_BANDS = 12
_STILL = 1e-3  # a weight that is next to nothing


def moving_triangles(mesh: PortraitMesh, rig: Rig) -> np.ndarray:
    """Return the triangles int32 [F, 3] of the mesh that can move, in drawing order."""
    moving = _carried_vertices(mesh, rig) | (mesh.chest_weight > _STILL)
    return mesh.triangles[moving[mesh.triangles].any(axis=1)]


def moving_bands(mesh: PortraitMesh, rig: Rig, alpha: np.ndarray, unit: float) -> list[tuple[slice, slice]]:
    """Cover what can change with a few boxes, so that the still background beside a head is not sampled anew.

    Parameters
    ----------
    mesh : PortraitMesh
    rig : Rig
    alpha : uint8 [h, w]
        Of the person, over the mesh's region.
    unit : float
        Eye distance, pixels.

    Returns
    -------
    list of (slice, slice)
        Rows and columns of the region.
    """
    goes_far = _carried_vertices(mesh, rig)
    breathes, can_move = np.zeros(alpha.shape, np.uint8), np.zeros(alpha.shape, np.uint8)
    for triangle in moving_triangles(mesh, rig):
        corners = np.round(mesh.rest[triangle, :2] - mesh.region[:2]).astype(np.int32)
        cv2.fillConvexPoly(can_move if goes_far[triangle].any() else breathes, corners, 1)
    small = max(1, int(0.05 * unit))  # the dilation is wide: do it on a coarse grid
    reach = np.ones((2 * int(np.ceil(_TRAVEL * unit / small)) + 1,) * 2, np.uint8)
    size = tuple(max(1, round(side / small)) for side in alpha.shape[::-1])
    masks = (
        cv2.resize(part, size, interpolation=cv2.INTER_AREA) > 0 for part in (alpha, 255 * can_move, 255 * breathes)
    )
    alone, head, chest = (mask.astype(np.uint8) for mask in masks)
    goes = cv2.dilate(head, reach) & cv2.dilate(alone, reach) | cv2.dilate(chest & alone, np.ones((5, 5), np.uint8))
    can_move = cv2.resize(goes, alpha.shape[::-1], interpolation=cv2.INTER_NEAREST)
    height = max(128, -(-alpha.shape[0] // _NUM_BANDS))
    bands = []
    for top in range(0, alpha.shape[0], height):
        rows = slice(top, min(top + height, alpha.shape[0]))
        columns = np.flatnonzero(can_move[rows].any(axis=0))
        if len(columns):
            bands.append((rows, slice(int(columns[0]), int(columns[-1]) + 1)))
    return bands


def _carried_vertices(mesh: PortraitMesh, rig: Rig) -> np.ndarray:
    """Return bool [N]: what head and face carry with them, which goes further than a chest that breathes."""
    displacement = np.abs(rig.basis).reshape(len(mesh.rest), -1).max(axis=1)
    offset = np.abs(rig.neutral - mesh.rest).max(axis=1)
    return (mesh.head_weight > _STILL) | (displacement > 1e-2) | (offset > 1e-2)
