"""The controls that the model generates, and how they move the 58 channels.

The face of a speaker is nearly symmetric and many ARKit channels never move in speech, so the model works on 32
controls. Each moves one or more channels by a gain; a channel takes the positive part, so that one signed control
(gaze) can move two opposite channels. Lips are absolute: lip controls at zero are closed lips.

One control moves no channel: `seal` says how far the lips are brought together (p, b, m) whatever the others say.
"""

import numpy as np

from animate.channels import BLENDSHAPES, CHANNELS, INDEX
from animate.types import Motion

GAZE_RANGE_DEG = 30.0  # how far the eye turns when an eyeLook channel is at 1
HEAD_RANGE = {"headPitch": 25.0, "headYaw": 30.0, "headRoll": 20.0, "headX": 0.5, "headY": 0.5, "headZ": 0.5}


def _both(name: str) -> dict[str, float]:
    return {f"{name}Left": 1.0, f"{name}Right": 1.0}


LATENTS: dict[str, dict[str, float]] = {
    "jawOpen": {"jawOpen": 1.0},
    "mouthClose": {"mouthClose": 1.0},
    "mouthFunnel": {"mouthFunnel": 1.0},
    "mouthPucker": {"mouthPucker": 1.0},
    "mouthSmile": _both("mouthSmile"),
    "mouthStretch": _both("mouthStretch"),
    "mouthPress": _both("mouthPress"),
    "mouthRollLower": {"mouthRollLower": 1.0},
    "mouthRollUpper": {"mouthRollUpper": 1.0},
    "mouthShrugLower": {"mouthShrugLower": 1.0},
    "mouthShrugUpper": {"mouthShrugUpper": 1.0},
    "mouthLowerDown": _both("mouthLowerDown"),
    "mouthUpperUp": _both("mouthUpperUp"),
    "seal": {},
    "eyeBlink": _both("eyeBlink"),
    # positive: towards the right of the picture, which is the subject's left
    "gazeX": {"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0, "eyeLookInLeft": -1.0, "eyeLookOutRight": -1.0},
    "gazeY": {"eyeLookUpLeft": 1.0, "eyeLookUpRight": 1.0, "eyeLookDownLeft": -1.0, "eyeLookDownRight": -1.0},
    "browInnerUp": {"browInnerUp": 1.0},
    "browOuterUp": _both("browOuterUp"),
    "browDown": _both("browDown"),
    "eyeSquint": _both("eyeSquint"),
    "eyeWide": _both("eyeWide"),
    "cheekSquint": _both("cheekSquint"),
    "noseSneer": _both("noseSneer"),
    "mouthFrown": _both("mouthFrown"),
    "smirk": {"mouthSmileLeft": 0.7, "mouthDimpleLeft": 0.7},  # contempt shows on one side
    "headPitch": {"headPitch": 1.0},
    "headYaw": {"headYaw": 1.0},
    "headRoll": {"headRoll": 1.0},
    "headX": {"headX": 1.0},
    "headY": {"headY": 1.0},
    "headZ": {"headZ": 1.0},
}
LATENT_INDEX = {name: column for column, name in enumerate(LATENTS)}
NUM_LIP_LATENTS = 14  # the first ones

# How wide each channel parts the lips, in units of jawOpen (the jaw at 1 parts them by 0.42 eye distances)
LOWER_DOWN_GAP = 0.3
UPPER_UP_GAP = 0.2


def channel_matrix(latents: dict[str, dict[str, float]]) -> np.ndarray:
    """Return the gains float32 [L, 58] from controls to channels."""
    matrix = np.zeros((len(latents), len(CHANNELS)), np.float32)
    for row, gains in enumerate(latents.values()):
        for channel, gain in gains.items():
            matrix[row, INDEX[channel]] = gain
    return matrix


def to_channels(values: np.ndarray, latents: dict[str, dict[str, float]] = LATENTS) -> np.ndarray:
    """Return channels float32 [T, 58], within their ranges, for controls float32 [T, L].

    `mouthClose` never exceeds `jawOpen`: beyond it the lips would pass through each other. `seal` brings the lips
    together by its share, whatever the other controls say.

    Examples
    --------
    >>> to_channels(np.zeros((3, len(LATENTS)), np.float32)).any()
    False
    """
    channels = values.astype(np.float32) @ channel_matrix(latents)
    shapes = len(BLENDSHAPES)
    channels[:, :shapes] = np.clip(channels[:, :shapes], 0, 1)
    close, jaw = INDEX["mouthClose"], INDEX["jawOpen"]
    if "seal" in latents:
        _seal_lips(channels, np.clip(values[:, list(latents).index("seal")], 0, 1))
    channels[:, close] = np.minimum(channels[:, close], channels[:, jaw])
    for name, limit in HEAD_RANGE.items():
        channels[:, INDEX[name]] = np.clip(channels[:, INDEX[name]], -limit, limit)
    return channels


def _seal_lips(channels: np.ndarray, seal: np.ndarray) -> None:
    """Bring the lips together by the share `seal` [T], in place."""
    close, jaw = INDEX["mouthClose"], INDEX["jawOpen"]
    channels[:, close] += seal * (channels[:, jaw] - channels[:, close])
    for name in ("mouthLowerDown", "mouthUpperUp"):
        for side in ("Left", "Right"):
            channels[:, INDEX[name + side]] *= 1 - seal


def lip_gap(motion: Motion) -> np.ndarray:
    """Return how far the lips are apart, float32 [T], in units of `jawOpen`; 0 is contact.

    gap = jawOpen - mouthClose + 0.3 mouthLowerDown + 0.2 mouthUpperUp (means of left and right)

    It is a proxy from the channels alone. In units of the eye distance it is about 0.42 times that.

    Examples
    --------
    >>> float(lip_gap(Motion.rest(1.0, 50).with_channels(jawOpen=0.5, mouthClose=0.5)).max())
    0.0
    """
    lower = (motion["mouthLowerDownLeft"] + motion["mouthLowerDownRight"]) / 2
    upper = (motion["mouthUpperUpLeft"] + motion["mouthUpperUpRight"]) / 2
    parted = motion["jawOpen"] - motion["mouthClose"]
    return np.maximum(parted + LOWER_DOWN_GAP * lower + UPPER_UP_GAP * upper, 0)
