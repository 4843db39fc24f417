"""The skin of an upper lid that comes down: its lashes slide with it, and hidden skin unrolls from the crease."""

from dataclasses import dataclass

import numpy as np

from animate.easing import smoothstep
from animate.renderer.compiled import compiled
from animate.renderer.sampling import sample

# Eye distances.
_STRIP = 0.03, 0.07  # above the edge, where what slides with it passes into the skin that unrolls
_LINE = 0.018  # from the middle of the line of lashes to 37 % of its strength
_SETS_IN = 0.05  # of travel, and from the corners, until the lid takes the place of the picture's own
_SOFT = 0.1  # from the corners, until it does over the skin above the eye

# Shares of the room between lid and brow where that passes into the skin that stays, and up to which the picture is
# held still, because there the mesh would stretch it.
_CREASE = 0.25, 0.75, 1.0
_FOLD = 0.5  # of the picture's own crease that a shut lid smooths


@dataclass(frozen=True, eq=False)
class LidSkin:
    """Textures of one upper lid, upright: the line from corner to corner of the eye runs along their rows.

    Attributes
    ----------
    own : uint8 [2 h, 2 w, 3]
        The picture at twice its size, without the eye above the lid's edge.
    smooth : uint8 [2 h, 2 w, 4]
        The skin that unrolls; its alpha is 255 where a piece of the eye, or of the line over the open eye, lies beyond
        the edges that landmarks give the lids: a lid that passes there hides it too.
    lashes : float64 [3]
        Share of the light that the line of the lashes takes of red, green and blue.
    left, top : float
        Where their corner lies along and below that line, pixels.
    edge : float64 [M]
        Height of the open lid over the line, once per pixel, positive downwards; `left` pixels before its start.
    room : float64 [M]
        Height over that edge which is free of the brow, pixels.
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
    room: np.ndarray
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
            The lid's edge in this frame, pixels, from the picture's left to its right.
        matrix, offset : float64 [2, 3], [2]
            Motion of what is around, as `HeadMotion.near` gives it.
        upright : float
            Height of the eye in this frame as a share of that in the picture: less where the head nods.
        shut : float
            0 for an eye that is open as in the picture to 1 for a shut one.
        light : float
            How much brighter the skin is than in the picture.
        """
        start, end = self.corners @ matrix.T + offset
        length = max(1e-3, float(np.hypot(*(end - start))))
        axis = (end - start) / length
        wide = self.length / length
        along = np.arange(len(self.edge)) + self.left
        places, heights = (upper - start) @ axis * wide, (upper - start) @ [-axis[1], axis[0]] / upright
        travel = np.maximum(np.interp(along, places, heights) - self.edge, 0)
        from_outer = along if self.outer_first else self.length - along
        from_inner, sets_in = self.length - from_outer, _SETS_IN * self.unit
        cover = np.minimum(from_inner, travel) / (sets_in * (1 - 0.6 * shut))
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
        columns = np.stack([self.edge, travel, cover, beside, slides, lashes, self.room])
        shape = np.array([self.left, self.top, wide, 1 / upright, light, shut**2])
        lengths = np.array([*(self.unit * np.array(_STRIP)), max(0.8, _LINE * self.unit)])
        _draw(frame, self.own, self.smooth, self.lashes, start, axis, columns, shape, lengths)


@compiled
def _draw(frame, own, smooth, lashes, start, axis, columns, shape, lengths):
    """Draw a lid into `frame`; `own`, `smooth` and `lashes` are those of `LidSkin`.

    Parameters
    ----------
    start, axis : float64 [2]
        The left corner of the eye in the frame, pixels, and the unit vector to the other.
    columns : float64 [7, M]
        Along the line between them, once per pixel of the picture: height of the open lid, how far it has come down,
        how much of it is drawn, and of it over the skin above the eye, how much slides, strength of the lashes, and
        room up to the brow.
    shape : float64 [6]
        Where the textures begin along and below the line; pixels of the picture per pixel of the frame along it, and
        below it; light; how much is drawn of what hides pieces of the eye beyond the lids.
    lengths : float64 [3]
        `_STRIP` and `_LINE`, pixels.
    """
    left, top, wide, high, light, shut = shape
    strip, strip_end, line = lengths
    crease, crease_end, still_end = _CREASE
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
            gone = max(shut, _ease(0.7 * travel / strip)) if above > 0 else shut
            rest = gone * smooth[int(v), int(u), 3] / 255
            over_room = over_open / columns[6, i]
            if over_room > still_end or (above < -2.5 * line and rest == 0):
                continue
            cover = columns[2, i] * min(1.0, max(0.0, above / high + 0.5))
            cover *= 1 - (1 - columns[3, i]) * _ease(over_open / strip_end - 0.25)
            cover = max(rest, cover * (1 - _ease((over_room - crease_end) / (still_end - crease_end))))
            lash = columns[5, i] * np.exp(-((above / line) ** 2)) if above < 2.5 * line else 0.0
            if cover < 0.004 and lash < 0.004:
                continue
            still = _ease((over_room - crease) / (crease_end - crease))
            still *= 1 - _FOLD * shut * (1 - _ease((over_room - crease_end) / (still_end - crease_end)))
            # The edge is half drawn in the pixel below it.
            slides = columns[4, i] * (1 - _ease((above - strip) / (strip_end - strip))) if above > -high else 0.0
            for k in range(3):
                colour = sample(smooth, u, v, k)
                if still > 0:
                    colour += still * (sample(own, u, v, k) - colour)
                if slides > 0:
                    lid = sample(own, u, max(0.0, v - 2 * (travel + 0.7 * high)), k)
                    # What of the eye the landmarks left above the edge does not slide down with a shut lid.
                    colour += slides * (lid - shut * max(0.0, lid - colour) - colour)
                old = np.float64(frame[y, x, k])
                new = (old + cover * (light * colour - old)) * (1 - lash * lashes[k])
                frame[y, x, k] = np.uint8(min(255.0, max(0.0, new)) + 0.5)


@compiled
def _ease(share):
    share = min(1.0, max(0.0, share))
    return share * share * (3 - 2 * share)
