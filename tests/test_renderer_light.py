"""Light and folds: what changes in colour, not in place."""

import dataclasses

import cv2
import numpy as np
import pytest

from animate.evaluate.rows import row
from animate.renderer import MeshRenderer
from animate.renderer.folds import draw_folds, draw_jaw
from animate.renderer.grain import take_grain, with_grain
from animate.renderer.head import fit_head_frame, head_motion
from animate.renderer.light import find_light
from animate.renderer.raster import shade
from animate.renderer.skin import roughness_like, tone_around
from animate.topology import CHIN, FACE_OVAL


@pytest.fixture(scope="module")
def lit_from_the_right(astronaut):
    """The example as a smooth face that is bright where it faces the picture's right."""
    height, width = astronaut.image.shape[:2]
    x = np.arange(width) - astronaut.face.vertices[1, 0]
    luma = np.clip(130 + 40 * x / astronaut.face.eye_distance, 0, 255)
    image = np.repeat(np.tile(luma, (height, 1))[..., None], 3, axis=2).astype(np.uint8)
    return dataclasses.replace(astronaut, image=image)


def gain_at(portrait, place, **channels) -> float:
    head = fit_head_frame(portrait.face)
    region = (0, 0, *portrait.size)
    light = find_light(portrait, head, region)
    values = row(**channels)
    pivot = head.to_picture(np.array([[0.0, 1.05, 1.35]]))[0]
    gain = light.gain(head_motion(values, head, pivot))
    if gain is None:
        return 1.0
    x, y = (np.asarray(place) / light.cell).round().astype(int)
    return float(gain[y, x])


def gain_in_the_middle(portrait, **channels) -> float:
    return gain_at(portrait, portrait.face.vertices[1, :2], **channels)


def test_a_face_that_turns_to_the_light_brightens_and_away_from_it_darkens(lit_from_the_right):
    assert gain_in_the_middle(lit_from_the_right) == 1
    assert 1.02 < gain_in_the_middle(lit_from_the_right, headYaw=15.0) < 1.2
    assert 0.8 < gain_in_the_middle(lit_from_the_right, headYaw=-15.0) < 0.98
    assert gain_in_the_middle(lit_from_the_right, headX=0.2) == 1


def test_light_changes_on_the_face_only_and_not_on_the_background_beside_it(lit_from_the_right):
    nose, unit = lit_from_the_right.face.vertices[1, :2], lit_from_the_right.face.eye_distance
    for beside in ((-2.0, 0.0), (2.2, 0.0), (0.0, -2.6)):
        assert gain_at(lit_from_the_right, nose + np.array(beside) * unit, headYaw=15.0) == 1


def test_shade_follows_its_grid_and_leaves_ones_alone():
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 200, (40, 60, 4), np.uint8)
    same, brighter = picture.copy(), picture.copy()
    shade(same, 3, 5, np.ones((4, 6), np.float32), 20.0)
    assert np.array_equal(same, picture)
    shade(brighter, 3, 5, np.full((4, 6), 1.25, np.float32), 20.0)
    assert np.abs(brighter[..., :3] - np.minimum(1.25 * picture[..., :3], 255)).max() <= 1
    assert np.array_equal(brighter[..., 3], picture[..., 3]), "the matte is not a colour"


@pytest.mark.parametrize(
    ("channels", "place"), [({"mouthSmile": 1.0}, 206), ({"browInnerUp": 1.0}, 151), ({"browDown": 1.0}, 107)]
)
def test_folds_deepen_with_the_expression_where_it_makes_them(astronaut, channels, place):
    vertices = MeshRenderer(astronaut).vertices(row())
    x, y = vertices[place].round().astype(int)
    reach = round(0.2 * astronaut.face.eye_distance)
    around = np.s_[y - reach : y + reach, x - reach : x + reach]
    frames = []
    for share in (0.0, 0.5, 1.0):
        frame = np.full_like(astronaut.image, (200, 150, 120))
        draw_folds(frame, share * row(**channels), vertices, astronaut.face.eye_distance)
        frames.append(frame)
    assert (frames[0] == (200, 150, 120)).all()
    assert frames[0][around].mean() > frames[1][around].mean() > frames[2][around].mean()
    assert frames[2].min() > 70, "a fold is a shade, not a line of ink"


def test_folds_keep_grey_grey(astronaut):
    frame = np.full_like(astronaut.image, 140)
    vertices = MeshRenderer(astronaut).vertices(row())
    draw_folds(frame, row(mouthSmile=1.0, eyeSquint=1.0, browDown=1.0), vertices, astronaut.face.eye_distance)
    assert frame.min() < 140
    assert np.ptp(frame, axis=2).max() == 0


def test_new_pixels_take_the_grain_of_the_picture(astronaut):
    rng = np.random.default_rng(0)
    flat = np.full_like(astronaut.image, (190, 150, 130))
    grainy = np.clip(flat + rng.normal(0, 12, flat.shape[:2])[..., None], 0, 255).astype(np.uint8)

    def grain_of(image):
        return take_grain(dataclasses.replace(astronaut, image=image))

    paint = np.full((90, 70, 4), 200, np.uint8)
    assert np.array_equal(with_grain(paint, grain_of(flat)), paint)
    grained = with_grain(paint, grain_of(grainy))
    assert 6 < grained[..., :3].std() < 16
    assert np.array_equal(grained[..., 3], paint[..., 3])
    assert np.ptp(grained[..., :3].astype(int), axis=2).max() <= 1, "grain without colour adds none"


def test_a_chin_that_comes_down_shades_the_neck_and_one_that_rises_does_not(astronaut):
    rest, unit = astronaut.face.vertices[:, :2], astronaut.face.eye_distance
    grey = np.full((512, 512, 3), 120, np.uint8)

    def drawn(down):
        frame = grey.copy()
        draw_jaw(frame, rest + np.float32([0, down * unit]), rest, unit)
        return frame

    x, y = (rest[CHIN] + [0, (0.4 + 0.05) * unit]).round().astype(int)
    assert np.array_equal(drawn(0.0), grey) and np.array_equal(drawn(-0.4), grey)
    assert np.all(drawn(0.4)[y, x] < 110)
    assert np.ptp(drawn(0.4), axis=2).max() == 0


@pytest.mark.parametrize("side", [-1, 1])
def test_the_side_of_a_jaw_that_comes_over_a_collar_gets_a_soft_edge_and_the_other_keeps_its_own(astronaut, side):
    rest, unit = astronaut.face.vertices[:, :2], astronaut.face.eye_distance
    moved = rest + np.float32([0.3 * side * unit, 0])
    cut = np.zeros((512, 512, 3), np.uint8)
    cv2.fillPoly(cut, [np.round(moved[list(FACE_OVAL)]).astype(np.int32)], (200, 200, 200))
    frame = cut.copy()
    draw_jaw(frame, moved, rest, unit)
    columns = np.nonzero((frame != cut).any(axis=2))[1]
    assert len(columns) > 20
    assert np.all(side * (columns - moved[CHIN, 0]) > 0)
    assert np.ptp(frame, axis=2).max() == 0


def test_made_up_skin_is_as_rough_as_the_patch_it_was_taken_from():
    patch = np.random.default_rng(0).normal(150, 10, (60, 90))[..., None].repeat(3, axis=2).round().astype(np.uint8)
    rough = roughness_like(patch, 80, 120, unit=200.0)
    assert rough.shape == (80, 120, 3)
    assert 0.5 < 150 * rough.std() / 10 < 1
    assert abs(150 * rough.mean()) < 1
    assert np.ptp(rough, axis=2).max() < 1e-6
    assert not roughness_like(np.full_like(patch, 150), 80, 120, unit=200.0).any()


def test_the_tone_of_skin_goes_on_over_what_is_none():
    tone = np.linspace(80, 200, 120)[None, :, None].repeat(90, axis=0).repeat(3, axis=2).round().astype(np.uint8)
    picture, skin = tone.copy(), np.ones(tone.shape[:2], bool)
    picture[30:60, 40:80], skin[28:62, 38:82] = 0, False
    picture[10:12] = 20  # a line
    assert np.abs(tone_around(picture, skin, unit=100.0).astype(float) - tone)[:, 5:-5].max() < 15
