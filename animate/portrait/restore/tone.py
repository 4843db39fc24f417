"""Give a faded picture its blacks and whites back, and take a tint of age out of a picture without colours."""

from __future__ import annotations

import cv2
import numpy as np

from animate.types import Treatment

# What is meant to be light or dark reaches one of the two ends, or spans more: none of 16 clean pictures has both its
# blacks above 40 and its whites below 215, and of seven clean videos the dullest (52 to 201) spans 149 levels. Faded to
# 60 to 200, they span at most 140.
_FADED_BLACK, _FADED_WHITE, _FADED_SPAN = 40, 215, 140
_THIN = 0.008  # radius, as a share of the short side, of what may be a scratch or a speck
_BORDER = 0.03  # as a share of the short side, where frames and scanners' shadows are
_LEAST_SHARE = 0.2  # per cent of a picture that is its black, and its white
_BLACK, _WHITE = 16, 239  # where they go; the rest is left to what is finer
_MAX_GAIN = 1.9  # more would show the steps of 8 bits, and make noon of mist
_LEAST_TINT = 4.0  # CIELAB units of chroma that are seen as a tint
_MOST_COLOUR = 4.0  # CIELAB units by which a tinted picture strays from one colour for each lightness


def restore_contrast(image: np.ndarray) -> tuple[np.ndarray, Treatment]:
    """Stretch a histogram that ends short of black and of white; the same line for red, green and blue.

    Parameters
    ----------
    image : uint8 [H, W, 3]

    Returns
    -------
    image : uint8 [H, W, 3]
    treatment : Treatment
    """
    black, white = picture_range(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
    figures = {"black": black, "white": white}
    spans = f"blacks at {black:.0f} and whites at {white:.0f} of 255"
    if black < _FADED_BLACK or white > _FADED_WHITE or not 1 <= white - black <= _FADED_SPAN:
        return image, Treatment("contrast", False, f"{spans}: not faded", figures)
    gain = min((_WHITE - _BLACK) / (white - black), _MAX_GAIN)
    middle, half = (black + white) / 2, gain * (white - black) / 2
    offset = np.clip(middle, _BLACK + half, _WHITE - half) - gain * middle  # what is light or dark stays so
    table = np.clip(np.arange(256) * gain + offset + 0.5, 0, 255).astype(np.uint8)
    words = f"{spans}, so it is faded: contrast raised {gain:.2f} times"
    return table[image], Treatment("contrast", True, words, {**figures, "gain": gain})


def picture_range(luma: np.ndarray) -> tuple[float, float]:
    """Return the black and the white of what a picture shows, whatever noise, scratches and dust lie on it.

    Parameters
    ----------
    luma : uint8 or float32 [H, W]
        0 to 255.

    Returns
    -------
    black, white : float
    """
    short = min(luma.shape)
    radius, border = max(2, round(_THIN * short)), round(_BORDER * short)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1,) * 2)
    smooth = cv2.medianBlur(luma.astype(np.uint8), 5)
    inner = np.s_[border : luma.shape[0] - border, border : luma.shape[1] - border]
    dark, bright = (cv2.morphologyEx(smooth, kind, disc)[inner] for kind in (cv2.MORPH_CLOSE, cv2.MORPH_OPEN))
    return float(np.percentile(dark, _LEAST_SHARE)), float(np.percentile(bright, 100 - _LEAST_SHARE))


def remove_tint(image: np.ndarray) -> tuple[np.ndarray, Treatment]:
    """Make a picture that is of one tint, such as sepia, neutral grey of the same lightness.

    Parameters
    ----------
    image : uint8 [H, W, 3]

    Returns
    -------
    image : uint8 [H, W, 3]
    treatment : Treatment
    """
    lab = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    lightness, chroma = lab[..., 0].ravel(), lab[..., 1:].reshape(-1, 2)
    tint = float(np.hypot(*chroma.mean(axis=0)))
    stray = _stray(lightness, chroma)
    figures = {"tint": tint, "stray": stray}
    if stray > _MOST_COLOUR:
        return image, Treatment("tint", False, f"has colours of its own (they differ by {stray:.1f}): left", figures)
    if tint < _LEAST_TINT:
        return image, Treatment("tint", False, f"a tint of {tint:.1f} cannot be seen: left", figures)
    lab[..., 1:] = 0
    grey = np.clip(cv2.cvtColor(lab, cv2.COLOR_LAB2RGB)[..., :1] * 255 + 0.5, 0, 255).astype(np.uint8)
    words = f"a tint of {tint:.1f} in a picture without colours of its own: taken out"
    return np.repeat(grey, 3, axis=2), Treatment("tint", True, words, figures)


def _stray(lightness: np.ndarray, chroma: np.ndarray) -> float:
    """Return how far colours lie from the mean colour of their lightness, root mean square in CIELAB units."""
    bins = np.minimum(lightness / 4, 24).astype(int)
    count = np.maximum(np.bincount(bins, minlength=25), 1)
    mean = np.stack([np.bincount(bins, weights=part, minlength=25) / count for part in chroma.T], axis=1)  # [25, 2]
    return float(np.sqrt(np.mean(np.sum((chroma - mean[bins]) ** 2, axis=1))))
