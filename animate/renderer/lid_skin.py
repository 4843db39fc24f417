"""The skin of an upper lid that comes down: its lashes slide with it, and smooth skin unrolls from the crease."""

from dataclasses import dataclass

import cv2
import numpy as np

from animate.easing import smoothstep
from animate.renderer.compiled import compiled
from animate.renderer.grain import with_grain
from animate.renderer.opening import straightened
from animate.renderer.sampling import double

_BESIDE, _ABOVE, _BELOW = 0.16, 0.23, 0.12  # eye distances around the opening that the textures show
_LASHES = 0.04  # eye distances above the edge that hold lashes and their shadow
_STRIP = 0.03, 0.07  # eye distances over which what slides with the edge passes into what unrolls
# Eye distances above the open lid over which the unrolled skin passes into that which stays, and up to which the picture
# is held still: there the mesh would stretch it.
_CREASE = 0.05, 0.16, 0.22
_BRIGHTER = 80  # percentile of the skin between lashes and brow: a shut lid lies in the light, out of its fold
_LINE = 0.018  # eye distances from the middle of the line of lashes to 37 % of its strength
_FAINTEST, _DARKEST = 0.25, 0.75  # share of the light that it takes
_REST = 0.1  # eye distances beyond the lids in which pieces of the eye may lie
_CLEAR = 25.0  # of 255, by which white must outshine the skin to be told from it
_COARSEST = 3.0  # of 255, standard deviation of its grain
_WING = 0.14  # eye distances beyond the outer corner that lashes may reach
_SOFT = 0.08  # eye distances
_SETS_IN = 0.05  # eye distances of travel, and from the corners, over which it takes the place of the picture's own lid


@dataclass(frozen=True, eq=False)
class LidSkin:
    """Textures of one upper lid, upright: the line from corner to corner of the eye runs along their rows.

    Attributes
    ----------
    own : uint8 [2 h, 2 w, 3]
        The picture at twice its size.
    smooth : uint8 [2 h, 2 w, 4]
        The skin that unrolls; its alpha is 255 where a piece of the eye lies beyond the edges that landmarks give the
        lids, which a shut lid hides too.
    lashes : float64 [3]
        Share of the light that the line of the lashes takes of red, green and blue.
    left, top : float
        Where their corner lies along and below that line, pixels.
    edge : float64 [M]
        Height of the open lid over the line, once per pixel, positive downwards; `left` pixels before its start.
    length : float
        From corner to corner, pixels.
    outer_first : bool
        Whether the outer corner is the left one in the picture.
    wing : float
        Pixels beyond the outer corner that lashes may reach.
    corners : float64 [2, 3]
        The ends of that line, as `FaceMesh.vertices` are given; left first.
    unit : float
        Eye distance, pixels.
    """

    own: np.ndarray
    smooth: np.ndarray
    lashes: np.ndarray
    left: float
    top: float
    edge: np.ndarray
    length: float
    outer_first: bool
    wing: float
    corners: np.ndarray
    unit: float

    def draw(
        self, frame: np.ndarray, upper: np.ndarray, matrix, offset, upright: float, shut: float, light: float
    ) -> None:
        """Draw the lid over the eye as far as it has come down, into `frame` uint8 [H, W, 3].

        Parameters
        ----------
        upper : float [n, 2]
            The lid's edge in this frame, pixels.
        matrix, offset : float64 [3, 3], [3]
            Motion of the head, as `head_transform` gives it.
        upright : float
            Height of the eye in this frame as a share of that in the picture: less where the head nods.
        shut : float
            0 for an eye that is open as in the picture to 1 for a shut one.
        light : float
            How much brighter the skin is than in the picture.
        """
        start, end = (self.corners @ matrix.T + offset)[:, :2]
        length = max(1e-3, float(np.hypot(*(end - start))))
        axis = (end - start) / length
        wide = self.length / length
        along = np.arange(len(self.edge)) + self.left
        places, heights = _ascending((upper - start) @ axis * wide, (upper - start) @ [-axis[1], axis[0]] / upright)
        travel = np.maximum(np.interp(along, places, heights) - self.edge, 0)
        from_outer = along if self.outer_first else self.length - along
        from_inner, sets_in = self.length - from_outer, _SETS_IN * self.unit
        cover = np.minimum(from_inner, travel) / (sets_in * (1 - 0.8 * shut))
        # Lashes that stick out beyond the outer corner sink with the lid.
        wing = shut * np.clip(1 - np.abs(from_outer) / self.wing, 0, 1)
        cover = smoothstep(np.maximum(np.where(from_outer < 0, 0, cover), wing)) * min(1.0, 5 * shut)
        # Over the skin beside the eye it ends softly.
        soft = _SOFT * self.unit
        beside = smoothstep(np.minimum(from_inner / soft, np.maximum(from_outer / soft, shut**2)))
        slides = 1 - shut * np.clip(1 - from_outer / (2 * sets_in), 0, 1)
        # The line of lashes is drawn as far as the edge was given, and fades to its ends.
        middle, half = (places[-1] + places[0]) / 2, (places[-1] - places[0]) / 2
        lashes = shut**2 * np.clip(1 - ((along - middle) / half) ** 4, 0, 1)
        columns = np.stack([self.edge, travel, cover, beside, slides, lashes])
        shape = np.array([self.left, self.top, wide, 1 / upright, light, shut**2])
        lengths = np.array([*(self.unit * np.array([*_STRIP, *_CREASE])), max(0.8, _LINE * self.unit)])
        _draw(frame, self.own, self.smooth, self.lashes, start, axis, columns, shape, lengths)


@compiled
def _draw(frame, own, smooth, lashes, start, axis, columns, shape, lengths):
    left, top, wide, high, light, shut = shape
    strip, strip_end, crease, crease_end, still_end, line = lengths
    last = columns.shape[1] - 1
    # The box of the four corners.
    x_low, x_high, y_low, y_high = 1e9, -1e9, 1e9, -1e9
    for a in (left, left + last - 1):
        for b in (top, top + own.shape[0] / 2):
            x = start[0] + axis[0] * a / wide - axis[1] * b / high
            y = start[1] + axis[1] * a / wide + axis[0] * b / high
            x_low, x_high, y_low, y_high = min(x_low, x), max(x_high, x), min(y_low, y), max(y_high, y)
    for y in range(max(0, int(y_low)), min(frame.shape[0] - 1, int(y_high) + 1) + 1):
        for x in range(max(0, int(x_low)), min(frame.shape[1] - 1, int(x_high) + 1) + 1):
            dx, dy = x - start[0], y - start[1]
            a, b = (dx * axis[0] + dy * axis[1]) * wide, (dy * axis[0] - dx * axis[1]) * high
            place = a - left
            u, v = 2 * place, 2 * (b - top)
            if place < 0 or place >= last or v < 0 or v >= own.shape[0] - 1:
                continue
            i = int(place)
            f = place - i
            over_open = columns[0, i] * (1 - f) + columns[0, i + 1] * f - b  # height over the lid of the picture
            travel = columns[1, i] * (1 - f) + columns[1, i + 1] * f
            above = over_open + travel + 0.7 * high  # the edge in this frame, with what its jagged triangles cover
            rest = shut * smooth[int(v), int(u), 3] / 255
            if over_open > still_end or (above < -2.5 * line and rest == 0):
                continue
            cover = columns[2, i] * min(1.0, max(0.0, above / high + 0.5))
            cover *= 1 - (1 - columns[3, i]) * _ease(over_open / strip_end - 0.25)
            cover = max(rest, cover * (1 - _ease((over_open - crease_end) / (still_end - crease_end))))
            lash = columns[5, i] * np.exp(-((above / line) ** 2))
            if cover < 0.004 and lash < 0.004:
                continue
            still = _ease((over_open - crease) / (crease_end - crease))
            slides = columns[4, i] * (1 - _ease((above - strip) / (strip_end - strip))) if above > 0 else 0.0
            for k in range(3):
                colour = _sample(smooth, u, v, k)
                if still > 0:
                    colour += still * (_sample(own, u, v, k) - colour)
                if slides > 0:
                    colour += slides * (_sample(own, u, max(0.0, v - 2 * (travel + 0.7 * high)), k) - colour)
                old = np.float64(frame[y, x, k])
                new = (old + cover * (light * colour - old)) * (1 - lash * lashes[k])
                frame[y, x, k] = np.uint8(min(255.0, max(0.0, new)) + 0.5)


@compiled
def _ease(share):
    share = min(1.0, max(0.0, share))
    return share * share * (3 - 2 * share)


@compiled
def _sample(texture, x, y, k):
    i, j = int(x), int(y)
    f, g = x - i, y - j
    first = texture[j, i, k] * (1 - f) + texture[j, i + 1, k] * f
    second = texture[j + 1, i, k] * (1 - f) + texture[j + 1, i + 1, k] * f
    return first * (1 - g) + second * g


def take_lid_skin(image: np.ndarray, upper, lower, brow, oval, unit: float, grain: np.ndarray) -> LidSkin:
    """Take an upper lid from a picture and make the skin that an open eye hides.

    Parameters
    ----------
    image : uint8 [H, W, 3]
    upper, lower : float [n, 3]
        The edges of the lids, pixels.
    brow : float [m, 2]
        The lower edge of the brow, pixels.
    oval : float [m, 2]
        The outline of the face, pixels.
    unit : float
        Eye distance, pixels.
    grain : float32 [s, s, 3]
        Of the picture, see `animate.renderer.grain`.
    """
    start, axis, heights = straightened(upper[:, :2], lower[:, :2])
    outer_first = bool(upper[0, 0] < upper[-1, 0])
    corners = upper[[0, -1]] if outer_first else upper[[-1, 0]]
    length = float(np.hypot(*(corners[1] - corners[0])[:2]))
    beside = int(np.ceil(_BESIDE * unit))
    along = np.arange(-beside, int(length) + beside + 2, dtype=float)
    edge = np.interp(along, np.arange(len(heights[0])), heights[0])
    top = np.floor(edge.min() - _ABOVE * unit)
    below = np.arange(top, np.ceil(heights[1].max() + _BELOW * unit) + 1)
    down = np.array([-axis[1], axis[0]])
    places = start + along[None, :, None] * axis + below[:, None, None] * down
    own = cv2.remap(image, places.astype(np.float32), None, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)

    brow_edge = np.interp(along, *_ascending((brow - start) @ axis, (brow - start) @ down))
    upper_edge, lower_edge = edge, np.interp(along, np.arange(len(heights[1])), heights[1])
    above, under = upper_edge[None] - below[:, None], below[:, None] - lower_edge[None]  # [h, w]
    room = np.clip(edge - brow_edge - 0.05 * unit, 0.06 * unit, 0.2 * unit)
    split = np.minimum(room, 0.1 * unit)
    under_brow = _tones(own, (above > split - 0.02 * unit) & (above < room), unit, _BRIGHTER)
    cheek = _tones(own, (under > _LASHES * unit) & (under < _BELOW * unit), unit, 50)
    rest = _beyond_lids(own, under_brow, cheek, (above < 0) & (under < 0), unit)
    # Where the white goes on over the landmarks' edge, there is the lid's edge.
    edge = edge - cv2.GaussianBlur(((rest > 0.5) & (above > 0)).sum(axis=0)[None].astype(float), (0, 0), 0.04 * unit)[0]
    above = edge[None] - below[:, None]
    own = own + rest[..., None] * (np.where(above[..., None] > 0, under_brow, cheek) - own)
    # The skin that unrolls goes from the colour under the brow to that over the lashes.
    over_lashes = _tones(own, (above > _LASHES * unit) & (above < split), unit, _BRIGHTER)
    smooth = over_lashes + np.clip(above / (0.15 * unit), 0, 1)[..., None] * (under_brow - over_lashes)
    smooth += np.clip(under / (_LASHES * unit) + 0.5, 0, 1)[..., None] * (cheek - smooth)
    lashes = _lash_shade(own, smooth, below, edge, np.flatnonzero((along > 0) & (along < length)), unit)
    outer = corners[0 if outer_first else 1, :2]
    wing = min(_WING * unit, 0.6 * float(np.hypot(*(oval - outer).T).min()))
    fine = grain - cv2.GaussianBlur(grain, (0, 0), max(0.7, 0.015 * unit), borderType=cv2.BORDER_REFLECT)  # no wrinkles
    fine *= min(1.0, _COARSEST / (float(fine.std()) + 1e-3))
    smooth = np.clip(np.round(np.dstack([smooth, 255 * rest])), 0, 255).astype(np.uint8)
    own, smooth = double(np.round(own).astype(np.uint8)), double(with_grain(smooth, fine))
    return LidSkin(own, smooth, lashes, float(along[0]), float(top), edge, length, outer_first, wing, corners, unit)


def _lash_shade(own, smooth: np.ndarray, below: np.ndarray, edge: np.ndarray, columns, unit: float) -> np.ndarray:
    """Return the share of the light, float64 [3], that the darkest line at the edge of the open lid takes."""
    above = (edge[None] - below[:, None])[:, columns]
    line = (above > 0) & (above < max(1.5, _LASHES * unit))
    colours, skin = own[:, columns][line].astype(float), smooth[:, columns][line]
    dark = colours.mean(axis=1) <= np.percentile(colours.mean(axis=1), 25)
    return np.clip(1 - colours[dark].mean(axis=0) / np.maximum(skin[dark].mean(axis=0), 1), _FAINTEST, _DARKEST)


def _beyond_lids(own: np.ndarray, above: np.ndarray, below: np.ndarray, inside: np.ndarray, unit: float) -> np.ndarray:
    """Return how much of each pixel outside the landmarks' opening is white of the eye, float32 [h, w] of 0-1.

    `above` and `below` are the colours of the skin over and under the eye for each column, float32 [w, 3].
    """
    luma = own.astype(np.float32).mean(axis=2)
    white = np.median(own[inside & (luma >= np.percentile(luma[inside], 65))], axis=0)
    like = np.ones(luma.shape, bool)
    for skin in (above, below):
        brighter = white.mean() - skin.mean(axis=1)
        like &= (brighter > _CLEAR) & (luma > white.mean() - 0.5 * brighter)
        like &= np.linalg.norm(own - white, axis=2) < np.linalg.norm(own - skin, axis=2)
    near = cv2.dilate(inside.astype(np.uint8), np.ones((2 * int(_REST * unit) + 1,) * 2, np.uint8))
    _, labels = cv2.connectedComponents((like & (near > 0) | inside).astype(np.uint8))
    connected = (labels == np.bincount(labels[inside]).argmax()) & ~inside
    size = 2 * round(0.015 * unit) + 1
    return cv2.GaussianBlur(cv2.dilate(connected.astype(np.float32), np.ones((size, size))), (0, 0), 0.01 * unit + 0.4)


def _tones(own: np.ndarray, skin: np.ndarray, unit: float, percentile: float) -> np.ndarray:
    """Return the colour of the skin of every column at a percentile of its brightness, float32 [w, 3], evened out along the lid."""
    luma = own.astype(np.float32).mean(axis=2)
    tones = np.empty((own.shape[1], 3), np.float32)
    reach = max(1, int(0.06 * unit))
    for column in range(own.shape[1]):
        part = np.s_[:, max(0, column - reach) : column + reach + 1]
        members, light = own[part][skin[part]], luma[part][skin[part]]
        off = np.abs(light - np.percentile(light, percentile))
        tones[column] = members[off <= np.percentile(off, 35)].mean(axis=0)
    return cv2.GaussianBlur(tones[None], (0, 0), 0.1 * unit, borderType=cv2.BORDER_REPLICATE)[0]


def _ascending(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    order = np.argsort(x)
    return x[order], y[order]
