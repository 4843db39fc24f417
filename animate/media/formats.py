"""The formats that are written: chosen by the suffix of the target, each with what it can carry."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from animate.errors import MediaError
from animate.media.encode import TAGGED, Encoding, FfmpegWriter, Writer
from animate.media.gif import GifWriter
from animate.media.pictures import SequenceWriter, StillWriter

_NUMBER = re.compile(r"%(0\d+)?d")  # in the name of a sequence


@dataclass(frozen=True)
class Format:
    """One kind of output.

    Attributes
    ----------
    writer : callable
        Makes the `Writer` of a draft from its path, the frames, the voice or None, and an `Encoding`.
    has_alpha : bool
        Whether it can be transparent.
    setting : str
        The field of `Encoding` that is for this format only, if there is one.
    """

    writer: Callable[..., Writer]
    has_alpha: bool = False
    setting: str = ""


FORMATS = {
    ".mp4": Format(FfmpegWriter, setting="codec"),
    ".webm": Format(FfmpegWriter, has_alpha=True),
    ".mov": Format(FfmpegWriter, has_alpha=True),
    ".gif": Format(GifWriter, setting="max_mb"),
    ".webp": Format(FfmpegWriter, has_alpha=True),
    ".png": Format(StillWriter, has_alpha=True, setting="still_at_s"),
    ".jpg": Format(StillWriter, setting="still_at_s"),
}
_SEQUENCE = Format(SequenceWriter, has_alpha=True)


def is_sequence(target: Path) -> bool:
    """Return whether a target, such as ``ada/%04d.png``, stands for one picture a frame."""
    return _NUMBER.search(target.name) is not None


def format_of(target: Path) -> Format:
    """Return what a target is written as.

    Raises
    ------
    MediaError
        If its suffix is unknown.
    """
    suffix = target.suffix.lower()
    if suffix not in FORMATS:
        what = f"files of type {suffix!r} cannot be written" if suffix else "a name without a suffix says no format"
        raise MediaError(f"{target.name}: {what}. Use {', '.join(FORMATS)}.")
    return _SEQUENCE if is_sequence(target) else FORMATS[suffix]


def check_targets(paths: Sequence[str | Path], encoding: Encoding | None = None, has_alpha: bool = False) -> None:
    """Raise the error that `write_videos` would raise for these names, before anything is rendered.

    Parameters
    ----------
    paths : sequence of path
        ``NAME.mp4`` and so on, or ``FOLDER/%04d.png`` for one picture a frame.
    encoding : Encoding, optional
    has_alpha : bool
        Whether the frames are transparent where the background was.

    Raises
    ------
    MediaError
        If there is no name, a suffix is unknown or cannot be transparent, a name is that of a folder, its folder does
        not exist, the folder of a sequence holds something, or a setting is for other formats than these.
    """
    if not paths:
        raise MediaError("There is no name to write to. Give at least one, such as ada.mp4.")
    for target in map(Path, paths):
        _check_target(target, has_alpha)
    if encoding is not None and encoding.aigc_producer:
        for target in [target for target in map(Path, paths) if target.suffix.lower() not in TAGGED]:
            raise MediaError(f"{target.name} cannot hold an AIGC tag. Use {', '.join(TAGGED)}, or leave it out.")
    used = {format_of(Path(path)).setting for path in paths}
    for setting in {kind.setting for kind in FORMATS.values() if kind.setting} - used:
        if encoding is not None and getattr(encoding, setting) != getattr(Encoding(), setting):
            suffixes = " or ".join(suffix for suffix, kind in FORMATS.items() if kind.setting == setting)
            raise MediaError(
                f"{setting}={getattr(encoding, setting)} has no effect: it is for {suffixes}. Leave it out."
            )


def check_png(path: str | Path) -> None:
    """Raise the error that writing one picture to this name would raise, before anything is done.

    Raises
    ------
    MediaError
        If the name does not end in .png, is that of a folder, or its folder does not exist.
    """
    if Path(path).suffix.lower() != ".png":
        raise MediaError(f"{Path(path).name}: this picture is written as PNG. Give a name that ends in .png.")
    check_targets([path])


def _check_target(target: Path, has_alpha: bool) -> None:
    kind = format_of(target)
    if has_alpha and not kind.has_alpha:
        able = ", ".join(suffix for suffix, other in FORMATS.items() if other.has_alpha)
        raise MediaError(f"{target.name}: {target.suffix} files cannot be transparent. Use {able}, or leave out alpha.")
    if kind is _SEQUENCE:
        _check_sequence(target)
    elif target.is_dir():
        raise MediaError(f"{target} is a folder. Give a file name.")
    elif not target.parent.is_dir():
        raise MediaError(f"The folder {target.parent} does not exist. Create it first.")


def _check_sequence(target: Path) -> None:
    folder = target.absolute().parent
    if target.suffix.lower() != ".png" or len(_NUMBER.findall(target.name)) > 1:
        raise MediaError(f"{target.name} is no name for a sequence. Write one number and .png, as in ada/%04d.png.")
    if not folder.parent.is_dir():
        raise MediaError(f"The folder {folder.parent} does not exist. Create it first.")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise MediaError(
            f"{folder} is not empty. A sequence gets a folder of its own: name a new one, as in ada/%04d.png."
        )
