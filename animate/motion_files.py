"""Motions as files: every format behind one pair of verbs, chosen by the suffix."""

from __future__ import annotations

from pathlib import Path

from animate.errors import MotionError
from animate.types import Motion

PathLike = str | Path
_GLTF = (".glb", ".gltf")


def save_motion(motion: Motion, path: PathLike) -> Path:
    """Write a motion as .npz or .json (exact), .csv (Live Link Face), .glb or .gltf (a face mesh that moves).

    Raises
    ------
    MotionError
        If the suffix is another or the file cannot be written.
    """
    from animate import gltf
    from animate.motion import files

    return gltf.save_gltf(motion, path) if Path(path).suffix.lower() in _GLTF else files.save_motion(motion, path)


def check_motion_target(path: PathLike) -> None:
    """Raise the error that `save_motion` would raise for this name, before there is a motion.

    Raises
    ------
    MotionError
    """
    from animate.motion.files import SUFFIXES

    if Path(path).suffix.lower() not in (*SUFFIXES, *_GLTF):
        raise MotionError(f"{path}: motions are not kept as that. Use {', '.join((*SUFFIXES, *_GLTF))}.")
    if not Path(path).absolute().parent.is_dir():
        raise MotionError(f"The folder {Path(path).parent} does not exist. Create it first.")


def load_motion(path: PathLike) -> Motion:
    """Read a motion from any file that `save_motion` writes, or from a recording of the Live Link Face app.

    Raises
    ------
    MotionError
        If there is no such file, or it holds no motion.
    """
    from animate import gltf
    from animate.motion import files

    return gltf.load_gltf(path) if Path(path).suffix.lower() in _GLTF else files.load_motion(path)
