"""From a picture to a `Portrait`: load, find the face, judge it, measure it, cut the person out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from animate.errors import PortraitError
from animate.portrait.checks import MIN_FACE_PX, choose_face, require_usable
from animate.portrait.image import read_image
from animate.portrait.landmarks import LandmarkDetector, load_detector
from animate.portrait.matte import person_matte
from animate.portrait.neutral import neutral_vertices
from animate.portrait.pose import head_pose
from animate.portrait.restore import restore_image
from animate.topology import triangles
from animate.types import FaceMesh, Portrait


def read_portrait(
    path: Path | str, *, detector: str | LandmarkDetector = "mediapipe", restore: str | Sequence[str] = "off"
) -> Portrait:
    """Read a picture and find the face that will move: the largest.

    Parameters
    ----------
    path : Path or str
        Any picture that Pillow reads, at most 8192 px a side and 40 megapixels.
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
        If the picture cannot be read or shows no face that can be animated; the message gives reason and cure.
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
    portrait = portrait_from_image(restored, name=Path(path).name, detector=detector)
    return replace(portrait, sha256=sha256, original=None if restored is image else image, restoration=report)


def portrait_from_image(
    image: np.ndarray, *, name: str = "portrait", detector: str | LandmarkDetector = "mediapipe"
) -> Portrait:
    """Make a portrait of a picture in memory.

    Parameters
    ----------
    image : uint8 [H, W, 3]
        sRGB.
    name : str
        For messages.
    detector : str or LandmarkDetector
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
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise PortraitError(f"{name} is {image.dtype} {list(image.shape)}; a picture is uint8 [H, W, 3] in RGB.")
    size = image.shape[1], image.shape[0]
    if min(size) < MIN_FACE_PX:
        raise PortraitError(f"{name} is too small ({size[0]}x{size[1]}). Use a picture of at least 256x256 pixels.")
    image = np.ascontiguousarray(image)
    found = load_detector(detector) if isinstance(detector, str) else detector
    chosen = choose_face(found.detect(image), size)
    pose = head_pose(chosen.vertices) if chosen else None
    require_usable(chosen, pose, size, name)
    face = FaceMesh(chosen.vertices, triangles(), neutral_vertices(chosen.vertices), pose)
    return Portrait(image, face, person_matte(image, chosen.vertices), name)
