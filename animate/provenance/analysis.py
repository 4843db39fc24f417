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
_LINEAR_SHARE = 0.5
_BILATERAL = {"d": 9, "sigmaColor": 5, "sigmaSpace": 4}  # pixels, grey levels, pixels
_CONTRAST_SIGMA = 4.0
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

    The picture is noise to the mark. Two estimates of what is not picture are added: a linear band-pass, and what a
    bilateral filter (Tomasi and Manduchi 1998) takes away, which keeps edges out. Their errors differ, so the sum is
    better than either: by 0.8 dB where compression has left little.
    """
    passed = cv2.GaussianBlur(luma, (0, 0), _FINE_SIGMA) - _broad_blur(luma, _COARSE_SIGMA)
    rest = luma - cv2.bilateralFilter(luma, **_BILATERAL)
    return _LINEAR_SHARE * _evened(passed, 0.3, 1.5) + _evened(rest, 0.6, 1.3)


def _evened(signal: np.ndarray, noise_floor: float, exponent: float) -> np.ndarray:
    """Divide by a power of the local contrast, and bring the whole to a standard deviation of one.

    Division by the contrast evens the noise out, and division by its square would be the matched filter if the mark
    were equally strong everywhere; it is stronger in busy regions, so the best exponent lies between (measured). The
    floor, in grey levels, keeps regions without any signal from being blown up.
    """
    contrast = np.sqrt(np.maximum(_broad_blur(signal * signal, _CONTRAST_SIGMA), 0)) + noise_floor
    evened = np.clip(signal / contrast, -_LIMIT, _LIMIT) / contrast ** (exponent - 1)
    return evened / max(float(evened.std()), 1e-6)


def _broad_blur(image: np.ndarray, sigma: float) -> np.ndarray:
    """Blur at a quarter of the size: the same result for a wide Gaussian at a tenth of the time."""
    height, width = image.shape
    small = cv2.resize(image, (-(-width // 4), -(-height // 4)), interpolation=cv2.INTER_AREA)
    return cv2.resize(cv2.GaussianBlur(small, (0, 0), sigma / 4), (width, height), interpolation=cv2.INTER_LINEAR)


def spectrum(signal: np.ndarray, period: int = TILE) -> np.ndarray:
    """Return the spectrum of a band summed over its tiles of so many pixels, complex64 [period, period]."""
    height, width = signal.shape
    rows, columns = -(-height // period), -(-width // period)
    padded = cv2.copyMakeBorder(signal, 0, rows * period - height, 0, columns * period - width, cv2.BORDER_CONSTANT)
    total = padded.reshape(rows, period, columns, period).sum(axis=(0, 2))
    # The more tiles overlap at a place, the more noise there is: the root keeps it even.
    count_y, count_x = (np.bincount(np.arange(length) % period, minlength=period) for length in signal.shape)
    evened = total / np.sqrt(np.maximum(np.outer(count_y, count_x), 1))
    return scipy.fft.fft2(evened.astype(np.float32))
