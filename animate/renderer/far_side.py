"""The far side of a three-quarter face: as the head turns to the front it bulges, and the skin at its edge widens."""

from dataclasses import dataclass
from itertools import chain

import cv2
import numpy as np

from animate.channels import INDEX
from animate.easing import smoothstep
from animate.renderer.attachment import nearest_on_outline
from animate.renderer.head import HeadFrame, head_motion
from animate.renderer.mesh import PortraitMesh
from animate.topology import EYES, LIPS_OUTER_LOWER, LIPS_OUTER_UPPER, NOSE_RIDGE, NOSTRIL_LEFT, NOSTRIL_RIGHT, NUM_SKIN
from animate.types import FaceMesh

_LEAST_YAW_DEG = 8.0  # below, both cheeks are in the picture
_TURN_DEG = 20.0  # the turn for which the outline is found
_INWARDS, _OUTWARDS = 0.7, 1.1  # eye distances from the outline over which what moves with it dies away
_EVEN = 0.7  # eye distances along the outline over which the bulge is evened out
_FEATURES = 1.5  # so that of the way from the outline to a feature the first third moves in full
_SHOWN = 0.7  # of the bulge: skin that is drawn out further smears
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
        return float(turn**1.5)  # it begins without a jerk


def find_far_side(face: FaceMesh, mesh: PortraitMesh, frame: HeadFrame, pivot: np.ndarray) -> FarSide | None:
    """Return how the far side of a face bulges, or None of one seen from the front.

    Parameters
    ----------
    face : FaceMesh
    mesh : PortraitMesh
        Its vertices that the face hides are brought forward, so that they do not fold; where they would show is taken
        from `face`.
    frame : HeadFrame
    pivot : float [3]
        Of the head, pixels.
    """
    if abs(face.pose.yaw_deg) < _LEAST_YAW_DEG:
        return None
    sign = -int(np.sign(face.pose.yaw_deg))
    row = np.zeros(len(INDEX), np.float32)
    row[INDEX["headYaw"]] = sign * _TURN_DEG
    motion = head_motion(row, frame, pivot)
    outline = cv2.convexHull(mesh.rest[: mesh.num_face, :2].astype(np.float32), returnPoints=False)[:, 0]
    shown = motion.placed(mesh.rest[outline].astype(np.float32))
    true = motion.placed(face.vertices[:NUM_SKIN])
    hull = cv2.convexHull(true, returnPoints=False)[:, 0]
    _, carrier, share = nearest_on_outline(shown, true, hull)
    push = (share[..., None] * true[carrier]).sum(axis=1) - shown
    inside = [cv2.pointPolygonTest(true[hull], (float(x), float(y)), False) > 0 for x, y in shown]
    far = -sign * (mesh.rest[outline, 0] - frame.origin[0]) > 0
    push[~(far & inside)] = 0
    edge = mesh.rest[outline, :2]
    even = np.exp(-0.5 * (np.linalg.norm(edge[:, None] - edge, axis=2) / (_EVEN * frame.unit)) ** 2)
    even *= np.linalg.norm(np.roll(edge, -1, axis=0) - np.roll(edge, 1, axis=0), axis=1)  # what each stands for
    pushes = np.zeros((len(mesh.rest), 2))
    pushes[outline] = _SHOWN * even @ push / even.sum(axis=1, keepdims=True)

    distance, carrier, share = nearest_on_outline(mesh.rest[:, :2], mesh.rest[:, :2], outline)
    to_kept = np.linalg.norm(mesh.rest[:, None, :2] - face.vertices[list(_KEPT), :2], axis=2).min(axis=1)
    inside = np.arange(len(mesh.rest)) < mesh.num_face
    inside[mesh.triangles[(mesh.triangles >= mesh.num_face).any(axis=1)]] = False  # what lies beyond hangs on these
    weight = smoothstep(1 - distance / (np.where(inside, _INWARDS, _OUTWARDS) * frame.unit)) * mesh.head_weight
    weight *= np.where(inside, smoothstep(_FEATURES * to_kept / (to_kept + distance + 1e-6)), 1)
    a, b, c = mesh.rest[mesh.triangles, :2].transpose(1, 0, 2)
    seen = mesh.triangles[np.cross(b - a, c - a) < 0]
    weight[np.setdiff1d(mesh.triangles, seen)] = 0  # so that it stays behind the outline
    bulge = (share[..., None] * pushes[carrier]).sum(axis=1) * weight[:, None]
    return FarSide(bulge.astype(np.float32), sign)
