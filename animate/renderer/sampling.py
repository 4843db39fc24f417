"""Finer pixels: a picture sampled between its pixels once, so that frames need only cheap interpolation."""

import cv2
import numpy as np

from animate.renderer.compiled import compiled

_HALFWAY = np.array([-1, 9, 9, -1], np.float32) / 16  # cubic convolution (Keys 1981, a = -1/2) half-way between pixels


def double(image: np.ndarray) -> np.ndarray:
    """Return a picture of twice the size whose even pixels are the picture's own.

    Parameters
    ----------
    image : uint8 [h, w, C]

    Returns
    -------
    uint8 [2 h, 2 w, C]
        Pixel (2 y, 2 x) is pixel (y, x) of `image`; those between are cubic interpolations.
    """
    height, width = image.shape[:2]
    doubled = np.empty((2 * height, 2 * width, image.shape[2]), np.uint8)
    doubled[::2, ::2] = image
    one = np.ones(1, np.float32)
    for rows, columns, kernel_x, kernel_y in ((0, 1, _HALFWAY, one), (1, 0, one, _HALFWAY), (1, 1, _HALFWAY, _HALFWAY)):
        anchor = (1 if columns else 0, 1 if rows else 0)
        doubled[rows::2, columns::2] = cv2.sepFilter2D(
            image, -1, kernel_x, kernel_y, anchor=anchor, borderType=cv2.BORDER_REPLICATE
        )
    return doubled


def colours_at(image: np.ndarray, places: np.ndarray, interpolation: int = cv2.INTER_LINEAR) -> np.ndarray:
    """Return the pixels of a picture at places float [a, b, 2] px, [a, b] or [a, b, C] of its type.

    Beyond its edge the picture goes on as it ends.
    """
    return cv2.remap(image, places.astype(np.float32), None, interpolation, borderMode=cv2.BORDER_REPLICATE)


@compiled
def sample(texture, x, y, k):
    """Return channel `k` of a texture [h, w, C] between its pixels: `x` is at least 0 and below w - 1, `y` likewise."""
    i, j = int(x), int(y)
    f, g = x - i, y - j
    first = texture[j, i, k] * (1 - f) + texture[j, i + 1, k] * f
    second = texture[j + 1, i, k] * (1 - f) + texture[j + 1, i + 1, k] * f
    return first * (1 - g) + second * g
