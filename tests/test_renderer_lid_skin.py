"""Shut lids are skin with one line of lashes, and hide all of the eye."""

import dataclasses

import cv2
import numpy as np
import pytest

from animate.evaluate.rows import row
from animate.renderer import MeshRenderer
from animate.renderer.lid_skin import LidSkin
from animate.topology import EYE_LEFT_LOWER, EYE_LEFT_UPPER, EYE_RIGHT_LOWER, EYE_RIGHT_UPPER
from animate.types import Portrait

SKIN, WHITE, IRIS = (165, 120, 100), (235, 235, 230), (40, 60, 110)
EYES = ((EYE_RIGHT_UPPER, EYE_RIGHT_LOWER, 468), (EYE_LEFT_UPPER, EYE_LEFT_LOWER, 473))


@pytest.fixture(scope="module")
def drawn(astronaut) -> Portrait:
    """The example's face at four times its size, of one colour, with eyes that reach beyond the landmarks' lids."""
    vertices = 4 * astronaut.face.vertices
    face = dataclasses.replace(astronaut.face, vertices=vertices, neutral=vertices.copy())
    image = np.full((4 * astronaut.image.shape[0], 4 * astronaut.image.shape[1], 3), SKIN, np.uint8)
    for upper, lower, centre in EYES:
        opening, iris = (np.zeros(image.shape[:2], np.uint8) for _ in range(2))
        outline = vertices[list(upper + lower[::-1]), :2]
        cv2.fillPoly(opening, [np.round(outline).astype(np.int32)], 1)
        reach = 2 * round(0.03 * face.eye_distance) + 1
        opening = cv2.dilate(opening, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach)))
        radius = round(float(np.hypot(*(vertices[centre + 1] - vertices[centre])[:2])))
        cv2.circle(iris, tuple(np.round(vertices[centre, :2]).astype(int).tolist()), radius, 1, -1)
        image[opening > 0] = WHITE
        image[(opening & iris) > 0] = IRIS
    return Portrait(image, face, np.ones(image.shape[:2], np.float32))


@pytest.fixture(scope="module")
def renderer(drawn) -> MeshRenderer:
    return MeshRenderer(drawn)


def whites(frame: np.ndarray) -> int:
    return int((frame.min(axis=2) > 190).sum())


def blue(frame: np.ndarray) -> int:
    return int((frame[..., 2] > frame[..., 0].astype(int) + 30).sum())


def brightness_across_lids(frame: np.ndarray, portrait: Portrait) -> list[np.ndarray]:
    """Return the brightness of the middle half of each eye, float64 [rows, columns], as shares of the skin's."""
    found = []
    for upper, _, centre in EYES:
        x, y = portrait.face.vertices[centre, :2]
        width = abs(float(portrait.face.vertices[upper[-1], 0] - portrait.face.vertices[upper[0], 0]))
        reach = 0.2 * portrait.face.eye_distance
        part = frame[int(y - reach) : int(y + reach), int(x - 0.25 * width) : int(x + 0.25 * width)]
        found.append(part.mean(axis=2) / np.mean(SKIN))
    return found


def test_a_shut_lid_hides_what_landmarks_leave_of_the_eye(drawn, renderer):
    shut = renderer.draw(row(eyeBlink=1.0))
    assert whites(drawn.image) > 1000
    assert blue(drawn.image) > 1000
    assert whites(shut) < 0.01 * whites(drawn.image)
    assert blue(shut) == 0


def test_the_lashes_of_a_shut_eye_lie_in_one_smooth_line(drawn, renderer):
    for eye in brightness_across_lids(renderer.draw(row(eyeBlink=1.0)), drawn):
        dark = (eye < 0.9).astype(int)
        assert (np.abs(np.diff(dark, axis=0)).sum(axis=0) == 2).all(), "one dark run in every column"
        line = eye.argmin(axis=0)
        smooth = np.polyval(np.polyfit(np.arange(len(line)), line, 3), np.arange(len(line)))
        assert np.abs(line - smooth).max() < 1.5  # pixels


def test_the_lid_has_the_colour_of_the_skin(drawn, renderer):
    shut = renderer.draw(row(eyeBlink=1.0)).astype(int)
    for _, _, centre in EYES:
        x, y = np.round(drawn.face.vertices[centre, :2]).astype(int)
        assert np.abs(shut[y - 6 : y + 1, x - 10 : x + 10] - SKIN).max() <= 8


def test_a_shut_lid_is_as_rough_as_the_skin_around(drawn, renderer):
    noise = np.random.default_rng(0).normal(0, 8, drawn.image.shape[:2])[..., None]
    grainy = dataclasses.replace(drawn, image=np.clip(drawn.image + noise, 0, 255).astype(np.uint8))
    for shut, least, most in ((MeshRenderer(grainy), 3, 9), (renderer, 0, 1)):
        frame = shut.draw(row(eyeBlink=1.0)).astype(np.float32)
        fine = frame - cv2.GaussianBlur(frame, (0, 0), 3)
        for _, _, centre in EYES:
            x, y = np.round(drawn.face.vertices[centre, :2]).astype(int)
            assert least <= fine[y - 12 : y + 1, x - 20 : x + 20].std() <= most


def test_a_shut_lid_has_the_shade_of_the_place_it_lies_in(drawn):
    across = np.linspace(0.5, 1.3, drawn.image.shape[1])[None, :, None]
    shaded = dataclasses.replace(drawn, image=np.round(drawn.image * across).clip(0, 255).astype(np.uint8))
    shut = MeshRenderer(shaded).draw(row(eyeBlink=1.0)).astype(float)
    for _, _, centre in EYES:
        x, y = np.round(drawn.face.vertices[centre, :2]).astype(int)
        lid = shut[y - 6 : y + 1, x - 30 : x + 30].mean(axis=(0, 2))
        assert np.abs(lid / (np.mean(SKIN) * across[0, x - 30 : x + 30, 0]) - 1).max() < 0.2


def test_a_wink_leaves_the_other_eye_open(drawn, renderer):
    winking = renderer.draw(row(eyeBlinkRight=1.0))
    half = round(float(drawn.face.vertices[168, 0]))
    assert whites(winking[:, :half]) < 0.02 * whites(drawn.image[:, :half])
    assert np.array_equal(winking[:, half:], renderer.draw(row())[:, half:])


def test_a_lid_comes_down_without_a_jump(astronaut):
    renderer = MeshRenderer(astronaut)
    frames = [renderer.draw(row(eyeBlink=share)).astype(float) for share in np.linspace(0, 1, 26)]
    steps = np.array([np.abs(b - a).mean() for a, b in zip(frames, frames[1:])])
    assert steps.max() < 3 * np.median(steps)


def test_a_turned_head_lowers_no_lid(renderer, monkeypatch):
    drawn_lids = []
    monkeypatch.setattr(LidSkin, "draw", lambda *_: drawn_lids.append(1))
    for turn in ({"headYaw": 20.0}, {"headYaw": -20.0}, {"headPitch": 15.0}, {"headPitch": -15.0}):
        renderer.draw(row(**turn))
    assert not drawn_lids
    renderer.draw(row(eyeBlink=0.1, headYaw=20.0))
    assert len(drawn_lids) == 2


def test_a_tiny_face_blinks(astronaut):
    small = cv2.resize(astronaut.image, None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA)
    vertices = (0.3 * astronaut.face.vertices).astype(np.float32)
    face = dataclasses.replace(astronaut.face, vertices=vertices, neutral=vertices)
    portrait = Portrait(small, face, cv2.resize(astronaut.matte, small.shape[1::-1]))
    frame = MeshRenderer(portrait).draw(row(eyeBlink=1.0))
    assert (frame != small).any()
