"""The lower lid where the picture has it: landmarks often leave a strip of the iris or of the white under their lid."""

from dataclasses import replace

import numpy as np
from scipy.stats import theilslopes

from animate.renderer.eyeball import find_iris
from animate.renderer.sampling import colours_at
from animate.topology import EYES, NUM_SKIN
from animate.types import Portrait

_LEAST = 0.014  # eye distances; landmarks are no finer
_FURTHEST = 0.08  # eye distances that a lid is moved at most
_REACH = 0.2  # eye distances over which the skin below goes along
_CLEAR = 40.0  # of 255, by which iris and skin must differ, and white outshine skin, to be told apart
_WHITE = 65  # percentile of the brightness of an eye above which it is white


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
    return _shifted(portrait, shift)


def with_lids_behind_lenses(portrait: Portrait) -> Portrait:
    """Return the portrait of a face with spectacles with its lower lids where the white of the eyes ends in the picture.

    Frames near the eyes draw the landmarks of their corners aside, so that the lower lids lie aslant: these are tilted
    back, and the corners go along. Eyes whose white is no brighter than the skin below are left as they are.

    Parameters
    ----------
    portrait : Portrait
    """
    unit, shift = portrait.face.eye_distance, np.zeros((NUM_SKIN, 2))
    v = portrait.face.vertices[:NUM_SKIN, :2].astype(np.float64)
    for chains in EYES:
        upper, lower = (v[list(chain)] for chain in chains[:2])
        across = lower[-1] - lower[0]
        down = np.array([-across[1], across[0]]) * np.sign(across[0]) / np.hypot(*across)
        ends = _white_below(portrait.image, upper, lower, down, unit)
        if ends.max() > _LEAST * unit:
            shift += _tilt(v, upper, lower, ends, down, unit)
    return _shifted(portrait, shift)


def _white_below(image, upper: np.ndarray, lower: np.ndarray, down: np.ndarray, unit: float) -> np.ndarray:
    """Return how many pixels of white lie under the outer and the inner end of the lower lid, float64 [2].

    Parameters
    ----------
    upper, lower : float64 [9, 2]
        The lids that the landmarks give, from the outer corner to the inner one.
    down : float64 [2]
        Unit vector across the eye.
    """
    places, points = np.linspace(0.15, 0.85, 15), np.linspace(0, 1, len(lower))
    above, edge = (np.column_stack([np.interp(places, points, lid[:, k]) for k in (0, 1)]) for lid in (upper, lower))
    inside = colours_at(image, above + np.linspace(0.2, 0.9, 8)[:, None, None] * (edge - above)).reshape(-1, 3)
    white = np.median(inside[inside.mean(axis=1) >= np.percentile(inside.mean(axis=1), _WHITE)], axis=0)
    depths = np.linspace(1, 1.4, 5) * _FURTHEST * unit
    skin = np.median(colours_at(image, edge + depths[:, None, None] * down), axis=0)
    if np.median(white.mean() - skin.mean(axis=1)) < _CLEAR:
        return np.zeros(2)
    steps = np.arange(0, _FURTHEST * unit, 0.5)
    along = colours_at(image, edge + steps[:, None, None] * down)  # [S, 15, 3]
    is_white = np.linalg.norm(along - white, axis=2) < np.linalg.norm(along - skin, axis=2)
    runs = np.where(is_white.all(axis=0), steps[-1], steps[is_white.argmin(axis=0)])
    slope, start = theilslopes(runs, places)[:2]
    return np.clip([start, start + slope], 0, _FURTHEST * unit)


def _tilt(points, upper: np.ndarray, lower: np.ndarray, ends: np.ndarray, down, unit: float) -> np.ndarray:
    """Return the shift of each point, float64 [N, 2] px, where the ends of the lower lid go as far down as given.

    The corners slide along the upper lid, whose middle stays.
    """
    length = np.hypot(*(lower[-1] - lower[0]))
    across = (lower[-1] - lower[0]) / length
    u, lower_u, upper_u = ((some - lower[0]) @ across / length for some in (points, lower, upper))
    below = points @ down - np.interp(u, lower_u, lower @ down)
    over = np.interp(u, upper_u, upper @ down) - points @ down
    inside = np.clip(u, 0, 1)
    from_middle = np.abs(2 * inside - 1)
    away = np.maximum(np.maximum(below, over), 0) + np.abs(u - inside) * length
    share = np.where(below > -1e-6 * unit, 1, from_middle) * np.clip(1 - away / (_REACH * unit), 0, 1)
    runs = upper[0] - upper[2], upper[-1] - upper[-3]
    sideways = [np.clip((run @ across) / max(run @ down, 1e-6), -1, 1) for run in runs]
    aside = np.where(inside < 0.5, *sideways) * from_middle
    amount = share * (ends[0] + inside * (ends[1] - ends[0]))
    return amount[:, None] * (down + aside[:, None] * across)


def _shifted(portrait: Portrait, shift: np.ndarray) -> Portrait:
    """Return the portrait with its skin moved by float64 [468, 2] px."""
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
    points = centre + np.multiply.outer(sides, across) + np.multiply.outer(depths, down)
    return colours_at(image, points[None])[0].astype(float)


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
