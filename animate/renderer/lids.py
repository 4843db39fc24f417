"""The lower lid where the picture has it: landmarks often leave a strip of the iris under their lid."""

from dataclasses import replace

import cv2
import numpy as np

from animate.renderer.eyeball import find_iris
from animate.topology import EYES, NUM_SKIN
from animate.types import Portrait

_LEAST = 0.014  # eye distances; landmarks are no finer
_FURTHEST = 0.08  # eye distances that a lid is moved at most
_REACH = 0.2  # eye distances over which the skin below goes along
_CLEAR = 40.0  # of 255, by which iris and skin must differ to be told apart


def with_true_lids(portrait: Portrait) -> Portrait:
    """Return the portrait with its lower lids moved down to where the iris ends in the picture.

    Parameters
    ----------
    portrait : Portrait
    """
    unit, shift = portrait.face.eye_distance, np.zeros((NUM_SKIN, 2))
    for upper, lower, iris in EYES:
        v = portrait.face.vertices[:, :2].astype(np.float64)
        outline = np.concatenate([v[list(upper)], v[list(lower[::-1])]])
        circle = find_iris(portrait.image, outline, v[list(iris)], unit)
        across = (v[lower[-1]] - v[lower[0]]) * np.sign(v[lower[-1], 0] - v[lower[0], 0])
        across /= np.hypot(*across)
        down = np.array([-across[1], across[0]])
        hidden = _iris_below(portrait.image, v[list(lower)], circle, across, down, unit)
        if hidden > _LEAST * unit:
            shift += hidden * _along_lid(v[:NUM_SKIN], v[list(lower)], across, down, unit)[:, None] * down
    face = portrait.face
    vertices, neutral = face.vertices.copy(), face.neutral.copy()
    for mesh in (vertices, neutral):
        mesh[:NUM_SKIN, :2] += shift
    return replace(portrait, face=replace(face, vertices=vertices, neutral=neutral))


def _iris_below(image, lid: np.ndarray, circle: np.ndarray, across, down, unit: float) -> float:
    """Return how many pixels of iris lie under the lid that the landmarks give; 0 where that is not clear."""
    centre, radius = circle[:2], circle[2]
    sides = np.linspace(-0.5, 0.5, 7) * radius
    edge = np.interp(sides, (lid - centre) @ across, (lid - centre) @ down) if lid[0] @ across < lid[-1] @ across else (
        np.interp(sides, ((lid - centre) @ across)[::-1], ((lid - centre) @ down)[::-1])
    )  # fmt: skip
    steps = np.arange(0, _FURTHEST * unit, 0.5)
    inner = _colours(image, centre, across, down, sides, edge - 0.25 * radius)
    skin = _colours(image, centre, across, down, sides, edge + 1.6 * _FURTHEST * unit)
    if np.linalg.norm(np.median(inner, axis=0) - np.median(skin, axis=0)) < _CLEAR:
        return 0.0
    found = []
    for side, start in zip(sides, edge):
        rim = np.sqrt(max(radius**2 - side**2, 0)) + 0.5 - start  # from the lid to where the iris ends
        along = _colours(image, centre, across, down, np.full(len(steps), side), start + steps)
        is_iris = np.linalg.norm(along - np.median(inner, axis=0), axis=1) < np.linalg.norm(
            along - np.median(skin, axis=0), axis=1
        )
        run = steps[np.argmin(is_iris)] if not is_iris.all() else steps[-1]
        found.append(np.clip(run, 0, max(rim, 0)))
    return float(np.median(found))


def _colours(image, centre, across, down, sides: np.ndarray, depths: np.ndarray) -> np.ndarray:
    points = (centre + np.multiply.outer(sides, across) + np.multiply.outer(depths, down)).astype(np.float32)
    return cv2.remap(image, points[None], None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0].astype(float)


def _along_lid(points, lid: np.ndarray, across, down, unit: float) -> np.ndarray:
    """Return the share of the lid's shift that each point takes, float64 [N]: none above it and beyond its ends."""
    middle = (lid[0] + lid[-1]) / 2
    half = np.ptp(lid @ across) / 2
    u = (points - middle) @ across / half
    order = np.argsort(lid @ across)
    edge = np.interp(u, ((lid - middle) @ across / half)[order], ((lid - middle) @ down)[order])
    below = (points - middle) @ down - edge
    share = np.clip(1 - u**2, 0, 1) ** 0.5 * np.clip(1 - np.maximum(below, 0) / (_REACH * unit), 0, 1)
    return np.where(below > -1e-6 * unit, share, 0)
