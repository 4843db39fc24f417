"""The visible label: words in a corner that say the picture is synthetic."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import cv2
import numpy as np

LABEL = "AI-generated"
_HEIGHT_SHARE = 0.05  # of the short side; several laws ask for 'clearly visible'
_MIN_HEIGHT_PX = 12
_SHADE = 0.45  # of the picture that is left under the words


def labelled(frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield frames, uint8 [H, W, 3] RGB, with the label at the bottom left for their whole duration."""
    words = None
    for frame in frames:
        if words is None:
            words = _words(frame.shape[0], frame.shape[1])  # uint8 [h, w, 1]
        frame = frame.copy()
        height, width = words.shape[:2]
        corner = frame[-height:, :width]
        corner[:] = np.maximum((corner * _SHADE).astype(np.uint8), words)
        yield frame


def _words(height: int, width: int) -> np.ndarray:
    """Return the words, white on black, in a box that fits into the picture."""
    box = max(_MIN_HEIGHT_PX, round(_HEIGHT_SHARE * min(height, width)))
    font, thickness = cv2.FONT_HERSHEY_SIMPLEX, max(1, box // 16)
    scale = cv2.getFontScaleFromHeight(font, box // 2, thickness)
    (length, _), _ = cv2.getTextSize(LABEL, font, scale, thickness)
    words = np.zeros((box, length + box, 1), np.uint8)
    cv2.putText(words, LABEL, (box // 2, round(box * 0.72)), font, scale, 255, thickness, cv2.LINE_AA)
    if words.shape[1] > width:
        words = cv2.resize(words, (width, box), interpolation=cv2.INTER_AREA)[..., None]
    return words
