"""Numba as this package uses it: compiled once, kept on disk, without the interpreter lock."""

from numba import njit


def compiled(function):
    """Return a function compiled to machine code when it is first called."""
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError:  # no folder to cache in can be written to
        return njit(nogil=True)(function)
