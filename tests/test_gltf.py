"""glTF: what is written is what the specification asks for, and reads back as the same motion."""

import json
import struct
from dataclasses import replace

import numpy as np
import pytest

from animate.channels import BLENDSHAPES, INDEX
from animate.errors import MotionError
from animate.gltf import face_targets, load_gltf, save_gltf
from animate.topology import CHIN, LIPS_INNER_LOWER, LIPS_INNER_UPPER, MIRROR, NOSE_TIP
from animate.types import Motion


@pytest.fixture(scope="module")
def motion() -> Motion:
    rng = np.random.default_rng(5)
    values = rng.random((40, 58), dtype=np.float32)
    values[:, 52:55] = rng.uniform(-30, 30, (40, 3))
    return Motion(values, 50.0, 0.795)


def chunks(path):
    content = path.read_bytes()
    magic, version, length = struct.unpack_from("<4sII", content)
    assert (magic, version, length) == (b"glTF", 2, len(content))
    size, kind = struct.unpack_from("<I4s", content, 12)
    assert kind == b"JSON" and size % 4 == 0
    rest, kind = struct.unpack_from("<I4s", content, 20 + size)
    assert kind == b"BIN\0" and rest == len(content) - size - 28
    return json.loads(content[20 : 20 + size]), content[28 + size :]


@pytest.mark.parametrize("suffix", [".glb", ".gltf"])
def test_the_motion_reads_back(tmp_path, motion, suffix):
    loaded = load_gltf(save_gltf(motion, tmp_path / f"m{suffix}"))
    assert (loaded.fps, loaded.duration_s) == (50.0, 0.795)
    assert np.array_equal(loaded.values[:, :52], motion.values[:, :52])
    assert np.allclose(loaded.values[:, 52:], motion.values[:, 52:], atol=1e-4)


def test_every_accessor_lies_within_its_view_and_tells_its_bounds(tmp_path, motion):
    document, data = chunks(save_gltf(motion, tmp_path / "m.glb"))
    sizes = {"SCALAR": 4, "VEC3": 12, "VEC4": 16}
    for accessor in document["accessors"]:
        view = document["bufferViews"][accessor["bufferView"]]
        assert view["byteOffset"] % 4 == 0 and view["byteOffset"] + view["byteLength"] <= len(data)
        assert accessor["count"] * sizes[accessor["type"]] == view["byteLength"]
    (primitive,) = document["meshes"][0]["primitives"]
    with_bounds = [primitive["attributes"]["POSITION"], *(target["POSITION"] for target in primitive["targets"])]
    assert all("min" in document["accessors"][place] for place in with_bounds)
    assert document["meshes"][0]["extras"]["targetNames"] == list(BLENDSHAPES)
    assert len(primitive["targets"]) == 52 == len(document["meshes"][0]["weights"])
    weights = document["animations"][0]["samplers"][0]
    assert document["accessors"][weights["output"]]["count"] == 52 * len(motion)


def test_an_independent_reader_agrees(tmp_path, motion):
    pygltflib = pytest.importorskip("pygltflib")
    document = pygltflib.GLTF2().load(str(save_gltf(motion, tmp_path / "m.glb")))
    sampler = document.animations[0].samplers[0]
    accessor = document.accessors[sampler.output]
    view = document.bufferViews[accessor.bufferView]
    weights = np.frombuffer(document.binary_blob(), "<f4", accessor.count, view.byteOffset)
    assert np.array_equal(weights.reshape(-1, 52), motion.values[:, :52])


def test_the_face_stands_upright_and_looks_at_the_viewer():
    points, normals, triangles, _ = face_targets()
    assert points[CHIN, 1] < points[NOSE_TIP, 1] and points[NOSE_TIP, 2] > points[CHIN, 2]
    assert 0.1 < np.ptp(points[:, 1]) < 0.25  # metres
    assert normals[NOSE_TIP, 2] > 0.5
    assert triangles.max() < len(points)
    assert all(len(set(corners)) == 3 for corners in triangles.tolist())


def test_mouth_and_eyes_are_holes():
    _, _, triangles, _ = face_targets()
    edges = np.sort(np.vstack([triangles[:, pair] for pair in ([0, 1], [1, 2], [2, 0])]), axis=1)
    unique, counts = np.unique(edges, axis=0, return_counts=True)
    border = np.unique(unique[counts == 1])
    assert {13, 14, 159, 145, 386, 374} <= set(border.tolist())  # middles of lips and lids


def test_targets_do_what_their_names_say():
    points, _, _, moves = face_targets()
    gap = points[list(LIPS_INNER_UPPER)] - points[list(LIPS_INNER_LOWER)]
    assert np.abs(gap).max() < 1e-4
    opened = points + moves[INDEX["jawOpen"]]
    closed = opened + moves[INDEX["mouthClose"]]
    middle = len(LIPS_INNER_UPPER) // 2
    parted = [shape[LIPS_INNER_UPPER[middle], 1] - shape[LIPS_INNER_LOWER[middle], 1] for shape in (opened, closed)]
    assert parted[0] > 0.02 and abs(parted[1]) < 0.003
    assert moves[INDEX["browInnerUp"]][107, 1] > 0.002
    left, right = moves[INDEX["mouthSmileLeft"]][:468], moves[INDEX["mouthSmileRight"]][:468]
    assert np.allclose(left[MIRROR[:468]] * [-1, 1, 1], right, atol=2e-4)


def test_the_head_turns_as_the_channels_say(tmp_path):
    rest = Motion.rest(0.1, 50)
    turned = replace(rest, values=rest.with_channels(headYaw=20.0, headPitch=0.0, headZ=1.0).values)
    document, data = chunks(save_gltf(turned, tmp_path / "m.glb"))
    places = [document["animations"][0]["samplers"][row]["output"] for row in (1, 2)]
    offsets = [document["bufferViews"][document["accessors"][place]["bufferView"]]["byteOffset"] for place in places]
    x, y, z, w = np.frombuffer(data, "<f4", 4, offsets[0])
    assert (x, z) == (0, 0) and np.degrees(2 * np.arctan2(y, w)) == pytest.approx(20, abs=1e-3)
    assert np.frombuffer(data, "<f4", 3, offsets[1])[2] == pytest.approx(0.063)


def test_other_files_are_refused(tmp_path, motion):
    with pytest.raises(MotionError, match="no glTF"):
        save_gltf(motion, tmp_path / "m.fbx")
    (tmp_path / "x.glb").write_bytes(b"glTF....")
    with pytest.raises(MotionError, match="no face animation"):
        load_gltf(tmp_path / "x.glb")
    with pytest.raises(MotionError, match="cannot be read"):
        load_gltf(tmp_path / "missing.glb")
