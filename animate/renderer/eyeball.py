"""An eyeball as it would look without lids: its white, its iris and the lights that lie on both."""

from dataclasses import dataclass

import cv2
import numpy as np

from animate.renderer.backdrop import diffuse_fill
from animate.renderer.grain import with_grain
from animate.renderer.sampling import double

_RINGS = 24  # of the iris, over which colours hidden by the lid are taken from the visible part
_SCALES = np.linspace(0.85, 1.45, 13)  # of the radius that landmarks give an iris
_HIGHLIGHT = 30.0  # of 255, by which a catch-light outshines its ring of the iris
_AS_WHITE = 0.75  # of the white of the eye: what is darker is no catch-light
_LARGEST_LIGHT = 0.1  # of the iris; a larger patch that is bright belongs to the iris
_SHADE = 0.3  # of the light that lids keep from the white under them
_PENUMBRA = 0.12  # radii of the iris, over which that shade begins
_ROOM = 0.22  # eye distances around the lids that the textures show


@dataclass(frozen=True, eq=False)
class Eyeball:
    """Textures of one eyeball at twice their size, with their corner at `left`, `top` of the picture.

    Attributes
    ----------
    white, iris : uint8 [2 h, 2 w, 3]
        The white without the iris, and the iris as if nothing covered it, at its place in the picture.
    light : uint8 [2 h, 2 w, 3]
        Catch-lights, to be added: they stay where the lamp puts them while the iris moves.
    centre : float64 [2]
        Of the iris, pixels of the picture; `radius` likewise.
    """

    white: np.ndarray
    iris: np.ndarray
    light: np.ndarray
    left: int
    top: int
    centre: np.ndarray
    radius: float


def take_eyeball(
    image: np.ndarray, outline: np.ndarray, iris: np.ndarray, unit: float, rim: float, grain: np.ndarray
) -> Eyeball:
    """Take an eyeball from a picture and complete what the lids hide.

    Parameters
    ----------
    image : uint8 [H, W, 3]
    outline : float [N, 2]
        The edges of the lids as a polygon, pixels.
    iris : float [3]
        Centre and radius of the iris, pixels, as `find_iris` gives them.
    unit : float
        Eye distance, pixels.
    rim : float
        Pixels next to the lids that may belong to the lashes.
    grain : float32 [s, s, 3]
        Of the picture, see `animate.renderer.grain`.
    """
    crop, seen, (left, top) = _cut_out(image, outline, unit)
    x, y, radius = iris - (left, top, 0)
    size = 2 * int(np.ceil(rim)) + 1
    clean = cv2.erode(seen, np.ones((size, size), np.uint8))
    columns, rows = np.meshgrid(np.arange(crop.shape[1], dtype=np.float32), np.arange(crop.shape[0], dtype=np.float32))
    away = np.hypot(columns - x, rows - y) / radius
    white = _complete_white(crop, clean, away, columns < x, radius, grain)
    whole, light = _complete_iris(crop, clean, away, radius)
    return Eyeball(double(white), double(whole), double(light), left, top, iris[:2], float(radius))


def find_iris(
    image: np.ndarray, outline: np.ndarray, iris: np.ndarray, unit: float, radius: float | None = None
) -> np.ndarray:
    """Return centre and radius of an iris, float64 [3] px, from the landmarks of its centre and rim, float [5, 2] px.

    `radius` is that of the iris, pixels, where it is known. The other parameters are those of `take_eyeball`.
    """
    crop, seen, corner = _cut_out(image, outline, unit)
    scales = _SCALES if radius is None else np.ones(1)
    radius = radius or float(np.hypot(*(iris[1:] - iris[0]).T).mean())
    return _fit_circle(crop, seen, iris[0] - corner, radius, scales) + (*corner, 0)


def _cut_out(image: np.ndarray, outline: np.ndarray, unit: float):
    """Return the picture around an eye, where the eye is seen in it, and the corner of both in the picture."""
    margin = _ROOM * unit + 2
    left, top = np.maximum(np.floor(outline.min(axis=0) - margin), 0).astype(int).tolist()
    right, bottom = np.ceil(outline.max(axis=0) + margin).astype(int)
    crop = image[top:bottom, left:right]
    seen = np.zeros(crop.shape[:2], np.uint8)
    cv2.fillPoly(seen, [np.round((outline - (left, top)) * 16).astype(np.int32)], 1, cv2.LINE_8, 4)
    return crop, seen, (left, top)


def _complete_white(crop, clean: np.ndarray, away: np.ndarray, left: np.ndarray, radius: float, grain: np.ndarray):
    """Return the white of the eye everywhere, uint8 [h, w, 3]; its own pixels stay, fading into what is filled in.

    `left` bool [h, w] is true at the left of the iris: one side of an eye may lie in the shade.
    """
    luma = crop.mean(axis=2)
    known = (clean > 0) & (away > 1.2)
    if known.sum() < 6:
        known = (clean > 0) & (luma >= np.percentile(luma[clean > 0], 70)) if clean.any() else clean == 0
    for side in (left, ~left):
        if (known & side).any():
            known &= ~side | (luma >= np.median(luma[known & side]) - 1)  # not the lashes and their shadow
    filled = cv2.GaussianBlur(diffuse_fill(crop, known), (0, 0), 0.25 * radius)
    own = np.clip((away - 1.1) / 0.3, 0, 1) * cv2.GaussianBlur(clean.astype(np.float32), (0, 0), 0.08 * radius + 0.3)
    # Next to the iris, what is much darker than the white is a piece of the iris.
    dark = np.clip((filled.mean(axis=2) - luma) / (0.3 * filled.mean(axis=2) + 1) - 0.3, 0, 1)
    own *= 1 - dark * np.clip(2.0 - away, 0, 1)
    inside, outside = (cv2.distanceTransform(where, cv2.DIST_L2, 3) for where in (clean, 1 - clean))
    under_lid = 1 / (1 + np.exp((inside - outside) / (_PENUMBRA * radius)))
    filled *= (1 - _SHADE * under_lid)[..., None]
    filled = with_grain(_rounded(filled), grain).astype(np.float32)
    return _rounded(filled + (crop - filled) * own[..., None])


def _complete_iris(crop: np.ndarray, clean: np.ndarray, away: np.ndarray, radius: float):
    """Return the iris without its catch-lights, and these, uint8 [h, w, 3] each."""
    inside = (clean > 0) & (away < 0.98)
    if inside.sum() < 6:
        return crop.copy(), np.zeros_like(crop)
    ring = np.clip(away * _RINGS, 0, _RINGS - 1)
    colours = np.full((_RINGS, 3), np.nan)
    for index in range(_RINGS):
        members = inside & (np.abs(ring - index) < 1.0)
        if members.sum() >= 3:
            colours[index] = np.median(crop[members], axis=0)
    measured = np.flatnonzero(~np.isnan(colours[:, 0]))
    if not len(measured):  # an iris of a few pixels
        return crop.copy(), np.zeros_like(crop)
    rings = np.stack([np.interp(ring, measured, colours[measured, k]) for k in range(3)], axis=-1)  # [h, w, 3]
    luma = crop.mean(axis=2)
    shining = np.clip((luma - rings.mean(axis=2) - _HIGHLIGHT) / 20, 0, 1) * inside * np.clip((0.95 - away) / 0.1, 0, 1)
    shining *= luma > _AS_WHITE * np.percentile(luma[clean > 0], 95)
    _, labels, stats, _ = cv2.connectedComponentsWithStats((shining > 0).astype(np.uint8))
    small = stats[:, cv2.CC_STAT_AREA] < max(4.0, _LARGEST_LIGHT * np.pi * radius**2)
    highlight = cv2.dilate((shining * small[labels]).astype(np.float32), np.ones((3, 3), np.uint8)) * inside
    own = cv2.GaussianBlur(clean.astype(np.float32), (0, 0), 0.1) * (clean > 0) * (1 - highlight)
    whole = rings + (crop - rings) * own[..., None]
    light = np.clip(crop - whole, 0, 255) * highlight[..., None]
    return _rounded(whole), _rounded(light)


def _rounded(values: np.ndarray) -> np.ndarray:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def _fit_circle(crop: np.ndarray, seen: np.ndarray, centre, radius: float, scales: np.ndarray) -> np.ndarray:
    """Move the circle given by the landmarks to where the picture turns from iris to white.

    Daugman's (1993) integro-differential operator over the two sides of the iris that the lids leave free.

    Returns
    -------
    float64 [3]
        x, y and radius, pixels; the circle as it came where no other one is clearly better.
    """
    angles = np.radians(np.linspace(-40, 40, 9))
    rays = np.concatenate([np.column_stack([np.cos(angles), np.sin(angles)]) * side for side in (-1, 1)])  # [18, 2]
    shifts_x, shifts_y = np.linspace(-0.35, 0.35, 8), np.linspace(-0.2, 0.2, 5)
    grid = np.array([(0, 0, 1)] + [(x, y, s) for x in shifts_x for y in shifts_y for s in scales])
    centres, radii = centre + grid[:, None, :2] * radius, grid[:, 2, None, None] * radius
    light = crop.astype(np.float32).mean(axis=2)
    inner, outer = (
        cv2.remap(light, (centres + k * radii * rays).astype(np.float32), None, cv2.INTER_LINEAR) for k in (0.88, 1.14)
    )
    valid = cv2.remap(seen, (centres + 1.14 * radii * rays).astype(np.float32), None, cv2.INTER_NEAREST) > 0
    rays_seen = valid.reshape(-1, 2, 9).sum(axis=2)
    inner, outer = ((part * valid).reshape(-1, 2, 9).sum(axis=2) / np.maximum(rays_seen, 1) for part in (inner, outer))
    white = np.percentile(light[seen > 0], 90) + 1e-3 if seen.any() else 255.0
    # Both sides must agree, an edge need only be clear, and beyond it lies white: that tells it from the pupil's.
    step = np.clip(outer - inner, 0, 30) * np.clip(outer / white, 0, 1) ** 2
    step = np.where(rays_seen >= 2, step, 0).min(axis=1)
    step *= np.exp(-0.5 * (np.hypot(grid[:, 0], grid[:, 1]) ** 2 + (grid[:, 2] - 1) ** 2) / 0.6**2)
    best = step.argmax() if step.max() > 1.3 * step[0] + 2 else 0
    return np.array([*(centre + grid[best, :2] * radius), grid[best, 2] * radius])
