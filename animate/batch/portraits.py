"""Portraits prepared once a batch: the first to need one keeps it in a file for the other workers and later runs."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from dataclasses import astuple
from pathlib import Path

import numpy as np

from animate import __version__
from animate.batch.ledger import file_hash
from animate.types import FaceMesh, HeadPose, Portrait


def prepared(path: Path, face: int | None, restore: str, *, folder: Path) -> Portrait:
    """Return a portrait, read as `animate.read_portrait` does, from the folder if it was prepared before.

    Raises
    ------
    PortraitError
        If the picture shows no face that can be animated, or not that one.
    ConfigError
        If a step of restoration is unknown.
    """
    asked = hashlib.sha256(f"{file_hash(path)} {face} {restore} {__version__}".encode()).hexdigest()
    kept = folder / f"{asked[:32]}.npz"
    try:
        return _load(kept, path)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        from animate.pipeline import read_portrait

        portrait = read_portrait(path, face=face, restore=restore)
        if portrait.in_front is portrait.behind is portrait.original is None:  # else more would have to be kept
            _save(portrait, kept)
        return portrait


def _save(portrait: Portrait, kept: Path) -> None:
    face = portrait.face
    draft = kept.with_name(f".{kept.stem}-{os.getpid()}.npz")
    content = io.BytesIO()  # numpy leaves a broken archive open if the disk is full
    np.savez(
        content,
        image=portrait.image,
        matte=portrait.matte,
        vertices=face.vertices,
        triangles=face.triangles,
        neutral=face.neutral,
        pose=astuple(face.pose),
        sha256=portrait.sha256,
    )
    try:
        draft.write_bytes(content.getbuffer())
        os.replace(draft, kept)
    except OSError:  # a full disk: it is only kept for speed
        draft.unlink(missing_ok=True)


def _load(kept: Path, path: Path) -> Portrait:
    with np.load(kept, allow_pickle=False) as file:
        pose = HeadPose(*file["pose"].tolist())
        face = FaceMesh(file["vertices"], file["triangles"], file["neutral"], pose)
        return Portrait(file["image"], face, file["matte"], path.name, str(file["sha256"]), file=path)
