"""Shots on a Ray cluster. Nodes share no disk with us: inputs travel with each shot, outputs come back.

Only the one who leads knows the ledger, so a batch may be finished on a cluster that was begun at home.
"""

from __future__ import annotations

import socket
import tempfile
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from animate.batch.crew import Hand, attempt
from animate.batch.ledger import Ledger, file_hash
from animate.batch.shots import FILES, Shot
from animate.errors import BatchError, DependencyError
from animate.provenance import remembered

_TRIES = 3  # of a shot whose node died: nodes of a cluster come and go


@dataclass(frozen=True, eq=False)
class Parcel:
    """A shot with the contents of its files, by column."""

    shot: Shot
    contents: dict[str, bytes]


class RemotePerformer:
    """Renders parcels on a node, with the model loaded once.

    Parameters
    ----------
    checkpoint : dict of str to bytes
        Files of the motion model.
    device : str
    """

    def __init__(self, checkpoint: dict[str, bytes], device: str):
        from animate.pipeline import Animator

        self._home = tempfile.TemporaryDirectory(prefix="animate-")
        self.folder = Path(self._home.name)
        _unpack(checkpoint, self.folder / "checkpoint")
        self.animator = Animator.from_pretrained(self.folder / "checkpoint", device=device)

    def __call__(self, parcel: Parcel) -> tuple[dict, dict[str, bytes]]:
        """Render one shot; return its facts and its outputs by name."""
        from animate.batch.run import perform_shot

        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            shot = unpacked(parcel, Path(folder))
            drafts, facts = perform_shot(self.animator, shot, self.folder, Path(folder))
            return facts, {draft.name: draft.read_bytes() for draft in drafts}


def perform_on_ray(
    address: str, make_performer, arguments: tuple, shots: list[Shot], ledger: Ledger, num_workers: int
) -> Iterator[tuple[int, dict | None, str | None]]:
    """Perform shots on a Ray cluster and deliver them here; yields what `crew.perform_all` does.

    Parameters
    ----------
    address : str
        ``ray://HOST:PORT`` of a running cluster, ``auto`` for the one this machine belongs to, or ``local``.
    make_performer : callable
        Called on each worker with `arguments`; its result takes a `Parcel` and returns facts and outputs by name.
    shots : list of Shot
    ledger : Ledger
    num_workers : int
        Actors, each with a processor of its own.

    Raises
    ------
    DependencyError
        If Ray is not installed.
    BatchError
        If the cluster cannot be reached.
    """
    try:
        import ray
    except ImportError:
        raise DependencyError("Ray is missing. Use: pip install 'animate-portrait[ray]'") from None
    try:
        _knock(address)
        ray.init(address=address, log_to_driver=False, logging_level="ERROR", ignore_reinit_error=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise BatchError(f"The cluster {address!r} cannot be reached: {error}. Is it running?") from None
    hire = ray.remote(num_cpus=1, max_restarts=-1)(Hand).remote
    handed = [ray.put(argument) for argument in arguments]  # once, not once a worker
    idle = deque(hire(make_performer, *handed) for _ in range(min(num_workers, len(shots))))
    waiting, tries, running = deque(range(len(shots))), [0] * len(shots), {}
    try:
        while waiting or running:
            while waiting and idle:
                index = waiting.popleft()
                signature = ledger.signature(shots[index])
                parcel, reason = attempt(packed, shots[index])
                if parcel is None:
                    yield index, None, reason
                    continue
                tries[index] += 1
                worker = idle.popleft()
                running[worker.perform.remote(parcel)] = (index, worker, signature)
            if not running:
                break
            (ended,), _ = ray.wait(list(running), num_returns=1)
            index, worker, signature = running.pop(ended)
            idle.append(worker)
            try:
                result, reason = ray.get(ended)
            except ray.exceptions.RayError as error:
                if tries[index] < _TRIES:
                    waiting.appendleft(index)
                    continue
                result, reason = None, f"its worker was lost {_TRIES} times ({type(error).__name__})"
            marker = None
            if result is not None:
                marker, reason = attempt(_deliver, ledger, shots[index], signature, *result)
            yield index, marker, reason
    finally:
        ray.shutdown()


def packed(shot: Shot) -> Parcel:
    """Return a shot with its files and the consent that was declared here for its portrait."""
    files = {column: getattr(shot, column) for column in FILES}
    contents = {column: path.read_bytes() for column, path in files.items() if path is not None}
    return Parcel(replace(shot, consent=shot.consent or remembered(file_hash(shot.portrait))), contents)


def unpacked(parcel: Parcel, folder: Path) -> Shot:
    """Write the files of a parcel under a folder and return the shot that reads them there."""
    files = {}
    for column, content in parcel.contents.items():
        files[column] = folder / column / getattr(parcel.shot, column).name
        files[column].parent.mkdir()
        files[column].write_bytes(content)
    return replace(parcel.shot, **files)


def read_folder(folder: Path) -> dict[str, bytes]:
    """Return the files under a folder by their paths in it."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _unpack(files: dict[str, bytes], folder: Path) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _knock(address: str) -> None:
    """Raise at once what Ray would find out after minutes."""
    if address not in ("auto", "local"):
        host, _, port = address.removeprefix("ray://").rpartition(":")
        socket.create_connection((host, int(port)), timeout=10).close()


def _deliver(ledger: Ledger, shot: Shot, signature: str, facts: dict, outputs: dict[str, bytes]) -> dict:
    with tempfile.TemporaryDirectory(prefix=f"{shot.id}-", dir=ledger.work) as folder:
        _unpack(outputs, Path(folder))
        return ledger.deliver(shot, signature, [Path(folder, name) for name in outputs], facts)
