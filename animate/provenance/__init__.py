"""The mark in every frame: `mark` puts it there, `detect` finds it."""

from animate.provenance.detection import MAX_FRAMES, detect
from animate.provenance.embedding import MIN_SIZE, PUBLIC_KEY, STRENGTHS, mark

__all__ = ["MAX_FRAMES", "MIN_SIZE", "PUBLIC_KEY", "STRENGTHS", "detect", "mark"]
