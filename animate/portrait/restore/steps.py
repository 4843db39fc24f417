"""Which steps there are, in which order, and how a user names them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from animate.errors import ConfigError, nearest
from animate.portrait.checks import MIN_FACE_PX
from animate.portrait.landmarks import LandmarkDetector, load_detector
from animate.portrait.restore.enlarge import enlarge
from animate.portrait.restore.frame import straighten
from animate.portrait.restore.noise import denoise
from animate.portrait.restore.repair import repair
from animate.portrait.restore.tone import remove_tint, restore_contrast
from animate.types import Treatment

# In the order they are taken. Repair precedes contrast, which would make scratches and whites alike; noise is measured
# after it, because fading hides it too.
STEPS = ("straighten", "repair", "contrast", "denoise", "tint", "enlarge")
_AUTO = ("straighten", "repair", "contrast", "denoise", "enlarge")  # a tint may be meant, so it is taken out on request
_SMALL_FACE_PX = MIN_FACE_PX * 4 / 3  # 80: narrower faces are accepted but are hard to follow, from 60 not at all
_MOST_FACE_PX = 2000


@dataclass(frozen=True)
class Plan:
    """Which steps are wanted, and how wide the face should be, in pixels, for "enlarge" to leave it."""

    steps: frozenset[str]
    face_px: float


def restore_image(
    image: np.ndarray, steps: str | Sequence[str] = "auto", *, detector: str | LandmarkDetector = "mediapipe"
) -> tuple[np.ndarray, tuple[Treatment, ...]]:
    """Restore a picture where it is justified.

    Parameters
    ----------
    image : uint8 [H, W, 3]
        sRGB.
    steps : str or sequence of str
        As for `parse_steps`.
    detector : str or LandmarkDetector
        Finds the faces: their features are protected, and a small one is enlarged.

    Returns
    -------
    image : uint8 [H', W', 3]
        The same array if nothing was done.
    report : tuple of Treatment
        One for each step, in the order they were taken; none for a picture too small to hold a face.

    Raises
    ------
    ConfigError
        If a step is unknown.
    DependencyError
        If the detector is missing.

    Examples
    --------
    >>> import skimage.data
    >>> picture = skimage.data.astronaut()
    >>> restored, report = restore_image(picture, "contrast,denoise")
    >>> restored is picture, report[0].words
    (True, 'blacks at 0 and whites at 254 of 255: not faded')
    """
    plan = parse_steps(steps)
    if min(image.shape[:2]) < MIN_FACE_PX:
        return image, ()
    report = []
    if "straighten" in plan.steps:
        image, done = straighten(image)
        report.append(done)
    faces = []
    if plan.steps & {"repair", "enlarge"}:
        faces = (load_detector(detector) if isinstance(detector, str) else detector).detect(image)
    takes = {
        "repair": lambda image: repair(image, faces),
        "contrast": restore_contrast,
        "denoise": denoise,
        "tint": remove_tint,
        "enlarge": lambda image: enlarge(image, faces, plan.face_px),
    }
    for step, take in takes.items():
        if step in plan.steps:
            image, done = take(image)
            report.append(done)
    return image, tuple(report)


def parse_steps(steps: str | Sequence[str]) -> Plan:
    """Return which steps are wanted.

    Parameters
    ----------
    steps : str or sequence of str
        Names out of `STEPS`, as a sequence or parted by commas; "auto" for all but "tint"; "off" for none.
        "enlarge:400" wants the face 400 pixels wide instead of 80.

    Raises
    ------
    ConfigError
        If a step is unknown, or its number makes no sense.

    Examples
    --------
    >>> plan = parse_steps("tint,enlarge:400")
    >>> sorted(plan.steps), plan.face_px
    (['enlarge', 'tint'], 400.0)
    """
    names = [name.strip() for name in (steps.split(",") if isinstance(steps, str) else steps)]
    wanted, face_px = set(), _SMALL_FACE_PX
    for name, _, number in (text.partition(":") for text in names):
        if name not in (*STEPS, "auto") and names != ["off"]:
            hint = nearest(name, STEPS, f"Use auto, off or some of {', '.join(STEPS)}.")
            raise ConfigError(f"There is no step of restoration {name!r}. {hint}")
        if number and name != "enlarge":
            raise ConfigError(f"{name}:{number}: only enlarge takes a number, the width of the face in pixels.")
        wanted |= set(_AUTO) if name == "auto" else {name} - {"off"}
        face_px = _face_px(number) if number else face_px
    return Plan(frozenset(wanted), face_px)


def _face_px(number: str) -> float:
    width = float(number) if number.replace(".", "", 1).isdigit() else 0.0
    if not 1 <= width <= _MOST_FACE_PX:
        raise ConfigError(f"enlarge:{number}: give the width of the face in pixels, 1 to {_MOST_FACE_PX}.")
    return width
