"""Motion: a diffusion pipeline from speech features to named curves, and performances without a voice.

Importing this package does not import torch; the model does, when it is loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from animate.motion.acting import Acting, Guidance
from animate.motion.direction import Direction
from animate.motion.latents import lip_gap
from animate.motion.performances import play
from animate.motion.scripts import PERFORMANCES

if TYPE_CHECKING:
    from animate.motion.pipeline import AudioToMotionPipeline, load_pipeline

__all__ = [
    "PERFORMANCES",
    "Acting",
    "AudioToMotionPipeline",
    "Direction",
    "Guidance",
    "lip_gap",
    "load_pipeline",
    "play",
]


def __getattr__(name: str):
    if name in ("AudioToMotionPipeline", "load_pipeline"):
        from animate.motion import pipeline

        return getattr(pipeline, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
