"""Speech: from sound to the features that the motion model hears."""

from animate.speech.features import FEATURES, MOTION_FPS, extract_features
from animate.speech.stream import stream_features

__all__ = ["FEATURES", "MOTION_FPS", "extract_features", "stream_features"]
