"""Coordinates around an opening of the face: along lips or lids, and away from them."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Slit:
    """Where points lie relative to a slit in the face, in the head's frame (eye distances).

    Attributes
    ----------
    u : float64 [N]
        Place along the slit: -1 and 1 are its ends at the picture's left and right.
    v : float64 [N]
        Distance above (negative) the upper or below (positive) the lower edge.
    lower : bool [N]
        True for points that belong to the lower side.
    centre : float64 [3]
    half_width : float
    pair_u : float64 [n]
        `u` of the pairs of facing edge vertices, ascending; `upper` and `lower_edge` int [n] are their indices.
    """

    u: np.ndarray
    v: np.ndarray
    lower: np.ndarray
    centre: np.ndarray
    half_width: float
    pair_u: np.ndarray
    upper: np.ndarray
    lower_edge: np.ndarray

    @classmethod
    def between(cls, points: np.ndarray, upper: np.ndarray, lower: np.ndarray, apart: np.ndarray) -> "Slit":
        """Place `points` float64 [N, 3] around the slit between two edges (indices that face each other).

        `apart` float64 [N, 3] is where the points are in the picture, which tells what lies above and what below,
        also where a closed slit leaves them no room.
        """
        if points[upper[0], 0] > points[upper[-1], 0]:
            upper, lower = upper[::-1], lower[::-1]
        centre = points[upper[[0, -1]]].mean(axis=0)
        half_width = (points[upper[-1], 0] - points[upper[0], 0]) / 2
        pair_u = np.maximum.accumulate(((points[upper, 0] + points[lower, 0]) / 2 - centre[0]) / half_width)
        u = (points[:, 0] - centre[0]) / half_width
        upper_y, lower_y = np.interp(u, pair_u, points[upper, 1]), np.interp(u, pair_u, points[lower, 1])
        middle = (apart[upper] + apart[lower]) / 2
        is_lower = apart[:, 1] > np.interp(apart[:, 0], np.maximum.accumulate(middle[:, 0]), middle[:, 1])
        v = np.where(is_lower, np.maximum(points[:, 1] - lower_y, 0), np.minimum(points[:, 1] - upper_y, 0))
        for edge, side in ((upper, False), (lower, True)):
            # Facing vertices share one u, so that what closes a slit closes it everywhere exactly.
            u[edge], v[edge], is_lower[edge] = pair_u, 0.0, side
        return cls(u, v, is_lower, centre, half_width, pair_u, upper, lower)

    def along(self, values: np.ndarray) -> np.ndarray:
        """Spread vectors [n, 3] given at the pairs to all points, float64 [N, 3]; zero beyond the ends."""
        spread = np.column_stack([np.interp(self.u, self.pair_u, column) for column in values.T])
        return spread * (np.abs(self.u) <= 1)[:, None]

    @property
    def profile(self) -> np.ndarray:
        """The shape of an opening, float64 [N]: 1 in the middle, 0 at the ends and beyond."""
        return np.clip(1 - self.u**2, 0, 1) ** 0.5

    def falloff(self, reach: float, lower: bool, rim: float = 0.0) -> np.ndarray:
        """Return 1 on one edge and its rim, falling smoothly to 0 `reach` eye distances away; 0 on the other side."""
        beyond = np.maximum(np.abs(self.v) - rim, 0) / (reach - rim)
        return np.where(self.lower == lower, np.clip(1 - beyond, 0, 1) ** 1.5, 0)

    def lower_share(self, softness: float) -> np.ndarray:
        """Return float64 [N]: 0 above and 1 below the slit, cut along it and soft beyond its ends."""
        side = np.where(self.lower, 1.0, -1.0)
        spread = softness + 0.45 * self.half_width * np.maximum(np.abs(self.u) - 1, 0)
        around = self.v / np.hypot(self.v, spread)
        return 0.5 + 0.5 * (side * self.profile + (1 - self.profile) * around)
