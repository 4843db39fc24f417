"""The grain of a picture: film grain, canvas, brush strokes, taken from a cheek and laid over what is painted new."""

import cv2
import numpy as np

from animate.types import Portrait

_CHEEKS = (50, 280)  # vertices in the middle of either cheek, away from beards and folds
_SIDE = 0.4  # eye distances, of the patch
_COARSEST = 0.05  # eye distances; what is larger is the shape of the cheek and not the grain


def take_grain(portrait: Portrait) -> np.ndarray:
    """Return the grain of the smoother cheek, float32 [s, s, 3], of mean zero, at the picture's own size.

    Parameters
    ----------
    portrait : Portrait
    """
    unit = portrait.face.eye_distance
    side = max(6, round(_SIDE * unit))
    patches = []
    for vertex in _CHEEKS:
        x, y = portrait.face.vertices[vertex, :2].astype(float)
        patch = cv2.getRectSubPix(portrait.image, (side, side), (x, y)).astype(np.float32)
        patches.append(patch - cv2.GaussianBlur(patch, (0, 0), _COARSEST * unit, borderType=cv2.BORDER_REFLECT))
    # A strand of hair or an edge is no grain: the quieter cheek, and nothing that stands out of it.
    grain = min(patches, key=lambda patch: float(patch.std()))
    limit = 2.5 * float(grain.std()) + 0.5
    return np.clip(grain, -limit, limit)


def with_grain(paint: np.ndarray, grain: np.ndarray) -> np.ndarray:
    """Return a texture uint8 [h, w, 3 or 4] with grain on its colours.

    What is dark shows less of it, as in the picture.
    """
    tile = spread(grain, *paint.shape[:2])
    colours = paint[..., :3].astype(np.float32)
    share = np.clip(colours.max(axis=2, keepdims=True) / 160, 0.15, 1)
    grained = np.clip(np.round(colours + tile * share), 0, 255).astype(np.uint8)
    return np.dstack([grained, paint[..., 3:]]) if paint.shape[2] == 4 else grained


def spread(grain: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return a surface of a grain, float32 [height, width, 3], of random pieces that pass into one another.

    Weights keep the variance where pieces overlap (Heitz and Neyret 2018).
    """
    side = max(2, min(grain.shape[:2]) // 3 * 2)
    step = side // 2
    ramp = np.sin(np.pi * (np.arange(side) + 0.5) / side).astype(np.float32) ** 2
    window = np.outer(ramp, ramp)[..., None]
    surface = np.zeros((height + 2 * side, width + 2 * side, 3), np.float32)
    power = np.zeros((height + 2 * side, width + 2 * side, 1), np.float32)
    rng = np.random.default_rng(0)
    for top in range(0, height + side, step):
        for left in range(0, width + side, step):
            y, x = rng.integers(0, np.array(grain.shape[:2]) - side + 1)
            part = np.s_[top : top + side, left : left + side]
            surface[part] += window * grain[y : y + side, x : x + side]
            power[part] += window**2
    inner = np.s_[step : step + height, step : step + width]
    return surface[inner] / np.sqrt(power[inner])
