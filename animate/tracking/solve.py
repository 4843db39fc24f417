"""From faces laid over a person's neutral face to the channels that make the rig show them."""

from __future__ import annotations

import numpy as np
from scipy.optimize import nnls

from animate.channels import BROWS, CHANNELS, HEAD, INDEX
from animate.renderer.controls import COLUMN
from animate.renderer.eyes import TRAVEL_X, TRAVEL_Y
from animate.renderer.head import CAMERA_DISTANCE, DEPTH
from animate.renderer.mesh import PIVOT
from animate.topology import (
    BROW_LEFT,
    BROW_RIGHT,
    CHIN,
    EYE_LEFT_LOWER,
    EYE_LEFT_UPPER,
    EYE_RIGHT_LOWER,
    EYE_RIGHT_UPPER,
    IRIS_LEFT,
    IRIS_RIGHT,
    JAWLINE,
    LIPS_INNER_LOWER,
    LIPS_INNER_UPPER,
    LIPS_OUTER_LOWER,
    LIPS_OUTER_UPPER,
)
from animate.tracking.person import Person, Poses

# What a mesh of 468 points can tell apart; the rest of the mouth's channels would only share its noise.
MOUTH = (
    "jawOpen", "jawLeft", "jawRight", "mouthClose", "mouthFunnel", "mouthPucker", "mouthLeft", "mouthRight",
    "mouthSmileLeft", "mouthSmileRight", "mouthFrownLeft", "mouthFrownRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthLowerDownLeft", "mouthLowerDownRight",
    "mouthUpperUpLeft", "mouthUpperUpRight",
)  # fmt: skip
_LIPS = LIPS_OUTER_UPPER + LIPS_OUTER_LOWER[1:-1] + LIPS_INNER_UPPER + LIPS_INNER_LOWER[1:-1]
_JAW = (CHIN, *JAWLINE[6:-6])
_GAPS = [(LIPS_INNER_LOWER[i], LIPS_INNER_UPPER[i]) for i in range(2, 9)]
_CORNERS = (LIPS_OUTER_UPPER[-1], LIPS_OUTER_UPPER[0])
_DEPTH_WEIGHT = 0.3  # MediaPipe guesses depth from one picture
_GAP_WEIGHT, _WIDTH_WEIGHT = 3.0, 3.0
_RIDGE = 0.03
_EYES = {"Left": (EYE_LEFT_UPPER, EYE_LEFT_LOWER, IRIS_LEFT), "Right": (EYE_RIGHT_UPPER, EYE_RIGHT_LOWER, IRIS_RIGHT)}
_SHUT = 0.2  # of the open eye: landmarks of shut lids never meet
_WIDEST = 0.3  # of the opening that eyeWide adds, see `animate.renderer.controls`


def solve(person: Person, poses: Poses, shapes: np.ndarray) -> np.ndarray:
    """Return channels float32 [T, 58]; lids and gaze as measured, see `calibrate`."""
    values = np.zeros((len(shapes), len(CHANNELS)))
    moved = shapes - person.neutral
    rows = [(vertex, None, 1.0) for vertex in _LIPS] + [(vertex, None, 0.5) for vertex in _JAW]
    rows += [(lower, upper, _GAP_WEIGHT) for lower, upper in _GAPS] + [(*_CORNERS, _WIDTH_WEIGHT)]
    _fit(values, person, moved, MOUTH, rows)
    _fit(values, person, moved, BROWS, [(vertex, None, 1.0) for vertex in BROW_RIGHT + BROW_LEFT])
    values[:, [INDEX[name] for name in HEAD]] = _head(person, poses)
    return values


def _fit(values, person: Person, moved: np.ndarray, names, rows) -> None:
    """Fit channels that are not negative to what rows (vertex, other vertex or None, weight) moved, in place."""

    def pick(field: np.ndarray) -> np.ndarray:  # [..., 468, 3] -> [..., n * 3]
        parts = [weight * (field[..., a, :] - (0 if b is None else field[..., b, :])) for a, b, weight in rows]
        return (np.stack(parts, axis=-2) * (1, 1, _DEPTH_WEIGHT)).reshape(*field.shape[:-2], -1)

    columns = np.moveaxis(person.basis[..., [COLUMN[name] for name in names]], -1, 0)
    basis = pick(columns).T  # [n * 3, K]
    q, r = np.linalg.qr(np.vstack([basis, _RIDGE * np.sqrt(len(rows)) * np.eye(len(names))]))
    wanted = pick(moved) @ q[: len(basis)]
    values[:, [INDEX[name] for name in names]] = np.minimum([nnls(r, row)[0] for row in wanted], 1)


def lid_openings(shapes): 
    out=[]
    for upper, lower, _ in _EYES.values():
        gap = (shapes[:, list(lower[3:6]), 1] - shapes[:, list(upper[3:6]), 1]).mean(axis=1)
        width = np.linalg.norm(shapes[:, upper[0], :2] - shapes[:, upper[-1], :2], axis=1)
        out.append(gap/width)
    return np.stack(out,1)  # left,right

def gazes(shapes):
    out=[]
    for upper, lower, iris in _EYES.values():
        out.append(shapes[:, iris[0], :2] - shapes[:, [upper[0], upper[-1]], :2].mean(axis=1))
    return np.mean(out,axis=0)

def _head(person: Person, poses: Poses) -> np.ndarray:
    """Return pitch, yaw, roll in degrees and x, y, z in eye distances, float64 [T, 6], as `head_transform` plays them."""
    r = poses.rotation
    pitch, yaw = np.arcsin(np.clip(-r[:, 2, 1], -1, 1)), np.arctan2(r[:, 2, 0], r[:, 2, 2])
    roll = np.arctan2(-r[:, 0, 1], r[:, 1, 1])
    unit = np.median(poses.unit)
    zoom = poses.unit / unit
    arm = -np.array(PIVOT) * (1, 1, DEPTH)  # from the pivot to the point between the eyes
    place = poses.place[:, :2] / unit - (zoom[:, None] * (r @ arm))[:, :2]
    place -= np.median(place, axis=0)
    return np.column_stack([np.degrees([pitch, yaw, roll]).T, place, CAMERA_DISTANCE * (1 - 1 / zoom)])


def calibrate(values,lids,gaze):
    """lids [T,2] gaze [T,2] -> fill"""
    values=values.copy()
    own=np.quantile(lids,.7,axis=0)
    closed = 1-(lids/own-_SHUT)/(1-_SHUT)
    shut=closed.max(axis=1)>.5
    t=np.arange(len(values))
    g=gaze-np.median(gaze[~shut],axis=0)
    g=np.stack([np.interp(t,t[~shut],c[~shut]) for c in g.T],1)
    x=g[:,0]/TRAVEL_X; y=g[:,1]/TRAVEL_Y
    def put(n,v): values[:,INDEX[n]]=np.clip(v,0,1)
    for side,sgn,c in (('Left',1,closed[:,0]),('Right',-1,closed[:,1])):
        put('eyeLookOut'+side,sgn*x); put('eyeLookIn'+side,-sgn*x); put('eyeLookDown'+side,y); put('eyeLookUp'+side,-y)
        rest=.237*np.clip(y,0,1)-.187*np.clip(-y,0,1)
        put('eyeBlink'+side,(c-rest)/(1-rest)); put('eyeWide'+side,(rest-c)/_WIDEST)
    for n in ('Left','Right'): pass
    return values
