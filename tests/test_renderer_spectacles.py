"""Spectacles are found by their bridge, and the face moves behind them."""

import dataclasses

import cv2
import numpy as np
import pytest

from animate.evaluate.rows import row
from animate.renderer import MeshRenderer
from animate.renderer.rims import find_rim
from animate.renderer.spectacles import find_spectacles
from animate.types import Portrait


@pytest.fixture(scope="module")
def wearing_spectacles(astronaut) -> Portrait:
    """The example, enlarged, with round dark spectacles drawn on."""
    image = cv2.resize(astronaut.image, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    face = dataclasses.replace(astronaut.face, vertices=2 * astronaut.face.vertices, neutral=2 * astronaut.face.neutral)
    eyes = [face.vertices[[a, b], :2].mean(axis=0) for a, b in ((33, 133), (362, 263))]
    radius = round(0.32 * face.eye_distance)
    for eye in eyes:
        cv2.circle(image, tuple(np.round(eye).astype(int).tolist()), radius, (20, 20, 20), 4, cv2.LINE_AA)
    bridge = [eyes[0] + (radius, 0), eyes[1] - (radius, 0)]
    cv2.line(image, *(tuple(np.round(end).astype(int).tolist()) for end in bridge), (20, 20, 20), 4, cv2.LINE_AA)
    return Portrait(image, face, cv2.resize(astronaut.matte, None, fx=2, fy=2))


@pytest.fixture(scope="module")
def renderer(wearing_spectacles) -> MeshRenderer:
    return MeshRenderer(wearing_spectacles)


def on_the_frame(portrait: Portrait) -> np.ndarray:
    """Return bool [H, W]: the lower part of both rims, over the cheeks."""
    rims = np.zeros(portrait.image.shape[:2], np.uint8)
    for a, b in ((33, 133), (362, 263)):
        centre = np.round(portrait.face.vertices[[a, b], :2].mean(axis=0)).astype(int).tolist()
        radius = round(0.32 * portrait.face.eye_distance)
        cv2.ellipse(rims, centre, (radius, radius), 0, 20, 160, 1, 1)
    return rims > 0


def test_a_face_without_spectacles_has_none(astronaut):
    assert find_spectacles(astronaut, MeshRenderer(astronaut).mesh) is None


def test_the_picture_below_shows_no_frame(wearing_spectacles, renderer):
    _, bare = find_spectacles(wearing_spectacles, renderer.mesh)
    rims = on_the_frame(wearing_spectacles)
    assert wearing_spectacles.image[rims].mean() < 60 < 110 < bare[rims].mean()


def test_a_rim_is_followed_where_a_fold_and_a_brow_are_darker():
    unit, eye = 100.0, np.array([[70, 130], [90, 122], [110, 130], [90, 138]], float)  # the nose is to the right
    lines = np.zeros((260, 300), np.float32)
    cv2.ellipse(lines, (80, 140), (40, 34), 0, 0, 360, 0.15, 3)
    cv2.line(lines, (60, 150), (110, 150), 0.8, 3)  # a bag under the eye
    cv2.line(lines, (50, 96), (125, 96), 0.8, 4)  # a brow
    rim = find_rim(lines, eye, np.array([150.0, 130.0]), unit)
    off = np.hypot((rim[:, 0] - 80) / 40, (rim[:, 1] - 140) / 34) - 1
    assert np.abs(off).max() < 0.12


def test_a_fold_that_touches_the_frame_is_of_the_face(wearing_spectacles, renderer):
    image, unit = wearing_spectacles.image.copy(), wearing_spectacles.face.eye_distance
    x, y = np.round(wearing_spectacles.face.vertices[[33, 133], :2].mean(axis=0)).astype(int).tolist()
    top, bottom = y + round(0.32 * unit), y + round(0.8 * unit)
    cv2.line(image, (x, top), (x, bottom), (90, 60, 50), 3, cv2.LINE_AA)  # from the rim down the cheek
    layer, _ = find_spectacles(dataclasses.replace(wearing_spectacles, image=image), renderer.mesh)
    lowest = (layer.source[:, 1] / 2 - renderer.mesh.source[:, 1]).mean()
    rows = np.flatnonzero(layer.layer[::2, ::2, 3].any(axis=1)) - lowest
    assert top < rows.max() < top + 0.25 * unit


def test_a_light_in_a_lens_stays_while_the_lid_comes_down_under_it(wearing_spectacles):
    image, unit = wearing_spectacles.image.copy(), wearing_spectacles.face.eye_distance
    x, y = np.round(wearing_spectacles.face.vertices[159, :2]).astype(int).tolist()
    light = np.s_[y - round(0.13 * unit) : y - round(0.07 * unit), x - round(0.06 * unit) : x + round(0.06 * unit)]
    image[light] = 255
    shut = MeshRenderer(dataclasses.replace(wearing_spectacles, image=image)).draw(row(eyeBlink=1.0, browDown=1.0))
    assert shut[light].mean() > 245
    dim = np.full_like(image[light], 215)  # no brighter than skin may be
    image[light] = dim
    shut = MeshRenderer(dataclasses.replace(wearing_spectacles, image=image)).draw(row(eyeBlink=1.0, browDown=1.0))
    assert np.abs(shut[light].astype(int) - dim).mean() > 4


def test_a_line_at_the_inner_corner_is_the_eyes_own(wearing_spectacles, renderer):
    image, unit = wearing_spectacles.image.copy(), wearing_spectacles.face.eye_distance
    x, y = np.round(wearing_spectacles.face.vertices[133, :2]).astype(int).tolist()
    ends = (x, y - round(0.05 * unit)), (x + round(0.3 * unit), y - round(0.05 * unit))
    cv2.line(image, *ends, (20, 20, 20), 1, cv2.LINE_AA)  # from the lashes to the rim
    _, bare = find_spectacles(dataclasses.replace(wearing_spectacles, image=image), renderer.mesh)
    kept = np.s_[ends[0][1], x : x + round(0.03 * unit)]
    gone = np.s_[ends[0][1], x + round(0.12 * unit)]
    assert np.array_equal(bare[kept], image[kept])
    assert bare[gone].mean() > 90


def test_a_rim_over_the_inner_corner_hides_it_and_stays_whole(wearing_spectacles):
    image, unit = wearing_spectacles.image.copy(), wearing_spectacles.face.eye_distance
    x, y = np.round(wearing_spectacles.face.vertices[133, :2]).astype(int).tolist()
    reach = round(0.1 * unit)
    image[y - reach : y + reach, x - round(0.07 * unit) : x + round(0.035 * unit)] = 20
    rim = np.s_[y - reach // 3 : y + reach // 3, x - round(0.04 * unit) : x + round(0.035 * unit)]
    covered = dataclasses.replace(wearing_spectacles, image=image)
    renderer = MeshRenderer(covered)
    _, bare = find_spectacles(covered, renderer.mesh)
    assert bare[rim].mean() > 80
    assert (renderer.draw(row(eyeBlink=1.0))[rim].mean(axis=2) < 60).mean() > 0.95


def test_lids_and_cheeks_leave_the_frame_where_it_is(wearing_spectacles, renderer):
    rims = on_the_frame(wearing_spectacles)
    for channels in ({}, {"eyeBlink": 1.0}, {"eyeSquint": 1.0}, {"cheekSquint": 1.0}):
        assert (renderer.draw(row(**channels))[rims].mean(axis=1) < 90).mean() > 0.95, channels


def test_the_frame_moves_with_the_head(wearing_spectacles, renderer):
    rims = on_the_frame(wearing_spectacles)
    moved = renderer.draw(row(headX=0.2))
    shift = round(0.2 * wearing_spectacles.face.eye_distance)
    assert (np.roll(moved, -shift, axis=1)[rims].mean(axis=1) < 90).mean() > 0.8
    assert (moved[rims].mean(axis=1) < 90).mean() < 0.5
