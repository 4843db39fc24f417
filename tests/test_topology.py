"""The mesh's vocabulary is consistent with its geometry."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from animate import topology

CHAINS = {name: value for name, value in vars(topology).items() if name.isupper() and isinstance(value, tuple)}
PAIRED = [name for name in CHAINS if name.endswith("_UPPER")]
OUTLINES = [name for name in CHAINS if name.startswith(("EYE_", "LIPS_")) and name.endswith(("_UPPER", "_LOWER"))]


def edges(triangles):
    return Counter(tuple(sorted(edge)) for a, b, c in triangles.tolist() for edge in ((a, b), (b, c), (c, a)))


def test_the_mesh_is_a_surface_whose_only_borders_are_oval_eyes_and_mouth():
    counts = edges(topology.triangles())
    assert set(counts.values()) == {1, 2}
    border = {vertex for edge, count in counts.items() if count == 1 for vertex in edge}
    holes = ["FACE_OVAL", "LIPS_INNER_UPPER", "LIPS_INNER_LOWER"]
    holes += [f"EYE_{side}_{lid}" for side in ("RIGHT", "LEFT") for lid in ("UPPER", "LOWER")]
    assert border == {vertex for name in holes for vertex in CHAINS[name]}


def test_every_skin_vertex_is_used_and_no_iris_vertex():
    assert np.array_equal(np.unique(topology.triangles()), np.arange(topology.NUM_SKIN))


def test_triangles_turn_counter_clockwise_for_the_viewer():
    a, b, c = topology.canonical_vertices()[topology.triangles()].transpose(1, 0, 2)[..., :2]
    area = np.cross(b - a, c - a)
    assert (area < 0).mean() > 0.97  # a few at the nostrils face down


def test_mirror_is_an_involution_that_flips_the_canonical_face():
    mirror, vertices = topology.MIRROR, topology.canonical_vertices()
    assert np.array_equal(mirror[mirror], np.arange(topology.NUM_VERTICES))
    assert np.allclose(vertices[mirror[:468]] * (-1, 1, 1), vertices, atol=1e-5)
    assert set(np.flatnonzero(mirror == np.arange(478))) == set(topology.MIDLINE)


def test_mirror_maps_the_triangles_onto_themselves():
    triangles = topology.triangles()
    assert {tuple(sorted(t)) for t in topology.MIRROR[triangles].tolist()} == {
        tuple(sorted(t)) for t in triangles.tolist()
    }


@pytest.mark.parametrize("name", [*OUTLINES, "FACE_OVAL"])
def test_chains_follow_the_edges_of_the_mesh(name):
    chain, mesh_edges = CHAINS[name], edges(topology.triangles())
    assert all(tuple(sorted(edge)) in mesh_edges for edge in pairwise(chain))


@pytest.mark.parametrize("name", PAIRED)
def test_upper_lies_above_lower_and_pairs_up(name):
    y = topology.canonical_vertices()[:, 1]
    upper, lower = CHAINS[name], CHAINS[name.replace("UPPER", "LOWER")]
    assert all(y[u] <= y[v] + 1e-6 for u, v in zip(upper, lower, strict=True))


@pytest.mark.parametrize("name", [name for name in CHAINS if "RIGHT" in name and "IRIS" not in name])
def test_right_and_left_mirror_each_other(name):
    assert tuple(topology.MIRROR[list(CHAINS[name])]) == CHAINS[name.replace("RIGHT", "LEFT")]


def test_right_is_at_the_left_of_the_picture():
    x = topology.canonical_vertices()[:, 0]
    assert max(x[list(topology.EYE_RIGHT_UPPER)]) < 0 < min(x[list(topology.EYE_LEFT_UPPER)])
    assert x[topology.LIPS_OUTER_UPPER[0]] < 0 < x[topology.LIPS_OUTER_UPPER[-1]]


def test_the_68_points_are_symmetric():
    mirrored = set(topology.MIRROR[list(topology.IBUG68)])
    assert len(set(topology.IBUG68)) == 68 and mirrored == set(topology.IBUG68)
