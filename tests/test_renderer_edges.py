"""Where a person ends and the picture goes on, or does not."""

import numpy as np

from animate.renderer.attachment import bare_margins, border_rooms

UNIT = 40.0


def person(top: int) -> np.ndarray:
    """Return a matte that reaches the lower edge and both sides, and ends `top` pixels below the upper edge."""
    matte = np.zeros((300, 300), bool)
    matte[top:] = True
    return matte


def test_hair_well_below_the_edge_leaves_a_bare_margin():
    assert bare_margins(person(20), UNIT)[1] > 10


def test_hair_that_may_go_on_beyond_the_edge_leaves_none():
    assert not bare_margins(person(0), UNIT).any() and not bare_margins(person(4), UNIT).any()


def test_motion_dies_away_above_the_hair_but_not_in_it(astronaut):
    unit, points = astronaut.face.eye_distance, astronaut.face.vertices[:468, :2]
    hair = np.flatnonzero((astronaut.matte > 0.5).any(axis=1))[0]
    whole = 0, 0, *astronaut.size
    rooms = border_rooms(astronaut, whole, points, unit)
    assert 0 < rooms[1] < hair
    within = border_rooms(astronaut, (0, 1, *astronaut.size), points, unit)  # the picture goes on above this region
    assert within[1] > hair
