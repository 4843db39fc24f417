"""What an open eye hides of its upper lid, made from the skin around it."""

import cv2
import numpy as np

from animate.renderer.lid_skin import LidSkin
from animate.renderer.opening import straightened
from animate.renderer.sampling import colours_at, double
from animate.renderer.skin import light_lid, roughness_like, tone_around

_BESIDE, _ABOVE, _BELOW = 0.16, 0.23, 0.12  # eye distances around the opening that the textures show
_LASHES = 0.04  # eye distances beside the edges that hold lashes and their shadow
_OVER_LASHES = 0.1  # eye distances above the edge where the lid's own skin ends and that under the brow begins
_BRIGHTER = 80  # percentile of the skin between lashes and brow: the white of the eye must outshine what is lit
_STAYS = 0.5  # share of the room between lid and brow above which the skin is as it will be
_CORNER = 0.04  # eye distances beyond the corners where the skin beside the eye begins
_PATCH = 0.07, 0.33  # eye distances under the eye between which lies the skin whose roughness the lid takes
_FAINTEST, _DARKEST = 0.55, 0.85  # share of the light that the line of lashes takes
_REST = 0.1  # eye distances beyond the lids in which pieces of the eye may lie
_CLEAR = 25.0  # of 255, by which white must outshine the skin to be told from it
_DARK = 0.075, 0.225  # of the skin's brightness, by which the line over an open eye is darker: from none of it to all
_WING = 0.14  # eye distances beyond the outer corner that lashes may reach


def take_lid_skin(image: np.ndarray, upper, lower, brow, oval, unit: float, slope: np.ndarray) -> LidSkin:
    """Take an upper lid from a picture and make the skin that an open eye hides.

    Parameters
    ----------
    image : uint8 [H, W, 3]
    upper, lower : float [n, 3]
        The edges of the lids, pixels, from the outer corner to the inner one.
    brow : float [m, 2]
        The lower edge of the brow, pixels.
    oval : float [m, 2]
        The outline of the face, pixels.
    unit : float
        Eye distance, pixels.
    slope : float64 [3]
        Of the light, see `animate.renderer.light.Light`.
    """
    start, axis, heights = straightened(upper[:, :2], lower[:, :2])
    outer_first = bool(upper[0, 0] < upper[-1, 0])
    corners = upper[[0, -1]] if outer_first else upper[[-1, 0]]
    length = float(np.hypot(*(corners[1] - corners[0])[:2]))
    beside, down = int(np.ceil(_BESIDE * unit)), np.array([-axis[1], axis[0]])
    along = np.arange(-beside, int(length) + beside + 2, dtype=float)
    below = np.arange(np.floor(heights[0].min() - _ABOVE * unit), np.ceil(heights[1].max() + _BELOW * unit) + 1)
    own = colours_at(image, start + along[None, :, None] * axis + below[:, None, None] * down, cv2.INTER_CUBIC)

    edge, lower_edge = (np.interp(along, np.arange(len(height)), height) for height in heights)
    order = np.argsort((brow - start) @ axis)
    brow_edge = np.interp(along, ((brow - start) @ axis)[order], ((brow - start) @ down)[order])
    above, under = edge[None] - below[:, None], below[:, None] - lower_edge[None]  # [h, w]
    room = np.clip(edge - brow_edge - 0.05 * unit, 0.06 * unit, 0.2 * unit)
    split = np.minimum(room, _OVER_LASHES * unit)
    under_brow = _tones(own, (above > split - 0.02 * unit) & (above < room), _BRIGHTER, unit)
    cheek = _tones(own, (under > _LASHES * unit) & (under < _BELOW * unit), 50, unit)
    rest = _beyond_lids(own, under_brow, cheek, (above < 0) & (under < 0), unit)
    # Where the white of the eye goes on above the landmarks, there is the lid's edge.
    raised = ((rest > 0.5) & (above > 0)).sum(axis=0)[None].astype(np.float32)
    edge = edge - cv2.GaussianBlur(raised, (0, 0), 0.04 * unit)[0]
    own = _rounded(own + rest[..., None] * (np.where(above[..., None] > 0, under_brow, cheek) - own))
    above, outside = edge[None] - below[:, None], np.maximum(-along, along - length)
    skin = (above > np.maximum(_LASHES * unit, _STAYS * room)) | (under > _LASHES * unit) | (outside > _CORNER * unit)
    outline = np.column_stack([(oval - start) @ axis - along[0], (oval - start) @ down - below[0]])
    face = cv2.fillPoly(np.zeros(skin.shape, np.uint8), [np.round(outline).astype(np.int32)], 1) > 0
    tone = tone_around(own, skin & face & (rest < 0.1), unit)
    rest = np.maximum(rest, _open_line(own, tone, above, unit) * np.clip(1 - outside / (0.1 * unit), 0, 1))

    middle = (heights[0].min() + heights[1].max()) / 2
    smooth = light_lid(tone, along - length / 2, below - middle, slope, unit)
    inside = np.flatnonzero((along > 0) & (along < length))
    lashes = _lash_shade(own[:, inside], smooth[:, inside], above[:, inside], unit)
    rows = lower_edge[inside] + np.arange(*(unit * np.array(_PATCH)))[:, None]
    from_outer = np.s_[:, :: 1 if outer_first else -1]  # a mirrored picture gives the mirrored lid
    patch = colours_at(image, start + along[inside, None] * axis + rows[..., None] * down, cv2.INTER_CUBIC)[from_outer]
    smooth *= 1 + roughness_like(patch, *own.shape[:2], unit)[from_outer]
    smooth = _rounded(np.dstack([smooth, 255 * rest]))
    wing = min(_WING * unit, 0.6 * float(np.hypot(*(oval - upper[0, :2]).T).min()))
    left, top = float(along[0]), float(below[0])
    return LidSkin(double(own), double(smooth), lashes, left, top, edge, room, length, outer_first, wing, corners, unit)


def _open_line(own: np.ndarray, tone: np.ndarray, above: np.ndarray, unit: float) -> np.ndarray:
    """Return how much of each pixel is of the dark line over an open eye, float32 [h, w] of 0-1."""
    darker = 1 - own.astype(np.float32).mean(axis=2) / np.maximum(tone.mean(axis=2), 1)
    dark = cv2.dilate(np.clip((darker - _DARK[0]) / (_DARK[1] - _DARK[0]), 0, 1), np.ones((3, 3), np.uint8))
    near = np.clip(above / (_LASHES * unit), 0, 1) * np.clip((_OVER_LASHES - above / unit) / 0.03, 0, 1)
    return cv2.GaussianBlur(dark, (0, 0), 0.01 * unit + 0.4) * near.astype(np.float32)


def _tones(own: np.ndarray, skin: np.ndarray, percentile: float, unit: float) -> np.ndarray:
    """Return the colour of the skin at a percentile of its brightness for each column, float32 [w, 3], evened out."""
    luma = own.astype(np.float32).mean(axis=2)
    tones = np.empty((own.shape[1], 3), np.float32)
    reach = max(1, int(0.06 * unit))
    for column in range(own.shape[1]):
        part = np.s_[:, max(0, column - reach) : column + reach + 1]
        members = skin[part] if skin[part].any() else np.ones_like(skin[part])
        off = np.abs(luma[part][members] - np.percentile(luma[part][members], percentile))
        tones[column] = own[part][members][off <= np.percentile(off, 35)].mean(axis=0)
    return cv2.GaussianBlur(tones[None], (0, 0), 0.1 * unit, borderType=cv2.BORDER_REPLICATE)[0]


def _beyond_lids(own: np.ndarray, above: np.ndarray, below: np.ndarray, inside: np.ndarray, unit: float) -> np.ndarray:
    """Return how much of each pixel outside the landmarks' opening is white of the eye, float32 [h, w] of 0-1.

    `above` and `below` are the colours of the skin over and under the eye for each column, float32 [w, 3].
    """
    if not inside.any():
        return np.zeros(inside.shape, np.float32)
    luma = own.astype(np.float32).mean(axis=2)
    white = np.median(own[inside & (luma >= np.percentile(luma[inside], 65))], axis=0)
    like = np.ones(luma.shape, bool)
    for skin in (above, below):
        brighter = white.mean() - skin.mean(axis=1)
        like &= (brighter > _CLEAR) & (luma > white.mean() - 0.5 * brighter)
        like &= np.linalg.norm(own - white, axis=2) < np.linalg.norm(own - skin, axis=2)
    near = cv2.dilate(inside.astype(np.uint8), np.ones((2 * int(_REST * unit) + 1,) * 2, np.uint8)) > 0
    _, labels = cv2.connectedComponents((like & near | inside).astype(np.uint8))
    beyond = (labels == np.bincount(labels[inside]).argmax()) & ~inside
    size = 2 * round(0.015 * unit) + 1
    return cv2.GaussianBlur(cv2.dilate(beyond.astype(np.float32), np.ones((size, size))), (0, 0), 0.01 * unit + 0.4)


def _lash_shade(own: np.ndarray, smooth: np.ndarray, above: np.ndarray, unit: float) -> np.ndarray:
    """Return the share of the light, float64 [3], that the darkest of what lies on the lid's edge takes."""
    line = (above > 0) & (above < max(1.5, _LASHES * unit))
    colours, skin = own[line].astype(float), smooth[line].astype(float)
    dark = colours.mean(axis=1) <= np.percentile(colours.mean(axis=1), 25)
    return np.clip(1 - colours[dark].mean(axis=0) / np.maximum(skin[dark].mean(axis=0), 1), _FAINTEST, _DARKEST)


def _rounded(values: np.ndarray) -> np.ndarray:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)
