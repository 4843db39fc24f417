"""From what was measured on a person to channels: their own open eye, their own gaze into the camera."""

from __future__ import annotations

import numpy as np

from animate.channels import BLENDSHAPES, CHANNELS, INDEX
from animate.renderer.eyes import TRAVEL_X, TRAVEL_Y
from animate.tracking.solve import GAZE, MEASURES, OPENINGS

_OPEN = 0.7  # quantile of the opening that is an eye at rest; the rest are blinks and downward glances
_LEAST_OPEN = 0.1  # widths of the eye; what never opens so far is shut
_SHUT = 0.2  # of the open eye: landmarks of shut lids do not meet
_BLINKING = 0.5  # of the way to shut, from where an iris cannot be measured
# What `animate.renderer.controls` makes of the lids: shares of the opening.
_GAZE_DOWN_CLOSES, _GAZE_UP_OPENS, _WIDE_OPENS = 0.24, 0.19, 0.3


def calibrate(measures: np.ndarray) -> np.ndarray:
    """Return channels float32 [T, 58] of `MEASURES` float64 [T, M] of a whole video."""
    values = np.zeros((len(measures), len(CHANNELS)), np.float32)
    measured = dict(zip(MEASURES, measures.T, strict=True))
    for name in set(MEASURES) & set(CHANNELS):
        values[:, INDEX[name]] = measured[name]
    for name in ("headX", "headY"):
        values[:, INDEX[name]] -= np.median(values[:, INDEX[name]])
    openings = np.stack([measured[name] for name in OPENINGS], axis=1)
    own = np.maximum(np.quantile(openings, _OPEN, axis=0), _LEAST_OPEN)
    closed = 1 - (openings / own - _SHUT) / (1 - _SHUT)  # [T, 2]
    x, y = _gaze(np.stack([measured[name] for name in GAZE], axis=1), closed.max(axis=1) < _BLINKING).T
    by_gaze = _GAZE_DOWN_CLOSES * np.clip(y, 0, 1) - _GAZE_UP_OPENS * np.clip(-y, 0, 1)
    for side, outward, lid in (("Left", x, closed[:, 0]), ("Right", -x, closed[:, 1])):
        curves = {
            "eyeLookOut": outward, "eyeLookIn": -outward, "eyeLookDown": y, "eyeLookUp": -y,
            "eyeBlink": (lid - by_gaze) / (1 - by_gaze), "eyeWide": (by_gaze - lid) / _WIDE_OPENS,
        }  # fmt: skip
        for name, curve in curves.items():
            values[:, INDEX[name + side]] = curve
    np.clip(values[:, : len(BLENDSHAPES)], 0, 1, out=values[:, : len(BLENDSHAPES)])
    close, jaw = INDEX["mouthClose"], INDEX["jawOpen"]
    values[:, close] = np.minimum(values[:, close], values[:, jaw])
    return values


def _gaze(gaze: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """Return how far the irises are from the camera, float64 [T, 2] in travels of the rig; held during blinks."""
    if not visible.any():
        return np.zeros_like(gaze)
    rows = np.arange(len(gaze))
    held = np.stack([np.interp(rows, rows[visible], curve[visible]) for curve in gaze.T], axis=1)
    return (held - np.median(gaze[visible], axis=0)) / (TRAVEL_X, TRAVEL_Y)
