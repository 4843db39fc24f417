"""Parted lips: their edges, and how they meet."""

from dataclasses import replace

import cv2
import numpy as np

from animate.channels import CHANNELS, INDEX
from animate.renderer import MeshRenderer
from animate.renderer.lips import with_true_lips
from animate.topology import LIPS_INNER_LOWER, LIPS_INNER_UPPER, LIPS_OUTER_LOWER, LIPS_OUTER_UPPER
from animate.types import Portrait


def painted(portrait: Portrait, wider: float) -> Portrait:
    """Return the portrait with lips of one light tone, and between them a dark that goes beyond them at the corners."""
    v, unit = portrait.face.vertices[:, :2], portrait.face.eye_distance
    image = np.full_like(portrait.image, 200)
    dark = np.concatenate([v[list(LIPS_INNER_UPPER)], v[list(LIPS_INNER_LOWER[::-1])]])
    cv2.fillPoly(image, [np.round(16 * dark).astype(np.int32)], (20, 20, 20), cv2.LINE_8, 4)
    for corner, side in ((LIPS_INNER_UPPER[0], 1), (LIPS_INNER_UPPER[-1], -1)) if wider else ():
        x, y = v[corner] + (side * 0.07 * unit, 0)
        cv2.circle(image, (round(float(x)), round(float(y))), round(wider * unit), (20, 20, 20), -1)
    return replace(portrait, image=image)


def moved(portrait: Portrait) -> np.ndarray:
    """Return how far each vertex is moved, eye distances."""
    shift = (with_true_lips(portrait).face.vertices - portrait.face.vertices)[:, :2]
    return np.hypot(*shift.T) / portrait.face.eye_distance


def test_edges_of_parted_lips_move_out_of_the_dark_at_the_corners(astronaut):
    shift = moved(painted(astronaut, wider=0.08))
    assert shift[[LIPS_INNER_UPPER[1], LIPS_INNER_UPPER[-2], LIPS_INNER_LOWER[1], LIPS_INNER_LOWER[-2]]].max() > 0.01
    assert shift.max() <= 0.07
    middle, ends = LIPS_INNER_UPPER[4:7] + LIPS_INNER_LOWER[4:7], (LIPS_OUTER_UPPER[0], LIPS_OUTER_LOWER[-1], 33, 263)
    assert shift[list(middle + ends)].max() == 0


def test_lips_that_lie_well_or_are_closed_stay(astronaut):
    assert moved(painted(astronaut, wider=0.0)).max() < 0.03  # about a pixel
    closed = replace(astronaut, face=replace(astronaut.face, vertices=astronaut.face.neutral))
    assert with_true_lips(closed) is closed


def test_the_line_between_lips_that_have_closed_does_not_flicker_as_the_head_moves(astronaut):
    renderer = MeshRenderer(astronaut)
    rows = np.zeros((16, len(CHANNELS)), np.float32)
    rows[:, INDEX["headY"]] = 0.02 + 0.15 / astronaut.face.eye_distance * np.arange(16)  # a seventh of a pixel a step
    lips = renderer.vertices(rows[0])[np.concatenate(renderer.mesh.openings["mouth"])]
    (left, top), (right, bottom) = lips.min(axis=0).astype(int) - 2, lips.max(axis=0).astype(int) + 4
    frames = np.array([renderer.draw(row)[top:bottom, left:right] for row in rows], float)
    assert np.abs(np.diff(frames, n=2, axis=0)).max() < 60
