"""Speech: from sound to the features that the motion model hears."""

from animate.speech.features import FEATURES, MOTION_FPS, extract_features
from animate.speech.stream import stream_features
from animate.speech.words import align_words, read_transcript, split_words

__all__ = [
    "FEATURES",
    "MOTION_FPS",
    "align_words",
    "extract_features",
    "read_transcript",
    "split_words",
    "stream_features",
]
