"""What is done: one marker a shot, written when all its outputs are in place.

Everything that may be half-written lies in a work folder, which the next run empties; outputs reach their names by
renames, and the marker comes last. So a run may end at any moment, by kill -9 or a full disk, and the next one goes on.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from animate import __version__
from animate.batch.shots import Shot, settings_of
from animate.errors import BatchError
from animate.provenance.record import file_sha256

HOME = ".batch"  # inside the output folder


class Ledger:
    """The output folder of a batch.

    Parameters
    ----------
    out : Path
    weights : str
        Hash of the motion model.
    """

    def __init__(self, out: Path, weights: str):
        self.out, self.weights = out, weights
        self.markers, self.work, self.portraits = (out / HOME / name for name in ("done", "work", "portraits"))

    @contextlib.contextmanager
    def opened(self) -> Iterator[Ledger]:
        """Hold the folder alone, with what an earlier run left half-written removed.

        Raises
        ------
        BatchError
            If another batch is at work there, or the folder cannot be made.
        """
        try:
            for folder in (self.markers, self.portraits):
                folder.mkdir(parents=True, exist_ok=True)
            with (self.out / HOME / "lock").open("w") as lock:  # the system releases it, however the process ends
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise BatchError(
                        f"Another batch is at work in {self.out}. Wait for it, or use another -o."
                    ) from None
                shutil.rmtree(self.work, ignore_errors=True)
                self.work.mkdir()
                try:
                    yield self
                finally:
                    shutil.rmtree(self.work, ignore_errors=True)
        except OSError as error:
            raise BatchError(f"The folder {self.out} cannot be used: {error.strerror or error}.") from None

    def signature(self, shot: Shot) -> str:
        """Return a hash of all that decides the outputs: inputs, settings, weights and version."""
        files = (shot.portrait, shot.voice, shot.direction, shot.transcript)
        files = [None if file is None else file_hash(file) for file in files]
        made_of = json.dumps([__version__, self.weights, files, settings_of(shot)], sort_keys=True)
        return hashlib.sha256(made_of.encode()).hexdigest()

    def done(self, shot: Shot) -> dict | None:
        """Return the marker of a shot whose outputs are there, unchanged and up to date; None otherwise."""
        try:
            marker = json.loads((self.markers / f"{shot.id}.json").read_text())
            outputs = marker["outputs"]
            fresh = marker["signature"] == self.signature(shot) and all(
                file_sha256(self.out / name) == digest for name, digest in outputs.items()
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        return marker if fresh else None

    def deliver(self, shot: Shot, signature: str, drafts: list[Path], facts: dict) -> dict:
        """Move finished drafts to their names, then write the marker; return it.

        Parameters
        ----------
        shot : Shot
        signature : str
            Taken before the inputs were read, so that an input that changes meanwhile makes the shot stale.
        drafts : list of Path
            In the work folder, under their final names.
        facts : dict
            What else to note.
        """
        hashes = {draft.name: file_sha256(draft) for draft in drafts}
        marker = {"id": shot.id, "signature": signature, "outputs": hashes, **facts}
        written = drafts[0].parent / "marker.json"
        written.write_text(json.dumps(marker, indent=1))
        (self.markers / f"{shot.id}.json").unlink(missing_ok=True)  # the old one does not speak for new outputs
        for draft in drafts:
            with draft.open("rb") as file:
                os.fsync(file.fileno())
            os.replace(draft, self.out / draft.name)
        os.replace(written, self.markers / f"{shot.id}.json")
        return marker


@cache
def file_hash(path: Path) -> str:
    """Return the sha256 of a file that does not change during the batch."""
    return file_sha256(path)


def folder_hash(folder: Path) -> str:
    """Return a hash of the names and contents of a folder's files, such as a checkpoint's."""
    files = sorted(path for path in folder.rglob("*") if path.suffix in (".json", ".safetensors"))
    return hashlib.sha256("".join(f"{path.name} {file_hash(path)} " for path in files).encode()).hexdigest()
