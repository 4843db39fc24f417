"""How hair, ears, neck and shoulders hang on the face: what follows it, how far, and how deep it lies."""

import cv2
import numpy as np

from animate.easing import smoothstep
from animate.renderer.head import HeadFrame
from animate.topology import CHIN, FACE_OVAL
from animate.types import Portrait

# An adult skull with its hair, 16 cm wide, 19 high and 19 long, in the head's frame, eye distances.
_SKULL, _SKULL_RADII = np.array([0.0, -0.45, 1.2]), np.array([1.25, 1.5, 1.52])
_STEEPEST = 1.3  # depth over distance in the picture; a turn of 20 degrees still leaves half of the width
# Half the width of what moves with the head (hair is wide, shoulders stay), by the height below the eyes.
_HEAD_WIDTH = ((-2.0, -0.5, 0.5, 1.1, 1.6), (2.5, 2.1, 1.7, 1.3, 0.9))  # eye distances
_HOLD = 0.9  # eye distances over which motion dies away towards the edge of the moving region
STRANDS = 0.11  # eye distances beyond the matte that hair may reach


def nearest_on_outline(points: np.ndarray, face: np.ndarray, outline: np.ndarray):
    """Return distance (pixels), the two outline vertices, and their shares, for points outside the face."""
    start, end = face[outline], face[np.roll(outline, -1)]
    along = end - start
    t = ((points[:, None] - start) * along).sum(axis=2) / np.maximum((along**2).sum(axis=1), 1e-9)
    t = np.clip(t, 0, 1)
    offsets = points[:, None] - (start + t[..., None] * along)
    distances = np.hypot(offsets[..., 0], offsets[..., 1])
    nearest = distances.argmin(axis=1)
    rows = np.arange(len(points))
    share = np.column_stack([1 - t[rows, nearest], t[rows, nearest]])
    return distances[rows, nearest], np.column_stack([outline[nearest], np.roll(outline, -1)[nearest]]), share


def skull_depth(points: np.ndarray, frame: HeadFrame) -> np.ndarray:
    """Return how deep the skull lies behind picture points [N, 2], pixels; beside it, how deep its middle does."""
    straight = frame.axes[:, 2] / _SKULL_RADII  # into the picture, where the skull is a unit ball
    start = frame.to_head(np.column_stack([points, np.full(len(points), frame.origin[2])]))
    start = (start - _SKULL) / _SKULL_RADII
    nearest = -(start @ straight) / (straight @ straight)
    before = np.sqrt(np.maximum(0, 1 - ((start + nearest[:, None] * straight) ** 2).sum(axis=1)))
    return frame.origin[2] + (nearest - before / np.linalg.norm(straight)) * frame.unit


def without_cliffs(points: np.ndarray) -> np.ndarray:
    """Return depths [N] brought forward until no slope is so steep that turning the head would fold the mesh."""
    level = np.empty(len(points))
    for start in range(0, len(points), 256):  # blocks keep the table of distances small
        block = points[start : start + 256, None, :2] - points[None, :, :2]
        level[start : start + 256] = (points[:, 2] + _STEEPEST * np.hypot(block[..., 0], block[..., 1])).min(axis=1)
    return level


def neck_weight(portrait: Portrait, frame: HeadFrame, points: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """Fall from the head to the shoulders, and sideways to whatever else stands beside the head."""
    side, below, chin, shoulder = along_neck(portrait, frame, points)
    vertical = 1 - smoothstep((below - chin + 0.35) / (shoulder - chin + 0.35))
    lateral = 1 - smoothstep(
        (np.abs(side) - np.interp(below, *_HEAD_WIDTH)) / np.interp(below, (-0.5, 1.1), (1.0, 0.8))
    )
    return 1 - (1 - vertical * lateral) * smoothstep(distance / (0.4 * frame.unit))


def chest_weight(portrait: Portrait, frame: HeadFrame, points: np.ndarray) -> np.ndarray:
    """Return how far points [N, 2] rise with the chest: 0 down to the chin, 1 from the shoulders on."""
    _, below, chin, shoulder = along_neck(portrait, frame, points)
    return smoothstep((below - chin) / (shoulder - chin))


def along_neck(portrait: Portrait, frame: HeadFrame, points: np.ndarray):
    """Return how far points [N, 2] lie beside the skull's middle and below the eyes, and chin and shoulders below."""
    upright = frame.axes[0, :2] / np.linalg.norm(frame.axes[0, :2])
    down = np.array([-upright[1], upright[0]])
    local = (points - frame.origin[:2]) / frame.unit
    chin = (portrait.face.vertices[CHIN, :2] - frame.origin[:2]) @ down / frame.unit
    middle = (frame.to_picture(_SKULL[None])[0, :2] - frame.origin[:2]) @ upright / frame.unit
    return local @ upright - middle, local @ down, chin, chin + _neck_length(portrait, frame, upright, down, chin)


def _neck_length(portrait: Portrait, frame: HeadFrame, upright, down, chin: float) -> float:
    """Return eye distances from the chin to where the matte widens to shoulders or collar."""
    oval = portrait.face.vertices[list(FACE_OVAL), :2]
    face_width = np.ptp((oval - frame.origin[:2]) @ upright) / frame.unit
    offsets = np.linspace(-3, 3, 121)
    for length in np.arange(0.45, 1.3, 0.05):
        line = frame.origin[:2] + frame.unit * ((chin + length) * down + offsets[:, None] * upright)
        inside = cv2.remap(portrait.matte, line[None].astype(np.float32), None, cv2.INTER_LINEAR)[0] > 0.5
        if inside.sum() * 0.05 > 1.6 * face_width:
            return float(max(0.6, length))
    return 1.3


def skin_share(points, face, carrier, share, distance: np.ndarray, frame: HeadFrame) -> np.ndarray:
    """Return how much of the expression at the face's edge the skin beyond takes: far below the chin, little beside."""
    offset = (points - (share[..., None] * face[carrier, :2]).sum(axis=1)) / np.maximum(distance, 1e-6)[:, None]
    down = frame.axes[1, :2] / np.linalg.norm(frame.axes[1, :2])
    ramp = np.clip(1 - distance / ((0.5 + 0.55 * np.clip(offset @ down, 0, 1)) * frame.unit), 0, 1)
    return ramp * (1 + 0.35 * ramp * (1 - ramp))


def border_weight(points: np.ndarray, region, rooms: np.ndarray) -> np.ndarray:
    """Return 0 at the edge of the moving region, rising to 1 over the room at each edge, for points [N, 2] outside."""
    left, top, right, bottom = region
    x, y = points.T
    gaps = np.stack([x - left, y - top, right - 1 - x, bottom - 1 - y], axis=1)
    return smoothstep((gaps / rooms).min(axis=1))


def border_rooms(portrait: Portrait, region, face: np.ndarray, unit: float) -> np.ndarray:
    """Return over how much of the left, top, right and bottom of a region motion may die away, float [4] px.

    That ends where the face begins, or the hair, if it ends well before the edge of the picture: it moves whole.

    Parameters
    ----------
    portrait : Portrait
    region : tuple of int
        left, top, right, bottom, pixels.
    face : float [M, 2]
        Pixels.
    unit : float
        Eye distance, pixels.
    """
    left, top, right, bottom = region
    width, height = portrait.size
    rooms = np.clip(edge_rooms(region, face), 0.05 * unit, _HOLD * unit)
    bare = bare_margins(portrait.matte > 0.5, unit)
    at_picture = np.array([left == 0, top == 0, right == width, bottom == height])
    return np.where(at_picture & (bare > 0), np.minimum(rooms, bare), rooms)


def bare_margins(person: np.ndarray, unit: float) -> np.ndarray:
    """Return how wide the left, top, right and bottom margins of a picture are that no hair of a person reaches.

    Parameters
    ----------
    person : bool [H, W]
    unit : float
        Eye distance, pixels.

    Returns
    -------
    float [4]
        Pixels; 0 where hair may go on beyond the edge.
    """
    rows, columns = np.nonzero(person)
    if not len(rows):
        return np.zeros(4)
    height, width = person.shape
    bare = edge_rooms((0, 0, width, height), np.column_stack([columns, rows])) - STRANDS * unit
    return np.where(bare > 0.5 * STRANDS * unit, bare, 0)


def edge_rooms(region, face: np.ndarray) -> np.ndarray:
    """Return how far the face is from the left, top, right and bottom of a region, float [4] px."""
    left, top, right, bottom = region
    low, high = face.min(axis=0), face.max(axis=0)
    return np.array([low[0] - left, low[1] - top, right - 1 - high[0], bottom - 1 - high[1]])


def head_freedom(region, face: np.ndarray, unit: float) -> float:
    """Return the share of the asked head motion that a face has room for, 0.2-1: less near the picture's edge."""
    return float(np.clip(edge_rooms(region, face).min() / (0.6 * unit), 0.2, 1))
