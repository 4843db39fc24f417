"""The record: what was made and what was refused, one JSON object a line, each chained to the one before.

Every line holds the hash of its predecessor and its own, so that no line can be changed or taken out of the middle
unnoticed. It holds hashes and ids, never pictures or sound. Who owns the file can still rewrite the whole of it, or
cut lines off its end: it is a memory for honest users, not a proof against them.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from animate import __version__
from animate.errors import DependencyError, ProvenanceError
from animate.provenance.home import home, writable_home

_START = "0" * 64  # what the first line names as its predecessor
_LOCK_TIMEOUT_S = 30.0


def record_file() -> Path:
    """Return the path of the record, which need not exist yet."""
    return home() / "record.jsonl"


def append(event: str, **fields) -> dict:
    """Add a line to the record; safe with other threads and processes that do the same.

    Parameters
    ----------
    event : str
        "rendered", "restored" or "refused".
    **fields
        What JSON can hold.

    Returns
    -------
    dict
        The line as it was written.

    Raises
    ------
    ProvenanceError
        If the record cannot be written.
    """
    try:
        from filelock import FileLock, Timeout
    except ImportError as error:
        raise DependencyError("The record needs the package filelock. Run: pip install filelock") from error
    writable_home()
    file = record_file()
    now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds")
    line = {"time": now, "event": event, "version": __version__, **fields}
    try:
        with FileLock(file.with_suffix(".lock"), timeout=_LOCK_TIMEOUT_S), file.open("a+b") as stream:
            line["previous"] = _last_hash(stream)
            line["hash"] = _hash(line)
            stream.write(_stored(line) + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
    except (OSError, Timeout) as error:
        raise ProvenanceError(f"The record {file} cannot be written: {error}.") from error
    return line


def lines() -> Iterator[dict]:
    """Yield the lines of the record, oldest first.

    Raises
    ------
    ProvenanceError
        If a line is not JSON.
    """
    if not record_file().is_file():
        return
    with record_file().open("rb") as stream:
        for number, line in enumerate(stream, start=1):
            try:
                yield json.loads(line)
            except ValueError as error:
                raise ProvenanceError(
                    f"Line {number} of {record_file()} is not JSON: the record is damaged."
                ) from error


def verify_record() -> int:
    """Check the chain and return the number of lines.

    Raises
    ------
    ProvenanceError
        If a line was changed, taken out or put in; the message names the first.
    """
    previous, count = _START, 0
    for count, line in enumerate(lines(), start=1):
        if not isinstance(line, dict) or line.get("previous") != previous or line.get("hash") != _hash(line):
            raise ProvenanceError(
                f"Line {count} of {record_file()} does not follow from the one before: it was changed."
            )
        previous = line["hash"]
    return count


def find(mark_id: str) -> list[dict]:
    """Return the lines about one mark, oldest first.

    Raises
    ------
    ProvenanceError
        If `mark_id` is not 12 hex digits.
    """
    if not re.fullmatch(r"[0-9a-fA-F]{12}", mark_id):
        raise ProvenanceError(f"{mark_id!r} is no id of a mark. It is 12 hex digits, as `verify` shows them.")
    return [line for line in lines() if line.get("mark_id") == mark_id.lower()]


def file_sha256(path: Path) -> str:
    """Return the hash of a file, read in chunks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def files_sha256(paths: list[Path]) -> str:
    """Return the hash of one file, or for several the hash of the lines of their hashes."""
    hashes = [file_sha256(path) for path in paths]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def _last_hash(stream) -> str:
    """Return the hash in the last line of an open file, reading only its end."""
    end = stream.seek(0, os.SEEK_END)
    if not end:
        return _START
    block = 4096
    while True:
        start = max(0, end - block)
        stream.seek(start)
        tail = stream.read(end - start)
        if not tail.endswith(b"\n"):
            raise ProvenanceError(
                f"The last line of {record_file()} is not complete. Move the file away to start anew."
            )
        body = tail[:-1]
        if b"\n" in body or not start:
            return json.loads(body.rpartition(b"\n")[2])["hash"]
        block *= 2


def _hash(line: dict) -> str:
    return hashlib.sha256(_stored({key: value for key, value in line.items() if key != "hash"})).hexdigest()


def _stored(line: dict) -> bytes:
    return json.dumps(line, sort_keys=True, separators=(",", ":")).encode()
