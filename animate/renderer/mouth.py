"""What shows between the lips: teeth, tongue and a dark hollow, in the colours of the picture."""

from dataclasses import dataclass

import cv2
import numpy as np

from animate.channels import INDEX
from animate.renderer.controls import controls_from_row
from animate.renderer.grain import take_grain, with_grain
from animate.renderer.head import HeadFrame
from animate.renderer.mesh import PortraitMesh
from animate.renderer.mouth_textures import (
    mouth_palette,
    own_teeth,
    paint_lower,
    paint_tongue_body,
    paint_tongue_tip,
    paint_upper,
    picture_on_plane,
    shade_warmth,
    texture_plane,
    to_texture,
)
from animate.renderer.opening import find_opening, straightened
from animate.renderer.raster import blend_into
from animate.renderer.rig import Rig
from animate.renderer.strokes import darken_along
from animate.types import Portrait

_UPPER_EDGE = 0.04  # how far the upper teeth reach below the closed lips' line, eye distances
_TONGUE_GOES = 0.72  # of the jaw's way
_PURSED_SHADE = 0.35  # share of the light that lips standing forward keep out of the mouth
_WALL = 0.2  # eye distances from the lips to where the cheeks no longer catch light
_CONTACT = 0.38  # share of the light that is lost between lips that touch


@dataclass(frozen=True, eq=False)
class Mouth:
    """The inside of the mouth.

    Attributes
    ----------
    upper, lower : uint8 [h, w, 4]
        RGBA of what is fixed to the skull (upper teeth) and to the jaw (lower teeth).
    body, tip : uint8 [h, w, 4]
        RGBA of the tongue as it lies behind the lower teeth, and as it is stuck out.
    picture : uint8 [h, w, 4]
        RGBA of what the picture itself shows between its lips.
    hollow, wall : float64 [3]
        Colours of the throat and of the inside of the cheeks.
    warmth : float32 [3]
        Powers of the shade on red, green and blue: light that has met flesh is warm, but grey in a grey picture.
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
    body: np.ndarray
    tip: np.ndarray
    picture: np.ndarray
    hollow: np.ndarray
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
            darken_along(frame, start, axis, line, max(0.8, 0.016 * head.unit), _CONTACT * touching)
        opening = find_opening(upper, lower, frame.shape[1::-1], 0.0, max(1.2, 0.015 * head.unit))
        if opening is None:
            return
        corner = np.array([opening.left, opening.top], float)
        layer = self._cavity(opening, head.unit)
        jaw = row @ self.jaw
        # The tongue is rooted between jaw and skull: it goes down with the jaw, but not as far.
        for texture, shift in ((self.body, _TONGUE_GOES * jaw), (self.lower, jaw), (self.upper, np.zeros(3))):
            _lay(texture, to_texture(texture, self.centre + shift, matrix, offset, head, corner), layer)
        # The lips cast a soft shadow into the mouth, the upper one the more.
        depth = np.clip(opening.below_upper / (0.08 * head.unit), 0, 1)
        shade = 0.62 + 0.38 * depth * (2 - depth)
        rise = np.clip(opening.above_lower / (0.05 * head.unit), 0, 1)
        purse = float(np.clip(row[INDEX["mouthPucker"]] + 0.6 * row[INDEX["mouthFunnel"]], 0, 1))
        shade = shade * (0.75 + 0.25 * rise) * np.float32(1 - _PURSED_SHADE * purse)
        layer *= shade[..., None] ** self.warmth
        nearness = self.rig.nearness(controls_from_row(row))
        if nearness:  # the mouth opens as in the picture, so it shows what it shows there
            _lay(self.picture, to_texture(self.picture, self.centre, matrix, offset, head, corner), layer, nearness)
        blend_into(frame, opening.left, opening.top, layer, opening.coverage)
        out = float(np.clip(row[INDEX["tongueOut"]], 0, 1))
        if out > 0.05:
            self._stick_out_tongue(frame, row, out, upper, lower, matrix, offset, head)

    def _cavity(self, opening, unit: float) -> np.ndarray:
        """Return the hollow, float32 [h, w, 3]: walls near the lips that catch some light, dark towards the throat."""
        depth = np.clip(np.minimum(opening.below_upper, opening.above_lower) / (_WALL * unit), 0, 1)[..., None]
        depth = depth * (2 - depth)
        return (self.wall * (1 - depth) + self.hollow * depth).astype(np.float32)

    def _stick_out_tongue(self, frame, row, out: float, upper, lower, matrix, offset, head: HeadFrame) -> None:
        """Draw the tongue over the lower lip, `out` (0-1) of its way."""
        lip = (lower + (matrix @ head.axes[1])[:2] * 0.7 * out * head.unit).astype(np.float32)
        opening = find_opening(upper, lip, frame.shape[1::-1], 0.0, max(1.2, 0.015 * head.unit))
        if opening is None:
            return
        shift = row @ self.jaw + head.axes[1] * head.unit * (0.34 * out - 0.24)
        corner = np.array([opening.left, opening.top], float)
        to_patch = to_texture(self.tip, self.centre + shift, matrix, offset, head, corner)
        size = opening.coverage.shape[::-1]
        warped = cv2.warpAffine(self.tip, to_patch, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        coverage = opening.coverage * (warped[..., 3] / np.float32(255))
        blend_into(frame, opening.left, opening.top, np.ascontiguousarray(warped[..., :3]), coverage)


def _lay(texture: np.ndarray, to_patch: np.ndarray, layer: np.ndarray, share: float = 1.0) -> None:
    """Lay a texture RGBA over `layer` float32 [h, w, 3], in place."""
    size = layer.shape[1::-1]
    warped = cv2.warpAffine(texture, to_patch, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    alpha = warped[..., 3:].astype(np.float32) * np.float32(share / 255)
    layer += alpha * (warped[..., :3] - layer)


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
    ivory, flesh, hollow, wall = mouth_palette(portrait)
    outline = np.concatenate([mesh.rest[upper_edge, :2], mesh.rest[lower_edge[::-1], :2]])
    picture = picture_on_plane(portrait.image, outline, centre, density, head)
    own = own_teeth(picture, density)

    edge = _UPPER_EDGE
    if own is not None:
        a, b = texture_plane(density)
        strong = own[..., 3] > 128
        shown = strong & (np.abs(a) < 0.2)
        edge = max(edge, float(np.percentile(b[shown], 97)) + 0.02) if shown.any() else edge
        ivory = np.percentile(own[strong][:, :3], 70, axis=0).astype(np.float64)
    grain = take_grain(portrait)
    upper = with_grain(paint_upper(density, edge, ivory, flesh), grain)
    if own is not None:
        share = own[..., 3:].astype(np.float32) / 255
        upper[..., :3] = np.round(upper[..., :3] + share * (own[..., :3].astype(np.float32) - upper[..., :3]))
        upper[..., 3] = np.maximum(upper[..., 3], own[..., 3])

    parted = bool(np.hypot(*(mesh.rest[lower_edge] - mesh.rest[upper_edge])[:, :2].T).max() > 0)
    jaw = np.zeros((58, 3))
    for name in ("jawOpen", "jawForward", "jawLeft", "jawRight"):
        column = INDEX[name]
        jaw[column] = rig.basis[3 * lower_edge[middle] : 3 * lower_edge[middle] + 3, column]
    return Mouth(
        upper,
        with_grain(paint_lower(density, ivory, flesh), grain),
        with_grain(paint_tongue_body(density, flesh), grain),
        with_grain(paint_tongue_tip(density, flesh), grain),
        picture,
        hollow,
        wall,
        shade_warmth(ivory),
        centre,
        jaw,
        rig,
        parted,
    )
