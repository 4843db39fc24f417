"""Emotions as conditions of the motion model: names, intensities and how they are written."""

from __future__ import annotations

import numpy as np

from animate.errors import ConfigError, nearest

NEUTRAL = "neutral"
EMOTIONS = ("happy", "sad", "angry", "surprised", "fearful", "disgusted", "contemptuous")  # and neutral: all zero


def parse_emotion(text: str) -> dict[str, float]:
    """Return intensities 0-1 by emotion for a text such as ``"happy:0.6"`` or ``"sad:0.5,fearful:0.3"``.

    An emotion without a number is at 1; ``"neutral"`` is none of them.

    Raises
    ------
    ConfigError
        If an emotion is unknown (the message names the nearest) or an intensity is not a number from 0 to 1.

    Examples
    --------
    >>> parse_emotion("happy:0.6")
    {'happy': 0.6}
    """
    intensities = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, number = part.partition(":")
        if name not in (*EMOTIONS, NEUTRAL):
            raise ConfigError(f"There is no emotion {name!r}. {nearest(name, (NEUTRAL, *EMOTIONS))}")
        try:
            intensity = float(number or 1)
        except ValueError:
            intensity = -1.0
        if not 0 <= intensity <= 1:
            raise ConfigError(f"The intensity {number!r} of {name} is not a number from 0 to 1, as in happy:0.6.")
        if name != NEUTRAL:
            intensities[name] = intensity
    return intensities


def emotion_vector(intensities: dict[str, float]) -> np.ndarray:
    """Return float32 [len(EMOTIONS)] in the order of `EMOTIONS`.

    Examples
    --------
    >>> emotion_vector({"sad": 0.5}).tolist()
    [0.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0]
    """
    return np.array([intensities.get(name, 0.0) for name in EMOTIONS], np.float32)
