"""Skin where a picture shows none: the tone of what is around, the light on its curve, the roughness of skin nearby."""

import cv2
import numpy as np

from animate.easing import smoothstep
from animate.renderer.backdrop import diffuse_fill
from animate.renderer.grain import spread

# Eye distances.
_LINES = 0.07  # the widest dark line, of a crease or of lashes, that is none of the tone
_EVEN = 0.03  # over which the tone is evened out
_COARSEST = 0.022  # what is larger is the shape of the skin and not its roughness
_BULGE = 0.27, 0.2  # half axes of an eyeball with its lids, across and down

_LIT = 0.1  # by which a shut lid is brighter at most than the shade around it, out of which it bulges
_MOST = 0.1  # by which the direction of the light changes that at most
_SOFTER = 0.85  # of the roughness nearby: a lid is smoother than a cheek
_STANDS_OUT = 3.0  # medians of the roughness; what stands out more is a fold or a lash
_DEEPEST = 25.0  # of 255, likewise


def tone_around(picture: np.ndarray, skin: np.ndarray, unit: float) -> np.ndarray:
    """Return the tone of skin, carried on over all that is none, without its lines and its grain.

    Parameters
    ----------
    picture : uint8 [h, w, 3]
    skin : bool [h, w]
    unit : float
        Eye distance, pixels.

    Returns
    -------
    float32 [h, w, 3]
    """
    size = 2 * int(_LINES * unit / 2) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    without_lines = cv2.medianBlur(cv2.morphologyEx(picture, cv2.MORPH_CLOSE, disc), size)
    tone = diffuse_fill(without_lines, skin)
    return cv2.GaussianBlur(tone, (0, 0), _EVEN * unit, borderType=cv2.BORDER_REPLICATE)


def light_lid(tone: np.ndarray, x: np.ndarray, y: np.ndarray, slope: np.ndarray, unit: float) -> np.ndarray:
    """Return the tone around an eye as a lid has it that bulges over the eyeball, float32 [h, w, 3].

    Parameters
    ----------
    tone : float32 [h, w, 3]
    x, y : float64 [w], [h]
        Places of the columns and rows from the middle of the eye, pixels.
    slope : float64 [3]
        Of the light, see `animate.renderer.light.Light`.
    unit : float
        Eye distance, pixels.
    """
    x, y = np.meshgrid(x / (_BULGE[0] * unit), y / (_BULGE[1] * unit))
    away = np.hypot(x, y)
    normals = np.stack([x, y, -np.sqrt(np.clip(1 - away**2, 0.1, 1))], axis=-1)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    change = np.clip((normals - [0, 0, -1]) @ slope, -_MOST, _MOST)
    luma = tone.mean(axis=2)
    shaded = 1 - float(luma[away < 1].mean()) / max(float(np.percentile(luma, 90)), 1.0)
    change += np.clip(shaded, 0, _LIT)
    return tone * (1 + change * smoothstep(1.2 - away))[..., None].astype(np.float32)


def roughness_like(patch: np.ndarray, height: int, width: int, unit: float) -> np.ndarray:
    """Return grain, strokes and pores like those of a piece of skin, as shares of its brightness.

    Parameters
    ----------
    patch : uint8 [a, b, 3]
    height, width : int
    unit : float
        Eye distance, pixels.

    Returns
    -------
    float32 [height, width, 3]
        Of mean zero.
    """
    patch = patch.astype(np.float32)
    rough = patch - cv2.GaussianBlur(patch, (0, 0), _COARSEST * unit, borderType=cv2.BORDER_REFLECT)
    limit = min(_DEEPEST, _STANDS_OUT * float(np.median(np.abs(rough))))
    share = _SOFTER / max(float(patch.mean()), 32.0)  # a patch in the dark says little about the brighter lid
    return share * spread(np.clip(rough, -limit, limit), height, width)
