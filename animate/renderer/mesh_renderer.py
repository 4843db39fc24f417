"""The default renderer: the portrait's own pixels on a moving mesh."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from animate.channels import BLENDSHAPES, CHANNELS, HEAD, INDEX
from animate.renderer.attachment import head_freedom
from animate.renderer.backdrop import (
    StillLayer,
    fill_behind,
    foreground_colours,
    people_before,
    person_alpha,
    sharp_matte,
)
from animate.renderer.bands import moving_bands, moving_triangles
from animate.renderer.controls import controls_from_row
from animate.renderer.eyes import build_eyes
from animate.renderer.far_side import find_far_side
from animate.renderer.folds import draw_folds, draw_jaw
from animate.renderer.head import HeadMotion, chest_rise, fit_head_frame, head_motion
from animate.renderer.lids import with_lids_behind_lenses, with_true_lids
from animate.renderer.light import find_light
from animate.renderer.lips import with_true_lips
from animate.renderer.mesh import PIVOT, build_mesh
from animate.renderer.mouth import build_mouth
from animate.renderer.overhead import make_overhead
from animate.renderer.rig import build_rig
from animate.renderer.sampling import double
from animate.renderer.spectacles import find_spectacles, wears_spectacles
from animate.renderer.warp import CompiledWarp
from animate.types import Motion, Portrait

_HEAD_COLUMNS = [INDEX[name] for name in HEAD]


class MeshRenderer:
    """Moves a portrait by warping it on a mesh of the face and the head, at the picture's own size, on the CPU.

    A face so close to the edge of the picture that turning it would tear it from the edge turns less than asked.

    Parameters
    ----------
    portrait : Portrait
    device : str
        Where the portrait is warped: ``"cpu"`` (compiled), or a torch device such as ``"cuda"``.
    cutout : bool
        Draw the person alone: frames get an alpha channel, which is the matte moved with the head.

    Attributes
    ----------
    mesh : PortraitMesh
    rig : Rig
        What moves, and how; for those who measure.
    rest_row : float32 [58]
        The row that gives the picture back, exactly: zero, or what parts the lips of a picture whose lips are apart.

    Examples
    --------
    >>> from animate.example import example_portrait
    >>> renderer = MeshRenderer(example_portrait())
    >>> frames = renderer.frames(Motion.rest(duration_s=2.0, fps=25).with_channels(jawOpen=0.3))
    >>> next(frames).shape
    (512, 512, 3)
    """

    def __init__(self, portrait: Portrait, device: str = "cpu", cutout: bool = False):
        self._matte = None
        if cutout:
            matte = sharp_matte(portrait.matte, portrait.face.eye_distance)
            self._matte = np.round(255 * matte).astype(np.uint8)
            portrait = replace(portrait, image=foreground_colours(portrait.image, matte))
        self._image = np.ascontiguousarray(portrait.image)
        portrait = with_true_lips(with_true_lids(portrait))
        worn = wears_spectacles(portrait)
        if worn:
            portrait = with_lids_behind_lenses(portrait)
        self._head = fit_head_frame(portrait.face)
        self.mesh = build_mesh(portrait, self._head)
        self.rig = build_rig(self.mesh, self._head)
        self.rest_row = np.concatenate([self.rig.own[: len(BLENDSHAPES)], np.zeros(len(HEAD), np.float32)])
        self._pivot = self._head.to_picture(np.array([PIVOT]))[0]
        self._weight = self.mesh.head_weight[:, None].astype(np.float32)
        self._far_side = find_far_side(portrait, self.mesh, self._head, self._pivot)
        self._chest = self.mesh.chest_weight.astype(np.float32)

        left, top, right, bottom = self.mesh.region
        self._window = np.s_[top:bottom, left:right]
        self._corner = np.array([left, top], np.float32)
        points = self.mesh.rest[: self.mesh.num_face, :2]
        self._share = np.ones(len(CHANNELS), np.float32)
        self._share[_HEAD_COLUMNS] = head_freedom(self.mesh.region, points, self._head.unit)
        self._light = find_light(portrait, self._head, self.mesh.region)
        self._spectacles, bare = (worn and find_spectacles(portrait, self.mesh)) or (None, self._image)
        above = make_overhead(self._image, portrait.matte, self.mesh.overhead, self._head.unit)
        alpha = self._moving_alpha(portrait, points, above)
        self._person = StillLayer(self._image, alpha[self.mesh.overhead :])
        self._warp = self._build_warp(bare, alpha, above, device)
        self._still_parts = self._person.without(self._window, self._warp.bands)
        self._in_front = None
        if portrait.in_front is not None:
            before = people_before(portrait.in_front, self._head.unit)
            self._in_front = StillLayer(self._image, np.round(255 * before).astype(np.uint8))
        self._mouth = build_mouth(portrait, self.mesh, self.rig, self._head)
        self._eyes = build_eyes(portrait, replace(portrait, image=bare), self.mesh, self._head, self._light)
        self._middles = {
            name: self.mesh.rest[np.concatenate(self.mesh.openings[name])].mean(axis=0)
            for name in ("mouth", *self._eyes)
        }

    def _moving_alpha(self, portrait: Portrait, points: np.ndarray, above: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """Return how far each pixel moves with the person, uint8 [overhead + H, W]."""
        rows = self.mesh.overhead
        image, matte = (np.vstack(parts) for parts in zip(above, (self._image, portrait.matte)))
        others = (
            None if mask is None else np.pad(mask, ((rows, 0), (0, 0)), "edge")
            for mask in (portrait.in_front, portrait.behind)
        )
        return person_alpha(image, matte, points + (0, rows), self._head.unit, *others)

    def _build_warp(self, picture: np.ndarray, alpha: np.ndarray, above: tuple[np.ndarray, np.ndarray], device: str):
        """Return what warps a picture uint8 [H, W, 3] by an alpha uint8 [overhead + H, W]."""
        rows, columns = self._window
        overhead = self.mesh.overhead
        higher = np.s_[rows.start : rows.stop + overhead, columns]
        opaque = alpha if self._matte is None else np.vstack([np.round(255 * above[1]).astype(np.uint8), self._matte])
        moving = double(np.dstack([np.vstack([above[0], picture])[higher], opaque[higher]]))
        alpha = alpha[overhead:][self._window]
        backdrop = None
        if self._matte is None:
            backdrop = fill_behind(self._image[self._window], alpha, self._head.unit)
        triangles = moving_triangles(self.mesh, self.rig)
        source = 2 * (self.mesh.source - self._corner + np.array([0, overhead], np.float32))
        if device == "cpu":
            bands = moving_bands(self.mesh, self.rig, alpha, self._head.unit)
            return CompiledWarp(moving, backdrop, triangles, source, bands, overhead)
        from animate.renderer.torch_warp import TorchWarp  # torch takes seconds to import

        return TorchWarp(moving, backdrop, triangles, source, device, overhead)

    def draw(self, row: np.ndarray, onto: np.ndarray | None = None) -> np.ndarray:
        """Draw one frame.

        Parameters
        ----------
        row : float32 [58]
            One row of a motion, see `animate.channels`.
        onto : uint8 [H, W, 3], optional
            A frame without this person, into which the person alone is drawn.

        Returns
        -------
        uint8 [H, W, 3], or [H, W, 4] of a cutout
            RGB, of the portrait's size, and straight alpha; a fresh array, or `onto`.
        """
        frame = self._image.copy() if onto is None else onto
        if np.array_equal(row, self.rest_row):
            if onto is not None:
                self._person.draw(frame)
            return frame if self._matte is None else np.dstack([frame, self._matte])
        if onto is not None:
            self._still_parts.draw(frame)
        row = row * self._share
        motion = head_motion(row, self._head, self._pivot)
        vertices = self._placed(row, motion)
        gain = self._light.gain(motion)
        matte = None if self._matte is None else self._matte.copy()
        window = None if matte is None else matte[self._window]
        backdrop = None if onto is None else frame[self._window]
        self._warp.draw(frame[self._window], vertices - self._corner, gain, self._light.cell, window, backdrop)
        draw_jaw(frame, vertices, self.mesh.rest, self._head.unit)
        draw_folds(frame, row, vertices, self._head.unit)
        edges = {name: [vertices[chain] for chain in chains] for name, chains in self.mesh.openings.items()}
        self._mouth.draw(frame, row, *edges["mouth"], *motion.near(self._middles["mouth"]), self._head)
        for name, eye in self._eyes.items():
            light = self._light.at(gain, edges[name][1].mean(axis=0))
            eye.draw(frame, row, *edges[name], *motion.near(self._middles[name]), self._head, light)
        if self._spectacles is not None:
            calm = np.where(np.isin(np.arange(len(row)), _HEAD_COLUMNS), row, 0)
            still = self._placed(calm, motion) - self._corner
            self._spectacles.draw(frame[self._window], still)
        if self._in_front is not None:
            self._in_front.draw(frame)
        return frame if matte is None else np.dstack([frame, matte])

    def picture_behind(self) -> np.ndarray:
        """Return the picture without the person, uint8 [H, W, 3]: what is behind is made up from what is around."""
        return fill_behind(self._image, self._person.alpha, self._head.unit)

    def vertices(self, row: np.ndarray) -> np.ndarray:
        """Return where the vertices of the mesh lie in the frame of a row: what `draw` is asked to show.

        Parameters
        ----------
        row : float32 [58]

        Returns
        -------
        float32 [N, 2]
            Pixels; the first 468 are those of `FaceMesh`.
        """
        row = row * self._share
        return self._placed(row, head_motion(row, self._head, self._pivot))

    def _placed(self, row: np.ndarray, motion: HeadMotion) -> np.ndarray:
        shape = self.rig.shape(controls_from_row(row))
        if self._far_side is not None:
            shape[:, :2] += np.float32(self._far_side.share(row)) * self._far_side.bulge
        flat = shape[:, :2]
        placed = flat + self._weight * (motion.placed(shape) - flat)
        placed[:, 1] -= np.float32(chest_rise(row) * self._head.unit) * self._chest
        return placed

    def frames(self, motion: Motion) -> Iterator[np.ndarray]:
        """Draw the rows of a motion one after the other; each frame as `draw` returns it."""
        for row in motion.values:
            yield self.draw(row)
