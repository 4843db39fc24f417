"""Move a portrait along a motion."""

from collections.abc import Iterator
from typing import Protocol

import numpy as np

from animate.renderer.group_renderer import GroupRenderer
from animate.renderer.mesh_renderer import MeshRenderer
from animate.types import Motion

__all__ = ["GroupRenderer", "MeshRenderer", "Renderer"]


class Renderer(Protocol):
    """What draws a portrait: made once for one portrait, then motion rows in, frames out."""

    def draw(self, row: np.ndarray) -> np.ndarray:
        """Return the frame uint8 [H, W, 3] RGB for one row float32 [58] of a motion; a fresh array."""

    def frames(self, motion: Motion) -> Iterator[np.ndarray]:
        """Yield one frame for each row of `motion`, in bounded memory."""
