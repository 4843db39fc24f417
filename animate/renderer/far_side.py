"""The far side of a three-quarter face: as the head turns to the front it bulges, and the skin at its edge widens."""

from dataclasses import dataclass
from itertools import chain

import cv2
import numpy as np
from scipy import sparse
from scipy.sparse.linalg import spsolve

from animate.channels import INDEX
from animate.easing import smoothstep
from animate.renderer.attachment import nearest_on_outline
from animate.renderer.head import HeadFrame, head_motion
from animate.renderer.mesh import PortraitMesh
from animate.renderer.sampling import colours_at
from animate.topology import EYES, LIPS_OUTER_LOWER, LIPS_OUTER_UPPER, NOSE_RIDGE, NOSTRIL_LEFT, NOSTRIL_RIGHT, NUM_SKIN
from animate.types import Portrait

_LEAST_YAW_DEG = 8.0  # below, both cheeks are in the picture
_TURN_DEG = 20.0  # the turn for which the outline is found
# What meshes of four pictures lack of their outline grows a little faster than the turn: 0.21, 0.45 and 0.71 of what
# it is at 20 degrees at 5, 10 and 15.
_GENTLE = 0.15  # of the turn, over which the bulge begins
_SHOWN = 0.75  # of what is lacking: the depth of a cheek that no picture shows is a guess
_OUTWARDS = 1.1  # eye distances from the outline over which what moves with it dies away
_STEP = 0.1  # eye distances between places along the outline
_EVEN = 0.18  # eye distances along the outline over which the bulge is evened out
_WIDENED = 2.5  # times the width of the skin between an eye or the lips and the outline: it smears when drawn out more
_RIM = 0.05  # eye distances from the edge of the cheek within which it is not drawn out, so that it stays sharp
_AROUND = -0.15, 0.3  # eye distances outside and inside the outline between which the edge of the cheek is looked for
_CELL = 0.04  # eye distances between the knots of the grid over the face
_UNDER = 0.07, 4.0  # eye distances from the outline to where the bulge is read, and how far at most it is continued
_KEPT = (*chain.from_iterable(chain.from_iterable(EYES)), *LIPS_OUTER_UPPER, *LIPS_OUTER_LOWER, *NOSE_RIDGE,
         NOSTRIL_RIGHT, NOSTRIL_LEFT)  # fmt: skip


@dataclass(frozen=True, eq=False)
class FarSide:
    """What the outline lacks when a head has turned to the front by `_TURN_DEG`.

    Attributes
    ----------
    bulge : float32 [N, 2]
        Displacement of each vertex of the mesh, pixels.
    sign : int
        Of the yaw that turns the head to the front.
    """

    bulge: np.ndarray
    sign: int

    def share(self, row: np.ndarray) -> float:
        """Return how much of the bulge a row float32 [58] shows: none before it turns to the front."""
        turn = np.clip(self.sign * row[INDEX["headYaw"]] / _TURN_DEG, 0, 1)
        return float((np.hypot(turn, _GENTLE) - _GENTLE) / (np.hypot(1, _GENTLE) - _GENTLE))


def find_far_side(portrait: Portrait, mesh: PortraitMesh, frame: HeadFrame, pivot: np.ndarray) -> FarSide | None:
    """Return how the far side of a face bulges, or None of one seen from the front.

    Parameters
    ----------
    portrait : Portrait
    mesh : PortraitMesh
        Its vertices that the face hides are brought forward, so that they do not fold; where they would show is taken
        from the portrait's.
    frame : HeadFrame
    pivot : float [3]
        Of the head, pixels.
    """
    face = portrait.face
    if abs(face.pose.yaw_deg) < _LEAST_YAW_DEG:
        return None
    sign = -int(np.sign(face.pose.yaw_deg))
    outline = cv2.convexHull(mesh.rest[: mesh.num_face, :2].astype(np.float32), returnPoints=False)[:, 0]
    edge = _along(mesh.rest[outline], _STEP * frame.unit)
    far = -sign * (edge[:, 0] - frame.origin[0]) > 0
    even = np.linalg.norm(edge[:, None, :2] - edge[:, :2], axis=2) / (_EVEN * frame.unit)
    even = np.exp(-0.5 * even**2)
    even /= even.sum(axis=1, keepdims=True)
    depth, inwards = _cheek_edge(portrait.matte, edge[:, :2], frame.unit)
    depth = even @ np.where(far, depth, 0)
    cheek = edge + np.column_stack([depth[:, None] * inwards, 0 * depth])
    kept = face.vertices[list(_KEPT), :2]
    room = np.maximum(0, np.linalg.norm(cheek[:, None, :2] - kept, axis=2).min(axis=1) - _RIM * frame.unit)
    push = far[:, None] * _lacking(cheek, face.vertices[:NUM_SKIN], sign, frame, pivot)
    push *= np.minimum(_SHOWN, _WIDENED * room / np.maximum(1e-6, np.linalg.norm(push, axis=1)))[:, None]
    bulge = _spread(even @ push, edge[:, :2], np.maximum(depth, 0) + _RIM * frame.unit, kept, mesh, frame.unit)
    return FarSide(bulge.astype(np.float32), sign)


def _along(corners: np.ndarray, step: float) -> np.ndarray:
    """Return points [E, 3] at even steps along a closed line through `corners` [M, 3] in the picture."""
    closed = np.vstack([corners, corners[:1]])
    way = np.append(0, np.cumsum(np.linalg.norm(np.diff(closed[:, :2], axis=0), axis=1)))
    return np.column_stack([np.interp(np.arange(0, way[-1], step), way, axis) for axis in closed.T])


def _cheek_edge(matte: np.ndarray, edge: np.ndarray, unit: float) -> tuple[np.ndarray, np.ndarray]:
    """Return how far inside an outline [E, 2] a face ends, float [E] px, and the way inwards, unit vectors [E, 2].

    That is 0 where no background begins nearby, but hair.
    """
    ahead = np.roll(edge, -1, axis=0) - np.roll(edge, 1, axis=0)
    inwards = np.column_stack([-ahead[:, 1], ahead[:, 0]]) / np.linalg.norm(ahead, axis=1, keepdims=True)
    inwards *= np.sign(((edge.mean(axis=0) - edge) * inwards).sum(axis=1, keepdims=True))
    steps = np.arange(*_AROUND, 0.01) * unit
    outside = colours_at(matte, edge[:, None] + steps[:, None] * inwards[:, None]) < 0.5  # [E, S]
    last = len(steps) - 1 - outside[:, ::-1].argmax(axis=1)
    return np.where(outside.any(axis=1) & ~outside[:, -1], steps[last], 0), inwards


def _lacking(cheek: np.ndarray, true: np.ndarray, sign: int, frame: HeadFrame, pivot: np.ndarray) -> np.ndarray:
    """Return how far places [E, 3] of a turned head lie inside the outline of its vertices `true` [N, 3], [E, 2] px."""
    row = np.zeros(len(INDEX), np.float32)
    row[INDEX["headYaw"]] = sign * _TURN_DEG
    motion = head_motion(row, frame, pivot)
    shown, true = motion.placed(cheek.astype(np.float32)), motion.placed(true)
    hull = cv2.convexHull(true, returnPoints=False)[:, 0]
    inside = [cv2.pointPolygonTest(true[hull], (x, y), False) > 0 for x, y in shown.tolist()]
    _, carrier, share = nearest_on_outline(shown, true, hull)
    return np.where(np.array(inside)[:, None], (share[..., None] * true[carrier]).sum(axis=1) - shown, 0)


def _spread(push, edge, rim: np.ndarray, kept: np.ndarray, mesh: PortraitMesh, unit: float) -> np.ndarray:
    """Return how vertices move, float [N, 2] px, that the outline of the face is pushed.

    Beyond the outline, and within the rim, all moves as far as that; from there to eyes, nose and lips the skin is drawn
    out evenly.

    Parameters
    ----------
    push : float [E, 2]
        Pixels, at places `edge` [E, 2] of the outline.
    rim : float [E]
        Pixels from the outline inwards.
    kept : float [K, 2]
        What stays, pixels.
    """
    low, cell = edge.min(axis=0) - 2 * _CELL * unit, _CELL * unit
    columns, rows = np.ceil((edge.max(axis=0) - low) / cell).astype(int) + 3
    knots = low + cell * np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1).reshape(-1, 2)
    around = np.arange(len(edge))
    distance, carrier, share = nearest_on_outline(knots, edge, around)
    polygon = edge.astype(np.float32)
    inside = [cv2.pointPolygonTest(polygon, (x, y), False) > 0 for x, y in knots.tolist()]
    free = np.array(inside) & (distance > (share * rim[carrier]).sum(axis=1))
    field = (share[..., None] * push[carrier]).sum(axis=1)
    still = inside & (np.linalg.norm(knots[:, None] - kept, axis=2).min(axis=1) < cell)
    field[still] = 0
    field = _stretched(field.reshape(rows, columns, 2), (free & ~still).reshape(rows, columns))

    points = mesh.rest[:, :2]
    distance, carrier, share = nearest_on_outline(points, edge, around)
    at_edge = (share[..., None] * push[carrier]).sum(axis=1)
    bulge = at_edge * (smoothstep(1 - distance / (_OUTWARDS * unit)) * mesh.head_weight)[:, None]
    bulge[: mesh.num_face] = colours_at(field, (points[None, : mesh.num_face] - low) / cell)[0]

    a, b, c = points[mesh.triangles].transpose(1, 0, 2)
    seen = mesh.triangles[np.cross(b - a, c - a) < 0]
    of_face = (seen < mesh.num_face).all(axis=1)
    hidden = np.setdiff1d(np.arange(mesh.num_face), seen[of_face])
    # What lies beyond hangs on some of these, and must move along the outline as the skin before it does.
    under = np.minimum(1, _UNDER[0] * unit / np.maximum(distance, 1e-6))[:, None]
    foot = (share[..., None] * edge[carrier]).sum(axis=1)
    change = colours_at(field, (foot + under * (points - foot) - low)[None] / cell)[0] - at_edge
    bulge[hidden] = (at_edge + change / np.maximum(under, 1 / _UNDER[1]))[hidden]
    bulge[np.setdiff1d(hidden, seen)] = 0  # so that it stays behind the outline
    return bulge


def _stretched(field: np.ndarray, free: np.ndarray) -> np.ndarray:
    """Return a field float [R, C, 2] that goes evenly, as a membrane does, where it is free, bool [R, C]."""
    (rows, columns), free = free.shape, free.ravel()
    along = [sparse.diags([1.0, -2.0, 1.0], [-1, 0, 1], (length, length)) for length in (rows, columns)]
    bend = (sparse.kron(along[0], sparse.eye(columns)) + sparse.kron(sparse.eye(rows), along[1])).tocsr()[free]
    field = field.reshape(-1, 2)
    field[free] = spsolve(bend[:, free].tocsc(), -bend[:, ~free] @ field[~free])
    return field.reshape(rows, columns, 2).astype(np.float32)
