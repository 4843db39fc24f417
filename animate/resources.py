"""Find the files that ship with the library: checkpoints, configs and examples.

In a checkout (also an editable install) they are the top-level folders; a wheel puts them under
`share/animate-portrait/` of the environment, wherever that is.
"""

from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from animate.errors import CheckpointError

_SHARE = "share/animate-portrait/"


def shipped(relative: str) -> Path:
    """Return the path of a shipped file or folder, such as ``"checkpoints/base"``.

    Raises
    ------
    CheckpointError
        If the installation lacks it.

    Examples
    --------
    >>> shipped("checkpoints/base").name
    'base'
    """
    in_checkout = Path(__file__).parent.parent / relative
    if in_checkout.exists():
        return in_checkout
    for file in _wheel_files():
        location, found, inside = file.as_posix().partition(_SHARE)
        if found and (inside == relative or inside.startswith(relative + "/")):
            return Path(file.locate()).resolve().parents[inside.count("/")] / relative
    raise CheckpointError(
        f"{relative} is missing from this installation. Reinstall animate-portrait, or run from a full checkout."
    )


def _wheel_files() -> list:
    try:
        return files("animate-portrait") or []
    except PackageNotFoundError:
        return []
