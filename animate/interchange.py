"""Motions in files of every kind: our own, Live Link Face and glTF."""

from __future__ import annotations

from pathlib import Path

from animate.errors import MotionError
from animate.gltf import load_gltf, save_gltf
from animate.motion import files
from animate.types import Motion

_GLTF = (".glb", ".gltf")


def save_motion(motion: Motion, path: str | Path) -> Path:
    """Write a motion as .npz or .json (exact), .csv (Live Link Face), .glb or .gltf (a face mesh that moves).

    Raises
    ------
    MotionError
        If the suffix is another or the file cannot be written.
    """
    return save_gltf(motion, path) if Path(path).suffix.lower() in _GLTF else files.save_motion(motion, path)


def check_motion_target(path: str | Path) -> None:
    """Raise the error that `save_motion` would raise for this name, before there is a motion.

    Raises
    ------
    MotionError
    """
    if Path(path).suffix.lower() not in (*files.SUFFIXES, *_GLTF):
        raise MotionError(f"{path}: motions are not kept as that. Use {', '.join((*files.SUFFIXES, *_GLTF))}.")
    if not Path(path).absolute().parent.is_dir():
        raise MotionError(f"The folder {Path(path).parent} does not exist. Create it first.")


def load_motion(path: str | Path) -> Motion:
    """Read a motion from any file that `save_motion` writes, or from a recording of the Live Link Face app.

    Raises
    ------
    MotionError
        If there is no such file, or it holds no motion.
    """
    return load_gltf(path) if Path(path).suffix.lower() in _GLTF else files.load_motion(path)
