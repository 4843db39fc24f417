"""What shows between the lips: teeth, tongue and a dark hollow, in the colours of the picture."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from animate.channels import INDEX
from animate.easing import smoothstep
from animate.renderer.controls import controls_from_row
from animate.renderer.grain import take_grain, with_grain
from animate.renderer.head import HeadFrame
from animate.renderer.mesh import PortraitMesh
from animate.renderer.mouth_textures import (
    find_palette,
    on_arch,
    own_teeth,
    paint_lower,
    paint_throat,
    paint_tongue_body,
    paint_tongue_tip,
    paint_upper,
    picture_on_plane,
    texture_plane,
    to_texture,
)
from animate.renderer.opening import find_opening, straightened
from animate.renderer.raster import blend_into, lay_texture
from animate.renderer.rig import Rig
from animate.renderer.strokes import darken_along, soften_along
from animate.types import Portrait

_UPPER_EDGE = 0.04  # how far the upper teeth reach below the closed lips' line, eye distances
_TEETH_GO = 0.93  # of the lower lip's way: a jaw that opens wide draws the lip down from them
_TONGUE_GOES = 0.72  # of the jaw's way
_TONGUE_LEANS = 0.5  # how far a tongue that is stuck out comes forward for each step down
_TONGUE_THICK, _TONGUE_BELOW = 0.08, 0.5  # eye distances; light on its side and underside, of that on its back
_THROAT_GOES = 0.4  # of the jaw's way
_THROAT_BACK = 0.5  # eye distances behind the lips
_FLAT = np.zeros(2)
_PURSED_SHADE = 0.35  # share of the light that lips standing forward keep out of the mouth
_WALL = 0.2  # eye distances from the lips to where the cheeks no longer catch light
_RUNS_OUT = 0.07  # of the line between the inner lips: how far it fades beyond either end of them
_CORNER = 0.65  # the same at the corners, which dent
_CONTACT = 0.38  # share of the light that is lost between lips that touch


@dataclass(frozen=True, eq=False)
class Mouth:
    """The inside of the mouth.

    Attributes
    ----------
    upper, lower : uint8 [h, w, 4]
        RGBA of what is fixed to the skull (upper teeth) and to the jaw (lower teeth).
    throat, body, tip : uint8 [h, w, 4]
        RGBA of the back of the mouth, and of the tongue as it lies behind the lower teeth and as it is stuck out.
    picture : uint8 [h, w, 4]
        RGBA of what the picture itself shows between its lips.
    wall : float32 [3]
        Colour of the inside of the cheeks.
    warmth : float32 [3]
        Powers of the shade on red, green and blue.
    centre : float64 [3]
        Middle of the closed lips, pixels.
    jaw : float64 [58, 3]
        How far the lower teeth go for each channel at 1, pixels.
    rig : Rig
    parted : bool
        True if the lips are apart in the picture.
    """

    upper: np.ndarray
    lower: np.ndarray
    throat: np.ndarray
    body: np.ndarray
    tip: np.ndarray
    picture: np.ndarray
    wall: np.ndarray
    warmth: np.ndarray
    centre: np.ndarray
    jaw: np.ndarray
    rig: Rig
    parted: bool

    def draw(self, frame: np.ndarray, row: np.ndarray, upper, lower, matrix, offset, head: HeadFrame) -> None:
        """Draw the inside of the mouth between the lips into `frame`; the parameters are those of `Eye.draw`."""
        if self.parted:
            # Lips that are apart in the picture lack the shade of where they touch.
            start, axis, heights = straightened(upper, lower)
            touching = np.clip(1 - (heights[1] - heights[0]) / (0.08 * head.unit), 0, 1)
            line = (heights[0] + heights[1]) / 2
            beyond = round(_RUNS_OUT * len(line))
            start = start - beyond * axis
            touching, line = np.pad(touching, beyond, "edge"), np.pad(line, beyond, "reflect", reflect_type="odd")
            side = np.abs(np.linspace(-1, 1, len(line)))
            strength = (_CONTACT + (_CORNER - _CONTACT) * smoothstep((side - 0.6) / 0.3)) * touching
            width = max(0.8, 0.016 * head.unit)
            # Where one lip ends and the other begins goes from pixel to pixel: as a hard edge it would flicker.
            soften_along(frame, start, axis, line, 0.9 * width, float(touching.min()))
            darken_along(frame, start, axis, line, width, strength)
        opening = find_opening(upper, lower, frame.shape[1::-1], 0.0, max(1.2, 0.015 * head.unit))
        if opening is None:
            return
        corner = np.array([opening.left, opening.top], float)
        jaw = row @ self.jaw
        layer = np.empty((*opening.coverage.shape, 3), np.float32)
        layer[:] = self.wall

        def lay(texture: np.ndarray, shift: np.ndarray, on_arch: bool = False, share: float = 1.0) -> None:
            to_patch, bend = to_texture(texture, self.centre + shift, matrix, offset, head, corner)
            lay_texture(layer, texture, to_patch, bend if on_arch else _FLAT, share)

        lay(self.throat, _THROAT_GOES * jaw + _THROAT_BACK * head.unit * head.axes[2])
        # The cheeks catch some light near the lips.
        near = 1 - np.clip(np.minimum(opening.below_upper, opening.above_lower) / (_WALL * head.unit), 0, 1)
        layer += (near * near)[..., None] * (self.wall - layer)
        # The tongue is rooted between jaw and skull: it goes down with the jaw, but not as far.
        lay(self.body, _TONGUE_GOES * jaw)
        lay(self.lower, _TEETH_GO * jaw, on_arch=True)
        lay(self.upper, np.zeros(3), on_arch=True)
        # The lips cast a soft shadow into the mouth, the upper one the more.
        depth = np.clip(opening.below_upper / (0.08 * head.unit), 0, 1)
        shade = 0.62 + 0.38 * depth * (2 - depth)
        rise = np.clip(opening.above_lower / (0.05 * head.unit), 0, 1)
        purse = float(np.clip(row[INDEX["mouthPucker"]] + 0.6 * row[INDEX["mouthFunnel"]], 0, 1))
        shade = shade * (0.75 + 0.25 * rise) * np.float32(1 - _PURSED_SHADE * purse)
        layer *= shade[..., None] ** self.warmth
        nearness = self.rig.nearness(controls_from_row(row))
        if nearness:  # the mouth opens as in the picture, so it shows what it shows there
            lay(self.picture, np.zeros(3), share=float(nearness))
        blend_into(frame, opening.left, opening.top, layer, opening.coverage)
        out = float(np.clip(row[INDEX["tongueOut"]], 0, 1))
        if out > 0.05:
            self._stick_out_tongue(frame, row, out, upper, lower, matrix, offset, head)

    def _stick_out_tongue(self, frame, row, out: float, upper, lower, matrix, offset, head: HeadFrame) -> None:
        """Draw the tongue over the lower lip, `out` (0-1) of its way; it comes forward as it hangs."""
        leaning = replace(head, axes=head.axes - np.outer((0, _TONGUE_LEANS, 0), head.axes[2]))
        lip = (lower + (matrix @ leaning.axes[1])[:2] * 0.7 * out * head.unit).astype(np.float32)
        opening = find_opening(upper, lip, frame.shape[1::-1], 0.0, max(1.2, 0.015 * head.unit))
        if opening is None:
            return
        place = (
            self.centre + row @ self.jaw + head.unit * ((0.34 * out - 0.24) * head.axes[1] - 0.03 * out * head.axes[2])
        )
        corner = np.array([opening.left, opening.top], float)
        size = opening.coverage.shape[::-1]
        below = place + head.unit * _TONGUE_THICK * (0.5 * head.axes[1] + head.axes[2])
        for middle, light in ((below, _TONGUE_BELOW), (place, 1.0)):
            to_patch, _ = to_texture(self.tip, middle, matrix, offset, leaning, corner)
            warped = cv2.warpAffine(self.tip, to_patch, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
            coverage = opening.coverage * (warped[..., 3] / np.float32(255))
            blend_into(frame, opening.left, opening.top, warped[..., :3] * np.float32(light), coverage)


def build_mouth(portrait: Portrait, mesh: PortraitMesh, rig: Rig, head: HeadFrame) -> Mouth:
    """Paint teeth and tongue in the colours and the light of the picture, and take over teeth that it shows.

    Parameters
    ----------
    portrait : Portrait
    mesh : PortraitMesh
    rig : Rig
    head : HeadFrame
    """
    upper_edge, lower_edge = mesh.openings["mouth"]
    middle = len(upper_edge) // 2
    centre = rig.neutral[upper_edge[middle]].astype(np.float64)
    density = max(48.0, head.unit)
    palette = find_palette(portrait)
    outline = np.concatenate([mesh.rest[upper_edge, :2], mesh.rest[lower_edge[::-1], :2]])
    picture = picture_on_plane(portrait.image, outline, centre, density, head)
    _, bend = to_texture(picture, centre, np.eye(3), np.zeros(3), head, np.zeros(2))
    own = own_teeth(on_arch(picture, bend), density)

    edge = _UPPER_EDGE
    if own is not None:
        a, b = texture_plane(density)
        strong = own[..., 3] > 128
        shown = strong & (np.abs(a) < 0.2)
        edge = max(edge, float(np.percentile(b[shown], 97)) + 0.02) if shown.any() else edge
        palette = replace(palette, ivory=np.percentile(own[strong][:, :3], 70, axis=0).astype(np.float64))
    grain = take_grain(portrait)
    upper = with_grain(paint_upper(density, edge, palette), grain)
    if own is not None:
        share = own[..., 3:].astype(np.float32) / 255
        upper[..., :3] = np.round(upper[..., :3] + share * (own[..., :3].astype(np.float32) - upper[..., :3]))
        upper[..., 3] = np.maximum(upper[..., 3], own[..., 3])

    corners = head.to_head(rig.neutral[upper_edge[[0, -1]]])
    parted = bool(np.hypot(*(mesh.rest[lower_edge] - mesh.rest[upper_edge])[:, :2].T).max() > 0)
    jaw = np.zeros((58, 3))
    for name in ("jawOpen", "jawForward", "jawLeft", "jawRight"):
        column = INDEX[name]
        jaw[column] = rig.basis[3 * lower_edge[middle] : 3 * lower_edge[middle] + 3, column]
    return Mouth(
        upper,
        with_grain(paint_lower(density, palette), grain),
        with_grain(paint_throat(density, palette), grain),
        with_grain(paint_tongue_body(density, palette), grain),
        with_grain(paint_tongue_tip(density, palette, float(abs(corners[1, 0] - corners[0, 0])) / 2), grain),
        picture,
        palette.wall.astype(np.float32),
        palette.warmth.astype(np.float32),
        centre,
        jaw,
        rig,
        parted,
    )
