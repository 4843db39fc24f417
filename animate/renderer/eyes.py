"""Eyeballs: the irises move behind the lids."""

from dataclasses import dataclass

import cv2
import numpy as np

from animate.channels import INDEX
from animate.renderer.backdrop import diffuse_fill
from animate.renderer.head import HeadFrame, plane_inverse
from animate.renderer.mesh import PortraitMesh
from animate.renderer.opening import find_opening, straightened
from animate.renderer.raster import blend_into, darken_along
from animate.topology import IRIS_LEFT, IRIS_RIGHT
from animate.types import Portrait

# Travel of the iris at a channel value of 1: a 12 mm eyeball turned by about 30 degrees sideways and 25 up or down.
_LASHES = 0.5  # share of the light that closed lashes take
_LID_SHADE = 0.35  # share of the light that the upper lid keeps from the top of the eyeball
_TRAVEL_X, _TRAVEL_Y = 0.095, 0.075  # eye distances


@dataclass(frozen=True, eq=False)
class Eye:
    """One eyeball, as it would look without lids.

    Attributes
    ----------
    side : str
        "Right" or "Left".
    texture : uint8 [h, w, 3]
        With its corner at `left`, `top` of the picture.
    centre : float64 [3]
        Of the iris, pixels; `radius` likewise.
    open_height : float
        Mean distance between the lids in the picture, pixels.
    """

    side: str
    texture: np.ndarray
    left: int
    top: int
    centre: np.ndarray
    radius: float
    open_height: float

    def draw(self, frame: np.ndarray, row: np.ndarray, upper, lower, matrix, offset, head: HeadFrame) -> None:
        """Draw the eyeball between the lids into `frame`.

        Parameters
        ----------
        frame : uint8 [H, W, 3]
            Changed in place.
        row : float32 [58]
        upper, lower : float32 [n, 2]
            Edges of the lids in this frame, pixels.
        matrix, offset : float64 [3, 3], [3]
            Motion of the head, as `head_transform` gives it.
        head : HeadFrame
        """
        self._draw_eyeball(frame, row, upper, lower, matrix, offset, head)
        start, axis, heights = straightened(upper, lower)
        open_share = float(np.clip(np.mean(heights[1] - heights[0]) / self.open_height, 0, 1))
        closing = max(0.0, 1 - open_share / 0.8)
        if closing > 0:
            # Where the lids meet, lashes lie in a line; it also hides the cut between the lids.
            edge = np.minimum(heights[0], heights[1] + 0.02 * head.unit)
            darken_along(frame, start, axis, edge, max(0.8, 0.016 * head.unit), _LASHES * closing)

    def _draw_eyeball(self, frame, row, upper, lower, matrix, offset, head: HeadFrame) -> None:
        softness = max(1.0, 0.012 * head.unit)
        gaze = self._gaze(row, head)
        # The rim of the eye that moves with the lids shows a piece of the iris: it goes as soon as the iris does.
        aside = min(1.0, float(np.hypot(*gaze)) / (0.4 * _TRAVEL_Y * head.unit))
        opening = find_opening(upper, lower, frame.shape[1::-1], _inset(head.unit) * (1 - aside), softness)
        if opening is None:
            return
        height, width = opening.coverage.shape
        x, y = np.meshgrid(
            np.arange(width, dtype=np.float32) + opening.left, np.arange(height, dtype=np.float32) + opening.top
        )
        inverse = plane_inverse(matrix)
        shift = matrix[:2, 2] * self.centre[2] + offset[:2]
        rest_x = inverse[0, 0] * (x - shift[0]) + inverse[0, 1] * (y - shift[1])
        rest_y = inverse[1, 0] * (x - shift[0]) + inverse[1, 1] * (y - shift[1])
        away = np.hypot(rest_x - self.centre[0] - gaze[0], rest_y - self.centre[1] - gaze[1]) / self.radius
        share = np.clip((2.6 - away) / 1.4, 0, 1)
        share = share * share * (3 - 2 * share)
        map_x, map_y = rest_x - gaze[0] * share - self.left, rest_y - gaze[1] * share - self.top
        layer = cv2.remap(
            self.texture,
            map_x.astype(np.float32),
            map_y.astype(np.float32),
            cv2.INTER_CUBIC,
            borderMode=cv2.BORDER_REPLICATE,
        )
        blend_into(frame, opening.left, opening.top, layer, opening.coverage)

    def _gaze(self, row: np.ndarray, head: HeadFrame) -> np.ndarray:
        outward = row[INDEX["eyeLookOut" + self.side]] - row[INDEX["eyeLookIn" + self.side]]
        down = row[INDEX["eyeLookDown" + self.side]] - row[INDEX["eyeLookUp" + self.side]]
        x = float(np.clip(outward, -1, 1)) * _TRAVEL_X * (1 if self.side == "Left" else -1)
        return head.vectors_to_picture(np.array([x, float(np.clip(down, -1, 1)) * _TRAVEL_Y, 0.0]))[:2]


def build_eye(portrait: Portrait, mesh: PortraitMesh, head: HeadFrame, side: str) -> Eye:
    """Take an eyeball from the picture and complete what the lids hide.

    The hidden part of the iris is mirrored from the visible one, the white is spread smoothly.
    """
    upper, lower = (mesh.rest[chain, :2] for chain in mesh.openings["eye" + side])
    iris = portrait.face.vertices[list(IRIS_RIGHT if side == "Right" else IRIS_LEFT)].astype(np.float64)
    centre = iris[0]
    outline = np.concatenate([upper, lower[::-1]])
    margin = 0.22 * head.unit + 2
    left, top = np.maximum(np.floor(outline.min(axis=0) - margin), 0).astype(int)
    right, bottom = np.ceil(outline.max(axis=0) + margin).astype(int)
    crop = portrait.image[top:bottom, left:right]

    seen = np.zeros(crop.shape[:2], np.uint8)
    cv2.fillPoly(seen, [np.round((outline - (left, top)) * 16).astype(np.int32)], 1, cv2.LINE_8, 4)
    y, x = np.mgrid[: crop.shape[0], : crop.shape[1]]
    expected = float(np.hypot(*(iris[1:, :2] - iris[0, :2]).T).mean())
    (centre[0], centre[1], radius) = _find_iris(crop, seen, centre[:2] - (left, top), expected) + (left, top, 0)
    away = np.hypot(x + left - centre[0], y + top - centre[1]) / radius
    size = 2 * int(np.ceil(_inset(head.unit))) + 1
    clean = cv2.erode(seen, np.ones((size, size), np.uint8)) > 0
    texture = _complete(crop, seen > 0, clean, away, centre - (left, top, 0))
    heights = straightened(upper, lower)[2]
    open_height = max(0.5, float(np.mean(heights[1] - heights[0])))
    return Eye(side, texture, int(left), int(top), centre, radius, open_height)


def _find_iris(crop: np.ndarray, seen: np.ndarray, centre: np.ndarray, radius: float) -> np.ndarray:
    """Move the circle given by the landmarks to where the picture turns from iris to white.

    Daugman's (1993) integro-differential operator over the two sides of the iris that the lids leave free.

    Returns
    -------
    float64 [3]
        x, y and radius, pixels; the circle as it came where no other one is clearly better.
    """
    angles = np.radians(np.linspace(-40, 40, 9))
    rays = np.concatenate([np.column_stack([np.cos(angles), np.sin(angles)]) * side for side in (-1, 1)])  # [18, 2]
    shifts_x, shifts_y, scales = np.linspace(-0.35, 0.35, 8), np.linspace(-0.2, 0.2, 5), np.linspace(0.85, 1.45, 13)
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


def _complete(crop, seen, clean, away, centre) -> np.ndarray:
    light = crop.mean(axis=2)
    white = clean & (away > 1.15)
    if white.any():
        white &= light >= np.median(light[white])  # not the lashes and their shadow
    white = diffuse_fill(crop, white) if white.any() else crop.astype(np.float32)
    in_iris = clean & (away < 0.95)
    if not in_iris.any():
        return crop.copy()
    iris = diffuse_fill(crop, in_iris)
    y, x = np.mgrid[: crop.shape[0], : crop.shape[1]].astype(np.float32)
    mirror_y = np.float32(2 * centre[1]) - y
    mirrored = cv2.remap(crop, x, mirror_y, cv2.INTER_LINEAR).astype(np.float32)
    usable = cv2.remap(clean.astype(np.float32), x, mirror_y, cv2.INTER_LINEAR)[..., None]
    iris = iris + (mirrored - iris) * usable
    share = np.clip((1.08 - away) / 0.16, 0, 1)[..., None]
    shade = 1 - _LID_SHADE * np.clip((centre[1] - y) / (0.5 * centre[1]), 0, 1)[..., None]
    filled = (white + (iris - white) * share) * shade
    return np.where(seen[..., None], crop, np.clip(np.round(filled), 0, 255).astype(np.uint8))


def _inset(unit: float) -> float:
    """Return how many pixels of the eye next to the lids belong to the lashes and move with the lid."""
    return max(0.7, 0.012 * unit)
