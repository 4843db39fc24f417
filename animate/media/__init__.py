"""Sound and pictures in, marked video and pictures out, by the ffmpeg that comes with imageio."""

from animate.media.encode import Encoding
from animate.media.formats import FORMATS, check_png, check_targets
from animate.media.read import MediaInfo, probe, read_frames
from animate.media.voice import read_voice
from animate.media.write import write_video, write_videos

__all__ = [
    "FORMATS",
    "Encoding",
    "MediaInfo",
    "check_png",
    "check_targets",
    "probe",
    "read_frames",
    "read_voice",
    "write_video",
    "write_videos",
]
