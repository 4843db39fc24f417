"""The vocabulary of the face mesh: which of MediaPipe's 478 vertices is what, and how they are joined.

Vertices 0-467 are skin, 468-472 the subject's right iris and 473-477 the left. *Right* and *left* are the
subject's own, so the right eye (corners 33 and 133) stands at the left of an unmirrored picture.

Lips run from the picture's left to its right; eyes and brows run from the outer to the inner corner. Upper and
lower chains are of equal length: entries of the same position face each other, and lids and lips share their
end points.
"""

import runpy
from functools import cache
from importlib.util import find_spec
from itertools import combinations
from pathlib import Path

import numpy as np

from animate.errors import DependencyError

NUM_SKIN = 468
NUM_VERTICES = 478
_AROUND_A_VERTEX = {49, 64, 129}  # a loop of three edges at the nostril that is no triangle: 102 lies inside it

FOREHEAD, NOSE_TIP, CHIN = 10, 1, 152  # all on the midline; FOREHEAD is the top of the mesh, below the hair
EAR_RIGHT, EAR_LEFT = 234, 454  # where the mesh ends, in front of the ears and over the jaw joints

# From the top of the forehead, clockwise as the viewer sees it.
FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152,
    148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
# Its lower part, from the ear at the picture's left over the chin to the other.
JAWLINE = (234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 454)

LIPS_OUTER_UPPER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
LIPS_OUTER_LOWER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
LIPS_INNER_UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LIPS_INNER_LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)

EYE_RIGHT_UPPER = (33, 246, 161, 160, 159, 158, 157, 173, 133)
EYE_RIGHT_LOWER = (33, 7, 163, 144, 145, 153, 154, 155, 133)
EYE_LEFT_UPPER = (263, 466, 388, 387, 386, 385, 384, 398, 362)
EYE_LEFT_LOWER = (263, 249, 390, 373, 374, 380, 381, 382, 362)

# The centre, then four points of the rim: towards the picture's right, top, left, bottom.
IRIS_RIGHT = (468, 469, 470, 471, 472)
IRIS_LEFT = (473, 474, 475, 476, 477)
EYE_CORNERS = (33, 133, 362, 263)  # from the picture's left to its right
# Upper lid, lower lid and iris of the right eye and of the left one.
EYES = ((EYE_RIGHT_UPPER, EYE_RIGHT_LOWER, IRIS_RIGHT), (EYE_LEFT_UPPER, EYE_LEFT_LOWER, IRIS_LEFT))

BROW_RIGHT_UPPER = (70, 63, 105, 66, 107)
BROW_RIGHT_LOWER = (46, 53, 52, 65, 55)
BROW_LEFT_UPPER = (300, 293, 334, 296, 336)
BROW_LEFT_LOWER = (276, 283, 282, 295, 285)
BROW_RIGHT = BROW_RIGHT_UPPER + BROW_RIGHT_LOWER
BROW_LEFT = BROW_LEFT_UPPER + BROW_LEFT_LOWER

NOSE_RIDGE = (168, 6, 197, 195, 5, 4, 1)  # from between the eyes to the tip
NOSTRIL_RIGHT, NOSTRIL_LEFT = 98, 327  # where the wings of the nose meet the cheek

MIDLINE = (
    0, 1, 2, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 94, 151, 152, 164, 168, 175, 195, 197, 199, 200,
)  # fmt: skip


def _mirror() -> np.ndarray:
    """MediaPipe numbers the left half after the right one, in the same order; only the irises need a list."""
    right = np.setdiff1d(np.arange(248), MIDLINE)
    mirror = np.arange(NUM_VERTICES)
    mirror[right] = np.arange(248, NUM_SKIN)
    mirror[248:NUM_SKIN] = right
    mirror[list(IRIS_RIGHT + IRIS_LEFT)] = (473, 476, 475, 474, 477, 468, 471, 470, 469, 472)
    mirror.flags.writeable = False
    return mirror


# int [478]: vertex i of a mirrored face is vertex MIRROR[i] of the face, so that the mesh of the mirrored picture
# is `mesh[MIRROR]` with x flipped.
MIRROR = _mirror()

# The vertices that lie at the 68 points of iBUG 300-W (Sagonas et al. 2013), in iBUG's order: jaw 0-16, brows
# 17-26, nose 27-35, eyes 36-47, outer lips 48-59, inner lips 60-67, each from the picture's left to right.
IBUG68 = (
    162, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 389,
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300,
    168, 197, 5, 4, 98, 97, 2, 326, 327,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,
    78, 82, 13, 312, 308, 317, 14, 87,
)  # fmt: skip


@cache
def triangles() -> np.ndarray:
    """Return the triangles of the skin; the mouth and the eyes are holes.

    MediaPipe lists its mesh as edges: the triangles are the closed loops of three. Those of the right half are taken
    for both, because a few of the left half are not their mirror images.

    Returns
    -------
    int32 [852, 3]
        Vertex indices, counter-clockwise as the viewer sees them (a negative area in the picture's x and y). The
        set is symmetric: MIRROR maps each triangle onto another. Read-only.

    Examples
    --------
    >>> triangles().shape
    (852, 3)
    """
    neighbours = {vertex: set() for vertex in range(NUM_SKIN)}
    for start, end in _mediapipe_edges():
        neighbours[start].add(end)
        neighbours[end].add(start)
    right = [vertex for vertex in range(248) if MIRROR[vertex] >= vertex]  # with the midline
    loops = np.array(
        [
            (a, b, c)
            for a in right
            for b, c in combinations(sorted(neighbours[a].intersection(right)), 2)
            if a < b and c in neighbours[b] and {a, b, c} != _AROUND_A_VERTEX
        ],
        np.int32,
    )
    faces = np.concatenate([loops, MIRROR[loops]])
    a, b, c = canonical_vertices()[faces].transpose(1, 0, 2)[..., :2]
    clockwise = np.cross(b - a, c - a) > 0
    faces[clockwise] = faces[clockwise][:, ::-1]
    faces.flags.writeable = False
    return faces


@cache
def canonical_vertices() -> np.ndarray:
    """Return an average face, looking straight at the viewer with its lips together.

    The mean of the meshes that MediaPipe finds in nine frontal paintings, drawings, prints and statues and in their
    mirror images, aligned by generalised Procrustes analysis (Gower 1975) and scaled to the size of an adult.

    Returns
    -------
    float32 [468, 3]
        Centimetres on the picture's axes: x right, y down, z negative towards the viewer. Symmetric about x = 0.
        Read-only.

    Examples
    --------
    >>> [round(float(x), 1) for x in canonical_vertices()[CHIN]]
    [0.0, 8.7, -3.9]
    """
    vertices = np.load(Path(__file__).with_name("canonical_face.npy"))
    vertices.flags.writeable = False
    return vertices


def _mediapipe_edges() -> frozenset[tuple[int, int]]:
    """Read the edges out of MediaPipe's wheel, without the import of MediaPipe, which takes seconds."""
    package = find_spec("mediapipe")
    if package is None:
        raise DependencyError("mediapipe is missing. Install it: pip install mediapipe==0.10.21")
    constants = runpy.run_path(str(Path(package.origin).parent / "python/solutions/face_mesh_connections.py"))
    return constants["FACEMESH_TESSELATION"]
