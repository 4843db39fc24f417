"""Shading that follows the head: a face that turns away from the light of its picture darkens, and vice versa."""

from dataclasses import dataclass

import numpy as np

from animate.easing import smoothstep
from animate.renderer.head import HeadFrame, HeadMotion
from animate.topology import BROW_LEFT, BROW_RIGHT, LIPS_OUTER_LOWER, LIPS_OUTER_UPPER, NUM_SKIN
from animate.types import Portrait

_CELLS = 24  # of the grid on which shading is computed, along the longer side of what moves
_CENTRE = np.array([0.0, 0.35, 0.6])  # of the ball that stands for the head, in its frame, eye distances
_RADII = np.array([1.35, 1.8])  # across and down, eye distances
_SHARE = 0.5  # of the change that a matt ball would show: pictures are lit from more than one side
_MOST = 0.14  # by which a place is lightened or darkened at most


@dataclass(frozen=True, eq=False)
class Light:
    """The light of a picture, as it falls on the face.

    Attributes
    ----------
    slope : float64 [3]
        How much brighter skin is, as a share of its mean, that faces one more unit along each axis of the picture.
    centre : float64 [3]
        Of the head, pixels; `radii` float64 [2] are its half axes in the picture.
    corner, cell : float64 [2], float
        Place and spacing of the grid's points, pixels; `shape` is its number of rows and columns.
    """

    slope: np.ndarray
    centre: np.ndarray
    radii: np.ndarray
    corner: np.ndarray
    cell: float
    shape: tuple[int, int]

    def gain(self, motion: HeadMotion) -> np.ndarray | None:
        """Return what a motion of the head multiplies brightness by, float32 on the grid, or None for no change."""
        if np.abs(motion.rotation - np.eye(3)).max() < 1e-4:
            return None
        rows, columns = np.mgrid[: self.shape[0], : self.shape[1]] * self.cell
        middle = motion.placed(self.centre[None])[0] - self.corner
        x, y = (columns - middle[0]) / self.radii[0], (rows - middle[1]) / self.radii[1]
        outwards = np.hypot(x, y)
        normals = np.stack([x, y, -np.sqrt(np.clip(1 - outwards**2, 0.05, 1))], axis=-1)
        normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
        # The normals of a ball depend on the place only; what turned there used to face another way.
        change = (normals - normals @ motion.rotation) @ self.slope
        # It ends on the face: the rim of background that moves with the hair has another light.
        change = np.clip(_SHARE * change, -_MOST, _MOST) * smoothstep((0.95 - outwards) / 0.5)
        return (1 + change).astype(np.float32)

    def at(self, gain: np.ndarray | None, point: np.ndarray) -> float:
        """Return the value of a grid of gains at a point, float [2] px of the picture."""
        if gain is None:
            return 1.0
        x, y = np.clip((point - self.corner) / self.cell, 0, np.array(self.shape[::-1]) - 1.001)
        column, row = int(x), int(y)
        left, right = gain[row : row + 2, column : column + 2].T @ (row + 1 - y, y - row)
        return float(left + (x - column) * (right - left))


def find_light(portrait: Portrait, head: HeadFrame, region: tuple[int, int, int, int]) -> Light:
    """Estimate the light from how the brightness of the skin goes with its direction (Lambert's law, least squares).

    Parameters
    ----------
    portrait : Portrait
    head : HeadFrame
    region : tuple of int
        left, top, right, bottom of what moves, pixels.
    """
    vertices = portrait.face.vertices[:NUM_SKIN].astype(np.float64)
    a, b, c = vertices[portrait.face.triangles].transpose(1, 0, 2)
    across = np.cross(b - a, c - a)  # [F, 3], negative z towards the viewer
    normals = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(normals, portrait.face.triangles[:, corner], across)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    x, y = np.clip(np.round(vertices[:, :2]).astype(int).T, 0, np.array(portrait.size)[:, None] - 1)
    luma = portrait.image[y, x].astype(np.float64).mean(axis=1)
    skin = np.setdiff1d(np.arange(NUM_SKIN), BROW_LEFT + BROW_RIGHT + LIPS_OUTER_LOWER + LIPS_OUTER_UPPER)
    skin = skin[np.abs(luma[skin] - np.median(luma[skin])) < 2 * luma[skin].std() + 1]
    known = np.column_stack([normals[skin], np.ones(len(skin))])
    slope = np.linalg.lstsq(known, luma[skin], rcond=None)[0][:3] / max(float(luma[skin].mean()), 1.0)
    slope /= max(1.0, float(np.linalg.norm(slope)))
    left, top, right, bottom = region
    cell = max(right - left, bottom - top) / _CELLS
    shape = int(np.ceil((bottom - top) / cell)) + 1, int(np.ceil((right - left) / cell)) + 1
    centre = head.to_picture(_CENTRE[None])[0]
    return Light(slope, centre, _RADII * head.unit, np.array([left, top], float), cell, shape)
