"""The camera: what is shown of the frames, and how large; they are cropped and resized before they are marked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from animate.crop import View, choose_view, surrounded
from animate.motion.direction import Direction
from animate.types import Motion, Portrait


@dataclass(frozen=True, eq=False)
class Shot:
    """What the camera sees of a portrait that moves.

    Attributes
    ----------
    portrait : Portrait
    view : View
    windows : float64 [T, 4]
        Left, top, width and height in pixels of the picture, for each frame.
    rest : uint8 [H, W, C]
        A frame at rest, before the camera.
    """

    portrait: Portrait
    view: View
    windows: np.ndarray
    rest: np.ndarray

    def frames(self, drawn: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the drawn frames uint8 [H, W, C] as the camera sees them, uint8 [height, width, C] of the view."""
        yield from framed(drawn, self.windows, self.view, self.rest, self.portrait.matte)

    @property
    def still(self) -> np.ndarray:
        """The frame at rest in the middle of the shot; a mark made for it fits a move of the camera best."""
        return self._at_middle(self.rest)

    @property
    def person(self) -> np.ndarray:
        """Where the person is in `still`, float32 [height, width]."""
        return self._at_middle(self.portrait.matte)

    @property
    def changes(self) -> list[np.ndarray]:
        """What makes the frames differ from those as drawn: nothing if the whole picture is seen as it is."""
        whole = np.array_equal(self.windows, np.tile([0, 0, *self.portrait.size], (len(self.windows), 1)))
        return [] if whole and self.view.size == self.portrait.size else [self.windows, np.array(self.view.size)]

    def _at_middle(self, picture: np.ndarray) -> np.ndarray:
        middle = self.windows[len(self.windows) // 2 :][:1]
        (seen,) = framed([picture], middle, self.view, picture, self.portrait.matte)
        return seen


def shoot(
    portrait: Portrait,
    renderer,
    motion: Motion,
    times_s: np.ndarray,
    direction: Direction | None = None,
    *,
    crop: str | int = "full",
    size: int | str = "",
) -> Shot:
    """Choose what is shown of a portrait that performs a motion.

    Parameters
    ----------
    portrait : Portrait
    renderer : MeshRenderer
        Of this portrait.
    motion : Motion
    times_s : float [T]
        Of the frames, in seconds.
    direction : Direction, optional
        Its camera moves within what `crop` shows.
    crop, size
        As in `RenderConfig`.

    Raises
    ------
    ConfigError
        If crop and size do not go together.
    """
    view = choose_view(portrait, renderer, motion, crop, size)
    return Shot(portrait, view, framing(portrait, direction, times_s, view), renderer.draw(renderer.rest_row))


def framing(portrait: Portrait, direction: Direction | None, times_s: np.ndarray, view: View) -> np.ndarray:
    """Return what the camera sees: left, top, width and height in pixels, float64 [T, 4].

    It looks at the face, or beside it as `camera_x` and `camera_y` say, as far as the view reaches.
    """
    if direction is None or not direction.moves_camera:
        return np.tile(view.window.astype(float), (len(times_s), 1))
    corner, size = view.window[:2], view.window[2:].astype(float)
    face = (portrait.face.vertices[:, :2].min(axis=0) + portrait.face.vertices[:, :2].max(axis=0)) / 2
    seen = size / direction.curve("camera_zoom", times_s, 1.0)[:, None]
    aside = np.stack([direction.curve(name, times_s, 0.0) for name in ("camera_x", "camera_y")], axis=1)
    return np.hstack([np.clip(face + aside * seen - seen / 2, corner, corner + size - seen), seen])


def framed(
    frames: Iterable[np.ndarray], windows: np.ndarray, view: View, still: np.ndarray, matte: np.ndarray
) -> Iterator[np.ndarray]:
    """Yield frames uint8 [H, W, C], or a float32 [H, W] matte, each through its window of `framing`.

    Parameters
    ----------
    frames : iterable
    windows : float [T, 4]
    view : View
    still : uint8 [H, W, C]
        A frame, and its `matte` float32 [H, W]: what lies beyond, where the view reaches there, is made from them.
    """
    height, width = still.shape[:2]
    canvas, (left, top) = surrounded(still, matte, view.window)
    for frame, window in zip(frames, windows, strict=True):
        if canvas.shape != still.shape:
            whole = canvas.copy()
            whole[top : top + height, left : left + width] = frame
            frame, window = whole, window + (left, top, 0, 0)
        yield _seen(frame, window, view.size)


def _seen(frame: np.ndarray, window: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    if np.array_equal(window, np.round(window)):
        left, top, width, height = window.astype(int)
        part = frame[top : top + height, left : left + width]
        if (width, height) == size:
            return part if part.shape == frame.shape else part.copy()
        return cv2.resize(part, size, interpolation=cv2.INTER_AREA if size[0] < width else cv2.INTER_CUBIC)
    left, top, width, height = window
    finer = max(1, int(np.ceil(width / size[0])))  # sampled so finely that nothing is skipped, then averaged
    zoom_x, zoom_y = finer * size[0] / width, finer * size[1] / height
    # Pixel centres: the window's edges fall on the frame's edges.
    matrix = np.array([[zoom_x, 0, (zoom_x - 1) / 2 - zoom_x * left], [0, zoom_y, (zoom_y - 1) / 2 - zoom_y * top]])
    sampled = cv2.warpAffine(
        frame, matrix, (finer * size[0], finer * size[1]), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    return sampled if finer == 1 else cv2.resize(sampled, size, interpolation=cv2.INTER_AREA)
