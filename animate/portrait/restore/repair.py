"""Fill scratches, dust and tears from the picture around them."""

from __future__ import annotations

import cv2
import numpy as np
from skimage.restoration import inpaint_biharmonic

from animate.portrait.landmarks import FaceCandidate
from animate.portrait.restore.damage import find_damage
from animate.topology import (
    BROW_LEFT_LOWER,
    BROW_LEFT_UPPER,
    BROW_RIGHT_LOWER,
    BROW_RIGHT_UPPER,
    EYE_LEFT_LOWER,
    EYE_LEFT_UPPER,
    EYE_RIGHT_LOWER,
    EYE_RIGHT_UPPER,
    FACE_OVAL,
    LIPS_OUTER_LOWER,
    LIPS_OUTER_UPPER,
    NOSE_TIP,
    NOSTRIL_LEFT,
    NOSTRIL_RIGHT,
)
from animate.types import Treatment

_FEATURES = (
    EYE_RIGHT_UPPER + EYE_RIGHT_LOWER,
    EYE_LEFT_UPPER + EYE_LEFT_LOWER,
    BROW_RIGHT_UPPER + BROW_RIGHT_LOWER,
    BROW_LEFT_UPPER + BROW_LEFT_LOWER,
    LIPS_OUTER_UPPER + LIPS_OUTER_LOWER,
    (NOSTRIL_RIGHT, NOSTRIL_LEFT, NOSE_TIP),
)
_MARGIN = 0.04  # of the face's width around each feature, for lashes and the rims of nostrils
_MOST_DAMAGE = 0.15  # share of a picture beyond which filling would be inventing


def repair(image: np.ndarray, faces: list[FaceCandidate]) -> tuple[np.ndarray, Treatment]:
    """Find what lies on a print, and fill it by biharmonic inpainting (Damelin and Hoang 2018).

    Parameters
    ----------
    image : uint8 [H, W, 3]
    faces : list of FaceCandidate
        Their features are protected.

    Returns
    -------
    image : uint8 [H, W, 3]
    treatment : Treatment
    """
    damage = find_damage(image, *facial_features(faces, image.shape[:2]))
    share = float(damage.mask.mean())
    figures = {
        "scratches": damage.scratches, "spots": damage.spots, "tears": damage.tears, "share": share
    }  # fmt: skip
    if not damage.mask.any():
        words = "no scratches, dust or tears beyond doubt"
        if damage.doubtful_spots:
            words += f"; {damage.doubtful_spots} dot(s) are too few to be dust: left"
        return image, Treatment("repair", False, words, figures)
    kinds = {"scratch(es)": damage.scratches, "spot(s)": damage.spots, "tear(s)": damage.tears}
    counted = ", ".join(f"{count} {kind}" for kind, count in kinds.items() if count)
    words = f"{counted}, {share:.1%} of the picture"
    if share > _MOST_DAMAGE:
        return image, Treatment("repair", False, f"{words}: too much to fill without inventing, left", figures)
    filled = inpaint_biharmonic(image, damage.mask, split_into_regions=True, channel_axis=-1)
    filled = np.clip(filled * 255 + 0.5, 0, 255).astype(np.uint8)
    image = np.where(damage.mask[..., None], filled, image)
    return image, Treatment("repair", True, f"{words}: repaired", figures)


def facial_features(faces: list[FaceCandidate], shape: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Return where eyes, brows, nostrils and lips are, and where skin is; each bool [H, W]."""
    features, skin = np.zeros(shape, np.uint8), np.zeros(shape, np.uint8)
    for face in faces:
        points = face.vertices[:, :2].round().astype(np.int32)
        cv2.fillConvexPoly(skin, cv2.convexHull(points[list(FACE_OVAL)]), 1)
        own = np.zeros(shape, np.uint8)
        for feature in _FEATURES:
            cv2.fillConvexPoly(own, cv2.convexHull(points[list(feature)]), 1)
        reach = max(1, round(_MARGIN * float(np.ptp(points[:, 0]))))
        features |= cv2.dilate(own, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1,) * 2))
    return features > 0, skin > 0
