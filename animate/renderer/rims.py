"""The rim of a lens: the closed line around an eye that is darkest and bends least."""

import cv2
import numpy as np

from animate.renderer.sampling import colours_at

_RAYS = 96
_REACH = 0.12, 0.75  # eye distances from the middle of the lens in which its rim lies
_HIGH = 0.55  # eye distances from there up and down, likewise
_STEP = 0.012  # eye distances, or half a pixel
_STEEPEST = 4  # steps from ray to ray
# A line that is darker by more than this share of the brightness beside it is no better: brows are darker than rims.
_DARK_ENOUGH = 0.2
# What a ray that the line crosses costs, as such shares: for each step from the ray before, for each by
# which that differs from the last, and for each eye distance from the middle.
_SLOPE, _BEND, _FAR = 0.03, 0.05, 0.1
_OVER, _UNDER = 0.03, 0.24  # eye distances over and under the lids in which lashes and bags lie, but no rim
_WING = 0.08  # eye distances beyond the outer corner, likewise
_BELOW = 0.08  # eye distances from the corners of an eye down to where the middle of the lens is looked for
_ASIDE = 0.02  # eye distances from the middle of the face, which no lens reaches


def find_rim(contrast: np.ndarray, eye: np.ndarray, nose: np.ndarray, unit: float) -> np.ndarray:
    """Return the rim around one eye.

    Parameters
    ----------
    contrast : float32 [H, W]
        By which share of its brightness dark lines are darker than what is beside them.
    eye : float64 [n, 2]
        The edges of the lids as a polygon, pixels, from the outer corner over the inner one and back.
    nose : float64 [2]
        Between the eyes, pixels.
    unit : float
        Eye distance, pixels.

    Returns
    -------
    float64 [96, 2]
        Pixels, clockwise as seen in the picture. Where no line is seen the rim passes there smoothly.
    """
    outer, inner = eye[0], eye[len(eye) // 2]
    lids, wider = np.zeros(contrast.shape, np.uint8), _WING * unit * (eye - inner) / np.hypot(*(outer - inner))
    for below in np.linspace(-_OVER, _UNDER, 12) * unit:
        cv2.fillPoly(lids, [np.round(eye + (below < 0) * wider + (0, below)).astype(np.int32)], 1)
    middle = (outer + inner) / 2 + (0, _BELOW * unit)
    side = np.sign(middle[0] - nose[0])
    radii = np.arange(_REACH[0] * unit, _REACH[1] * unit, max(0.5, _STEP * unit))
    angles = np.arange(_RAYS) * 2 * np.pi / _RAYS
    rays = np.column_stack([np.cos(angles), np.sin(angles)])
    for _ in range(2):  # the second time around the lens, whose middle need not be that of the eye
        places = middle + radii[:, None] * rays[:, None]  # [rays, radii, 2]
        worth = np.minimum(colours_at(contrast, places), _DARK_ENOUGH)
        worth -= _FAR * radii / unit
        over_nose = (places[..., 0] - nose[0]) * side < _ASIDE * unit
        beyond = over_nose | (np.abs(places[..., 1] - middle[1]) > _HIGH * unit)
        worth = np.where(beyond | (colours_at(lids, places) > 0), -1, worth)
        rim = middle + radii[_best_ring(worth)][:, None] * rays
        middle = rim.mean(axis=0)
    return rim


def _best_ring(worth: np.ndarray) -> np.ndarray:
    """Return the entry of each row of `worth` float [R, N], int [R], on the closed line through the rows worth most.

    Dynamic programming over the place on a ray and the slope at which the line came there, three times around: what
    the middle time finds does not depend on where it began.
    """
    slopes, places = np.arange(-_STEEPEST, _STEEPEST + 1), np.arange(worth.shape[1])
    origin = places - slopes[:, None]  # [slopes, N]: the place one ray before
    possible = (origin >= 0) & (origin < len(places))
    origin = np.clip(origin, 0, len(places) - 1)
    best, before = np.zeros(origin.shape), []
    for row in np.tile(worth, (3, 1)):
        padded = np.pad(best, ((1, 1), (0, 0)), constant_values=-np.inf)
        turned = np.stack([padded[:-2] - _BEND, best, padded[2:] - _BEND])
        change = turned.argmax(axis=0)
        arrived = np.take_along_axis(turned.max(axis=0), origin, axis=1) - _SLOPE * np.abs(slopes[:, None]) + row
        best = np.where(possible, arrived, -np.inf)
        before.append(change - 1)
    slope, place = np.unravel_index(best.argmax(), best.shape)
    ring = []
    for change in before[::-1]:
        ring.append(place)
        place = origin[slope, place]
        slope += change[slope, place]
    return np.array(ring[::-1])[len(worth) : 2 * len(worth)]
