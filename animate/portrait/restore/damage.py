"""Find scratches, dust and tears, by evidence so strict that hair, lashes, craquelure and brush strokes do not pass.

What lies *on* a print differs from what it shows: it is as white as bare paper or as black as ink whatever it crosses,
stands alone, and ends abruptly on both sides.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from animate.portrait.restore.noise import finest_noise
from animate.portrait.restore.scratches import find_scratches
from animate.portrait.restore.tone import picture_range

_WORK_PX = 1600  # long side of the copy that is searched
_PAPER, _INK = 0.15, 0.08  # share of the span from black to white within which a dot may be bare paper or ink
_SPOT_STEP = 24.0  # grey levels by which a dot stands out,
_SPOT_NOISE_STEPS = 6.0  # or standard deviations of noise,
_SPOT_SPAN_STEP = 0.2  # or share of the span
_MIN_SPOTS = 12  # dust does not come alone; fewer bright dots, or dark ones outside faces, may be anything
_ABRUPT = 0.33  # share of a dot near its peak; highlights slope
_SPOT_RADIUS = 0.012  # largest, as a share of the short side
_TEAR_STEP = 42.0  # grey levels by which a tear is brighter than what is around it
_TEAR_WIDTH = 0.03
_TEAR_LENGTH = 0.22  # shorter ones, also on a clean video, were stripes of a shirt
_GAP = 0.01  # as a share of the short side
_MARGIN = 0.015  # lines along the picture's edge are its frame


@dataclass(frozen=True, eq=False)
class Damage:
    """What was found on a picture.

    Attributes
    ----------
    mask : bool [H, W]
        True where the picture is hidden.
    scratches, spots, tears : int
        How many there are.
    doubtful_spots : int
        Dots that look like dust but are too few to be sure; not in the mask.
    """

    mask: np.ndarray
    scratches: int
    spots: int
    tears: int
    doubtful_spots: int


def find_damage(image: np.ndarray, features: np.ndarray, skin: np.ndarray) -> Damage:
    """Find what lies on a picture and does not belong to it.

    Parameters
    ----------
    image : uint8 [H, W, 3]
    features : bool [H, W]
        Eyes, brows, nostrils and lips: only a scratch that comes from outside is followed into them.
    skin : bool [H, W]
        Faces: a dark spot there is a mole.
    """
    height, width = image.shape[:2]
    scale = min(1.0, _WORK_PX / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    luma = cv2.cvtColor(cv2.resize(image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY).astype(np.float32)
    features, skin = (
        cv2.resize(part.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0 for part in (features, skin)
    )
    scratches, tears = find_scratches(luma, features), _tears(luma, features)
    spots, num_spots, doubtful_spots = _spots(luma, scratches, features, skin)
    mask = (scratches | spots | tears).astype(np.uint8)
    mask = cv2.dilate(mask, np.ones((3, 3), np.uint8))  # the soft rim of the damage
    mask = cv2.resize(mask, (width, height), interpolation=cv2.INTER_NEAREST) > 0
    return Damage(mask, _count(scratches), num_spots, _count(tears), doubtful_spots)


def _spots(
    luma: np.ndarray, scratches: np.ndarray, features: np.ndarray, skin: np.ndarray
) -> tuple[np.ndarray, int, int]:
    """Return where small abrupt dots lie on smooth ground, bool [h, w], how many, and how many are left as too few."""
    radius = max(4, round(_SPOT_RADIUS * min(luma.shape)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
    black, white = picture_range(luma)
    span = white - black
    least = max(_SPOT_STEP, _SPOT_NOISE_STEPS * finest_noise(luma), _SPOT_SPAN_STEP * span)
    found, count, doubtful = np.zeros(luma.shape, bool), 0, 0
    for sign, beyond in ((1, luma >= white - _PAPER * span), (-1, luma <= black + _INK * span)):
        signed = sign * luma
        height = signed - cv2.morphologyEx(signed, cv2.MORPH_OPEN, kernel)
        _, labels, stats, _ = cv2.connectedComponentsWithStats((height > least).astype(np.uint8))
        dots = []
        for label, (x, y, width, tall, area) in enumerate(stats[1:], start=1):
            if (
                not 3 <= area <= np.pi * radius**2
                or max(width, tall) > 3 * min(width, tall)
                or area < 0.4 * width * tall
            ):
                continue
            window = np.s_[max(0, y - radius) : y + tall + radius, max(0, x - radius) : x + width + radius]
            dot = labels[window] == label
            around = ~scratches[window] & (cv2.dilate(dot.astype(np.uint8), np.ones((5, 5), np.uint8)) == 0)
            if scratches[window][dot].any() or features[window][dot].mean() > 0.5 or not around.any():
                continue
            top = signed[window][dot].max()
            alone = top - np.quantile(signed[window][around], 0.95) > least
            abrupt = (signed[window][dot] > top - 0.25 * height[window][dot].max()).mean() > _ABRUPT
            if alone and abrupt and beyond[window][dot].mean() > 0.3:
                dots.append((window, dot))
        moles = sum(skin[window][dot].any() for window, dot in dots) if sign < 0 else 0
        if len(dots) - moles < _MIN_SPOTS:
            doubtful += len(dots) - moles
            continue
        count += len(dots)
        for window, dot in dots:
            found[window] |= dot
    return found, count, doubtful


def _tears(luma: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Return where bare paper shows along a narrow line from the picture's edge, bool [h, w]."""
    short = min(luma.shape)
    widest = max(5, round(_TEAR_WIDTH * short)) | 1
    kernel = np.ones((2 * widest + 1,) * 2, np.uint8)
    padded = cv2.copyMakeBorder(luma, widest, widest, widest, widest, cv2.BORDER_REFLECT)
    ground = cv2.morphologyEx(padded, cv2.MORPH_OPEN, kernel)[widest:-widest, widest:-widest]
    black, white = picture_range(luma)
    bare = (luma - ground > _TEAR_STEP) & (luma >= white - _PAPER * (white - black))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(bare.astype(np.uint8))
    top, left, bottom, right = _inner_box(luma.shape)
    found = np.zeros(luma.shape, bool)
    for label, (x, y, width, height, area) in enumerate(stats[1:], start=1):
        extent = np.hypot(width, height)
        at_edge = x == 0 or y == 0 or x + width == luma.shape[1] or y + height == luma.shape[0]
        if not at_edge or extent < _TEAR_LENGTH * short:
            continue
        tear = labels == label
        thickest = 2 * cv2.distanceTransform(tear.astype(np.uint8), cv2.DIST_L2, 3).max()
        inside = tear[top:bottom, left:right].sum() / area
        if thickest < widest and inside > 0.7 and luma[tear].std() < 8 and not features[tear].any():
            found |= cv2.dilate(tear.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return found


def _count(mask: np.ndarray) -> int:
    """Return how many things there are, whose pieces may be apart."""
    gap = np.ones((2 * round(_GAP * min(mask.shape)) + 1,) * 2, np.uint8)
    return cv2.connectedComponents(cv2.dilate(mask.astype(np.uint8), gap))[0] - 1


def _inner_box(shape: tuple[int, int]) -> tuple[int, int, int, int]:
    margin = max(3, round(_MARGIN * min(shape)))
    return margin, margin, shape[0] - margin, shape[1] - margin
