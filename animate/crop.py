"""How a clip is cropped and sized: as close as asked, with room above the head, and never through the moving head."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import cv2
import numpy as np

from animate.channels import HEAD, INDEX
from animate.config import CARRIES_MARK_PX, KEEPS_MARK_PX, parse_crop, parse_size, wanted_aspect
from animate.errors import ConfigError
from animate.renderer.backdrop import diffuse_fill
from animate.topology import CHIN
from animate.types import Motion, Portrait

_log = logging.getLogger(__name__)

# Design choices, looked at on portraits of every kind: height of the window in heights of the head, and aspect.
_CLOSENESS = {"head": (1.5, 1.0), "bust": (2.3, 0.8)}
_HEAD_ROOM = 0.1  # of the window's height, above the crown
_CHIN_ROOM = 0.06  # of the head's height, at least, below the chin
_SIDE_ROOM = 0.06  # of the head's width, at least, on both sides
_PERSON = 0.3  # of the matte
_EDGE = 0.02  # of the picture's short side: what of the person at the edge of the picture goes on beyond it
_SPREAD_ROWS = 60  # of a motion, beside its extremes


@dataclass(frozen=True)
class View:
    """What is shown of a picture, and how large.

    Attributes
    ----------
    window : int [4]
        Left, top, width and height in pixels of the picture; it may reach beyond the picture.
    size : tuple of int
        Width and height of the output in pixels.
    """

    window: np.ndarray
    size: tuple[int, int]


def choose_view(portrait: Portrait, renderer, motion: Motion, crop: str | int = "full", size: int | str = "") -> View:
    """Choose the part of a picture that is shown while it performs a motion.

    Parameters
    ----------
    portrait : Portrait
    renderer : MeshRenderer
        Of this portrait.
    motion : Motion
    crop, size
        As in `RenderConfig`.

    Returns
    -------
    View
        Of the aspect that was asked for. The moving head is inside; where the picture is too small for that, the
        window reaches beyond it.

    Raises
    ------
    ConfigError
        If crop and size ask for different aspects, or the output would be too small to carry the mark.
    """
    closeness, aspect = parse_crop(crop)[0], wanted_aspect(crop, size)
    window = np.array([0, 0, *portrait.size])
    if closeness != "full" or aspect is not None:
        window = _window(window[2:].astype(float), head_travel(renderer, portrait, motion), closeness, aspect)
    width, height = (int(length) for length in window[2:])
    return View(window, output_size((width, height), size, portrait.name))


def output_size(shown: tuple[int, int], size: int | str = "", name: str = "the picture") -> tuple[int, int]:
    """Return how large the output is: width and height in pixels.

    Parameters
    ----------
    shown : tuple of int
        Width and height of what is shown, in pixels of the picture.
    size : int or str
        As in `RenderConfig`.
    name : str
        Of the picture, for messages.

    Raises
    ------
    ConfigError
        If it would be too small to carry the mark.

    Examples
    --------
    >>> output_size((1024, 768)), output_size((1024, 768), "512"), output_size((224, 280))
    ((1024, 768), (512, 384), (448, 560))
    """
    wanted, longest, shortest = parse_size(size), max(shown), min(shown)
    if isinstance(wanted, tuple):
        width, height = wanted
    else:
        factor = max(1.0, KEEPS_MARK_PX / shortest) if wanted is None else wanted / longest
        width, height = (max(1, round(length * factor)) for length in shown)
    if min(width, height) < CARRIES_MARK_PX:
        raise ConfigError(
            f"With size {size} the output has {width}x{height} pixels, and loses the mark: {CARRIES_MARK_PX} is the "
            f"least each way. Use {-(-CARRIES_MARK_PX * longest // shortest)} or more, or leave the size out."
        )
    if width > (1.05 if size else 1) * shown[0]:
        reason = "" if size else ", so that it keeps the mark"
        _log.warning(
            "What is shown of %s has %dx%d pixels; it is enlarged %.1f times to %dx%d%s.",
            name, *shown, width / shown[0], width, height, reason,
        )  # fmt: skip
    return width, height


def _window(picture: np.ndarray, head: np.ndarray, closeness: str, aspect: float | None) -> np.ndarray:
    """Return left, top, width and height, int [4], from the picture's size and the box of the head, in pixels."""
    head_size = head[2:] - head[:2]
    heads, usual = _CLOSENESS.get(closeness, (np.inf, None))
    aspect = aspect or usual
    least = max(head_size[1] * (1 + _CHIN_ROOM) / (1 - _HEAD_ROOM), head_size[0] * (1 + 2 * _SIDE_ROOM) / aspect)
    bare = max(head_size[1], head_size[0] / aspect)
    fits = min(picture[1], picture[0] / aspect)
    height = min(fits, max(least, heads * head_size[1]))  # as close as asked, within the picture
    if height < bare:  # the head does not fit there: go beyond the picture, and then far enough to give it room
        height = max(bare, min(least, max(picture[1], picture[0] / aspect)))
    seen = np.array([height * aspect, height])
    centre = (head[0] + head[2]) / 2
    corner = np.array([centre - seen[0] / 2, head[1] - _HEAD_ROOM * height])
    corner[1] = max(corner[1], head[3] + _CHIN_ROOM * head_size[1] - height)
    inside = np.clip(corner, 0, np.maximum(picture - seen, 0))
    # Beyond the picture: equally far at both sides, but never below it, so that no bust floats.
    corner = np.where(seen <= picture, inside, (picture - seen) * (0.5, 1.0))
    corner = np.clip(corner, head[2:] - seen, head[:2])  # last, as it matters most
    return np.round([*np.floor(corner), *np.maximum(seen, 1)]).astype(int)


def head_travel(renderer, portrait: Portrait, motion: Motion) -> np.ndarray:
    """Return the box that holds the head, hair included, at all times of a motion: left, top, right, bottom.

    Parameters
    ----------
    renderer : MeshRenderer
    portrait : Portrait
    motion : Motion

    Returns
    -------
    float [4]
        Pixels, within the picture.
    """
    mesh, size = renderer.mesh, np.array(portrait.size, float)
    rest = mesh.rest[:, :2]
    column, row = np.clip(np.round(rest), 0, size - 1).astype(int).T
    person = cv2.dilate(portrait.matte, np.ones((3, 3)))[row, column] > _PERSON
    person[: mesh.num_face] = True
    chin = portrait.face.vertices[CHIN, 1] + 0.1 * portrait.face.eye_distance
    part = person & (mesh.head_weight > 0.5) & (rest[:, 1] <= chin)
    placed = np.concatenate([renderer.vertices(row)[part] for row in _telling_rows(motion)])
    left, top = placed.min(axis=0)
    right, bottom = placed.max(axis=0)
    # Hair above the highest vertex of the coarse mesh; it rises with that.
    columns = portrait.matte[: round(chin), round(max(0, left)) : round(max(0, right)) + 1]
    covered = np.flatnonzero((columns > _PERSON).any(axis=1))
    risen = min(0.0, top - rest[part, 1].min())
    top = min(top, covered[0] + risen) if len(covered) else top
    return np.clip([left, top, right, bottom], 0, np.tile(size, 2))


def _telling_rows(motion: Motion) -> np.ndarray:
    """Return the rows of the extremes of the head and the jaw, and some spread between, float32 [n, 58]."""
    watched = motion.values[:, [INDEX[name] for name in (*HEAD, "jawOpen")]]
    spread = np.linspace(0, len(motion) - 1, min(len(motion), _SPREAD_ROWS)).astype(int)
    return motion.values[np.unique([*watched.argmin(axis=0), *watched.argmax(axis=0), *spread])]


def surrounded(still: np.ndarray, matte: np.ndarray, window: np.ndarray) -> tuple[np.ndarray, tuple[int, int]]:
    """Return a canvas that covers a picture and a window which may reach beyond it, and the picture's place on it.

    Beyond the picture the colours of its edge go on and fade to those of its background; a transparent picture is
    surrounded by nothing.

    Parameters
    ----------
    still : uint8 [H, W, C], or float32 [H, W] with nothing beyond
    matte : float32 [H, W]
    window : int [4]
        Left, top, width, height.

    Returns
    -------
    canvas : uint8 [H', W', C] or float32 [H', W']
    place : tuple of int
        Left and top of the picture on the canvas.
    """
    height, width = still.shape[:2]
    left, top = max(0, -window[0]), max(0, -window[1])
    right, bottom = max(0, window[0] + window[2] - width), max(0, window[1] + window[3] - height)
    canvas = cv2.copyMakeBorder(still, top, bottom, left, right, cv2.BORDER_CONSTANT)
    if canvas.shape != still.shape and still.ndim == 3:
        edge = max(1, round(_EDGE * min(width, height)))
        outside = cv2.copyMakeBorder(np.zeros((height, width), np.uint8), top, bottom, left, right, 0, value=1)
        near = cv2.dilate(outside, np.ones((2 * edge + 1,) * 2)) > 0
        background = cv2.copyMakeBorder((matte < _PERSON).astype(np.uint8), top, bottom, left, right, 0) > 0
        known = (background | near) & (outside == 0)
        filled = diffuse_fill(np.ascontiguousarray(canvas[..., :3]), known)
        canvas[..., :3] = np.where(outside[..., None] > 0, np.round(filled), canvas[..., :3])
    return canvas, (left, top)
