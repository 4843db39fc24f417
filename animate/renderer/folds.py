"""Folds that deepen as the face moves: beside the nose, across the forehead, around the eyes and between the brows."""

import numpy as np

from animate.channels import INDEX
from animate.easing import smoothstep
from animate.renderer.opening import straightened
from animate.renderer.strokes import crease_along, darken_along, soften_along
from animate.topology import JAWLINE, MIRROR

# Each fold runs through the means of vertices of the right half of the face; its width is in eye distances; and it
# takes as much of the light as the channels that make it say, each at 1 (places after Ekman & Friesen 1978, FACS).
_ON_BOTH_SIDES = (
    (((129, 98), (203,), (206,), (216,), (212,)), 0.06, {"mouthSmile": 0.18, "noseSneer": 0.16, "cheekSquint": 0.08}),
    (((226,), (143,)), 0.022, {"eyeSquint": 0.18, "cheekSquint": 0.12, "mouthSmile": 0.08}),
    (((31,), (111,)), 0.022, {"eyeSquint": 0.14, "cheekSquint": 0.12, "mouthSmile": 0.08}),
    (((232,), (231,), (230,), (229,), (31,)), 0.04, {"eyeSquint": 0.14, "cheekSquint": 0.14, "mouthSmile": 0.08}),
    (((193, 8), (55, 9), (107, 9), (108, 151)), 0.03, {"browDown": 0.28}),
    (((61, 57), (57, 43)), 0.04, {"mouthDimple": 0.2, "mouthFrown": 0.16, "mouthStretch": 0.1}),
)
_FOREHEAD = ((104,), (69,), (108,), (151,), (337,), (299,), (333,))
_ABOVE_BROWS = ((104, 105), (69, 66), (108, 107), (151, 9), (337, 336), (299, 296), (333, 334))
_RAISED = {"browInnerUp": 0.1, "browOuterUpLeft": 0.06, "browOuterUpRight": 0.06}
_FAINT = 0.01  # share of the light below which a fold is not drawn

# Parts of the jaw, and the way to the neck, collar or hair that they come to lie over.
_CHIN = list(JAWLINE[4:-4])
_JAW = ((_CHIN, (0, 1)), (list(JAWLINE[:9]), (-1, 0)), (list(JAWLINE[-9:]), (1, 0)))
_OVER = 0.25  # eye distances that it moves by which it surely lies over them
_CHIN_SHADE, _CHIN_WIDTH = 0.12, 0.1  # share of the light, eye distances


def _folds() -> tuple:
    folds = [(line, 0.042, _RAISED) for line in (_FOREHEAD, _ABOVE_BROWS)]
    for line, width, causes in _ON_BOTH_SIDES:
        other = tuple(tuple(int(MIRROR[vertex]) for vertex in point) for point in line)
        folds.append((line, width, {name + "Right": share for name, share in causes.items()}))
        folds.append((other, width, {name + "Left": share for name, share in causes.items()}))
    return tuple(
        (
            np.array([(point[0], point[-1]) for point in line]),  # [n, 2]
            width,
            [(INDEX[name], share) for name, share in causes.items()],
        )
        for line, width, causes in folds
    )


_FOLDS = _folds()


def draw_folds(frame: np.ndarray, row: np.ndarray, vertices: np.ndarray, unit: float) -> None:
    """Deepen the folds that the expression of a row makes, in place.

    Parameters
    ----------
    frame : uint8 [H, W, 3]
    row : float32 [58]
    vertices : float32 [N, 2]
        Where the face is in this frame, pixels.
    unit : float
        Eye distance, pixels.
    """
    given = np.clip(row, 0, 1).tolist()
    for line, width, causes in _FOLDS:
        depth = sum(share * given[column] for column, share in causes)
        if depth > _FAINT:
            points = vertices[line].mean(axis=1)
            start, axis, heights = straightened(points, points)
            crease_along(frame, start, axis, heights[0], max(0.8, width * unit), depth)


def draw_jaw(frame: np.ndarray, vertices: np.ndarray, rest: np.ndarray, unit: float) -> None:
    """Round the edge of a jaw that comes to lie over what is beside it, and let the chin cast a shade, in place.

    Parameters
    ----------
    frame : uint8 [H, W, 3]
    vertices, rest : float [N, 2]
        Where the face is in this frame and in the picture, pixels.
    unit : float
        Eye distance, pixels.
    """
    for line, way in _JAW:
        over = float(smoothstep(((vertices[line] - rest[line, :2]) @ way).mean() / (_OVER * unit)))
        if over <= _FAINT:
            continue
        # Strokes run across the picture; a side of the jaw is drawn in the picture laid on its side.
        across, points = (frame, vertices[line]) if line is _CHIN else (frame.swapaxes(0, 1), vertices[line, ::-1])
        start, axis, heights = straightened(points, points)
        soften_along(across, start, axis, heights[0], 1.5 + 0.02 * unit, over)
        soften_along(across, start, axis, heights[0], 1.5 + 0.02 * unit, over)
        if line is _CHIN:
            below, width = heights[0] + 0.5 * _CHIN_WIDTH * unit, _CHIN_WIDTH * unit
            darken_along(frame, start, axis, below, width, np.full(len(below), _CHIN_SHADE * over))
