"""The edges of parted lips where the picture has them: near the corners landmarks often lie in the dark."""

from dataclasses import replace

import cv2
import numpy as np

from animate.renderer.sampling import colours_at
from animate.topology import LIPS_INNER_LOWER, LIPS_INNER_UPPER, LIPS_OUTER_LOWER, LIPS_OUTER_UPPER, NUM_SKIN
from animate.types import Portrait

_LOOK = 0.14  # eye distances from an edge outwards in which lip or skin must be found
_FURTHEST = 0.07  # eye distances that an edge is moved at most
_REACH = 0.2  # eye distances over which the skin outside goes along
_DARK = 0.66  # of the light of the middle of a lip; what is darker is the inside of the mouth
_MIDDLE = slice(3, 8)  # of the eleven landmarks of an edge: these lie well
_PARTED = 0.03  # eye distances


def with_true_lips(portrait: Portrait) -> Portrait:
    """Return the portrait with the edges of lips that are parted in it moved out to where the dark between them ends.

    Parameters
    ----------
    portrait : Portrait
    """
    face, unit = portrait.face, portrait.face.eye_distance
    v = face.vertices[:NUM_SKIN, :2].astype(np.float64)
    upper, lower = v[list(LIPS_INNER_UPPER)], v[list(LIPS_INNER_LOWER)]
    if np.hypot(*(lower - upper).T).max() < _PARTED * unit:
        return portrait
    across = (upper[-1] - upper[0]) / np.hypot(*(upper[-1] - upper[0]))
    down = np.array([-across[1], across[0]])
    luma = cv2.cvtColor(portrait.image, cv2.COLOR_RGB2GRAY)
    shift, along = np.zeros_like(v), (v - upper[0]) @ across
    for edge, outer, outwards in ((upper, LIPS_OUTER_UPPER, -down), (lower, LIPS_OUTER_LOWER, down)):
        lip = colours_at(luma, (edge + v[list(outer)])[None, _MIDDLE] / 2)
        dark = _dark_beyond(luma, edge, outwards, unit, _DARK * float(np.median(lip)))
        edge_along = (edge - upper[0]) @ across
        beyond = (v - upper[0]) @ outwards - np.interp(along, edge_along, (edge - upper[0]) @ outwards)
        share = np.where(beyond > -1e-6 * unit, np.clip(1 - beyond / (_REACH * unit), 0, 1), 0)
        run = np.interp(along, edge_along, dark, left=0, right=0)
        shift += (share * run)[:, None] * outwards
    vertices = face.vertices.copy()
    vertices[:NUM_SKIN, :2] += shift
    return replace(portrait, face=replace(face, vertices=vertices))


def _dark_beyond(luma: np.ndarray, edge: np.ndarray, outwards: np.ndarray, unit: float, dark: float) -> np.ndarray:
    """Return how many pixels the dark between the lips goes on beyond each point of their edge, float64 [n]."""
    steps = np.arange(0, _LOOK * unit, 0.25)
    is_dark = colours_at(luma, edge[:, None] + steps[:, None] * outwards) < dark  # [n, S]
    runs = np.where(is_dark.all(axis=1), 0, np.minimum(steps[np.argmin(is_dark, axis=1)], _FURTHEST * unit))
    runs[_MIDDLE] = runs[[0, -1]] = 0
    return np.convolve(runs, (0.25, 0.5, 0.25), "same") * (runs > 0)
