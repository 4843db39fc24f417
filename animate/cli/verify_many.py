"""Verify many files: expand folders and lists, share the work among processes, keep the order."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from pathlib import Path

from animate.errors import AnimateError, MediaError
from animate.pipeline import verify
from animate.provenance import record
from animate.types import Verdict

SCHEMA = 1  # of the JSON objects; provenance/SPEC.md documents it
# What is looked for in folders; files that are named are read whatever they are called.
_SUFFIXES = {
    ".mp4", ".mov", ".m4v", ".mkv", ".webm", ".avi", ".mpg", ".mpeg",
    ".gif", ".png", ".webp", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff",
}  # fmt: skip


def expand(paths: Iterable[str], recursive: bool = False) -> list[Path]:
    """Return the files that paths stand for: files as they are, folders by the pictures and videos in them.

    Raises
    ------
    MediaError
        If a folder holds no pictures or videos.
    """
    files = []
    for path in map(Path, paths):
        if not path.is_dir():
            files.append(path)
            continue
        inside = sorted(f for f in path.glob("**/*" if recursive else "*") if f.suffix.lower() in _SUFFIXES)
        if not inside:
            hint = "" if recursive else " Folders inside it are looked at with --recursive."
            raise MediaError(f"The folder {path} holds no pictures or videos.{hint}")
        files += inside
    return files


def verify_many(
    files: Iterable[Path], *, deep: bool = False, workers: int = 1
) -> Iterator[tuple[Path, Verdict | AnimateError]]:
    """Yield each file with its verdict, or the error that it gave, in the order of the files.

    Parameters
    ----------
    files : iterable of Path
    deep : bool
        Also search rotated and squeezed versions.
    workers : int
        Processes; 1 works in this one.
    """
    if workers == 1:
        yield from ((file, _outcome(file, deep)) for file in files)
        return
    files = list(files)
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield from zip(files, pool.map(_outcome, files, [deep] * len(files)))


def _outcome(file: Path, deep: bool) -> Verdict | AnimateError:
    try:
        return verify(file, deep=deep)
    except AnimateError as error:
        return error


def as_json(file: Path, outcome: Verdict | AnimateError) -> dict:
    """Return one verdict as the documented JSON object."""
    if isinstance(outcome, AnimateError):
        return {"schema": SCHEMA, "path": str(file), "error": str(outcome)}
    notes = record.find(outcome.mark_id) if outcome.mark_id else []
    return {"schema": SCHEMA, "path": str(file), **asdict(outcome), "record": notes}
