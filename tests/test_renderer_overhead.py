"""Hair that the upper edge of a picture cuts, and what is made up above it."""

import numpy as np
import pytest

from animate.evaluate.rows import row
from animate.portrait import portrait_from_image
from animate.renderer import MeshRenderer
from animate.renderer.head import fit_head_frame
from animate.renderer.overhead import make_overhead
from animate.renderer.torch_warp import TorchWarp


@pytest.fixture(scope="module")
def cut(astronaut):
    """The example, its hair cut by the upper edge."""
    hair = np.flatnonzero((astronaut.matte > 0.5).any(axis=1))[0]
    return portrait_from_image(astronaut.image[hair + round(0.3 * astronaut.face.eye_distance) :])


@pytest.fixture(scope="module")
def renderer(cut):
    return MeshRenderer(cut)


def test_hair_that_the_edge_cuts_moves_whole_with_the_head(cut, renderer, astronaut):
    mesh, unit = renderer.mesh, fit_head_frame(cut.face).unit
    x, y = mesh.rest[:, :2].T
    crown = (np.abs(x - cut.face.vertices[10, 0]) < 0.5 * unit) & (0 <= y) & (y < 0.2 * unit)
    assert crown.any() and mesh.head_weight[crown].min() > 0.99
    assert MeshRenderer(astronaut).mesh.overhead == 0


def test_a_nod_brings_made_up_hair_into_sight(cut, renderer):
    middle, unit = cut.face.vertices[10, 0], cut.face.eye_distance
    crown = np.s_[: round(0.1 * unit), round(middle - 0.2 * unit) : round(middle + 0.2 * unit)]
    beside = np.s_[: round(0.1 * unit), -round(0.5 * unit) :]
    nodding = renderer.draw(row(headPitch=-8.0))
    hair, wall = (cut.image[place].mean(axis=(0, 1)) for place in (crown, beside))
    made_up = nodding[crown].mean(axis=(0, 1))
    assert np.abs(made_up - hair).max() < 0.4 * np.abs(made_up - wall).max()
    assert np.array_equal(nodding[beside], cut.image[beside])
    assert np.array_equal(renderer.draw(renderer.rest_row), cut.image)


def test_hair_goes_on_as_far_down_as_it_reaches_and_no_skin_does():
    image = np.full((80, 120, 3), 200, np.uint8)  # a bright face
    image[:12] = 30  # under a narrow strip of dark hair
    matte = np.ones((80, 120), np.float32)
    above, crown = make_overhead(image, matte, 40, unit=40.0)
    assert above.shape == (40, 120, 3) and crown.shape == (40, 120)
    assert above[crown > 0.99].max() < 60
    assert crown[-1].mean() > 0.8 > 0.1 > crown[:10].mean()  # closed by an arch


def test_torch_draws_made_up_hair_as_the_compiled_renderer_does(cut, renderer):
    warp = renderer._warp
    twin = MeshRenderer(cut)
    twin._warp = TorchWarp(
        warp.moving, warp.backdrop, warp.triangles, warp.source, "cpu", overhead=renderer.mesh.overhead
    )
    nod = row(headPitch=-8.0, headYaw=5.0)
    apart = np.abs(twin.draw(nod).astype(int) - renderer.draw(nod)).max(axis=2)
    assert (apart <= 2).mean() >= 0.999
