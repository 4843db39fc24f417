"""Save and load motions; the suffix says how.

====== ==============================================================================================
.npz   exact: the float32 values, their channels, rate and duration
.json  exact, and readable: the same as text
.csv   Live Link Face, as Unreal and Faceit read it (`animate.motion.live_link`)
====== ==============================================================================================

A file appears under its name when it is complete. glTF, which holds a mesh as well, is in `animate.gltf`.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from animate.channels import CHANNELS, INDEX
from animate.errors import MotionError, nearest
from animate.motion.live_link import from_live_link, to_live_link
from animate.types import Motion

SUFFIXES = (".npz", ".json", ".csv")
_FORMAT = "animate.motion"


def save_motion(motion: Motion, path: str | Path) -> Path:
    """Write a motion.

    Parameters
    ----------
    motion : Motion
    path : path
        Ends in .npz, .json or .csv.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    MotionError
        If the suffix is another or the file cannot be written; nothing is left behind.

    Examples
    --------
    >>> import tempfile
    >>> path = save_motion(Motion.rest(1.0, 50), Path(tempfile.mkdtemp()) / "rest.npz")
    >>> len(load_motion(path))
    50
    """
    target = Path(path)
    writers = {".npz": _to_npz, ".json": _to_json, ".csv": lambda motion: to_live_link(motion).encode()}
    return write_whole(target, writers[_known_suffix(target)](motion))


def write_whole(target: Path, content: bytes) -> Path:
    """Write a file that appears when it is complete; return its path.

    Raises
    ------
    MotionError
        If it cannot be written; nothing is left behind.
    """
    try:
        with tempfile.TemporaryDirectory(prefix=f".{target.stem[:64]}-", dir=target.parent) as folder:
            draft = Path(folder, target.name)
            draft.write_bytes(content)
            os.replace(draft, target)
    except OSError as error:
        raise MotionError(f"The motion {target} could not be written: {error.strerror or error}.") from None
    return target


def load_motion(path: str | Path, fps: float | None = None) -> Motion:
    """Read a motion that `save_motion` wrote, or a recording of the Live Link Face app.

    Parameters
    ----------
    path : path
    fps : float, optional
        Rate at which a Live Link Face file was recorded; by default what its time codes tell.

    Raises
    ------
    MotionError
        If there is no such file, it is damaged or of another kind, or names an unknown channel.
    """
    source = Path(path)
    suffix = _known_suffix(source)
    try:
        content = source.read_bytes()
    except OSError as error:
        raise MotionError(f"The motion {source} cannot be read: {error.strerror}. Check its path.") from None
    try:
        if suffix == ".csv":
            return from_live_link(content.decode("utf-8-sig"), source.name, fps)
        parts = _npz_parts(content) if suffix == ".npz" else _json_parts(content)
        return _assembled(source.name, **parts)
    except (ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        raise MotionError(f"{source.name} is not a motion, or it is damaged ({error}). Save it again.") from None


def _known_suffix(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise MotionError(
            f"{path.name}: motions are not kept as {suffix or 'such files'!r}. Use {', '.join(SUFFIXES)}."
        )
    return suffix


def _to_npz(motion: Motion) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(
        buffer, values=motion.values, fps=motion.fps, duration_s=motion.duration_s, channels=np.array(CHANNELS)
    )
    return buffer.getvalue()


def _npz_parts(content: bytes) -> dict:
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        return {
            "channels": file["channels"].tolist(),
            "values": file["values"],
            "fps": float(file["fps"]),
            "duration_s": float(file["duration_s"]),
        }


def _to_json(motion: Motion) -> bytes:
    head = {"format": _FORMAT, "version": 1, "fps": motion.fps, "duration_s": motion.duration_s, "channels": CHANNELS}
    # numpy's shortest text of a float32 that reads back as the same
    rows = ",\n".join("[" + ", ".join(str(value) for value in row) + "]" for row in motion.values)
    return (json.dumps(head)[:-1] + ',\n"values": [\n' + rows + "\n]}\n").encode()


def _json_parts(content: bytes) -> dict:
    parts = json.loads(content)
    if parts.get("format") != _FORMAT:
        raise ValueError(f'it does not say "format": "{_FORMAT}"')
    return {name: parts[name] for name in ("channels", "values", "fps", "duration_s")}


def _assembled(name: str, channels: list[str], values, fps: float, duration_s: float) -> Motion:
    for channel in channels:
        if channel not in INDEX:
            hint = nearest(channel, CHANNELS, otherwise="")
            raise MotionError(f"{name} has a channel {channel!r} that does not exist. {hint}".rstrip())
    given = np.asarray(values, np.float32)
    full = np.zeros((len(given), len(CHANNELS)), np.float32)
    full[:, [INDEX[channel] for channel in channels]] = given
    return Motion(full, float(fps), float(duration_s))
