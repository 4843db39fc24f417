"""How far a pictured head can be turned before the renderer shows that there is nothing on its far side."""

from __future__ import annotations

import numpy as np

from animate.portrait.checks import MAX_YAW_DEG
from animate.portrait.pose import head_pose
from animate.topology import NUM_SKIN, triangles

# Looked at: five portraits of yaw -33 to 2 degrees, rendered in steps of 5 degrees each way. With up to these shares
# they hold; with more a cheek smears, or a nose and a brow run into the outline.
_STRETCH = 2.0  # times its area in the picture, by which skin looks drawn out
_MOST_STRETCHED = 0.08  # of the skin that is seen
_MOST_GONE = 0.03  # of the skin in the picture, that has turned its back


def turn_range(vertices: np.ndarray) -> tuple[float, float]:
    """Return by how many whole degrees a head can be turned to the left and to the right of the picture.

    Beyond, more than 8 % of the skin that is seen is stretched to twice its area or more, more than 3 % of what the
    picture shows is turned away, or the head is 45 degrees from the front.

    Parameters
    ----------
    vertices : float32 [478, 3]
        The face, pixels.

    Examples
    --------
    >>> from animate.topology import canonical_vertices
    >>> left, right = turn_range(np.vstack([canonical_vertices(), np.zeros((10, 3))]))
    >>> left == right and left > 10
    True
    """
    skin = vertices[:NUM_SKIN].astype(float)
    yaw_deg = head_pose(vertices).yaw_deg
    return tuple(
        float(next((deg - 1 for deg in range(1, 91) if not _holds(skin, yaw_deg, sign * deg)), 90)) for sign in (-1, 1)
    )


def _holds(skin: np.ndarray, yaw_deg: float, turn_deg: float) -> bool:
    if abs(yaw_deg + turn_deg) > MAX_YAW_DEG and abs(yaw_deg + turn_deg) > abs(yaw_deg):
        return False
    angle = np.radians(turn_deg)
    turned = skin.copy()
    turned[:, 0] = np.cos(angle) * skin[:, 0] - np.sin(angle) * skin[:, 2]
    before, after = _areas(skin), _areas(turned)
    seen = after > 0
    stretched = after[seen & (after > _STRETCH * before)].sum() / max(after[seen].sum(), 1e-9)
    gone = before[~seen & (before > 0)].sum() / max(before[before > 0].sum(), 1e-9)
    return bool(stretched <= _MOST_STRETCHED and gone <= _MOST_GONE)


def _areas(vertices: np.ndarray) -> np.ndarray:
    """Return the areas float64 [F] of the skin's triangles in the picture, positive where they face the viewer."""
    a, b, c = vertices[triangles()].transpose(1, 0, 2)[..., :2]
    return -np.cross(b - a, c - a) / 2


def turn_in_words(yaw_deg: float, left_deg: float, right_deg: float) -> str:
    """Return one clause about how far a head can be turned.

    Examples
    --------
    >>> turn_in_words(-26.4, 12.0, 25.0)
    'this three-quarter portrait can turn 12 degrees further left, 25 right'
    """
    view = "frontal" if abs(yaw_deg) < 10 else "three-quarter" if abs(yaw_deg) > 20 else "slightly turned"
    return f"this {view} portrait can turn {left_deg:.0f} degrees further left, {right_deg:.0f} right"
