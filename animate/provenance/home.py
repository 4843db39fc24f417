"""The user's own folder: keys, the record and remembered consents."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from animate.errors import ProvenanceError

HOME_VARIABLE = "ANIMATE_HOME"


def home() -> Path:
    """Return the folder, which need not exist: `$ANIMATE_HOME`, or where the system keeps data of programs."""
    return Path(os.environ.get(HOME_VARIABLE) or _system_folder() / "animate-portrait")


def writable_home() -> Path:
    """Return the folder, made on first use and readable by its owner only.

    Raises
    ------
    ProvenanceError
        If it cannot be made.
    """
    folder = home()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ProvenanceError(
            f"The folder {folder} for keys and the record cannot be made: {error.strerror}. "
            f"Set {HOME_VARIABLE} to one that can."
        ) from error
    return folder


def _system_folder() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local")
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share")
