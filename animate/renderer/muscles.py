"""The fields of motion of the face, one per blendshape, as smooth functions of the place on the face.

The jaw turns about its joints, muscles pull the skin towards their origins with a falloff along it (Waters 1987), the
orbicularis purses around the middle of the mouth, and lids slide over the eye. Fields are cut only along the lips
and the lids, so they can be scaled and added.

Every function takes the face with its lips together, float64 [N, 3] in the head's frame (eye distances: x to the
picture's right, y down, z into the head), and returns displacements float64 [N, 3] by channel name.
"""

import numpy as np

from animate.easing import smoothstep
from animate.renderer.controls import MEETING
from animate.renderer.slit import Slit
from animate.topology import (
    BROW_LEFT_LOWER,
    BROW_LEFT_UPPER,
    BROW_RIGHT_LOWER,
    BROW_RIGHT_UPPER,
    EAR_LEFT,
    EAR_RIGHT,
    NOSTRIL_LEFT,
    NOSTRIL_RIGHT,
)

_JAW_GAP = 0.7  # between the lips when the jaw is fully open (about 45 mm)
_JAW_ANGLE = np.radians(22)  # of the fully open jaw; the rest of the gap is slide
_JOINT_BEHIND_MESH = 0.5  # eye distances from the mesh's edge at the cheek back to the joint
# Half the width of a mouth that rests, and of the widest smile, eye distances: a mouth that smiles already widens less.
_RESTING, _WIDEST = 0.36, 0.54
_LEAST_ROOM = 0.35
_LID_OVERLAP = 0.03
_SIDES = {"Right": -1.0, "Left": 1.0}


def _bump(face: np.ndarray, centre: np.ndarray, width: float, height: float) -> np.ndarray:
    dx, dy = (face[:, 0] - centre[0]) / width, (face[:, 1] - centre[1]) / height
    return np.exp(-dx * dx - dy * dy)


def _half(x: np.ndarray, sign: float, softness: float) -> np.ndarray:
    """Return the share of one side of the face; the shares of both sides sum to one."""
    return 0.5 + 0.5 * np.tanh(sign * x / softness)


def _field(x=0.0, y=0.0, z=0.0) -> np.ndarray:
    return np.stack(np.broadcast_arrays(*(np.asarray(part, float) for part in (x, y, z))), axis=-1)


def jaw_fields(face: np.ndarray, lips: Slit) -> dict:
    """Turn and slide the lower jaw about its joints, which lie behind the cheeks at the height of the ears."""
    joint = face[[EAR_RIGHT, EAR_LEFT]].mean(axis=0) + [0, 0, _JOINT_BEHIND_MESH]
    share = lips.lower_share(0.14) * smoothstep((face[:, 1] - lips.centre[1] + 0.85) / 0.7)
    y, z = face[:, 1] - joint[1], face[:, 2] - joint[2]
    cosine, sine = np.cos(_JAW_ANGLE), np.sin(_JAW_ANGLE)
    drop, back = y * (cosine - 1) - z * sine, y * sine + z * (cosine - 1)
    arm = lips.centre - joint
    # A jaw that opens wide also slides down and forward out of its socket.
    slide = _JAW_GAP - (arm[1] * (cosine - 1) - arm[2] * sine)
    sideways = 0.13 * share
    narrower = -0.12 * (face[:, 0] - lips.centre[0]) * _bump(face, lips.centre, 1.5 * lips.half_width, 0.4)
    return {
        "jawOpen": _field(narrower, (drop + slide) * share, (back - 0.8 * slide) * share),
        # Seen from the front, a chin that comes nearer grows a little and hides some of the neck.
        "jawForward": _field(0.09 * (face[:, 0] - lips.centre[0]) * share, 0.05 * share, -0.16 * share),
        "jawLeft": _field(sideways),
        "jawRight": _field(-sideways),
    }


def lip_fields(face: np.ndarray, lips: Slit, jaw_open: np.ndarray) -> dict:
    """Part, seal, roll and shrug the lips."""
    gap = lips.along(jaw_open[lips.lower_edge] - jaw_open[lips.upper])
    # The red of the lips moves as one piece, or thin lips would be crushed against their own edge.
    upper, lower = lips.falloff(0.42, lower=False, rim=0.05), lips.falloff(0.47, lower=True, rim=0.05)
    mouth = _bump(face, lips.centre, 1.1 * lips.half_width, 0.5)
    inside = lips.profile**1.6
    roll = -0.55 * lips.v * np.exp(-((lips.v / 0.2) ** 2)) * inside
    chin_up = _bump(face, lips.centre + [0, 0.32, 0], 0.5, 0.4)
    fields = {
        "mouthClose": 0.35 * gap * upper[:, None] - 0.65 * gap * lower[:, None],
        "mouthRollUpper": _field(0, np.where(lips.lower, 0, roll), 0.05 * inside * upper),
        "mouthRollLower": _field(0, np.where(lips.lower, roll, 0), 0.05 * inside * lower),
        "mouthShrugLower": _field(0, -0.09 * chin_up - 0.03 * mouth, -0.04 * chin_up),
        "mouthShrugUpper": _field(0, -0.07 * _bump(face, lips.centre, 0.8 * lips.half_width, 0.3), -0.03 * mouth),
    }
    for side, sign in _SIDES.items():
        half = _half(face[:, 0] - lips.centre[0], sign, 0.13)
        fields["mouthLowerDown" + side] = _field(0, 0.2 * inside * lower * half)
        fields["mouthUpperUp" + side] = _field(0, -0.17 * inside * upper * half)
        fields["mouthPress" + side] = _field(sign * 0.02 * mouth * half, 0.6 * roll * half)
    return fields


def mouth_fields(face: np.ndarray, lips: Slit) -> dict:
    """Pull the corners, purse and shift the mouth."""
    x, width = face[:, 0] - lips.centre[0], lips.half_width
    around = _bump(face, lips.centre, 1.35 * width, 0.55)
    # The sphincter draws the whole mouth together evenly, and the cheeks after it.
    towards = -x * np.exp(-((lips.u / 1.45) ** 4) - ((face[:, 1] - lips.centre[1]) / 0.55) ** 2)
    middle = np.exp(-((lips.u / 0.9) ** 4))
    thickness = lips.v * np.exp(-((lips.v / 0.25) ** 2)) * middle
    opening = lips.profile**1.5 * (lips.falloff(0.45, lower=True) - lips.falloff(0.4, lower=False))
    fields = {
        "mouthPucker": _field(0.42 * towards, 0.6 * thickness, -0.25 * around),
        "mouthFunnel": _field(0.32 * towards, 0.075 * opening + 0.5 * thickness, -0.2 * around),
        "mouthLeft": _field(0.2 * around),
        "mouthRight": _field(-0.2 * around),
        "tongueOut": _field(0 * x),
    }
    room = np.clip((_WIDEST - width) / (_WIDEST - _RESTING), _LEAST_ROOM, 1)
    for side, sign in _SIDES.items():
        corner = lips.centre + np.array([sign * width, 0, 0])
        near = _bump(face, corner, 0.42, 0.42)
        pull = room * near * smoothstep(sign * x / width * 0.9 + 0.15)
        lift = near * np.clip(sign * lips.u, 0, 1) ** 1.8  # lips bend in a bow
        half = _half(x, sign, 0.5 * width)
        # The zygomatic muscle lifts the corner and bunches the cheek under the eye; the lips stretch over the teeth.
        cheek = _bump(face, corner + [sign * 0.14, -0.5, 0], 0.42, 0.32)
        fields["mouthSmile" + side] = _field(
            sign * (0.15 * pull + 0.02 * cheek), -0.15 * lift - 0.07 * cheek - 0.3 * thickness * half, 0.08 * pull
        )
        fields["mouthFrown" + side] = _field(sign * 0.02 * pull, 0.13 * lift, 0.02 * pull)
        fields["mouthDimple" + side] = _field(sign * 0.1 * pull, -0.03 * pull, 0.08 * pull)
        fields["mouthStretch" + side] = _field(sign * 0.17 * pull, 0.05 * pull, 0.06 * pull)
    return fields


def cheek_fields(face: np.ndarray, lips: Slit) -> dict:
    """Puff and raise the cheeks, wrinkle the nose."""
    fields = {"cheekPuff": np.zeros_like(face)}
    # Lips that keep the air in hold their corners.
    held = np.exp(-((lips.u / 1.45) ** 4) - ((face[:, 1] - lips.centre[1]) / 0.45) ** 2)
    for side, sign in _SIDES.items():
        cheek = lips.centre + np.array([sign * (lips.half_width + 0.35), -0.02, 0])
        puff = _bump(face, cheek, 0.42, 0.4)
        fields["cheekPuff"] += _field(sign * 0.17 * puff * (1 - held), 0.02 * puff, -0.18 * puff)
        apple = _bump(face, cheek + [-sign * 0.05, -0.55, 0], 0.4, 0.24)
        fields["cheekSquint" + side] = _field(0, -0.12 * apple, -0.06 * apple)
        wing = face[NOSTRIL_LEFT if sign > 0 else NOSTRIL_RIGHT]
        lift = _bump(face, wing, 0.2, 0.25)
        lip = _bump(face, [0.6 * wing[0], lips.centre[1] - 0.12, 0], 0.22, 0.16) * np.where(lips.lower, 0, 1)
        bridge = _bump(face, wing + [-sign * 0.05, -0.55, 0], 0.16, 0.2)
        fields["noseSneer" + side] = _field(sign * 0.02 * lift, -0.12 * lift + 0.04 * bridge - 0.05 * lip, 0)
    return fields


def brow_fields(face: np.ndarray) -> dict:
    """Raise and lower the brows; the forehead follows, the lids hardly."""
    fields = {"browInnerUp": np.zeros_like(face)}
    chains = {"Right": (BROW_RIGHT_UPPER, BROW_RIGHT_LOWER), "Left": (BROW_LEFT_UPPER, BROW_LEFT_LOWER)}
    for side, sign in _SIDES.items():
        x = face[:, 0]
        edges = [face[list(chain)][np.argsort(face[list(chain), 0])] for chain in chains[side]]
        v = face[:, 1] - np.mean([np.interp(x, edge[:, 0], edge[:, 1]) for edge in edges], axis=0)
        band = np.exp(-((v / np.where(v < 0, 0.5, 0.17)) ** 2))
        brow = np.concatenate(edges)
        inner, outer = (brow[pick(np.abs(brow[:, 0]))] for pick in (np.argmin, np.argmax))
        along = sign * (x - inner[0]) / abs(outer[0] - inner[0])  # 0 at the inner, 1 at the outer end
        half = _half(x, sign, 0.08)
        # Together they raise the whole brow evenly.
        is_outer = smoothstep((along + 0.05) / 0.8)
        whole = np.exp(-((np.maximum(np.abs(along - 0.45) - 0.35, 0) / 0.55) ** 2)) * band * half
        fields["browInnerUp"] += _field(0, -0.16 * whole * (1 - is_outer))
        fields["browOuterUp" + side] = _field(0, -0.16 * whole * is_outer)
        near_inner = np.exp(-((along / 0.45) ** 2)) * band * half
        fields["browDown" + side] = _field(-sign * 0.04 * near_inner, 0.07 * whole + 0.03 * near_inner)
    return fields


def lid_fields(face: np.ndarray, eye: Slit, side: str) -> dict:
    """Slide the lids to where they meet; the skin between crease and lashes unrolls."""
    gap = eye.along(face[eye.lower_edge] - face[eye.upper])
    # Lashes and the rim of the lid keep their shape: the skin unrolls between them and the crease.
    above, below = eye.falloff(0.18, lower=False, rim=0.03), eye.falloff(0.25, lower=True, rim=0.02)
    # A shut upper lid closes a little over the lower one, which hides what a landmark leaves of the eye.
    overlap = _field(0, _LID_OVERLAP * np.clip(1 - eye.u**2, 0, 1) ** 0.25)
    return {
        "lidUpper" + side: (1 - MEETING) * gap * above[:, None],
        "lidOverlap" + side: overlap * above[:, None],
        "lidLower" + side: -MEETING * gap * below[:, None],
    }
