"""Which faces can be animated, and for the others the reason and the cure."""

from __future__ import annotations

import numpy as np

from animate.errors import PortraitError
from animate.portrait.landmarks import FaceCandidate
from animate.topology import FACE_OVAL
from animate.types import HeadPose

# Measured with MediaPipe on 16 human pictures (photographs, paintings, a statue, a cartoon) and 11 others (cats, big
# cats, a llama, patterns), each in 13 versions (mirrored, turned, grey, blurred, dark, bright, recompressed, rescaled,
# cropped): people scored at least 0.70, with a spread of at most 0.038 but for one blurred photograph (0.060); cats,
# llama and patterns scored 0.00. Two lie between: a tree creature with a man's features (0.29 to 0.68) and a man in
# profile (0.37 to 0.79, spread 0.05 to 0.11).
MIN_CONFIDENCE = 0.5
MAX_SPREAD = 0.06

MIN_FACE_PX = 60  # below it landmarks stray by more than 1 % of the eye distance, and lips are two pixels high
GOOD_FACE_PX = 96
MAX_YAW_DEG = 45.0  # beyond it the far eye and the far corner of the mouth are hidden
MAX_PITCH_DEG = 40.0
MAX_ROLL_DEG = 60.0  # beyond it the picture lies on its side
_OUTSIDE = 0.03  # share of the face that may lie beyond the picture's edge


def choose_face(candidates: list[FaceCandidate], size: tuple[int, int]) -> FaceCandidate | None:
    """Return the largest face that looks human, of nearly equal ones the most central; any other if there is none.

    Parameters
    ----------
    candidates : list of FaceCandidate
    size : (int, int)
        Width and height of the picture in pixels.
    """
    human = [face for face in candidates if looks_human(face)] or candidates
    if not human:
        return None
    widest = max(face_width(face) for face in human)
    rivals = [face for face in human if face_width(face) > 0.9 * widest]
    centre = np.array(size) / 2
    return min(rivals, key=lambda face: np.linalg.norm(face.vertices[:, :2].mean(axis=0) - centre))


def looks_human(face: FaceCandidate) -> bool:
    """Tell a person's face, also a painted or sculpted one, from an animal's and from chance patterns."""
    return face.confidence >= MIN_CONFIDENCE


def face_width(face: FaceCandidate) -> float:
    """Return the width of the skin in pixels."""
    left, _, right, _ = face.box
    return right - left


def require_usable(face: FaceCandidate | None, pose: HeadPose | None, size: tuple[int, int], name: str) -> None:
    """Refuse a face that would not move well.

    Raises
    ------
    PortraitError
        If there is no face, or it is not a person's, too small, turned too far, unclear or cut off.
    """
    where = f"{name} ({size[0]}x{size[1]})"
    if face is None:
        raise PortraitError(
            f"No face found in {where}. Use a picture of a person where one face is at least {GOOD_FACE_PX} px wide, "
            "upright and seen from the front."
        )
    outside = _share_outside(face, size)
    if outside > _OUTSIDE:
        raise PortraitError(
            f"The face in {where} is cut off by the picture's edge ({outside:.0%} of it lies outside). "
            "Use a picture that shows the whole face, with some room around it."
        )
    if face_width(face) < MIN_FACE_PX:
        raise PortraitError(
            f"The face in {where} is too small: {face_width(face):.0f} px wide, and {MIN_FACE_PX} px is the least. "
            f"Use a larger scan or a closer picture where it is at least {GOOD_FACE_PX} px wide."
        )
    if abs(pose.roll_deg) > MAX_ROLL_DEG:
        raise PortraitError(
            f"The face in {where} lies on its side (tilted by {abs(pose.roll_deg):.0f} degrees). Turn the picture "
            f"{'left' if pose.roll_deg > 0 else 'right'} by a quarter and use that."
        )
    if abs(pose.yaw_deg) > MAX_YAW_DEG:
        raise PortraitError(
            f"The face in {where} is turned {abs(pose.yaw_deg):.0f} degrees to the side, and {MAX_YAW_DEG:.0f} is "
            "the most. Use a picture that shows both eyes and both corners of the mouth."
        )
    if abs(pose.pitch_deg) > MAX_PITCH_DEG:
        raise PortraitError(
            f"The face in {where} looks {abs(pose.pitch_deg):.0f} degrees {'up' if pose.pitch_deg > 0 else 'down'}, "
            f"and {MAX_PITCH_DEG:.0f} is the most. Use a picture where the person looks towards the camera."
        )
    if not looks_human(face):
        raise PortraitError(
            f"What looks like a face in {where} is not clearly a person's (score {face.confidence:.2f}, at least "
            f"{MIN_CONFIDENCE} is needed). Use a picture of a person, photographed, painted or sculpted, whose eyes, "
            "nose and mouth are in view; animals cannot be animated."
        )
    if face.spread > MAX_SPREAD:
        raise PortraitError(
            f"The features of the face in {where} are too unclear to follow (they are found {face.spread:.1%} of the "
            f"eye distance apart, and {MAX_SPREAD:.0%} is the most). Use a sharper picture in which nothing hides it."
        )


def _share_outside(face: FaceCandidate, size: tuple[int, int]) -> float:
    """Return the share of the face's outline that lies beyond the picture."""
    outline = face.vertices[list(FACE_OVAL), :2]
    return float(((outline < 0) | (outline > size)).any(axis=1).mean())
