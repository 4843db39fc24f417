"""The same face with its lips together, whatever the mouth does in the picture."""

import numpy as np

from animate.portrait.deform import spread_displacements
from animate.topology import (
    CHIN,
    EYE_LEFT_UPPER,
    EYE_RIGHT_UPPER,
    JAWLINE,
    LIPS_INNER_LOWER,
    LIPS_INNER_UPPER,
    LIPS_OUTER_LOWER,
    LIPS_OUTER_UPPER,
    NUM_SKIN,
    canonical_vertices,
)

_CLOSED = 0.015  # of the eye distance; a smaller gap is the shade between closed lips
_UPPER_SHARE = 0.3  # of the gap; the jaw closes a mouth more than the upper lip does
_CHIN_SHARE = 0.5  # of the lower lip's way; the rest is the lip itself
_OUTER_SHARE = 0.9  # the lips keep most of their thickness
_CORNER_SHARE = 0.25  # of the gap, by which each corner comes in: lips that part over the teeth are drawn wide
_SMILING = 1.04, 1.16  # eye distances; between these widths a mouth passes into a smile that stays as wide when closed
_NOSE_BASE = 2
_UPPER_JAWLINE = JAWLINE[:5] + JAWLINE[-5:]  # from the ears to the corners of the jaw


def neutral_vertices(vertices: np.ndarray) -> np.ndarray:
    """Bring the inner lips together.

    Parameters
    ----------
    vertices : float32 [478, 3]
        A face in a picture, pixels.

    Returns
    -------
    float32 [478, 3]
        The upper lip comes down by 30 % of the gap and the lower lip up by the rest, taking the chin half-way
        along; the corners come in a little, those of a broad smile less; everything above the nostrils stays. Equal to
        `vertices` if the gap is below 1.5 % of the eye distance.

    Examples
    --------
    >>> parted = np.vstack([canonical_vertices(), np.zeros((10, 3))]).astype(np.float32)
    >>> parted[list(LIPS_INNER_LOWER[1:-1]), 1] += 0.5
    >>> closed = neutral_vertices(parted)
    >>> bool(np.allclose(closed[list(LIPS_INNER_UPPER)], closed[list(LIPS_INNER_LOWER)], atol=1e-5))
    True
    """
    upper, lower = (vertices[list(chain)].astype(float) for chain in (LIPS_INNER_UPPER, LIPS_INNER_LOWER))  # [11, 3]
    eyes = [vertices[[chain[0], chain[-1]], :2].mean(axis=0) for chain in (EYE_RIGHT_UPPER, EYE_LEFT_UPPER)]
    gap = lower - upper
    eye_distance = np.linalg.norm(eyes[1] - eyes[0])
    if np.linalg.norm(gap[:, :2], axis=1).max() < _CLOSED * eye_distance:
        return vertices.copy()

    fixed = np.flatnonzero(canonical_vertices()[:, 1] < canonical_vertices()[_NOSE_BASE, 1])
    moves = {vertex: np.zeros(3) for vertex in (*fixed.tolist(), *_UPPER_JAWLINE)}
    moves[CHIN] = -gap.mean(axis=0) * (1 - _UPPER_SHARE) * _CHIN_SHARE
    for position, width in enumerate(gap):
        down, up = width * _UPPER_SHARE, -width * (1 - _UPPER_SHARE)
        if 3 <= position <= 7:  # nearer to the corners the skin finds its own way, with the fewest folds
            moves[LIPS_OUTER_UPPER[position]] = _OUTER_SHARE * down
            moves[LIPS_OUTER_LOWER[position]] = _OUTER_SHARE * up
        moves[LIPS_INNER_UPPER[position]] = down
        moves[LIPS_INNER_LOWER[position]] = up
    corners = vertices[[LIPS_OUTER_UPPER[0], LIPS_OUTER_UPPER[-1]], :2]
    wide = np.linalg.norm(corners[1] - corners[0]) / eye_distance
    share = _CORNER_SHARE * np.interp(wide, _SMILING, (1, 0))
    inwards = (upper[-1] - upper[0]) / np.linalg.norm(upper[-1] - upper[0]) * np.linalg.norm(gap.mean(axis=0))
    for end, towards in ((0, 1), (-1, -1)):
        for chain in (LIPS_INNER_UPPER, LIPS_OUTER_UPPER):
            moves[chain[end]] = towards * share * inwards
    closed = vertices.copy()
    closed[:NUM_SKIN] += spread_displacements(np.array(list(moves)), np.array(list(moves.values())))
    return closed
