"""Eyes: irises move under the lids, lids slide over the eyeball and meet in a line of lashes."""

from dataclasses import dataclass

import numpy as np

from animate.channels import INDEX
from animate.easing import smoothstep
from animate.renderer.compiled import compiled
from animate.renderer.controls import controls_from_row, lid_closure
from animate.renderer.eyeball import Eyeball, find_iris, take_eyeball
from animate.renderer.grain import take_grain
from animate.renderer.head import HeadFrame, plane_inverse
from animate.renderer.lid_skin import LidSkin
from animate.renderer.lid_texture import take_lid_skin
from animate.renderer.light import Light
from animate.renderer.mesh import PortraitMesh
from animate.renderer.opening import find_opening, straightened
from animate.renderer.sampling import sample
from animate.topology import BROW_LEFT_LOWER, BROW_RIGHT_LOWER, FACE_OVAL, IRIS_LEFT, IRIS_RIGHT
from animate.types import Portrait

# Travel of the iris at a channel value of 1: a 12 mm eyeball turned by about 30 degrees sideways and 25 up or down.
TRAVEL_X, TRAVEL_Y = 0.095, 0.075  # eye distances
_RUNS_OUT = 0.06  # eye distances that the line of a shut eye runs on beyond the outer corner
_BOWED = np.linspace(0.15, 1, 33)  # shares of the way from the outer corner to the inner one in which it is a parabola
_FIT_BOW = np.linalg.pinv(np.vander(_BOWED, 3))
_LID_SHADE = 0.4  # share of the light that a lid which comes down keeps from the eyeball under it
_ALIKE = 0.88  # of the other iris' radius; perspective makes less of a difference
_AS_PICTURED = 0.06  # of the opening: a turn of the head changes its height in the picture as much
_LIGHT_GOES = 0.5  # of the iris' way: the cornea is steeper than the eyeball
_STARTS = 0.012  # eye distances of gaze or lid over which the eyeball takes the place of the picture's own eye


@dataclass(frozen=True, eq=False)
class Eye:
    """One eye.

    Attributes
    ----------
    side : str
        "Right" or "Left".
    ball : Eyeball
    lid : LidSkin
        Of the upper lid.
    depth : float
        Of the iris, pixels, as in `FaceMesh.vertices`.
    open_height : float
        Mean distance between the lids in the picture, pixels.
    """

    side: str
    ball: Eyeball
    lid: LidSkin
    depth: float
    open_height: float

    def draw(
        self, frame: np.ndarray, row: np.ndarray, upper, lower, matrix, offset, head: HeadFrame, light: float
    ) -> None:
        """Draw the eyeball between the lids into `frame`.

        Parameters
        ----------
        frame : uint8 [H, W, 3]
            Changed in place.
        row : float32 [58]
        upper, lower : float32 [n, 2]
            Edges of the lids in this frame, pixels.
        matrix, offset : float64 [2, 3], [2]
            Motion of what is around, as `HeadMotion.near` gives it.
        head : HeadFrame
        light : float
            How much brighter the eye is than in the picture.
        """
        gaze = self._gaze(row, head)
        start, axis, heights = straightened(upper, lower)
        foreshortening = np.hypot(*(matrix @ head.axes[1])[:2]) / np.hypot(*head.axes[1, :2])
        open_share = float(np.clip(np.mean(heights[1] - heights[0]) / (self.open_height * foreshortening), 0, 2))
        opened = max(0.0, abs(open_share - 1) - _AS_PICTURED) * self.open_height
        stirred = (float(np.hypot(*gaze)) + opened) / (_STARTS * head.unit)
        if stirred > 0.02:
            self._draw_eyeball(frame, gaze, upper, lower, matrix, offset, head, min(1.0, stirred), open_share, light)
        closed = min(1.0, lid_closure(controls_from_row(row), self.side))
        if closed > 0:
            upper = self._edge(start, axis, heights, closed, head.unit)
            self.lid.draw(frame, upper, matrix, offset, foreshortening, min(1.0, closed / 0.8), light)

    def _edge(self, start, axis, heights, closed: float, unit: float) -> np.ndarray:
        """Return the edge of the upper lid, float64 [M, 2] px, from the picture's left to its right.

        That of a shut eye is one shallow bow, which runs out beyond the outer corner of the open eye.
        """
        beyond = int(_RUNS_OUT * unit * closed)
        to_right = 1 if self.side == "Right" else -1  # the outer corner of the right eye is the left one in the picture
        along = np.arange(-beyond, len(heights[0]))
        share = along / len(heights[0])  # 0 at the outer corner, 1 at the inner one
        places = np.arange(len(heights[0]))
        upper, lower = (np.interp(along, places, height[::to_right]) for height in heights)
        shut = np.maximum(upper, lower)
        inner = share > _BOWED[0]
        bow = np.polyval(_FIT_BOW @ np.interp(_BOWED, share, shut), share) - shut
        bow = np.where(inner, np.maximum(bow, 0), bow) * smoothstep((1 - share) / 0.25)
        upper = upper + closed**3 * bow
        from_left = along if to_right == 1 else len(heights[0]) - 1 - along
        edge = start + from_left[:, None] * axis + upper[:, None] * [-axis[1], axis[0]]
        return edge[::to_right]

    def _draw_eyeball(
        self, frame, gaze, upper, lower, matrix, offset, head, weight: float, open_share: float, light: float
    ) -> None:
        ball, softness = self.ball, max(1.0, 0.014 * head.unit)
        # The rim of the eye that moves with the lids shows a piece of the iris: it goes as soon as the iris does.
        aside = min(1.0, float(np.hypot(*gaze)) / (0.4 * TRAVEL_Y * head.unit))
        opening = find_opening(upper, lower, frame.shape[1::-1], lash_rim(head.unit) * (1 - aside), softness)
        if opening is None:
            return
        # From a pixel of the frame to the place in the picture, and from there to the textures.
        inverse = plane_inverse(matrix)
        start = inverse @ ([opening.left, opening.top] - matrix[:2, 2] * self.depth - offset[:2]) - (
            ball.left,
            ball.top,
        )
        centre = ball.centre - (ball.left, ball.top)
        shade = _LID_SHADE * max(0.0, 1 - open_share)
        lengths = np.array([ball.radius, 0.07 * head.unit, shade, light])
        part = frame[opening.top :, opening.left :]
        textures = ball.white, ball.iris, ball.light
        coverage = opening.coverage * np.float32(weight)
        _draw_ball(part, *textures, coverage, opening.below_upper, start, inverse, centre, gaze, lengths)

    def _gaze(self, row: np.ndarray, head: HeadFrame) -> np.ndarray:
        outward = row[INDEX["eyeLookOut" + self.side]] - row[INDEX["eyeLookIn" + self.side]]
        down = row[INDEX["eyeLookDown" + self.side]] - row[INDEX["eyeLookUp" + self.side]]
        x = float(np.clip(outward, -1, 1)) * TRAVEL_X * (1 if self.side == "Left" else -1)
        return head.vectors_to_picture(np.array([x, float(np.clip(down, -1, 1)) * TRAVEL_Y, 0.0]))[:2]


@compiled
def _draw_ball(part, white, iris, light, coverage, below_upper, start, step, centre, gaze, lengths):
    """Draw an eyeball into `part` uint8 [H, W, 3], a frame from the corner of the opening on.

    Parameters
    ----------
    white, iris, light : uint8 [2 h, 2 w, 3]
        Of `Eyeball`.
    coverage, below_upper : float32 [a, b]
        Of `Opening`; the first as far as the eyeball is drawn.
    start, step : float64 [2], [2, 2]
        Place in the picture of the corner of the opening, and of one pixel of the frame, pixels from the textures'
        corner.
    centre, gaze : float64 [2]
        Of the iris, from that corner, and how far it has moved, pixels of the picture.
    lengths : float64 [4]
        Radius of the iris and depth of the shade under the lid, pixels; how much light the shade takes; light.
    """
    radius, deep, shade, gain = lengths
    limbus = 0.06 + 0.7 / radius
    right, bottom = white.shape[1] - 1.001, white.shape[0] - 1.001
    for row in range(coverage.shape[0]):
        for column in range(coverage.shape[1]):
            cover = coverage[row, column]
            if cover <= 0:
                continue
            x = start[0] + step[0, 0] * column + step[0, 1] * row
            y = start[1] + step[1, 0] * column + step[1, 1] * row
            iris_x, iris_y = x - gaze[0], y - gaze[1]
            away = np.hypot(iris_x - centre[0], iris_y - centre[1]) / radius
            share = min(1.0, max(0.0, (1.02 + limbus / 2 - away) / limbus))
            # A catch-light lies where the lamp puts it on the cornea, which turns with the iris.
            light_x, light_y = x - _LIGHT_GOES * gaze[0], y - _LIGHT_GOES * gaze[1]
            under_lid = gain * (1 - shade * np.exp(-((below_upper[row, column] / deep) ** 2)))
            x, y = min(right, max(0.0, 2 * x)), min(bottom, max(0.0, 2 * y))
            iris_x, iris_y = min(right, max(0.0, 2 * iris_x)), min(bottom, max(0.0, 2 * iris_y))
            light_x, light_y = min(right, max(0.0, 2 * light_x)), min(bottom, max(0.0, 2 * light_y))
            for k in range(3):
                colour = sample(white, x, y, k)
                if share > 0:
                    colour += share * (sample(iris, iris_x, iris_y, k) - colour)
                colour *= under_lid
                if share > 0:
                    colour += share * gain * sample(light, light_x, light_y, k)
                old = np.float64(part[row, column, k])
                part[row, column, k] = np.uint8(old + cover * (min(255.0, colour) - old) + 0.5)


def build_eyes(portrait: Portrait, bare: Portrait, mesh: PortraitMesh, head: HeadFrame, light: Light) -> dict[str, Eye]:
    """Take both eyes of a portrait, so that their irises can move and their lids can close; by opening.

    `bare` is the portrait without its spectacles: what is made up under these must not pass for the white of an eye.
    """
    sides = ("Right", "Left")
    lids = [[mesh.rest[edge] for edge in mesh.openings["eye" + side]] for side in sides]
    outlines = [np.concatenate([upper, lower[::-1]])[:, :2] for upper, lower in lids]
    landmarks = [portrait.face.vertices[list(chain)].astype(np.float64) for chain in (IRIS_RIGHT, IRIS_LEFT)]
    seen = [(portrait.image, outline, points[:, :2], head.unit) for outline, points in zip(outlines, landmarks)]
    irises = [find_iris(*eye) for eye in seen]
    widest = max(iris[2] for iris in irises)
    # Irises are alike; the edge that was taken for a much smaller one is the pupil's, or a ring's.
    irises = [iris if iris[2] > _ALIKE * widest else find_iris(*eye, widest) for iris, eye in zip(irises, seen)]
    grain, oval = take_grain(bare), portrait.face.vertices[list(FACE_OVAL), :2]
    eyes = {}
    for side, edges, outline, points, iris in zip(sides, lids, outlines, landmarks, irises):
        ball = take_eyeball(bare.image, outline, iris, head.unit, lash_rim(head.unit), grain)
        brow = portrait.face.vertices[list(BROW_RIGHT_LOWER if side == "Right" else BROW_LEFT_LOWER), :2]
        lid = take_lid_skin(bare.image, *edges, brow, oval, head.unit, light.slope)
        heights = straightened(*(edge[:, :2] for edge in edges))[2]
        open_height = max(0.5, float(np.mean(heights[1] - heights[0])))
        eyes["eye" + side] = Eye(side, ball, lid, float(points[0, 2]), open_height)
    return eyes


def lash_rim(unit: float) -> float:
    """Return how many pixels of the eye next to the lids belong to the lashes and move with the lid."""
    return max(0.7, 0.012 * unit)
