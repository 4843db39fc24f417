"""The camera's framing: frames are cropped and enlarged to the picture's size before they are marked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import cv2
import numpy as np

from animate.motion.direction import Direction
from animate.types import Portrait


def framing(portrait: Portrait, direction: Direction, times_s: np.ndarray) -> np.ndarray:
    """Return what the camera sees: left, top, width and height in pixels, float64 [T, 4].

    It looks at the face, or beside it as `camera_x` and `camera_y` say, as far as the picture reaches.
    """
    size = np.array(portrait.size, float)
    face = (portrait.face.vertices[:, :2].min(axis=0) + portrait.face.vertices[:, :2].max(axis=0)) / 2
    seen = size / direction.curve("camera_zoom", times_s, 1.0)[:, None]
    aside = np.stack([direction.curve(name, times_s, 0.0) for name in ("camera_x", "camera_y")], axis=1)
    corner = np.clip(face + aside * seen - seen / 2, 0, size - seen)
    return np.hstack([corner, seen])


def framed(frames: Iterable[np.ndarray], windows: np.ndarray) -> Iterator[np.ndarray]:
    """Yield frames uint8 [H, W, 3] as the camera sees them, each through its window of `framing`."""
    for frame, (left, top, width, height) in zip(frames, windows, strict=True):
        rows, columns = frame.shape[:2]
        zoom = columns / width
        if zoom == 1:
            yield frame
            continue
        # Pixel centres: the window's edges fall on the frame's edges.
        centre = (zoom - 1) / 2
        matrix = np.array([[zoom, 0, centre - zoom * left], [0, zoom, centre - zoom * top]])
        yield cv2.warpAffine(frame, matrix, (columns, rows), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
