"""What lies over a face: the landmark network draws a mouth and eyes also where a hand or dark glasses hide them."""

from __future__ import annotations

import threading
from functools import cache

import cv2
import numpy as np

from animate.portrait.mediapipe_detector import quiet, solutions
from animate.topology import (
    EYE_LEFT_LOWER,
    EYE_LEFT_UPPER,
    EYE_RIGHT_LOWER,
    EYE_RIGHT_UPPER,
    LIPS_OUTER_LOWER,
    LIPS_OUTER_UPPER,
    NUM_SKIN,
)

# Contrast (5th to 95th percentile of brightness) of a part against that of the whole face. On 14 human pictures and
# the astronaut, each as it is, blurred, dark, bright, noisy, grey and mirrored, and with the eyes shut and the lips
# rolled in: mouths at least 0.42, eyes at least 0.22. Painted over the 15, dark glasses were found on all, a mask on
# 13, a skin-coloured patch over the mouth on 12, over one eye on 7.
_MOUTH_CONTRAST = 0.30
_EYE_CONTRAST = 0.20
_AROUND = 1.3  # of the part's own size, over which its contrast is measured
# The Mona Lisa's hand laid over the mouths of the 15 held at least 82 % of the lips; over the eyes it was found on 12
# and held at least 69 % of them, and the other three were refused for other reasons. No hand was found on the faces as
# they are.
_HELD = 0.5
_SURROUNDINGS = 3.0  # face widths; side of the crop in which hands are looked for
_HAND_PX = 448  # its size, at most; the palm network sees 192

_PARTS = {
    "mouth": LIPS_OUTER_UPPER + LIPS_OUTER_LOWER,
    "right eye": EYE_RIGHT_UPPER + EYE_RIGHT_LOWER,
    "left eye": EYE_LEFT_UPPER + EYE_LEFT_LOWER,
}
_lock = threading.Lock()  # a MediaPipe graph serves one caller at a time


def hidden_parts(image: np.ndarray, vertices: np.ndarray) -> list[str]:
    """Return which of mouth, right eye and left eye (the person's own) cannot be seen.

    Parameters
    ----------
    image : uint8 [H, W, 3]
    vertices : float32 [478, 3]
        The face, pixels.

    Raises
    ------
    DependencyError
        If MediaPipe is missing.
    """
    hands = _hands(image, vertices)
    contrast = _contrasts(image, vertices)
    return [
        part
        for part, chain in _PARTS.items()
        if contrast[part] < (_MOUTH_CONTRAST if part == "mouth" else _EYE_CONTRAST)
        or any(_share_inside(hand, vertices[list(chain), :2]) > _HELD for hand in hands)
    ]


def _contrasts(image: np.ndarray, vertices: np.ndarray) -> dict[str, float]:
    eyes = [vertices[list(_PARTS[eye]), :2].mean(axis=0) for eye in ("right eye", "left eye")]
    blur = max(0.3, 0.03 * float(np.hypot(*(eyes[1] - eyes[0]))))
    low = np.floor(vertices[:, :2].min(axis=0) - 4 * blur).clip(0).astype(int)
    high = np.ceil(vertices[:, :2].max(axis=0) + 4 * blur).clip(1).astype(int)
    luma = cv2.cvtColor(image[low[1] : high[1], low[0] : high[0]], cv2.COLOR_RGB2GRAY).astype(np.float32)
    luma = cv2.GaussianBlur(luma, (0, 0), blur)
    points = (vertices[:, :2] - low).astype(np.float32)
    skin = cv2.remap(luma, points[None, :NUM_SKIN], None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    whole = float(np.ptp(np.percentile(skin, [10, 90]))) + 8  # grey levels; a flat face has no contrast to compare with
    contrasts = {}
    for part, chain in _PARTS.items():
        around = points[list(chain)]
        around = around.mean(axis=0) + _AROUND * (around - around.mean(axis=0))
        mask = np.zeros(luma.shape, np.uint8)
        cv2.fillConvexPoly(mask, cv2.convexHull(np.round(around).astype(np.int32)), 1)
        seen = luma[mask > 0]
        contrasts[part] = float(np.ptp(np.percentile(seen, [5, 95]))) / whole if len(seen) else 0.0
    return contrasts


@cache
def _hand_finder():
    with quiet():
        finder = solutions().hands.Hands(static_image_mode=True, max_num_hands=4, min_detection_confidence=0.5)
        finder.process(np.zeros((64, 64, 3), np.uint8))  # the first run logs too
    return finder


def _hands(image: np.ndarray, vertices: np.ndarray) -> list[np.ndarray]:
    """Return the hands near a face, float32 [21, 2] landmarks each, in pixels."""
    low, high = vertices[:, :2].min(axis=0), vertices[:, :2].max(axis=0)
    reach = _SURROUNDINGS / 2 * (high[0] - low[0])
    x0, y0 = np.floor((low + high) / 2 - reach).clip(0).astype(int)
    x1, y1 = np.ceil((low + high) / 2 + reach).clip(1).astype(int)
    crop = image[y0:y1, x0:x1]
    shrink = min(1.0, _HAND_PX / max(crop.shape[:2]))
    if shrink < 1:
        crop = cv2.resize(crop, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    with _lock, quiet():
        found = _hand_finder().process(np.ascontiguousarray(crop)).multi_hand_landmarks or ()
    size = np.array(crop.shape[1::-1]) / shrink
    return [(np.array([(p.x, p.y) for p in hand.landmark]) * size + (x0, y0)).astype(np.float32) for hand in found]


def _share_inside(hand: np.ndarray, points: np.ndarray) -> float:
    """Return the share of points that lie within the outline of a hand; its landmarks run along the bones."""
    outline, flesh = cv2.convexHull(hand), -0.1 * float(np.ptp(hand[:, 0]))
    return float(np.mean([cv2.pointPolygonTest(outline, (float(x), float(y)), True) > flesh for x, y in points]))
