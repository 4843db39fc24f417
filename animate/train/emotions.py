"""How an emotion colours a face that speaks: the teacher's tables.

Action units of the prototypes are those of EMFACS (Ekman, Friesen & Hager 2002: happy 6+12, sad 1+4+15, angry
4+5+7+23, surprised 1+2+5+26, fearful 1+2+4+5+20, disgusted 9+15, contemptuous R12+R14), written as the ARKit shapes
that move the same muscles. That heads move more in anger and joy and less in sadness is from Busso et al. 2007; the sizes
are set by hand, weak enough that speech stays readable.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from animate.motion.emotions import EMOTIONS
from animate.motion.latents import LATENT_INDEX, LATENTS

# Added to the controls at intensity 1
ADDED: dict[str, dict[str, float]] = {
    "happy": {"mouthSmile": 0.55, "cheekSquint": 0.55, "eyeSquint": 0.25, "browOuterUp": 0.08, "mouthUpperUp": 0.12,
              "headPitch": 1.5},
    "sad": {"browInnerUp": 0.6, "browDown": 0.1, "mouthFrown": 0.5, "mouthShrugLower": 0.15, "eyeSquint": 0.15,
            "gazeY": -0.2, "headPitch": -5.0, "mouthSmile": -0.1},
    "angry": {"browDown": 0.75, "eyeSquint": 0.35, "noseSneer": 0.3, "mouthPress": 0.2, "mouthFrown": 0.2,
              "mouthLowerDown": 0.12, "headPitch": -2.5, "headZ": 0.05},
    "surprised": {"browInnerUp": 0.6, "browOuterUp": 0.7, "eyeWide": 0.65, "mouthFunnel": 0.06, "headPitch": 2.5},
    "fearful": {"browInnerUp": 0.7, "browOuterUp": 0.35, "browDown": 0.25, "eyeWide": 0.55, "mouthStretch": 0.35,
                "headZ": -0.06, "headPitch": 1.0},
    "disgusted": {"noseSneer": 0.7, "browDown": 0.4, "cheekSquint": 0.35, "eyeSquint": 0.3, "mouthUpperUp": 0.25,
                  "mouthFrown": 0.3, "mouthShrugLower": 0.2, "headPitch": 1.5},
    "contemptuous": {"smirk": 0.65, "eyeSquint": 0.2, "gazeY": -0.15, "headPitch": 3.5, "headRoll": 3.0,
                     "mouthPress": 0.1},
}  # fmt: skip
_JAW = {"happy": 1.05, "sad": 0.85, "angry": 1.15, "surprised": 1.25, "fearful": 0.95, "disgusted": 0.9}
_HEAD = {"happy": 1.3, "sad": 0.6, "angry": 1.4, "surprised": 1.1, "fearful": 0.9, "contemptuous": 0.8}
_PARTING = ("mouthLowerDown", "mouthUpperUp")  # would open closed lips: only while they are open
_PRESSING = "mouthPress"  # and this only while they are not
_OPEN_GAP_AT = 0.15  # control value of the lips' own parting from which they count as open


def head_liveliness(intensities: np.ndarray) -> np.ndarray:
    """Return how much livelier the head is, float [T], for intensities [T, len(EMOTIONS)]."""
    return 1 + sum((_HEAD.get(name, 1.0) - 1) * intensities[:, column] for column, name in enumerate(EMOTIONS))


def coloured(controls: np.ndarray, intensities: np.ndarray, fps: float, rng: np.random.Generator) -> np.ndarray:
    """Return the controls float32 [T, L] of a neutral performance coloured by emotions.

    Lips that touch go on touching: nothing parts them, and corners and jaw are free to move.

    Parameters
    ----------
    controls : float [T, L]
        In the order of `animate.motion.latents.LATENTS`.
    intensities : float [T, len(EMOTIONS)]
        0-1.
    fps : float
    rng : numpy.random.Generator
        Of the slow swelling of an expression, a fifth of its size.
    """
    out = controls.astype(np.float64)
    jaw, close = (LATENT_INDEX[name] for name in ("jawOpen", "mouthClose"))
    apart = np.clip((out[:, jaw] - out[:, close] + sum(out[:, LATENT_INDEX[name]] for name in _PARTING)), 0, 1)
    is_open = np.clip(apart / _OPEN_GAP_AT, 0, 1)
    rounded = np.clip(1.2 * out[:, LATENT_INDEX["mouthPucker"]] + out[:, LATENT_INDEX["mouthFunnel"]], 0, 0.8)
    wider = np.ones(len(out))
    for column, name in enumerate(EMOTIONS):
        if not intensities[:, column].any():
            continue
        swell = 1 + 0.2 * gaussian_filter1d(rng.standard_normal(len(out)), 0.8 * fps) * np.sqrt(2.8 * fps)
        strength = intensities[:, column] * np.clip(swell, 0.6, 1.4)
        for control, size in ADDED[name].items():
            share = is_open if control in _PARTING else (1 - is_open if control == _PRESSING else 1)
            share = share * (1 - rounded) if control in ("mouthSmile", "mouthStretch") else share
            out[:, LATENT_INDEX[control]] += size * strength * share
        wider += (_JAW.get(name, 1.0) - 1) * strength
    gain = np.clip(wider, 0.7, 1.4)
    for control in ("jawOpen", "mouthClose", *_PARTING):
        out[:, LATENT_INDEX[control]] *= gain
    unsigned = [index for name, index in LATENT_INDEX.items() if not name.startswith(("head", "gaze"))]
    out[:, unsigned] = np.clip(out[:, unsigned], 0, 1)
    assert out.shape[1] == len(LATENTS)
    return out.astype(np.float32)


def draw_intensities(num_frames: int, fps: float, rng: np.random.Generator) -> np.ndarray:
    """Return intensities float32 [T, len(EMOTIONS)] of a programme: a third neutral, some changing or mixed."""
    intensities = np.zeros((num_frames, len(EMOTIONS)))
    if rng.random() < 0.33:
        return intensities.astype(np.float32)
    intensities[:, rng.integers(len(EMOTIONS))] = rng.uniform(0.25, 1)
    kind = rng.random()
    if kind < 0.12:  # two at once
        intensities *= 0.6
        intensities[:, rng.integers(len(EMOTIONS))] += rng.uniform(0.2, 0.5)
    elif kind < 0.45:  # another one, or none, from some moment on
        change = int(rng.integers(0, num_frames))
        intensities[change:] = 0
        if rng.random() < 0.6:
            intensities[change:, rng.integers(len(EMOTIONS))] = rng.uniform(0.25, 1)
        intensities = gaussian_filter1d(intensities, rng.uniform(0.1, 0.4) * fps, axis=0)
    return np.clip(intensities, 0, 1).astype(np.float32)
