"""Each portrait's own ARKit basis: how far every vertex moves for every blendshape."""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

from animate.channels import LIPS
from animate.easing import smoothstep
from animate.renderer.controls import COLUMN, NUM_CONTROLS
from animate.renderer.head import HeadFrame
from animate.renderer.mesh import PortraitMesh
from animate.renderer.muscles import brow_fields, cheek_fields, jaw_fields, lid_fields, lip_fields, mouth_fields
from animate.renderer.slit import Slit
from animate.renderer.unfold import plausible_trials, unfold

_PARTING = ("jawOpen", "mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft", "mouthLowerDownRight")
_LIP_COLUMNS = [COLUMN[name] for name in LIPS]


@dataclass(frozen=True, eq=False)
class Rig:
    """A face with the lips together, and what each control adds to it.

    Attributes
    ----------
    neutral : float32 [N, 3]
        The vertices of the mesh with the lips together, pixels.
    basis : float32 [N * 3, NUM_CONTROLS]
        Displacement of each coordinate for each control at 1, pixels.
    own : float32 [NUM_CONTROLS]
        The expression of the picture itself: what parts its lips; zero if they are together.
    residual : float32 [N, 3]
        What `own` leaves unexplained of the picture's shape, pixels.
    """

    neutral: np.ndarray
    basis: np.ndarray
    own: np.ndarray
    residual: np.ndarray

    def shape(self, controls: np.ndarray) -> np.ndarray:
        """Return the vertices, float32 [N, 3] px, for the coefficients float32 [NUM_CONTROLS]."""
        shape = self.neutral + (self.basis @ controls).reshape(-1, 3)
        nearness = self.nearness(controls)
        return shape + self.residual * nearness if nearness else shape

    def nearness(self, controls: np.ndarray) -> np.float32:
        """Return how near the lips are to those of a picture whose lips are apart: 1 the same, 0 for closed lips."""
        furthest = float(self.own.max())
        if not furthest:
            return np.float32(0)
        return np.float32(smoothstep(1 - np.abs(controls - self.own)[_LIP_COLUMNS].max() / furthest))


def build_rig(mesh: PortraitMesh, frame: HeadFrame) -> Rig:
    """Build the basis of a portrait in the head's frame and in the face's own proportions.

    Parameters
    ----------
    mesh : PortraitMesh
    frame : HeadFrame

    Returns
    -------
    Rig
    """
    apart = frame.to_head(mesh.rest[: mesh.num_face])
    closing = mesh.closing @ frame.axes.T / frame.unit
    face = apart + closing
    lips = Slit.between(face, *mesh.openings["mouth"], apart)

    fields = {"neutral": closing}
    fields |= jaw_fields(face, lips)
    fields |= lip_fields(face, lips, fields["jawOpen"])
    fields |= mouth_fields(face, lips)
    fields |= cheek_fields(face, lips)
    fields |= brow_fields(face)
    for side in ("Right", "Left"):
        fields |= lid_fields(face, Slit.between(face, *mesh.openings["eye" + side], apart), side)

    moves = np.zeros((1 + NUM_CONTROLS, mesh.num_face, 3))
    for name, field in fields.items():
        moves[0 if name == "neutral" else 1 + COLUMN[name]] = field
    upper, lower = mesh.openings["mouth"]
    moves[:, mesh.between_lips] = np.tile((moves[:, upper] + moves[:, lower]) / 2, (1, 2, 1))
    carried = (moves[:, mesh.carrier] * mesh.carrier_share[None, :, :, None]).sum(axis=2)
    moves = frame.vectors_to_picture(np.concatenate([moves, carried], axis=1))  # [1 + K, N, 3]
    unfold(moves[:1], mesh.rest, np.ones((1, 1)), mesh, frame.unit)
    unfold(moves[1:], mesh.rest + moves[0], plausible_trials(), mesh, frame.unit)
    neutral = (mesh.rest + moves[0]).astype(np.float32)
    basis = np.ascontiguousarray(moves[1:].reshape(NUM_CONTROLS, -1).T, np.float32)
    own = _own_expression(mesh, neutral, basis)
    return Rig(neutral, basis, own, (mesh.rest - neutral - (basis @ own).reshape(-1, 3)).astype(np.float32))


def _own_expression(mesh: PortraitMesh, neutral: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Return the controls float32 [NUM_CONTROLS] that best part the closed lips as the picture shows them."""
    own = np.zeros(NUM_CONTROLS, np.float32)
    lips = np.concatenate(mesh.openings["mouth"])
    parted = (mesh.rest - neutral)[lips, :2].ravel()
    if np.abs(parted).max() > 1e-3:
        columns = [COLUMN[name] for name in _PARTING]
        fields = basis.reshape(len(neutral), 3, -1)[lips, :2][..., columns].reshape(-1, len(columns))
        own[columns] = np.minimum(nnls(fields.astype(np.float64), parted)[0], 1)
    return own
