"""Motion as glTF 2.0: our average face with 52 morph targets, and the motion as its animation, for Blender and others.

It stands on top of the stages because it needs the renderer's rig. The face is the average one and has no picture on
it: a portrait in motion leaves this library only as marked frames.

Nodes: ``head`` turns and moves (metres; y up, z towards the viewer) about the joint of skull and neck, and carries the
mesh ``face``. The targets are the channels under Apple's names; the lids' and the mouth's limits on one another, which
the renderer knows, are left to whoever plays the targets.
"""

from __future__ import annotations

import base64
import json
import struct
from functools import cache
from pathlib import Path

import numpy as np
from scipy.spatial.transform import Rotation

from animate import __version__
from animate.channels import BLENDSHAPES, CHANNELS, INDEX
from animate.errors import MotionError
from animate.motion.files import write_whole
from animate.types import FaceMesh, Motion, Portrait

_EYE_DISTANCE_M = 0.063  # of an adult
_TO_GLTF = np.diag([1.0, -1.0, -1.0])  # from the picture's axes: y up, z towards the viewer
_FLOAT, _INDEX = 5126, 5125  # component types
_POINTS, _TRIANGLES = 34962, 34963  # buffer targets
_NUM_SHAPES = len(BLENDSHAPES)


def save_gltf(motion: Motion, path: str | Path) -> Path:
    """Write a motion as the animation of a face mesh.

    Parameters
    ----------
    motion : Motion
    path : path
        Ends in .glb (binary) or .gltf (JSON with the data inside).

    Returns
    -------
    Path
        The file, which appears when it is complete.

    Raises
    ------
    MotionError
        If the suffix is another or the file cannot be written.

    Examples
    --------
    >>> save_gltf(Motion.rest(1.0, 50), "rest.glb")                     # doctest: +SKIP
    """
    target = Path(path)
    if target.suffix.lower() not in (".glb", ".gltf"):
        raise MotionError(f"{target.name} is no glTF file. Use .glb or .gltf.")
    document, data = _document(motion)
    content = _binary(document, data) if target.suffix.lower() == ".glb" else _text(document, data)
    return write_whole(target, content)


def load_gltf(path: str | Path) -> Motion:
    """Read the motion back from a file that `save_gltf` wrote, also after it was edited elsewhere under the same names.

    Raises
    ------
    MotionError
        If it is no such file.
    """
    source = Path(path)
    try:
        content = source.read_bytes()
        document, data = _parts(content)
        return _motion_in(document, data)
    except OSError as error:
        raise MotionError(f"The motion {source} cannot be read: {error.strerror}. Check its path.") from None
    except (ValueError, KeyError, IndexError, TypeError, StopIteration, struct.error) as error:
        raise MotionError(
            f"{source.name} holds no face animation that can be read ({error!r}). Use a file that this library wrote."
        ) from None


@cache
def face_targets() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the average face and what each blendshape at 1 adds to it.

    Returns
    -------
    points : float32 [N, 3]
        Metres from the joint of skull and neck; x to the picture's right, y up, z towards the viewer.
    normals : float32 [N, 3]
    triangles : uint32 [F, 3]
        Counter-clockwise from outside.
    moves : float32 [52, N, 3]
        Metres, in the order of `BLENDSHAPES`.
    """
    from animate.renderer.controls import controls_from_row
    from animate.renderer.head import fit_head_frame
    from animate.renderer.mesh import PIVOT, build_mesh
    from animate.renderer.rig import build_rig

    portrait = _average_portrait()
    frame = fit_head_frame(portrait.face)
    mesh = build_mesh(portrait, frame)
    rig = build_rig(mesh, frame)
    count = int(mesh.between_lips.min())  # what lies behind the lips comes last, and is left out: the mouth is open
    rows = np.zeros((1 + _NUM_SHAPES, len(CHANNELS)), np.float32)
    rows[1:, :_NUM_SHAPES] = np.eye(_NUM_SHAPES)
    closing = 1 + INDEX["mouthClose"]  # brings the lips together under a jaw that is open, and does nothing else
    rows[closing, INDEX["jawOpen"]] = 1
    shapes = np.stack([rig.shape(controls_from_row(row))[:count] for row in rows])  # [53, N, 3]
    shapes[closing] += shapes[0] - shapes[1 + INDEX["jawOpen"]]
    shapes = (shapes - frame.to_picture(np.array([PIVOT]))) @ _TO_GLTF * (_EYE_DISTANCE_M / frame.unit)
    triangles = mesh.triangles[(mesh.triangles < count).all(axis=1)]
    for edges in mesh.openings.values():  # and so are the eyes, which the renderer covers with strips
        triangles = triangles[~np.isin(triangles, np.concatenate(edges)).all(axis=1)]
    points = shapes[0].astype(np.float32)
    return points, _normals(points, triangles), triangles.astype(np.uint32), (shapes[1:] - shapes[0]).astype(np.float32)


def _average_portrait() -> Portrait:
    """Return the average face in an empty picture; its irises, which the mesh leaves out, lie at 0."""
    from animate.topology import NUM_SKIN, NUM_VERTICES, canonical_vertices, triangles

    vertices = np.zeros((NUM_VERTICES, 3), np.float32)
    vertices[:NUM_SKIN] = canonical_vertices() * 24 + [256, 256, 0]  # a face 350 px wide in 512
    face = FaceMesh(vertices, triangles(), vertices)
    return Portrait(np.zeros((512, 512, 3), np.uint8), face, np.ones((512, 512), np.float32))


def _normals(points: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    a, b, c = points[triangles].transpose(1, 0, 2)
    normals = np.zeros_like(points)
    for corner in triangles.T:
        np.add.at(normals, corner, np.cross(b - a, c - a))
    length = np.linalg.norm(normals, axis=1, keepdims=True)
    # A vertex of folded triangles only, as between closed lips, faces the viewer.
    return np.where(length > 1e-12, normals / np.maximum(length, 1e-12), [0, 0, 1]).astype(np.float32)


class _Buffer:
    """Collects arrays and the accessors that describe them."""

    def __init__(self):
        self.data, self.views, self.accessors = bytearray(), [], []

    def add(self, array: np.ndarray, kind: str, target: int | None = None, bounds: bool = False) -> int:
        """Append an array; return the number of its accessor."""
        self.views.append({"buffer": 0, "byteOffset": len(self.data), "byteLength": array.nbytes})
        if target:
            self.views[-1]["target"] = target
        component = _FLOAT if array.dtype == np.float32 else _INDEX
        accessor = {"bufferView": len(self.views) - 1, "componentType": component, "count": len(array), "type": kind}
        if bounds:
            table = array.reshape(len(array), -1)
            accessor |= {"min": table.min(axis=0).tolist(), "max": table.max(axis=0).tolist()}
        self.accessors.append(accessor)
        self.data += np.ascontiguousarray(array).tobytes()
        return len(self.accessors) - 1


def _document(motion: Motion) -> tuple[dict, bytes]:
    buffer = _Buffer()
    points, normals, triangles, moves = face_targets()
    primitive = {
        "attributes": {
            "POSITION": buffer.add(points, "VEC3", _POINTS, bounds=True),
            "NORMAL": buffer.add(normals, "VEC3", _POINTS),
        },
        "indices": buffer.add(triangles.reshape(-1), "SCALAR", _TRIANGLES),
        "material": 0,
        "targets": [{"POSITION": buffer.add(move, "VEC3", _POINTS, bounds=True)} for move in moves],
    }
    times = buffer.add((np.arange(len(motion)) / motion.fps).astype(np.float32), "SCALAR", bounds=True)
    turns, places = _head_poses(motion)
    curves = [
        (1, "weights", buffer.add(motion.values[:, :_NUM_SHAPES].reshape(-1), "SCALAR")),
        (0, "rotation", buffer.add(turns, "VEC4")),
        (0, "translation", buffer.add(places, "VEC3")),
    ]
    document = {
        "asset": {"version": "2.0", "generator": f"animate {__version__}"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"name": "head", "children": [1]}, {"name": "face", "mesh": 0}],
        "meshes": [
            {
                "name": "face",
                "primitives": [primitive],
                "weights": [0.0] * _NUM_SHAPES,
                "extras": {"targetNames": list(BLENDSHAPES)},
            }
        ],
        "materials": [{"name": "skin", "doubleSided": True, "pbrMetallicRoughness": {"metallicFactor": 0.0}}],
        "animations": [
            {
                "name": "motion",
                "samplers": [
                    {"input": times, "interpolation": "LINEAR", "output": output} for *_, output in curves
                ],
                "channels": [
                    {"sampler": place, "target": {"node": node, "path": path}}
                    for place, (node, path, _) in enumerate(curves)
                ],
                "extras": {"fps": motion.fps, "duration_s": motion.duration_s},
            }
        ],
        "accessors": buffer.accessors,
        "bufferViews": buffer.views,
        "buffers": [{"byteLength": len(buffer.data)}],
    }  # fmt: skip
    return document, bytes(buffer.data)


def _head_poses(motion: Motion) -> tuple[np.ndarray, np.ndarray]:
    """Return unit quaternions float32 [T, 4] (x, y, z, w) and places float32 [T, 3] in metres."""
    # Right-hand turns about z, x and y of glTF; our roll is clockwise, and our pitch raises the chin.
    angles = np.stack([-motion["headRoll"], -motion["headPitch"], motion["headYaw"]], axis=1)
    turns = Rotation.from_euler("ZXY", angles, degrees=True).as_quat()
    places = np.stack([motion["headX"], -motion["headY"], motion["headZ"]], axis=1) * _EYE_DISTANCE_M
    return turns.astype(np.float32), places.astype(np.float32)


def _binary(document: dict, data: bytes) -> bytes:
    """Return a .glb: a header, the JSON and the data, each padded to four bytes (glTF 2.0, section 4.4)."""
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    data += b"\0" * (-len(data) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text + struct.pack("<I4s", len(data), b"BIN\0") + data
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks


def _text(document: dict, data: bytes) -> bytes:
    document["buffers"][0]["uri"] = "data:application/octet-stream;base64," + base64.b64encode(data).decode()
    return json.dumps(document).encode()


def _parts(content: bytes) -> tuple[dict, bytes]:
    if content[:4] != b"glTF":
        document = json.loads(content)
        return document, base64.b64decode(document["buffers"][0]["uri"].partition(",")[2])
    (size,) = struct.unpack_from("<I", content, 12)
    return json.loads(content[20 : 20 + size]), content[20 + size + 8 :]


def _motion_in(document: dict, data: bytes) -> Motion:
    animation = document["animations"][0]
    curves = {channel["target"]["path"]: animation["samplers"][channel["sampler"]] for channel in animation["channels"]}
    widths = {"SCALAR": 1, "VEC3": 3, "VEC4": 4}

    def read(accessor: int) -> np.ndarray:
        about = document["accessors"][accessor]
        view = document["bufferViews"][about["bufferView"]]
        start = view.get("byteOffset", 0) + about.get("byteOffset", 0)
        return np.frombuffer(data, "<f4", about["count"] * widths[about["type"]], start).reshape(about["count"], -1)

    names = next(mesh for mesh in document["meshes"] if "targets" in mesh["primitives"][0])["extras"]["targetNames"]
    times = read(curves["weights"]["input"]).ravel()
    values = np.zeros((len(times), len(CHANNELS)), np.float32)
    weights = read(curves["weights"]["output"]).reshape(len(times), len(names))
    for column, name in enumerate(names):
        values[:, INDEX[name]] = weights[:, column]
    angles = Rotation.from_quat(read(curves["rotation"]["output"])).as_euler("ZXY", degrees=True)
    values[:, _NUM_SHAPES : _NUM_SHAPES + 3] = np.stack([-angles[:, 1], angles[:, 2], -angles[:, 0]], axis=1)
    values[:, _NUM_SHAPES + 3 :] = read(curves["translation"]["output"]) / _EYE_DISTANCE_M * [1, -1, 1]
    about = animation.get("extras") or {"fps": (len(times) - 1) / (times[-1] - times[0]), "duration_s": 0.0}
    return Motion(values, about["fps"], about["duration_s"])
