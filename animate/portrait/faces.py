"""All the faces of a picture: numbered, judged, and drawn with their numbers."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from animate.errors import PortraitError
from animate.portrait.checks import Fault, choose_face, face_width, faults, in_words, require_usable
from animate.portrait.hiding import hidden_parts
from animate.portrait.landmarks import FaceCandidate, LandmarkDetector, left_to_right, load_detector
from animate.portrait.pose import head_pose
from animate.portrait.turning import turn_range
from animate.types import HeadPose

_GREEN, _RED = (40, 150, 60), (190, 50, 40)


@dataclass(frozen=True, eq=False)
class Face:
    """A face in a picture.

    Attributes
    ----------
    number : int
        From 1, from left to right by the middle of the face.
    found : FaceCandidate
    pose : HeadPose
    faults : tuple of Fault
        Why it cannot be animated; empty if it can.
    turn_left_deg, turn_right_deg : float
        How far it can be turned from where it is, towards the left and the right of the picture, see
        `animate.portrait.turning`.
    """

    number: int
    found: FaceCandidate
    pose: HeadPose
    faults: tuple[Fault, ...]
    turn_left_deg: float
    turn_right_deg: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the skin, in pixels."""
        return self.found.box

    @property
    def width_px(self) -> float:
        """Width of the skin."""
        return face_width(self.found)

    @property
    def can_be_animated(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.faults

    @property
    def reason(self) -> str:
        """Why it cannot be animated and what would help, or empty."""
        return in_words(self.faults) if self.faults else ""


def faces_in(image: np.ndarray, detector: str | LandmarkDetector = "mediapipe") -> list[Face]:
    """Return the faces of a picture uint8 [H, W, 3], those that cannot be animated too, from left to right.

    Raises
    ------
    DependencyError, ConfigError
        As for `read_portrait`.
    """
    finder = load_detector(detector) if isinstance(detector, str) else detector
    size = image.shape[1], image.shape[0]
    found = left_to_right(finder.detect(image))
    return [_judged(number, face, image, size) for number, face in enumerate(found, start=1)]


def _judged(number: int, found: FaceCandidate, image: np.ndarray, size: tuple[int, int]) -> Face:
    pose = head_pose(found.vertices)
    against = faults(found, pose, hidden_parts(image, found.vertices), size)
    return Face(number, found, pose, tuple(against), *turn_range(found.vertices))


def chosen_face(faces: list[Face], number: int | None, size: tuple[int, int], name: str) -> Face:
    """Return the face of a number, or without one the largest that can be animated.

    Raises
    ------
    PortraitError
        If there is no such face, or it cannot be animated.
    """
    if number is None:
        able = [face for face in faces if face.can_be_animated] or faces
        best = choose_face([face.found for face in able], size)
        chosen = next((face for face in able if face.found is best), None)
    else:
        chosen = next((face for face in faces if face.number == number), None)
        if chosen is None and faces:
            numbers = ", ".join(str(face.number) for face in faces)
            raise PortraitError(
                f"There is no face {number} in {name}: it has {numbers}, from left to right. "
                f"See them with: animate-portrait faces {name}"
            )
    require_usable(None if chosen is None else chosen.faults, size, name)
    return chosen


def draw_numbers(image: np.ndarray, faces: list[Face]) -> np.ndarray:
    """Return a copy of a picture uint8 [H, W, 3] with a box and a number on each face, red if it cannot be animated."""
    drawn = image.copy()
    for face in faces:
        left, top, right, bottom = (round(side) for side in face.box)
        colour = _GREEN if face.can_be_animated else _RED
        thick = max(1, round(0.015 * face.width_px))
        cv2.rectangle(drawn, (left, top), (right, bottom), colour, thick, cv2.LINE_AA)
        scale = max(0.4, 0.012 * face.width_px)
        (width, height), _ = cv2.getTextSize(str(face.number), cv2.FONT_HERSHEY_SIMPLEX, scale, 2 * thick)
        corner = max(left, 0), max(top - 2 * height, 0)  # above the face, so that it can be seen
        cv2.rectangle(drawn, corner, (corner[0] + width + height, corner[1] + 2 * height), colour, -1)
        place = corner[0] + height // 2, corner[1] + round(1.5 * height)
        cv2.putText(
            drawn, str(face.number), place, cv2.FONT_HERSHEY_SIMPLEX, scale, (255, 255, 255), 2 * thick, cv2.LINE_AA
        )
    return drawn
