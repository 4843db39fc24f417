"""Follow one face through the frames of a video."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from animate.errors import TrackingError
from animate.portrait.checks import MAX_SPREAD, MIN_FACE_PX, choose_face, face_width, looks_human
from animate.portrait.landmarks import FaceCandidate, left_to_right
from animate.portrait.mediapipe_detector import load_mediapipe

_SEARCH_EVERY = 5  # frames without the face; a search takes as long as ten frames with it
_NEARBY = 1.5  # face widths within which the face is found again if there are others


def follow(frames: Iterable[np.ndarray], face: int | None = None) -> Iterator[np.ndarray | None]:
    """Yield the mesh of one face for every frame.

    Parameters
    ----------
    frames : iterable of uint8 [H, W, 3]
        RGB.
    face : int, optional
        Which one, counted from the left of the picture from 1, in the first frame that shows so many; the largest if
        omitted, of nearly equal ones the most central.

    Yields
    ------
    float32 [478, 3] or None
        Pixels; None where the face is not seen or too blurred to be measured.

    Raises
    ------
    TrackingError
        If `face` is below 1, or no frame shows so many faces.
    """
    if face is not None and face < 1:
        raise TrackingError(f"There is no face {face}. Faces are counted from the left, from 1.")
    detector, last, alone, most, missed = load_mediapipe(), None, True, 0, 0
    for frame in frames:
        found = None if last is None else detector.follow(frame, last)
        if found is None and missed % _SEARCH_EVERY == 0:
            seen = [each for each in detector.detect(frame) if looks_human(each) and face_width(each) >= MIN_FACE_PX]
            most = max(most, len(seen))
            if last is None:
                found, alone = _choose(seen, face, frame.shape[1::-1]), len(seen) == 1
            else:
                found = _nearest(seen, last, alone)
        missed = missed + 1 if found is None else 0
        last = last if found is None else found.vertices
        yield None if found is None or found.spread > MAX_SPREAD else found.vertices
    if last is None and face is not None and most:
        raise TrackingError(
            f"There is no face {face}: at most {most} were seen at once. Leave --face out for the largest."
        )


def _choose(seen: list[FaceCandidate], face: int | None, size: tuple[int, int]) -> FaceCandidate | None:
    if face is None:
        return choose_face(seen, size)
    return left_to_right(seen)[face - 1] if len(seen) >= face else None


def _nearest(seen: list[FaceCandidate], last: np.ndarray, alone: bool) -> FaceCandidate | None:
    """Return the face nearest to where it was last; where there are others, only if it is near."""
    place, width = last[:, :2].mean(axis=0), np.ptp(last[:, 0])
    away = [np.linalg.norm(each.vertices[:, :2].mean(axis=0) - place) for each in seen]
    if not seen or (min(away) > _NEARBY * width and not (alone and len(seen) == 1)):
        return None
    return seen[int(np.argmin(away))]
