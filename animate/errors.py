"""Every error a user can cause, under one root.

A message states what happened, the value seen and what to do about it; the command line prints it as it
stands, without a traceback.
"""

import difflib
from collections.abc import Iterable


def nearest(word: object, words: Iterable[str], otherwise: str | None = None) -> str:
    """Return the end of a message about an unknown word: the one it is most like, or all of them.

    Parameters
    ----------
    word : object
    words : iterable of str
        Those that are known.
    otherwise : str, optional
        What to say, in place of all of them, if it is like none.

    Examples
    --------
    >>> nearest("hapy", ("happy", "sad")), nearest("x", ("happy", "sad"))
    ("Did you mean 'happy'?", 'Use one of happy, sad.')
    """
    words = list(words)
    close = difflib.get_close_matches(str(word), words, n=1)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"Use one of {', '.join(words)}." if otherwise is None else otherwise


class AnimateError(Exception):
    """Root of all errors that `animate` raises on purpose."""


class PortraitError(AnimateError):
    """The picture cannot be read, is too large, or shows no face that can be animated."""


class VoiceError(AnimateError):
    """The voice cannot be read or holds no sound."""


class MotionError(AnimateError):
    """A motion has the wrong shape, an unknown channel or an impossible frame rate."""


class CheckpointError(AnimateError):
    """A checkpoint is missing, incomplete or of another kind."""


class ConfigError(AnimateError):
    """A setting is unknown or has an impossible value."""


class MediaError(AnimateError):
    """A file cannot be decoded or written."""


class TrackingError(AnimateError):
    """A video shows no face that can be followed."""


class ProvenanceError(AnimateError):
    """A file cannot be signed, a key or the record cannot be read or written, or a consent makes no sense."""


class RefusalError(AnimateError):
    """The picture is not animated: it is explicit, came out of this engine, or could not be checked."""


class BatchError(AnimateError):
    """A shot list has mistakes, or its output folder cannot be used."""


class DependencyError(AnimateError):
    """A tool, an extra or its weights are missing; the message names the command that gets them."""
