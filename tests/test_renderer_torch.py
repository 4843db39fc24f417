"""The torch twin of the warp, on CPU tensors."""

import numpy as np
import pytest

from animate.errors import DependencyError
from animate.evaluate.rows import row
from animate.renderer import MeshRenderer
from animate.renderer.torch_warp import TorchWarp


@pytest.fixture(scope="module")
def pair(astronaut) -> tuple[MeshRenderer, MeshRenderer]:
    """The compiled renderer, and the same one that warps by torch on CPU tensors."""
    compiled, twin = MeshRenderer(astronaut), MeshRenderer(astronaut)
    twin._on_torch = TorchWarp(twin._moving, twin._backdrop, twin._triangles, twin._source, "cpu")
    return compiled, twin


@pytest.mark.parametrize(
    "channels",
    [
        {},
        {"jawOpen": 0.4, "mouthSmile": 0.6, "browInnerUp": 1.0},
        {"headYaw": 15.0, "headPitch": -8.0, "headRoll": 10.0, "headX": 0.2, "eyeBlink": 0.7},
    ],
)
def test_torch_draws_what_the_compiled_renderer_draws(pair, channels):
    compiled, twin = (renderer.draw(row(**channels)).astype(int) for renderer in pair)
    apart = np.abs(twin - compiled).max(axis=2)
    assert (apart <= 2).mean() >= 0.999


def test_the_comparison_can_fail(pair):
    compiled, twin = pair
    apart = np.abs(twin.draw(row(headYaw=10.0)).astype(int) - compiled.draw(row(headYaw=10.5))).max(axis=2)
    assert (apart <= 2).mean() < 0.99


def test_a_device_that_torch_lacks_is_refused(astronaut):
    with pytest.raises(DependencyError, match="nowhere"):
        MeshRenderer(astronaut, device="nowhere")
