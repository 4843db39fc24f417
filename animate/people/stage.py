"""Where several portraits are seen: together in their picture, side by side, or one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import cv2
import numpy as np

from animate.errors import ConfigError
from animate.renderer import GroupRenderer
from animate.types import Motion, Portrait

LAYOUTS = ("picture", "side-by-side", "cut")
_BUST_FACES = 4.0  # height, in face heights, of what the camera sees when it cuts to one of several in a picture
_FACE_AT = 0.42  # of its height, where the middle of the face is then


class Stage(Protocol):
    """Draws the motions of some portraits, in their order, into frames of one size.

    Attributes
    ----------
    still : uint8 [H, W, 3]
        What is seen before anybody moves; a mean of it, if that changes.
    person : float32 [H, W]
        How much of `still` is a person.
    """

    still: np.ndarray
    person: np.ndarray

    def frames(self, motions: Sequence[Motion]) -> Iterator[np.ndarray]:
        """Yield frames uint8 [H, W, 3] of motions of the same rate."""


def make_stage(
    portraits: Sequence[Portrait], layout: str | None = None, shown: Callable[[float], int] | None = None
) -> Stage:
    """Return a stage.

    Parameters
    ----------
    portraits : sequence of Portrait
    layout : str, optional
        "picture", "side-by-side" or "cut"; by default "picture" if all are in the same, else "side-by-side".
    shown : callable, optional
        Whom the camera sees at a time in seconds: a place in `portraits`. Needed for "cut".

    Raises
    ------
    ConfigError
        If there is no such layout, or "picture" is asked for people of several pictures.
    """
    pictures = _by_picture(portraits)
    layout = layout or ("picture" if len(pictures) == 1 else "side-by-side")
    if layout not in LAYOUTS:
        raise ConfigError(f"There is no layout {layout!r}. Use one of {', '.join(LAYOUTS)}.")
    if layout == "picture" and len(pictures) > 1:
        raise ConfigError(f"The layout 'picture' needs all in one picture, not in {len(pictures)}. Use side-by-side.")
    return _Cut(portraits, pictures, shown) if layout == "cut" else _SideBySide(portraits, pictures)


def places(portraits: Sequence[Portrait]) -> np.ndarray:
    """Return where the faces are when pictures stand side by side, float64 [N, 2] in eye distances, x to the right."""
    centres, left, pictures = np.zeros((len(portraits), 2)), 0.0, _by_picture(portraits)
    for members in pictures:
        unit = np.mean([portraits[index].face.eye_distance for index in members])
        for index in members:
            centres[index] = portraits[index].face.vertices[:, :2].mean(axis=0) / unit + (left, 0)
        left += portraits[members[0]].size[0] / unit
        if len(pictures) > 1:
            centres[members, 1] = 0  # pictures side by side are on eye level
    return centres


def _by_picture(portraits: Sequence[Portrait]) -> list[list[int]]:
    """Return the places of portraits that share a picture, picture by picture."""
    pictures: list[list[int]] = []
    for index, portrait in enumerate(portraits):
        for members in pictures:
            if np.array_equal(portraits[members[0]].image, portrait.image):
                members.append(index)
                break
        else:
            pictures.append([index])
    return pictures


class _SideBySide:
    """All pictures in a row, at the height of the lowest; a single one as it is."""

    def __init__(self, portraits: Sequence[Portrait], pictures: list[list[int]]):
        self._pictures = pictures
        self._renderers = [GroupRenderer([portraits[index] for index in members]) for members in pictures]
        stills = [portraits[members[0]].image for members in pictures]
        self._height = min(still.shape[0] for still in stills)
        self.still = self._joined(stills)
        self.person = self._joined([_people(portraits, members) for members in pictures])

    def frames(self, motions: Sequence[Motion]) -> Iterator[np.ndarray]:
        for rows in zip(*(motion.values for motion in motions)):
            yield self._joined([
                renderer.draw([rows[index] for index in members])
                for renderer, members in zip(self._renderers, self._pictures)
            ])  # fmt: skip

    def _joined(self, pictures: list[np.ndarray]) -> np.ndarray:
        return np.hstack([_at_height(picture, self._height) for picture in pictures])


class _Cut:
    """The one who is shown, in a frame of the first picture's proportions."""

    def __init__(self, portraits: Sequence[Portrait], pictures: list[list[int]], shown: Callable[[float], int]):
        self._pictures, self._shown = pictures, shown
        self._renderers = [GroupRenderer([portraits[index] for index in members]) for members in pictures]
        self._picture_of = {index: place for place, members in enumerate(pictures) for index in members}
        aspect = portraits[0].size[0] / portraits[0].size[1]
        self._windows = [
            _window(portrait, aspect, alone=len(pictures[self._picture_of[index]]) == 1)
            for index, portrait in enumerate(portraits)
        ]  # fmt: skip
        height = min(window[3] for window in self._windows)
        self._size = round(height * aspect), height
        shots = [self._seen(portrait.image, index) for index, portrait in enumerate(portraits)]
        self.still = np.round(np.mean(shots, axis=0)).astype(np.uint8)  # the mark must hide in every one of them
        self.person = np.mean([self._seen(one.matte, index) for index, one in enumerate(portraits)], axis=0)

    def frames(self, motions: Sequence[Motion]) -> Iterator[np.ndarray]:
        for number, rows in enumerate(zip(*(motion.values for motion in motions))):
            index = self._shown(number / motions[0].fps)
            place = self._picture_of[index]
            yield self._seen(self._renderers[place].draw([rows[other] for other in self._pictures[place]]), index)

    def _seen(self, picture: np.ndarray, index: int) -> np.ndarray:
        left, top, width, height = self._windows[index]
        part = picture[top : top + height, left : left + width]
        return (
            part.copy()
            if part.shape[1::-1] == self._size
            else cv2.resize(part, self._size, interpolation=cv2.INTER_AREA)
        )


class ScaledStage:
    """A stage whose frames have another width and height, in pixels."""

    def __init__(self, stage: Stage, size: tuple[int, int]):
        self._stage, self._size = stage, size
        self.still, self.person = self._scaled(stage.still), self._scaled(stage.person)

    def frames(self, motions: Sequence[Motion]) -> Iterator[np.ndarray]:
        return map(self._scaled, self._stage.frames(motions))

    def _scaled(self, picture: np.ndarray) -> np.ndarray:
        smaller = self._size[0] < picture.shape[1]
        return cv2.resize(picture, self._size, interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)


def _people(portraits: Sequence[Portrait], members: list[int]) -> np.ndarray:
    return np.max([portraits[index].matte for index in members], axis=0)


def _window(portrait: Portrait, aspect: float, alone: bool) -> tuple[int, int, int, int]:
    """Return left, top, width and height of what the camera sees of a portrait, pixels."""
    width, height = portrait.size
    low, high = portrait.face.vertices[:, :2].min(axis=0), portrait.face.vertices[:, :2].max(axis=0)
    tall = min(height, width / aspect, np.inf if alone else _BUST_FACES * (high[1] - low[1]))
    wide = tall * aspect
    left = np.clip((low[0] + high[0] - wide) / 2, 0, width - wide)
    top = np.clip((low[1] + high[1]) / 2 - _FACE_AT * tall, 0, height - tall)
    return int(left), int(top), int(wide), int(tall)


def _at_height(picture: np.ndarray, height: int) -> np.ndarray:
    if picture.shape[0] == height:
        return picture
    width = round(picture.shape[1] * height / picture.shape[0])
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
