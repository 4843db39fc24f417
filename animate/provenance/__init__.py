"""The mark in every frame: `mark` puts it there, `detect` finds it."""

from animate.provenance.detection import detect
from animate.provenance.embedding import PUBLIC_KEY, mark

__all__ = ["PUBLIC_KEY", "detect", "mark"]
