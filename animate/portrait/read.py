"""From a picture to a `Portrait`: load, find the face, judge it, measure it, cut the person out."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from animate.errors import PortraitError
from animate.portrait.checks import MIN_CONFIDENCE, MIN_FACE_PX
from animate.portrait.faces import Face, chosen_face, faces_in
from animate.portrait.image import read_image
from animate.portrait.landmarks import LandmarkDetector
from animate.portrait.neutral import neutral_vertices
from animate.portrait.people import person_mattes
from animate.portrait.restore import restore_image
from animate.topology import triangles
from animate.types import FaceMesh, Portrait

_log = logging.getLogger(__name__)


def read_portrait(
    path: Path | str,
    *,
    face: int | None = None,
    detector: str | LandmarkDetector = "mediapipe",
    restore: str | Sequence[str] = "off",
) -> Portrait:
    """Read a picture and find the face that will move.

    Parameters
    ----------
    path : Path or str
        Any picture that Pillow reads, at most 8192 px a side and 40 megapixels.
    face : int, optional
        Its number in `find_faces`, from 1, from left to right. By default the largest that can be animated; if there
        are several, which one that was is logged.
    detector : str or LandmarkDetector
        ``"mediapipe"``, ``"face-alignment"`` or an object with their `detect` method.
    restore : str or sequence of str
        Steps that clean the picture first, where it needs them: "off", "auto" or names as for
        `animate.portrait.restore.parse_steps`. The hash stays that of the file.

    Returns
    -------
    Portrait
        At the picture's own size unless that was restored too, upright, in sRGB.

    Raises
    ------
    PortraitError
        If the picture cannot be read or shows no face that can be animated, or none of this number; the message gives
        reason and cure.
    DependencyError
        If the detector or its weights are missing.
    ConfigError
        If `detector` names none, or `restore` an unknown step.

    Examples
    --------
    >>> read_portrait("ada.jpg").face.pose.yaw_deg                  # doctest: +SKIP
    -11.4
    """
    image, sha256 = read_image(path)
    restored, report = restore_image(image, restore, detector=detector)
    portrait = portrait_from_image(restored, name=Path(path).name, face=face, detector=detector)
    original = None if restored is image else image
    return replace(portrait, sha256=sha256, original=original, restoration=report, file=Path(path))


def portrait_from_image(
    image: np.ndarray,
    *,
    name: str = "portrait",
    face: int | None = None,
    detector: str | LandmarkDetector = "mediapipe",
) -> Portrait:
    """Make a portrait of a picture in memory.

    Parameters
    ----------
    image : uint8 [H, W, 3]
        sRGB.
    name : str
        For messages.
    face, detector
        As for `read_portrait`.

    Raises
    ------
    PortraitError, DependencyError, ConfigError
        As for `read_portrait`; also PortraitError if `image` has another shape or type.

    Examples
    --------
    >>> import skimage.data
    >>> portrait = portrait_from_image(skimage.data.astronaut(), name="astronaut")
    >>> portrait.size, portrait.face.vertices.shape
    ((512, 512), (478, 3))
    """
    image, size = _checked(image, name), image.shape[1::-1]
    faces = faces_in(image, detector)
    chosen = chosen_face(faces, face, size, name)
    if face is None and len(faces) > 1:
        _log.warning(
            "%s shows %d faces; face %d is taken, the largest that can be animated. Another one is chosen by --face N "
            "or face=N; animate-portrait faces draws their numbers.",
            name, len(faces), chosen.number,
        )  # fmt: skip
    return _portraits(image, faces, [chosen], name)[0]


def read_people(
    path: Path | str,
    *,
    faces: Sequence[int] | None = None,
    detector: str | LandmarkDetector = "mediapipe",
    restore: str | Sequence[str] = "off",
) -> dict[int, Portrait]:
    """Read a picture of several people: a portrait of each, all with the same picture.

    Parameters
    ----------
    path : Path or str
    faces : sequence of int, optional
        Their numbers in `find_faces`; by default all that can be animated.
    detector, restore
        As for `read_portrait`.

    Returns
    -------
    dict of int to Portrait
        By number.

    Raises
    ------
    PortraitError, DependencyError, ConfigError
        As for `read_portrait`.

    Examples
    --------
    >>> sorted(read_people("choir.jpg"))                            # doctest: +SKIP
    [1, 2, 3]
    """
    image, sha256 = read_image(path)
    restored, report = restore_image(image, restore, detector=detector)
    people = people_from_image(restored, name=Path(path).name, faces=faces, detector=detector)
    original = None if restored is image else image
    came_from = {"sha256": sha256, "original": original, "restoration": report, "file": Path(path)}
    return {number: replace(portrait, **came_from) for number, portrait in people.items()}


def people_from_image(
    image: np.ndarray,
    *,
    name: str = "portrait",
    faces: Sequence[int] | None = None,
    detector: str | LandmarkDetector = "mediapipe",
) -> dict[int, Portrait]:
    """Make a portrait of each person of a picture uint8 [H, W, 3] in memory; the rest as for `read_people`."""
    image, size = _checked(image, name), image.shape[1::-1]
    found = faces_in(image, detector)
    numbers = [face.number for face in found if face.can_be_animated] if faces is None else faces
    chosen = [chosen_face(found, number, size, name) for number in numbers or [None]]
    return dict(zip([face.number for face in chosen], _portraits(image, found, chosen, name)))


def find_faces(picture: Path | str | np.ndarray, *, detector: str | LandmarkDetector = "mediapipe") -> list[Face]:
    """Return all faces of a picture, from left to right, each with its number, its pose and whether it can be animated.

    Parameters
    ----------
    picture : Path, str or uint8 [H, W, 3]
    detector
        As for `read_portrait`.

    Raises
    ------
    PortraitError
        If the picture cannot be read. A picture without a face gives an empty list.
    DependencyError, ConfigError
        As for `read_portrait`.

    Examples
    --------
    >>> import skimage.data
    >>> face, = find_faces(skimage.data.astronaut())
    >>> face.number, face.can_be_animated
    (1, True)
    """
    if isinstance(picture, np.ndarray):
        return faces_in(_checked(picture, "picture"), detector)
    return faces_in(_checked(read_image(picture)[0], Path(picture).name), detector)


def _checked(image: np.ndarray, name: str) -> np.ndarray:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise PortraitError(f"{name} is {image.dtype} {list(image.shape)}; a picture is uint8 [H, W, 3] in RGB.")
    height, width = image.shape[:2]
    if min(height, width) < MIN_FACE_PX:
        raise PortraitError(f"{name} is too small ({width}x{height}). Use a picture of at least 256x256 pixels.")
    return np.ascontiguousarray(image)


def _portraits(image: np.ndarray, faces: list[Face], chosen: list[Face], name: str) -> list[Portrait]:
    """Return portraits of the chosen ones among the faces of a picture."""
    everybody = [face for face in faces if face.found.confidence >= MIN_CONFIDENCE or face in chosen]
    cuts = person_mattes(image, [face.found.vertices for face in everybody], [everybody.index(face) for face in chosen])
    portraits = []
    for face, cut in zip(chosen, cuts):
        mesh = face.found.vertices
        measured = FaceMesh(mesh, triangles(), neutral_vertices(mesh), face.pose)
        portraits.append(Portrait(image, measured, cut.matte, name, in_front=cut.in_front, behind=cut.behind))
    return portraits
