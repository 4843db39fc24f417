"""Crops and sizes: the head is never cut, aspects and sizes are what was asked for, and mistakes are explained."""

import logging
import re

import cv2
import numpy as np
import pytest

from animate.camera import framed, shoot
from animate.channels import CHANNELS, INDEX
from animate.config import CARRIES_MARK_PX, KEEPS_MARK_PX, RenderConfig, parse_crop
from animate.crop import choose_view, head_travel
from animate.errors import ConfigError
from animate.example import example_portrait
from animate.motion.direction import Direction
from animate.pipeline import read_portrait
from animate.portrait import portrait_from_image
from animate.renderer import MeshRenderer
from animate.types import Motion

CROPS = ["full", "head", "bust", "square", "9:16", "16:9", "4:5"]
PICTURES = ["painting_mona_lisa.jpg", "photo_einstein_bw.jpg", "art_old_woman.png", "cartoon_3d_boy.jpg"]


def nodding():
    """Return a motion whose head goes far, and comes back."""
    values = np.zeros((50, len(CHANNELS)), np.float32)
    swing = np.sin(np.linspace(0, 4 * np.pi, 50))
    for name, size in {"headYaw": 14, "headPitch": 10, "headRoll": 8, "headX": 0.1, "headY": 0.1, "jawOpen": 1}.items():
        values[:, INDEX[name]] = np.abs(size * swing) if name == "jawOpen" else size * swing
    return Motion(values, 25)


@pytest.fixture(scope="module")
def acting(astronaut):
    """The example, its renderer and a motion."""
    return astronaut, MeshRenderer(astronaut), nodding()


def face_in(view, renderer, motion):
    """Return where the face's vertices are in the output at all times, as shares of its size, float [T, 468, 2].

    What goes beyond the edge of the picture itself counts as being at the edge.
    """
    placed = np.stack([renderer.vertices(row)[:468] for row in motion.values])
    placed = np.clip(placed, 0, renderer.draw(renderer.rest_row).shape[1::-1])
    return (placed - view.window[:2]) / view.window[2:]


@pytest.mark.parametrize("crop", CROPS)
@pytest.mark.parametrize("size", ["", "640", "640x360", "360x640"])
def test_no_crop_cuts_the_moving_face(acting, crop, size):
    portrait, renderer, motion = acting
    if "x" in size and ":" in crop or crop == "square" and "x" in size:
        return
    shares = face_in(choose_view(portrait, renderer, motion, crop, size), renderer, motion)
    assert shares.min() >= 0 and shares.max() <= 1


@pytest.mark.parametrize("name", PICTURES)
def test_the_hair_stays_inside_where_the_picture_has_it(shared, name):
    portrait, motion = read_portrait(shared / "portraits" / name), nodding()
    renderer = MeshRenderer(portrait)
    head = head_travel(renderer, portrait, motion)
    for crop in CROPS:
        left, top, width, height = choose_view(portrait, renderer, motion, crop).window
        assert (
            left <= head[0] + 1 and top <= head[1] + 1 and left + width >= head[2] - 1 and top + height >= head[3] - 1
        )
        face = face_in(choose_view(portrait, renderer, motion, crop), renderer, motion)
        pixel = 1 / min(width, height)
        assert face.min() >= -pixel and face.max() <= 1 + pixel


@pytest.mark.parametrize(
    "crop, aspect", [("head", 1), ("bust", 0.8), ("square", 1), ("9:16", 9 / 16), ("16:9", 16 / 9)]
)
def test_a_crop_has_its_aspect(acting, crop, aspect):
    width, height = choose_view(*acting, crop).size
    assert width / height == pytest.approx(aspect, rel=0.01)


def test_a_crop_closes_in_step_by_step(shared):
    portrait, motion = read_portrait(shared / "portraits" / "painting_mona_lisa.jpg"), nodding()
    renderer = MeshRenderer(portrait)
    heights = [choose_view(portrait, renderer, motion, crop).window[3] for crop in ("head", "bust", "full")]
    assert heights[0] < 0.75 * heights[1] < 0.75 * heights[2]


@pytest.mark.parametrize(
    "size, expected", [("", (512, 512)), ("256", (256, 256)), (300, (300, 300)), ("480x270", (480, 270))]
)
def test_sizes_are_exact(acting, size, expected):
    portrait, renderer, motion = acting
    shot = shoot(portrait, renderer, motion, np.zeros(1), size=size)
    assert shot.view.size == expected == shot.still.shape[1::-1]


def test_the_whole_picture_at_its_size_is_untouched(acting):
    portrait, renderer, motion = acting
    shot = shoot(portrait, renderer, motion, np.zeros(1))
    assert shot.changes == [] and np.array_equal(shot.still, portrait.image)
    assert shoot(portrait, renderer, motion, np.zeros(1), crop="head").changes


def test_enlarging_is_said(acting, caplog):
    with caplog.at_level(logging.WARNING):
        choose_view(*acting, "full", "512")
        assert not caplog.text
        choose_view(*acting, "full", "1024")
    assert "enlarged 2.0 times" in caplog.text and "mark" not in caplog.text


@pytest.mark.parametrize("crop", CROPS)
def test_an_output_without_a_size_is_large_enough_to_keep_the_mark_and_says_so(acting, crop, caplog):
    portrait, renderer, motion = acting
    view = choose_view(portrait, renderer, motion, crop)
    assert min(view.size) == max(KEEPS_MARK_PX, min(view.window[2:]))
    assert ("keeps the mark" in caplog.text) == (min(view.window[2:]) < KEEPS_MARK_PX)


def test_a_small_picture_at_rest_is_the_whole_of_it_enlarged():
    image = np.ascontiguousarray(example_portrait().image[:300, 100:340])
    portrait = portrait_from_image(image)
    shot = shoot(portrait, MeshRenderer(portrait), Motion.rest(0.04, 25), np.zeros(1))
    larger = cv2.resize(image, (KEEPS_MARK_PX, KEEPS_MARK_PX * 300 // 240), interpolation=cv2.INTER_CUBIC)
    assert np.array_equal(shot.still, larger)
    assert np.array_equal(next(shot.frames([image])), larger)


@pytest.mark.parametrize("crop, size", [("9:16", 300), ("16:9", "440"), ("4:1", 1000)])
def test_a_size_that_loses_the_mark_is_refused_and_the_least_is_named(acting, crop, size):
    with pytest.raises(ConfigError, match="mark") as refused:
        choose_view(*acting, crop, size)
    least = int(re.search(r"Use (\d+) or more", str(refused.value))[1])
    assert min(choose_view(*acting, crop, least).size) >= CARRIES_MARK_PX
    with pytest.raises(ConfigError, match="mark"):
        choose_view(*acting, crop, least - 4)


def test_a_window_beyond_the_picture_goes_on_in_its_colours(acting):
    portrait, renderer, motion = acting
    shot = shoot(portrait, renderer, motion, np.zeros(1), crop="4:1")
    assert shot.view.window[0] < 0
    edge, beyond = portrait.image[:, 2].mean(axis=0), shot.still[:, -shot.view.window[0] - 4].mean(axis=0)
    assert np.abs(edge - beyond).max() < 30
    assert shot.person[:, 0].max() == 0


def test_the_camera_moves_within_the_crop(acting):
    portrait, renderer, motion = acting
    direction, times = Direction(camera_zoom={0: 1, 2: 2}), np.linspace(0, 2, 51)
    shot = shoot(portrait, renderer, motion, times, direction, crop="head", size="256")
    left, top, width, height = shot.view.window
    assert np.allclose(shot.windows[0], shot.view.window) and shot.windows[-1, 2] == pytest.approx(width / 2)
    inside = shot.windows[:, :2] + shot.windows[:, 2:] <= [left + width + 1e-6, top + height + 1e-6]
    assert inside.all() and (shot.windows[:, :2] >= [left - 1e-6, top - 1e-6]).all()
    assert {frame.shape for frame in shot.frames([portrait.image] * 51)} == {(256, 256, 3)}


def test_shrinking_does_not_alias_whether_the_camera_moves_or_not(acting):
    portrait, renderer, motion = acting
    stripes = np.zeros((512, 512, 3), np.uint8)
    stripes[:, ::2] = 255
    view = choose_view(portrait, renderer, motion, "full", 256)
    for window in ([0, 0, 512, 512], [0.5, 0.5, 511, 511]):
        (seen,) = framed([stripes], np.array([window], float), view, stripes, portrait.matte)
        assert np.abs(seen[4:-4, 4:-4].astype(int) - 128).max() < 25


@pytest.mark.parametrize("size", ["big", "10", "640x", "320x180", 255, "99999", "0", "640x360x2", "-5"])
def test_a_wrong_size_is_explained(size):
    with pytest.raises(ConfigError, match="1280x720"):
        RenderConfig(size=size)


@pytest.mark.parametrize("crop", ["face", "16:0", "1:99", "wide", ""])
def test_a_wrong_crop_names_the_right_ones(crop):
    with pytest.raises(ConfigError, match="full, head, bust, square"):
        RenderConfig(crop=crop)


def test_an_aspect_in_yaml_needs_no_quotes():
    import yaml

    for text in ("9:16", "16:9", "4:5"):
        assert parse_crop(yaml.safe_load(text)) == parse_crop(text)


def test_a_crop_and_a_size_that_differ_are_refused(acting):
    with pytest.raises(ConfigError, match="9:16"):
        choose_view(*acting, "9:16", "640x360")
    assert choose_view(*acting, "16:9", "640x360").size == (640, 360)
