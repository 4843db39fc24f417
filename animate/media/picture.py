"""Write one marked picture."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from PIL import Image

from animate.errors import MediaError
from animate.types import MarkedFrames


def write_picture(path: str | Path, frames: MarkedFrames) -> Path:
    """Write the first of some marked frames as a PNG, which appears when it is complete and sealed.

    Returns
    -------
    Path
        The target.

    Raises
    ------
    MediaError
        If the frames are not marked or the target cannot be written.
    ProvenanceError
        If the file cannot be signed or noted in the record.
    """
    target = Path(path)
    check_picture(target)
    if not isinstance(frames, MarkedFrames):
        raise MediaError(f"Only marked frames are written, not {type(frames).__name__}.")
    try:
        with tempfile.TemporaryDirectory(prefix=f".{target.stem[:64]}-", dir=target.parent) as folder:
            draft = Path(folder, "picture.png")
            Image.fromarray(next(iter(frames))).save(draft)
            frames.seal(draft)
            os.replace(draft, target)
    except OSError as error:
        raise MediaError(f"{target} could not be written: {error.strerror or error}.") from error
    return target


def check_picture(path: str | Path) -> None:
    """Raise the error that `write_picture` would raise for this name, before anything is rendered.

    Raises
    ------
    MediaError
        If the name does not end in .png, is that of a folder, or its folder does not exist.
    """
    target = Path(path)
    if target.suffix.lower() != ".png":
        raise MediaError(f"{target.name}: pictures of type {target.suffix!r} cannot be written. Use .png.")
    if target.is_dir():
        raise MediaError(f"{target} is a folder. Give a file name.")
    if not target.parent.is_dir():
        raise MediaError(f"The folder {target.parent} does not exist. Create it first.")
