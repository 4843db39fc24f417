"""Clothes rest on the trunk while the head turns."""

import dataclasses

import cv2
import numpy as np
import pytest

from animate.evaluate.rows import row
from animate.renderer import MeshRenderer
from animate.renderer.clothes import head_share
from animate.renderer.head import fit_head_frame
from animate.topology import CHIN, FACE_OVAL, NOSE_TIP


@pytest.fixture(scope="module")
def below_chin(astronaut):
    """Points of the black collar and of the suit, from the chin down."""
    down = np.array([[0.0, 0.6], [-0.3, 0.7], [0.3, 0.7], [0.0, 1.0], [-1.0, 1.2], [1.0, 1.2]])
    return astronaut.face.vertices[CHIN, :2] + down * astronaut.face.eye_distance


def share_at(portrait, points):
    return head_share(portrait, fit_head_frame(portrait.face), points)


def with_bare_trunk(portrait):
    """The portrait without clothes: all of the person that is not face or hair has the colour of the face."""
    oval = portrait.face.vertices[list(FACE_OVAL), :2]
    image = portrait.image.copy()
    below = np.arange(len(image))[:, None] > portrait.face.vertices[CHIN, 1] - portrait.face.eye_distance
    face = cv2.fillPoly(np.zeros(portrait.matte.shape, np.uint8), [np.round(oval).astype(np.int32)], 1) > 0
    image[below & (portrait.matte > 0.1) & ~face] = np.median(image[face], axis=0)
    return dataclasses.replace(portrait, image=image)


def test_clothes_do_not_turn_with_the_head_and_the_face_and_the_hair_do(astronaut, below_chin):
    unit = astronaut.face.eye_distance
    eyes = fit_head_frame(astronaut.face).origin[:2]
    face_and_hair = [astronaut.face.vertices[NOSE_TIP, :2], eyes - [0, 1.3 * unit], eyes + [1.35 * unit, 0.2 * unit]]
    assert share_at(astronaut, below_chin).max() < 0.02
    assert share_at(astronaut, np.array(face_and_hair)).min() > 0.98


def test_a_neck_without_clothes_bends_as_it_is(astronaut, below_chin):
    assert np.all(share_at(with_bare_trunk(astronaut), below_chin) == 1)


def test_a_collar_stays_where_it_is_in_the_frame(astronaut):
    unit, chin = astronaut.face.eye_distance, astronaut.face.vertices[CHIN, :2]
    renderer = MeshRenderer(astronaut)
    left, top = np.round(chin + [-0.6 * unit, 0.7 * unit]).astype(int)
    collar = np.s_[top : top + int(0.8 * unit), left : left + int(1.2 * unit)]
    for channels in ({"headYaw": 15.0}, {"headYaw": -15.0}, {"headPitch": 10.0}, {"headRoll": 12.0}):
        frame = renderer.draw(row(**channels))
        away = np.abs(frame[collar].astype(int) - astronaut.image[collar])
        assert away.mean() < 0.5, channels
        assert np.linalg.norm(renderer.vertices(row(**channels))[CHIN] - chin) > 0.05 * unit


def test_the_same_picture_shows_the_same_clothes(astronaut):
    points = np.random.default_rng(0).uniform(0, min(astronaut.size), (500, 2))
    first = share_at(astronaut, points)
    cv2.setRNGSeed(7)
    assert np.array_equal(share_at(astronaut, points), first)


def test_a_picture_that_ends_at_the_mouth_has_no_clothes(astronaut):
    """Nothing but face and hair is left to tell clothes from."""
    end = int(astronaut.face.vertices[CHIN, 1] - 0.5 * astronaut.face.eye_distance)
    cut = dataclasses.replace(astronaut, image=astronaut.image[:end].copy(), matte=np.ones_like(astronaut.matte[:end]))
    assert np.all(share_at(cut, astronaut.face.vertices[:, :2]) == 1)


def test_where_nobody_stands_out_there_are_no_clothes(astronaut):
    nobody = dataclasses.replace(astronaut, matte=np.zeros_like(astronaut.matte))
    assert np.all(share_at(nobody, astronaut.face.vertices[:, :2]) == 1)
