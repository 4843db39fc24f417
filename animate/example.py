"""The shipped example: a public-domain portrait and a voice made by this project."""

from pathlib import Path

from animate.resources import shipped
from animate.types import Portrait


def example_portrait() -> Portrait:
    """Return NASA's portrait of the astronaut Eileen Collins (public domain), 512x512, out of scikit-image."""
    import skimage.data

    from animate.portrait import portrait_from_image

    return portrait_from_image(skimage.data.astronaut(), name="astronaut")


def example_voice() -> Path:
    """Return the file of the example voice: synthetic, text and recording made by this project."""
    return shipped("examples/voice.flac")
