"""The torch twin of the warp, on CPU tensors."""

import cv2
import numpy as np
import pytest

from animate.errors import DependencyError
from animate.evaluate.rows import row
from animate.renderer import MeshRenderer
from animate.renderer.torch_warp import TorchWarp


def with_torch(renderer: MeshRenderer) -> MeshRenderer:
    """Let a renderer warp by torch on CPU tensors."""
    warp = renderer._warp
    renderer._warp = TorchWarp(warp.moving, warp.backdrop, warp.triangles, warp.source, "cpu")
    return renderer


@pytest.fixture(scope="module")
def pair(astronaut) -> tuple[MeshRenderer, MeshRenderer]:
    return MeshRenderer(astronaut), with_torch(MeshRenderer(astronaut))


@pytest.mark.parametrize(
    "channels",
    [
        {},
        {"jawOpen": 0.4, "mouthSmile": 0.6, "browInnerUp": 1.0},
        {"headYaw": 15.0, "headPitch": -8.0, "headRoll": 15.0, "headX": 0.2, "eyeBlink": 0.7},
    ],
)
def test_torch_draws_what_the_compiled_renderer_draws(pair, channels):
    compiled, twin = (renderer.draw(row(**channels)).astype(int) for renderer in pair)
    apart = np.abs(twin - compiled).max(axis=2)
    assert (apart <= 2).mean() >= 0.999


def test_torch_cuts_out_what_the_compiled_renderer_cuts_out(astronaut):
    values = row(headYaw=8.0, headRoll=4.0, jawOpen=0.3)
    renderers = MeshRenderer(astronaut, cutout=True), with_torch(MeshRenderer(astronaut, cutout=True))
    compiled, twin = (renderer.draw(values).astype(int) for renderer in renderers)
    assert (np.abs(twin - compiled).max(axis=2) <= 2)[compiled[..., 3] > 0].mean() >= 0.999
    assert (np.abs(twin - compiled)[..., 3] <= 2).mean() >= 0.999


def test_nothing_that_moves_is_left_out_of_the_compiled_bands(shared):
    """Hair that falls to the shoulders moves into parts of the picture where nothing of the mesh lies at rest."""
    from animate.portrait import portrait_from_image
    from animate.portrait.image import read_image

    image = read_image(shared / "portraits" / "art_laughing_beard.png")[0]
    portrait = portrait_from_image(cv2.resize(image, (320, 320), interpolation=cv2.INTER_AREA))
    twin = with_torch(MeshRenderer(portrait))
    values = row(headYaw=15.0, headPitch=-8.0, headRoll=10.0, headZ=0.5, jawOpen=0.4)
    apart = np.abs(twin.draw(values).astype(int) - MeshRenderer(portrait).draw(values)).max(axis=2)
    assert (apart <= 2).mean() >= 0.999


def test_the_comparison_can_fail(pair):
    compiled, twin = pair
    apart = np.abs(twin.draw(row(headYaw=10.0)).astype(int) - compiled.draw(row(headYaw=10.5))).max(axis=2)
    assert (apart <= 2).mean() < 0.99


def test_a_device_that_torch_lacks_is_refused(astronaut):
    with pytest.raises(DependencyError, match="nowhere"):
        MeshRenderer(astronaut, device="nowhere")
