"""The mesh that moves: the face refined, and its extension over hair, ears, neck and the edge of the background."""

from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np
from scipy.spatial import Delaunay

from animate.renderer.attachment import (
    border_rooms,
    border_weight,
    chest_weight,
    nearest_on_outline,
    neck_weight,
    skin_share,
    skull_depth,
    without_cliffs,
)
from animate.renderer.clothes import head_share
from animate.renderer.head import HeadFrame
from animate.renderer.overhead import room_overhead
from animate.topology import (
    EYE_LEFT_LOWER,
    EYE_LEFT_UPPER,
    EYE_RIGHT_LOWER,
    EYE_RIGHT_UPPER,
    FACE_OVAL,
    LIPS_INNER_LOWER,
    LIPS_INNER_UPPER,
    NUM_SKIN,
)
from animate.types import Portrait

OPENINGS = {
    "mouth": (LIPS_INNER_UPPER, LIPS_INNER_LOWER),
    "eyeRight": (EYE_RIGHT_UPPER, EYE_RIGHT_LOWER),
    "eyeLeft": (EYE_LEFT_UPPER, EYE_LEFT_LOWER),
}
_CLOSED_GAP = 0.03  # eye distances
_LIP_RIM = 0.018  # eye distances
PIVOT = (0.0, 1.05, 1.35)  # where skull and neck meet, in the head's frame, eye distances (adult anatomy)
_HAIR = 0.02  # eye distances
_SPACING = 0.22  # of the extension's vertices, eye distances
_JAW, _RIM = 0.3, 0.13  # eye distances below the middle of the outline, and from the jaw to the vertices along it
_LONG_SIDE = 0.4  # eye distances; of the outlines of faces seen from the front no side is longer than 0.33
_NEAR_FACE = 0.9  # eye distances outside the face within which it lies as the face does, not as the skull


@dataclass(frozen=True, eq=False)
class PortraitMesh:
    """Vertices 0 to `num_face` are the refined face, the rest its extension.

    Attributes
    ----------
    rest : float64 [N, 3]
        Pixels; z as in `FaceMesh.vertices`.
    source : float32 [N, 2]
        Where the picture is sampled for each vertex; differs from `rest` only at lips parted in the picture.
    triangles : int32 [F, 3]
        In drawing order: what lies further back comes first.
    num_face : int
    closing : float64 [num_face, 3]
        Displacement that brings parted lips together, pixels.
    between_lips : int [2 * n]
        Vertices that stay half way between the lips: one for each vertex of the upper, then of the lower lip.
    openings : dict of str to (int [n], int [n])
        Upper and lower edges of mouth and eyes; equal positions face each other.
    head_weight : float64 [N]
        How much a vertex follows the head: 1 on the face, 0 on shoulders and at the edge of the picture.
    chest_weight : float64 [N]
        How much a vertex rises with the chest.
    carrier : int [N - num_face, 2]
        The two vertices of the face's outline next to each vertex of the extension, and `carrier_share` float64
        [N - num_face, 2] how much of their expression it takes.
    region : tuple of int
        left, top, right, bottom of the part of the picture that can change; right and bottom are exclusive.
    overhead : int
        Rows above the picture, pixels, over which the mesh goes on.
    """

    rest: np.ndarray
    source: np.ndarray
    triangles: np.ndarray
    num_face: int
    closing: np.ndarray
    between_lips: np.ndarray
    openings: dict
    head_weight: np.ndarray
    chest_weight: np.ndarray
    carrier: np.ndarray
    carrier_share: np.ndarray
    region: tuple
    overhead: int


def build_mesh(portrait: Portrait, frame: HeadFrame) -> PortraitMesh:
    """Refine the face, extend it over the head and neck, and tie it to the still part of the picture.

    Parameters
    ----------
    portrait : Portrait
    frame : HeadFrame

    Returns
    -------
    PortraitMesh
    """
    face, closing, face_triangles, openings = _refined_face(portrait, frame.unit)
    between_lips = np.arange(len(face) - 2 * len(openings["mouth"][0]), len(face))
    inner = np.concatenate([between_lips, *(chain for pair in openings.values() for chain in pair)])
    border = np.setdiff1d(_border(face_triangles), inner)
    outline = _outline(face[:, :2].astype(np.float32), border, frame.unit)
    region = _moving_region(portrait, frame, face[outline, :2])
    overhead = room_overhead(portrait, region, frame.unit)
    ground = (region[0], region[1] - overhead, *region[2:])
    rooms = border_rooms(portrait, region, face[:, :2], frame.unit)
    if overhead:
        rooms[1] = overhead / 3
    extra = _extension_points(ground, face[outline, :2].astype(np.float32), frame.unit, rooms)
    extra = np.vstack([extra, _seam_points(face[outline, :2], frame.unit)])
    distance, carrier, share = nearest_on_outline(extra, face[:, :2], outline)
    depth = skull_depth(extra, frame)
    at_face = (share * (face[carrier, 2] - skull_depth(face[carrier.ravel(), :2], frame).reshape(-1, 2))).sum(axis=1)
    depth += at_face * np.exp(-distance / (_NEAR_FACE * frame.unit))
    rest = np.vstack([face, np.column_stack([extra, depth])])
    rest[:, 2] = without_cliffs(rest)
    upper, lower = openings["mouth"]
    for lip in (upper, lower, *between_lips.reshape(2, -1)):  # they meet in depth as well
        closing[lip, 2] = (rest[upper, 2] + rest[lower, 2]) / 2 - rest[lip, 2]

    pinned = border_weight(extra, ground, rooms)
    share = share * skin_share(extra, face, carrier, share, distance, frame)[:, None] * pinned[:, None]

    triangles = _extension_triangles(rest[:, :2], len(face), border, outline)
    away = np.concatenate([np.zeros(len(face)), distance])
    triangles = triangles[np.argsort(-away[triangles].max(axis=1), kind="stable")]  # a chin comes down over the neck
    lids = np.concatenate([openings[eye][0] for eye in ("eyeRight", "eyeLeft")])
    over = np.isin(face_triangles, lids).any(axis=1)  # closed upper lids lie over the lower ones
    order = np.lexsort((-face[face_triangles, 2].mean(axis=1), over))
    triangles = np.vstack([triangles, face_triangles[order]]).astype(np.int32)
    source = _lip_source(rest, *openings["mouth"], between_lips, frame.unit)
    follows = neck_weight(portrait, frame, extra, distance) * head_share(portrait, frame, extra)
    weight = np.concatenate([np.ones(len(face)), follows * pinned])
    chest = np.concatenate([np.zeros(len(face)), chest_weight(portrait, frame, extra) * pinned])
    return PortraitMesh(
        rest,
        source,
        triangles,
        len(face),
        closing,
        between_lips,
        openings,
        weight,
        chest,
        carrier,
        share,
        region,
        overhead,
    )


def _refined_face(portrait: Portrait, unit: float):
    """Split every triangle in four and round the edges of lips and lids; the openings are covered by strips."""
    midpoints: dict[tuple[int, int], int] = {}

    def middle(a: int, b: int) -> int:
        return midpoints.setdefault((min(a, b), max(a, b)), NUM_SKIN + len(midpoints))

    triangles = []
    for a, b, c in portrait.face.triangles.tolist():
        ab, bc, ca = middle(a, b), middle(b, c), middle(c, a)
        triangles += [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    chains = {
        name: tuple(_interleave(edge, [middle(a, b) for a, b in pairwise(edge)]) for edge in edges)
        for name, edges in OPENINGS.items()
    }
    ends = np.array(list(midpoints))
    face, neutral = (
        _with_midpoints(vertices[:NUM_SKIN].astype(np.float64), ends, chains)
        for vertices in (portrait.face.vertices, portrait.face.neutral)
    )
    _seal(face, neutral, *chains["mouth"], unit)
    for name in ("eyeRight", "eyeLeft"):
        triangles += _strip(*chains[name], rightwards=name == "eyeRight")
    upper, lower = chains["mouth"]
    above, below = np.arange(2 * len(upper)).reshape(2, -1) + len(face)
    triangles += _strip(upper, above, rightwards=True) + _strip(below, lower, rightwards=True)
    face, neutral = (np.vstack([v, np.tile((v[upper] + v[lower]) / 2, (2, 1))]) for v in (face, neutral))
    return face, neutral - face, np.array(triangles, np.int32), chains


def _strip(upper: np.ndarray, lower: np.ndarray, rightwards: bool) -> list:
    quads = zip(upper, upper[1:], lower, lower[1:])
    strip = [triangle for a, b, c, d in quads for triangle in ((a, c, b), (b, c, d))]
    return strip if rightwards else [triangle[::-1] for triangle in strip]


def _lip_source(rest: np.ndarray, upper, lower, between: np.ndarray, unit: float) -> np.ndarray:
    """Sample lips that are parted in the picture a little inside their edge, so that no tooth sticks to them."""
    source = rest[:, :2].astype(np.float32)
    gap = source[lower] - source[upper]
    width = np.hypot(*gap.T)[:, None]
    inwards = gap / np.maximum(width, 1e-6) * np.minimum(_LIP_RIM * unit + 0.5, 5 * width)
    source[upper] -= inwards
    source[lower] += inwards
    # Each lip is continued by its own edge, up to where the inside of the mouth begins.
    source[between] = np.vstack([source[upper], source[lower]])
    return source


def _with_midpoints(vertices: np.ndarray, ends: np.ndarray, chains: dict) -> np.ndarray:
    refined = np.vstack([vertices, vertices[ends].mean(axis=1)])
    for chain in (edge for edges in chains.values() for edge in edges):
        knots = refined[chain[::2]]
        padded = np.vstack([2 * knots[0] - knots[1], knots, 2 * knots[-1] - knots[-2]])
        # Four-point subdivision (Dyn, Levin and Gregory 1987) passes a smooth curve through the landmarks.
        refined[chain[1::2]] = (9 * (padded[1:-2] + padded[2:-1]) - padded[:-3] - padded[3:]) / 16
    return refined


def _seal(face: np.ndarray, neutral: np.ndarray, upper: np.ndarray, lower: np.ndarray, unit: float) -> None:
    """Let the neutral lips meet exactly; what is but the shade between closed lips counts as closed, in place."""
    gap = np.hypot(*(face[lower] - face[upper])[:, :2].T)
    if gap.max() < _CLOSED_GAP * unit:
        face[upper] = face[lower] = (face[upper] + face[lower]) / 2
        neutral[:] = face
    neutral[upper] = neutral[lower] = (neutral[upper] + neutral[lower]) / 2


def _interleave(edge, between) -> np.ndarray:
    chain = np.empty(2 * len(edge) - 1, int)
    chain[::2], chain[1::2] = edge, between
    return chain


def _moving_region(portrait: Portrait, frame: HeadFrame, outline: np.ndarray):
    height, width = portrait.image.shape[:2]
    reach = np.array([2.4, 2.6, 2.4, 1.9]) * frame.unit
    low, high = outline.min(axis=0), outline.max(axis=0)
    left, top = np.maximum(np.floor(low - reach[:2]), 0).astype(int)
    right, bottom = np.minimum(np.ceil(high + reach[2:]), (width, height)).astype(int)
    return int(left), int(top), int(right), int(bottom)


def _extension_points(region, outline: np.ndarray, unit: float, rooms: np.ndarray) -> np.ndarray:
    """Return a rim along the jaw, so that what touches it bends evenly, a triangular lattice, and the region's border.

    Where the room at an edge is narrower than the lattice, a line of it lies at the end of that room.
    """
    left, top, right, bottom = region
    columns = _lattice_lines(left, right - 1, rooms[0], rooms[2], _SPACING * unit)
    rows = _lattice_lines(top, bottom - 1, rooms[1], rooms[3], _SPACING * unit)
    x, y = np.meshgrid(columns, rows)
    shift = np.diff(columns).max() / 2
    x[1:-1:2, 1:-1] += shift * 0.999
    lattice = np.column_stack([x.ravel(), y.ravel()])
    outside = np.array([-cv2.pointPolygonTest(outline, (float(a), float(b)), True) for a, b in lattice])
    middle = outline.mean(axis=0)
    from_middle = (outline - middle)[outline[:, 1] > middle[1] + _JAW * unit]
    rim = middle + from_middle * (1 + _RIM * unit / np.hypot(*from_middle.T)[:, None])
    apart = 0.4 * _SPACING * unit
    rim = rim[((rim > (left + apart, top + apart)) & (rim < (right - 1 - apart, bottom - 1 - apart))).all(axis=1)]
    free = np.hypot(*(lattice[:, None] - rim).transpose(2, 0, 1)).min(axis=1, initial=np.inf) > apart
    return np.vstack([rim, lattice[free & (outside > apart)]])


def _seam_points(outline: np.ndarray, unit: float) -> np.ndarray:
    """Return points [n, 2] on the long sides of an outline [M, 2], where the face curves back behind them.

    Without them triangles of the extension would reach over such a side into the face, and not move as its edge does.
    """
    points = [np.empty((0, 2))]
    for start, end in zip(outline, np.roll(outline, -1, axis=0)):
        length = np.linalg.norm(end - start) / unit
        if length > _LONG_SIDE:
            points.append(np.linspace(start, end, 1 + int(np.ceil(length / _SPACING)))[1:-1])
    return np.vstack(points)


def _lattice_lines(first: float, last: float, before: float, after: float, spacing: float) -> np.ndarray:
    lines = np.linspace(first, last, max(4, round((last + 1 - first) / spacing)))
    ends, rooms = np.array([first + before, last - after]), np.array([before, after])
    return np.sort(np.append(lines, ends[rooms < 0.7 * spacing]))


def _outline(face: np.ndarray, border: np.ndarray, unit: float) -> np.ndarray:
    """Return the convex hull of a face float32 [N, 2] as indices; what bulges over its border by a hair lies upon it.

    A triangle of the face that such a bulge turns away from the viewer would leave a crack.
    """
    hull, of_border = (cv2.convexHull(points, returnPoints=False)[:, 0] for points in (face, face[border]))
    edge = face[border[of_border]]
    bulge = max(-cv2.pointPolygonTest(edge, (float(x), float(y)), True) for x, y in face[hull])
    return hull if bulge > _HAIR * unit else border[of_border]


def _border(triangles: np.ndarray) -> np.ndarray:
    """Return the vertices of edges that belong to one triangle only."""
    edges = np.sort(np.vstack([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), axis=1)
    unique, counts = np.unique(edges, axis=0, return_counts=True)
    return np.unique(unique[counts == 1])


def _extension_triangles(points: np.ndarray, num_face: int, border: np.ndarray, outline: np.ndarray) -> np.ndarray:
    """Triangulate the extension; its inner border is the border of the face and its outline."""
    seam = np.union1d(outline, border)
    index = np.concatenate([seam, np.arange(num_face, len(points))])
    triangles = index[Delaunay(points[index]).simplices]
    oval = points[list(FACE_OVAL)].astype(np.float32)
    on_face = (triangles < num_face).all(axis=1)
    centres = points[triangles].mean(axis=1)
    inside = np.array([cv2.pointPolygonTest(oval, (float(x), float(y)), False) > 0 for x, y in centres])
    triangles = triangles[~(on_face & inside)]
    a, b, c = points[triangles].transpose(1, 0, 2)
    turned = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (c[:, 0] - a[:, 0]) * (b[:, 1] - a[:, 1]) > 0
    triangles[turned] = triangles[turned][:, ::-1]
    return triangles
