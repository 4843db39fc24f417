"""Tell the person from the background, along the picture's own edges."""

from __future__ import annotations

import threading
from functools import cache

import cv2
import numpy as np

from animate.portrait.mediapipe_detector import quiet, solutions
from animate.topology import CHIN, FACE_OVAL, FOREHEAD

_NETWORK_PX = 256  # the segmenter's input; its mask is soft over about two of these pixels
_BUST_FACES = 6.0  # side, in face heights, of the crop that a small figure is segmented in
_EDGE_EPS = 1e-4  # colour variance (of 0-1) that counts as an edge for the guided filter
_WORK_PX = 1280  # long side of the copy on which masks are cleaned and the filter is fitted

_lock = threading.Lock()  # a MediaPipe graph serves one caller at a time


def person_matte(image: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """Cut out the person whose face is given, hair included.

    MediaPipe's selfie segmentation finds the figure, also painted or sculpted; a guided filter (He et al. 2013)
    moves its soft border onto the edges of the picture. Other people and stray patches are left out, and the face
    with the skull above it is in whatever the segmenter says.

    Parameters
    ----------
    image : uint8 [H, W, 3]
    vertices : float32 [478, 3]
        The face, pixels.

    Returns
    -------
    float32 [H, W]
        1 where the person is, 0 where the background is.

    Raises
    ------
    DependencyError
        If MediaPipe is missing.
    """
    height, width = image.shape[:2]
    scale = min(1.0, _WORK_PX / max(height, width))
    small = image if scale == 1 else cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    face = vertices[:, :2] * scale
    face_height = float(np.linalg.norm(face[CHIN] - face[FOREHEAD]))
    coarse, soft_px = _segment(small, face, face_height)
    head = head_mask(face, coarse.shape)
    coarse = _only_this_person(coarse, head, face_height)
    matte = cv2.ximgproc.guidedFilter(
        small.astype(np.float32) / 255, coarse, radius=max(2, round(1.5 * soft_px)), eps=_EDGE_EPS
    )
    matte = np.clip((matte - 0.15) / 0.7, 0, 1)  # the filter leaves a thin veil on both sides of the edge
    matte[cv2.distanceTransform(head, cv2.DIST_L2, 3) > 0.06 * face_height] = 1  # inside; the edge stays soft
    if scale < 1:
        matte = cv2.resize(matte, (width, height), interpolation=cv2.INTER_LINEAR)
    return matte.astype(np.float32)


@cache
def _segmenter():
    with quiet():
        segmenter = solutions().selfie_segmentation.SelfieSegmentation(model_selection=0)
        segmenter.process(np.zeros((_NETWORK_PX, _NETWORK_PX, 3), np.uint8))  # the first run logs too
    return segmenter


def _segment(image: np.ndarray, face: np.ndarray, face_height: float) -> tuple[np.ndarray, float]:
    """Return a coarse mask, float32 [H, W], and over how many pixels its border is soft.

    A figure that is small in the picture is segmented again in a crop of head and shoulders, which is finer.
    """
    height, width = image.shape[:2]
    with _lock:
        mask = _both_ways(image)
        side = _BUST_FACES * face_height
        if side > 0.8 * max(height, width):
            return mask, 2 * max(height, width) / _NETWORK_PX
        centre = face.mean(axis=0) + (0, face_height)  # shoulders and chest below, a hat's height above
        x0, y0 = np.maximum(centre - side / 2, 0).astype(int)
        x1, y1 = np.minimum(centre + side / 2, (width, height)).astype(int)
        crop = _both_ways(image[y0:y1, x0:x1])
    across, down = (_ramp(n, low > 0, high < full) for n, low, high, full in
                    ((x1 - x0, x0, x1, width), (y1 - y0, y0, y1, height)))  # fmt: skip
    weight = np.minimum(down[:, None], across)
    mask = mask.copy()
    mask[y0:y1, x0:x1] += weight * (crop - mask[y0:y1, x0:x1])
    return mask, 2 * side / _NETWORK_PX


def _both_ways(image: np.ndarray) -> np.ndarray:
    """Segment a picture and its mirror image and return the mean, float32 [H, W]: chance patches weaken."""
    masks = [_segmenter().process(np.ascontiguousarray(view)).segmentation_mask for view in (image, image[:, ::-1])]
    return (masks[0] + masks[1][:, ::-1]) / 2


def _ramp(n: int, at_start: bool, at_end: bool) -> np.ndarray:
    """Return float32 [n], rising from 0 over the first tenth and falling to 0 over the last, where asked for."""
    rise = np.minimum(np.arange(n, dtype=np.float32) / (0.1 * n), 1)
    return np.minimum(rise if at_start else 1, rise[::-1] if at_end else 1) * np.ones(n, np.float32)


def head_mask(face: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return the face, float [478, 2] px, and the skull above it, uint8 [H, W], 0 or 1.

    The mesh ends at the hairline; the skull rises above it by about a third of the face's height (Farkas 1994).
    """
    oval = face[list(FACE_OVAL)]
    above = oval + 0.33 * (face[FOREHEAD] - face[CHIN])
    upper = above[np.r_[-7:0, 0:8]]  # over the forehead only, narrowed towards the crown
    upper = upper.mean(axis=0) + 0.75 * (upper - upper.mean(axis=0))
    outline = cv2.convexHull(np.vstack([oval, upper]).astype(np.float32))
    mask = np.zeros(shape, np.uint8)
    cv2.fillConvexPoly(mask, outline.round().astype(np.int32), 1)
    return mask


def _only_this_person(mask: np.ndarray, head: np.ndarray, face_height: float) -> np.ndarray:
    """Drop patches that are not joined to the head, and fill small holes."""
    mask = np.maximum(mask, head)
    _, labels = cv2.connectedComponents((mask > 0.5).astype(np.uint8))
    own = np.zeros(labels.max() + 1, np.uint8)
    own[labels[head > 0]] = 1  # the head is all foreground, so label 0, the background, is not among them
    own = own[labels]
    away = cv2.distanceTransform(1 - own, cv2.DIST_L2, 3)
    mask = np.where(away < 0.1 * face_height, mask, 0)  # keeps the soft border of the figure
    _, labels, stats, _ = cv2.connectedComponentsWithStats(1 - own)
    is_hole = stats[:, cv2.CC_STAT_AREA] < (0.3 * face_height) ** 2
    is_hole[0] = False  # the figure itself
    return np.where(is_hole[labels], 1, mask).astype(np.float32)
