"""What embedding and detection see of a picture: the canonical frame, its band and its spectrum over the tile.

The canonical frame has a short side of 512 pixels. The mark is laid out on it, so that plain resizing of the output
needs no search.
"""

from __future__ import annotations

import cv2
import numpy as np
import scipy.fft

from animate.provenance.layout import TILE

SHORT_SIDE = 512
_FINE_SIGMA, _COARSE_SIGMA = 1.2, 3.0  # canonical pixels; their difference passes the mark's annulus
_CONTRAST_SIGMA = 4.0
_NOISE_FLOOR = 0.3  # grey levels; keeps regions without any signal from being blown up
_LIMIT = 2.0  # standard deviations; edges of the picture must not outweigh the mark


def canonical_size(height: int, width: int) -> tuple[int, int]:
    """Return height and width of the canonical frame of a picture."""
    scale = SHORT_SIDE / min(height, width)
    return round(height * scale), round(width * scale)


def canonical_luma(frame: np.ndarray) -> np.ndarray:
    """Return the luma (BT.601) of a uint8 [H, W, 3] RGB frame on the canonical frame, float32, 0-255."""
    height, width = canonical_size(*frame.shape[:2])
    smaller = min(frame.shape[:2]) > SHORT_SIDE
    luma = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return cv2.resize(luma, (width, height), interpolation=cv2.INTER_AREA if smaller else cv2.INTER_CUBIC)


def band(luma: np.ndarray) -> np.ndarray:
    """Return the band of the mark, weighed by the local contrast of the picture, float32 [h, w].

    The picture is noise to the mark. Division by its local standard deviation evens it out, and division by the
    variance would be the matched filter if the mark were equally strong everywhere; it is stronger in busy regions,
    so the best exponent lies between (measured: 1.5).
    """
    passed = cv2.GaussianBlur(luma, (0, 0), _FINE_SIGMA) - _broad_blur(luma, _COARSE_SIGMA)
    contrast = np.sqrt(np.maximum(_broad_blur(passed * passed, _CONTRAST_SIGMA), 0)) + _NOISE_FLOOR
    return np.clip(passed / contrast, -_LIMIT, _LIMIT) / np.sqrt(contrast)


def _broad_blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Blur at a quarter of the size: the same result for a wide Gaussian at a tenth of the time."""
    height, width = image.shape
    small = cv2.resize(image, (-(-width // 4), -(-height // 4)), interpolation=cv2.INTER_AREA)
    return cv2.resize(cv2.GaussianBlur(small, (0, 0), sigma / 4), (width, height), interpolation=cv2.INTER_LINEAR)


def spectrum(signal: np.ndarray) -> np.ndarray:
    """Return the spectrum of a band summed over its tiles, complex64 [256, 256]."""
    height, width = signal.shape
    rows, columns = -(-height // TILE), -(-width // TILE)
    padded = cv2.copyMakeBorder(signal, 0, rows * TILE - height, 0, columns * TILE - width, cv2.BORDER_CONSTANT)
    total = padded.reshape(rows, TILE, columns, TILE).sum(axis=(0, 2))
    # The more tiles overlap at a place, the more noise there is: the root keeps it even.
    count_y, count_x = (np.bincount(np.arange(length) % TILE, minlength=TILE) for length in signal.shape)
    evened = total / np.sqrt(np.maximum(np.outer(count_y, count_x), 1))
    return scipy.fft.fft2(evened.astype(np.float32))
