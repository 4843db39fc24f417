"""Take noise out, if there is any, and leave a part of it: skin without grain looks like plastic."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from animate.types import Treatment

_BLOCK_PX = 16
_MIN_BLOCKS = 40
_DARKEST, _BRIGHTEST = 15, 240  # luma beyond which noise is clipped and looks smaller than it is
# Measured at half size on 16 clean pictures (photographs, paintings, a statue, a cartoon, animals), and on four with
# noise of sigma 8 added as it is, through JPEG at quality 80, and as grain 0.8 px wide. With noise: sigma 3.6 or more,
# unevenness at most 1.25, kurtosis at most 3.9. Clean ones of that sigma (canvas,
# craquelure, hair, halftone) are uneven (1.5) or peaked (4.3).
_LEAST_SIGMA = 3.0
_MOST_UNEVEN = 1.3
_MOST_PEAKED = 4.1
# Share of the noise that stays as grain. Sigma 12 on a photograph: 27.0 dB, 29.9 with this share, 29.4 with none.
_KEPT = 0.3
_LAPLACIAN = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32) / 6  # Immerkaer's (1996): blind to slopes


@dataclass(frozen=True)
class Noise:
    """What the fine structure of a picture is like.

    Attributes
    ----------
    sigma : float
        Standard deviation of the noise at full size, grey levels of 255.
    unevenness : float
        Fine structure of the middle of the picture's blocks over that of its flattest; 1 for noise alone.
    kurtosis : float
        3 for noise; more for lines and strokes.
    """

    sigma: float
    unevenness: float
    kurtosis: float

    @property
    def is_noise(self) -> bool:
        """True if the structure is strong, the same everywhere, and without form."""
        return self.sigma >= 2 * _LEAST_SIGMA and self.unevenness <= _MOST_UNEVEN and self.kurtosis <= _MOST_PEAKED


def estimate_noise(luma: np.ndarray) -> Noise | None:
    """Measure noise in the flattest blocks of a picture at half its size.

    Half the size shows noise as it was before JPEG took its finest part, and grain that is wider than a pixel. The
    operator is Immerkaer's (1996), which does not see slopes.

    Parameters
    ----------
    luma : uint8 [H, W]

    Returns
    -------
    Noise or None
        None if the picture is too small or too dark to tell.
    """
    half = cv2.resize(luma, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA).astype(np.float32)
    laplacian = cv2.filter2D(half, -1, _LAPLACIAN)
    level = _blocks(half).mean(axis=1)
    fine = _blocks(laplacian)
    deviation = fine.std(axis=1)
    seen = (level > _DARKEST) & (level < _BRIGHTEST) & (deviation > 0)
    if seen.sum() < _MIN_BLOCKS:
        return None
    fine, deviation = fine[seen], deviation[seen]
    flattest = np.quantile(deviation, 0.2)
    flat = deviation <= 1.15 * flattest
    standard = (fine[flat] - fine[flat].mean(axis=1, keepdims=True)) / deviation[flat, None]
    return Noise(2 * float(flattest), float(np.median(deviation) / flattest), float(np.mean(standard**4)))


def finest_noise(luma: np.ndarray) -> float:
    """Return the standard deviation of a picture's finest structure, of which thin lines are no part.

    Immerkaer (1996), by the median instead of the mean.

    Parameters
    ----------
    luma : float32 [H, W]
    """
    laplacian = cv2.filter2D(luma, -1, _LAPLACIAN)
    return 1.4826 * float(np.median(np.abs(laplacian)))


def denoise(image: np.ndarray) -> tuple[np.ndarray, Treatment]:
    """Lower noise by non-local means (Buades, Coll and Morel 2005) of the strength that was measured.

    Parameters
    ----------
    image : uint8 [H, W, 3]

    Returns
    -------
    image : uint8 [H, W, 3]
    treatment : Treatment
    """
    noise = estimate_noise(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
    if noise is None:
        return image, Treatment("denoise", False, "too small or too dark to tell noise from detail: left")
    figures = {"sigma": noise.sigma, "unevenness": noise.unevenness, "kurtosis": noise.kurtosis}
    if not noise.is_noise:
        why = (
            f"noise sigma {noise.sigma:.1f} of 255: too little to touch"
            if noise.sigma < 2 * _LEAST_SIGMA
            else f"fine structure of {noise.sigma:.1f} of 255 is uneven or has form, so it is texture, not noise: left"
        )
        return image, Treatment("denoise", False, why, figures)
    if (image == image[..., :1]).all():
        smooth = np.repeat(cv2.fastNlMeansDenoising(image[..., 0], None, noise.sigma, 5, 17)[..., None], 3, axis=2)
    else:
        smooth = cv2.fastNlMeansDenoisingColored(image, None, noise.sigma, noise.sigma, 5, 17)
    image = cv2.addWeighted(image, _KEPT, smooth, 1 - _KEPT, 0)
    left = estimate_noise(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)).sigma
    words = f"noise sigma {noise.sigma:.1f} of 255: reduced to {left:.1f}"
    return image, Treatment("denoise", True, words, {**figures, "sigma_after": left})


def _blocks(values: np.ndarray) -> np.ndarray:
    """Return the blocks of float32 [h, w] as rows, float32 [n, 256]."""
    rows, columns = (length // _BLOCK_PX for length in values.shape)
    values = values[: rows * _BLOCK_PX, : columns * _BLOCK_PX]
    return values.reshape(rows, _BLOCK_PX, columns, _BLOCK_PX).transpose(0, 2, 1, 3).reshape(-1, _BLOCK_PX**2)
