"""Which faces can be animated, and for the others the reason and the cure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from animate.errors import PortraitError
from animate.portrait.landmarks import FaceCandidate
from animate.topology import FACE_OVAL
from animate.types import HeadPose

# Measured with MediaPipe on 16 human pictures (photographs, paintings, a statue, a cartoon) and 11 others (cats, big
# cats, a llama, patterns), each in 13 versions (mirrored, turned, grey, blurred, dark, bright, recompressed, rescaled,
# cropped): people scored at least 0.70, with a spread of at most 0.038 but for one blurred photograph (0.060); cats,
# llama and patterns scored 0.00. Two lie between: a tree creature with a man's features (0.29 to 0.68) and a man in
# profile (0.37 to 0.79, spread 0.05 to 0.11). That was with the first of the crops that are scored today; with both,
# as with the first, one of 190 other pictures, mostly of animals, passes: a monkey's child (0.70).
MIN_CONFIDENCE = 0.5
MAX_SPREAD = 0.06

MIN_FACE_PX = 60  # below it landmarks stray by more than 1 % of the eye distance, and lips are two pixels high
GOOD_FACE_PX = 96
MAX_YAW_DEG = 45.0  # beyond it the far eye and the far corner of the mouth are hidden
MAX_PITCH_DEG = 40.0
MAX_ROLL_DEG = 60.0  # beyond it the picture lies on its side
_OUTSIDE = 0.03  # share of the face that may lie beyond the picture's edge


@dataclass(frozen=True)
class Fault:
    """One reason why a face cannot be animated, such as ``"is too small ..."``, and what would help."""

    problem: str
    cure: str


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


def require_usable(found: Sequence[Fault] | None, size: tuple[int, int], name: str) -> None:
    """Refuse a face that would not move well.

    Parameters
    ----------
    found : sequence of Fault, or None
        What `faults` returned; None if there is no face.
    size : (int, int)
        Width and height of the picture in pixels.
    name : str
        For the message.

    Raises
    ------
    PortraitError
        If there is no face or it has faults; the message names all of them, and what would help.
    """
    where = f"{name} ({size[0]}x{size[1]})"
    if found is None:
        raise PortraitError(
            f"No face found in {where}. Use a picture of a person where one face is at least {GOOD_FACE_PX} px wide, "
            "upright and seen from the front."
        )
    if found:
        raise PortraitError(f"The face in {where} {in_words(found)}")


def faults(face: FaceCandidate, pose: HeadPose, hidden: Sequence[str], size: tuple[int, int]) -> list[Fault]:
    """Return why a face cannot be animated: nothing, if it can.

    Parameters
    ----------
    face : FaceCandidate
    pose : HeadPose
    hidden : sequence of str
        What `hiding.hidden_parts` returns.
    size : (int, int)
        Width and height of the picture in pixels.
    """
    found = []
    outside, width = _share_outside(face, size), face_width(face)
    if outside > _OUTSIDE:
        found.append(Fault(
            f"is cut off by the picture's edge ({outside:.0%} of it lies outside)",
            "Use a picture that shows the whole face, with some room around it.",
        ))  # fmt: skip
    if width < MIN_FACE_PX:
        found.append(Fault(
            f"is too small: {width:.0f} px wide, and {MIN_FACE_PX} px is the least",
            f"Use a larger scan or a closer picture where it is at least {GOOD_FACE_PX} px wide.",
        ))  # fmt: skip
    if abs(pose.roll_deg) > MAX_ROLL_DEG:
        found.append(Fault(
            f"lies on its side (tilted by {abs(pose.roll_deg):.0f} degrees)",
            f"Turn the picture {'left' if pose.roll_deg > 0 else 'right'} by a quarter and use that.",
        ))  # fmt: skip
    if abs(pose.yaw_deg) > MAX_YAW_DEG:
        found.append(Fault(
            f"is turned {abs(pose.yaw_deg):.0f} degrees to the side, and {MAX_YAW_DEG:.0f} is the most",
            "Use a picture that shows both eyes and both corners of the mouth.",
        ))  # fmt: skip
    if abs(pose.pitch_deg) > MAX_PITCH_DEG:
        found.append(Fault(
            f"looks {abs(pose.pitch_deg):.0f} degrees {'up' if pose.pitch_deg > 0 else 'down'}, and "
            f"{MAX_PITCH_DEG:.0f} is the most",
            "Use a picture where the person looks towards the camera.",
        ))  # fmt: skip
    if not looks_human(face):
        found.append(Fault(
            f"is not clearly a person's (score {face.confidence:.2f}, at least {MIN_CONFIDENCE} is needed)",
            "Use a picture of a person, photographed, painted or sculpted, whose eyes, nose and mouth are in view; "
            "animals cannot be animated.",
        ))  # fmt: skip
    if hidden:
        found.append(Fault(
            f"is partly hidden: its {' and '.join(hidden)} cannot be seen",
            "Use a picture in which no hand, hair, mask or dark glasses lie over eyes and mouth.",
        ))  # fmt: skip
    if face.spread > MAX_SPREAD:
        found.append(Fault(
            f"is too unclear to follow (its features are found {face.spread:.1%} of the eye distance apart, and "
            f"{MAX_SPREAD:.0%} is the most)",
            "Use a sharper picture in which nothing hides it.",
        ))  # fmt: skip
    return found


def in_words(found: Sequence[Fault]) -> str:
    """Return faults as the end of a sentence about a face, and what would help after it."""
    return f"{', and '.join(fault.problem for fault in found)}. {' '.join(fault.cure for fault in found)}"


def _share_outside(face: FaceCandidate, size: tuple[int, int]) -> float:
    """Return the share of the face's outline that lies beyond the picture."""
    outline = face.vertices[list(FACE_OVAL), :2]
    return float(((outline < 0) | (outline > size)).any(axis=1).mean())
