"""Lower lids are moved to where the picture has them, and only where it is clear."""

import dataclasses

import cv2
import numpy as np

from animate.renderer.eyeball import _complete_iris, _complete_white, find_iris
from animate.renderer.lids import with_lids_behind_lenses, with_true_lids
from animate.topology import EYE_LEFT_LOWER, EYE_LEFT_UPPER, EYE_RIGHT_LOWER, EYE_RIGHT_UPPER, EYES
from animate.types import Portrait


def with_drawn_eyes(astronaut, below: float) -> Portrait:
    """Return large flat eyes whose irises end `below` eye distances under the lower lids of the landmarks."""
    size = (4 * astronaut.image.shape[1], 4 * astronaut.image.shape[0])
    vertices = 4 * astronaut.face.vertices
    face = dataclasses.replace(astronaut.face, vertices=vertices, neutral=4 * astronaut.face.neutral)
    image = np.full((size[1], size[0], 3), (205, 165, 145), np.uint8)
    for upper, lower, centre in ((EYE_RIGHT_UPPER, EYE_RIGHT_LOWER, 468), (EYE_LEFT_UPPER, EYE_LEFT_LOWER, 473)):
        opening = np.zeros(image.shape[:2], np.uint8)
        outline = np.concatenate([vertices[list(upper), :2], vertices[list(lower[::-1]), :2]])
        outline[len(upper) :, 1] += below * face.eye_distance
        cv2.fillPoly(opening, [np.round(outline).astype(np.int32)], 1)
        iris = np.zeros_like(opening)
        depth = vertices[list(lower[3:6]), 1].mean() - vertices[centre, 1] + below * face.eye_distance
        cv2.circle(iris, tuple(np.round(vertices[centre, :2]).astype(int).tolist()), round(float(depth)), 1, -1)
        image[opening > 0] = (235, 235, 230)
        image[(opening & iris) > 0] = (40, 60, 110)
    return Portrait(image, face, np.ones(image.shape[:2], np.float32))


def without_contrast(portrait: Portrait) -> Portrait:
    return dataclasses.replace(portrait, image=np.full_like(portrait.image, 128))


def lowering(portrait: Portrait) -> np.ndarray:
    """Return how far the middles of the lower lids are moved down, in eye distances."""
    moved = with_true_lids(portrait).face.vertices - portrait.face.vertices
    return moved[[145, 374], 1] / portrait.face.eye_distance


def test_a_lid_goes_down_to_the_end_of_the_iris(astronaut):
    assert np.all(lowering(with_drawn_eyes(astronaut, below=0.05)) > 0.03)
    assert np.all(lowering(with_drawn_eyes(astronaut, below=0.05)) < 0.06)


def test_a_lid_that_lies_right_stays(astronaut):
    assert np.array_equal(lowering(with_drawn_eyes(astronaut, below=0.0)), [0, 0])


def test_a_picture_without_clear_eyes_is_left_as_it_is(astronaut):
    assert np.array_equal(with_true_lids(without_contrast(astronaut)).face.vertices, astronaut.face.vertices)


def tilted(portrait: Portrait, tilt: float) -> Portrait:
    """Return the portrait with landmarks that lie `tilt` eye distances too high at the outer ends of the lower lids."""
    vertices = portrait.face.vertices.copy()
    for _, lower, _ in EYES:
        vertices[list(lower[1:]), 1] -= np.linspace(1, 0, len(lower) - 1) * tilt * portrait.face.eye_distance
    return dataclasses.replace(portrait, face=dataclasses.replace(portrait.face, vertices=vertices))


def test_a_lid_behind_a_lens_is_tilted_to_the_end_of_the_white(astronaut):
    pictured = with_drawn_eyes(astronaut, below=0.0)
    aslant = tilted(pictured, tilt=0.06)
    straight = with_lids_behind_lenses(aslant)
    for _, lower, _ in EYES:
        outer = list(lower[1:5])
        off = [
            np.abs((face.vertices - pictured.face.vertices)[outer, 1]).mean() for face in (aslant.face, straight.face)
        ]
        assert off[1] < 0.5 * off[0]


def test_a_lid_behind_a_lens_that_lies_right_stays(astronaut):
    for portrait in (with_drawn_eyes(astronaut, below=0.0), without_contrast(astronaut)):
        assert np.array_equal(with_lids_behind_lenses(portrait).face.vertices, portrait.face.vertices)


def test_an_iris_of_known_size_is_found_beside_its_landmarks(astronaut):
    portrait = with_drawn_eyes(astronaut, below=0.0)
    upper, lower, iris = EYES[0]
    points = portrait.face.vertices[:, :2].astype(float)
    outline = np.concatenate([points[list(upper)], points[list(lower[::-1])]])
    right = find_iris(portrait.image, outline, points[list(iris)], portrait.face.eye_distance)
    aside = points[list(iris)] + (0.2 * right[2], 0)
    found = find_iris(portrait.image, outline, aside, portrait.face.eye_distance, radius=right[2])
    assert np.hypot(*(found - right)[:2]) < 0.12 * right[2] and found[2] == right[2]


def test_dark_eyes_in_brighter_skin_have_no_white_to_follow(astronaut):
    aslant = tilted(with_drawn_eyes(astronaut, below=0.0), tilt=0.06)
    dark = dataclasses.replace(aslant, image=255 - aslant.image)
    assert np.array_equal(with_lids_behind_lenses(dark).face.vertices, dark.face.vertices)


def test_white_that_an_iris_uncovers_is_that_beside_it():
    y, x = np.mgrid[:40, :120]
    away = np.hypot(x - 60, y - 20) / 18
    clean = (np.abs(y - 20) < 8 * (1 - np.abs(x - 60) / 55)).astype(np.uint8)  # a narrow eye
    crop = np.where(away[..., None] < 1, (40, 60, 110), (230, 230, 225)).astype(np.uint8)
    grain = np.zeros((12, 12, 3), np.float32)
    white = _complete_white(crop, clean, away, x < 60, 18.0, grain)
    assert np.abs(white[clean > 0].astype(float) - (230, 230, 225)).max() < 60
    assert np.abs(white[20, 20:100].astype(float) - (230, 230, 225)).max() < 12


def test_an_iris_of_a_few_pixels_is_left_as_it_is():
    crop, clean = np.full((6, 9, 3), 90, np.uint8), np.zeros((6, 9), np.uint8)
    clean[2, 1:7] = 1
    away = np.where(clean > 0, np.linspace(0.02, 0.97, 9)[None], 2.0)  # too few in any ring to measure its colour
    whole, light = _complete_iris(crop, clean, away, radius=3.0)
    assert np.array_equal(whole, crop) and not light.any()
