"""Sound and pictures in, marked video out, by the ffmpeg that comes with imageio."""

from animate.media.picture import check_picture, write_picture
from animate.media.read import MediaInfo, probe, read_frames
from animate.media.voice import read_voice
from animate.media.write import check_target, write_video

__all__ = [
    "MediaInfo",
    "check_picture",
    "check_target",
    "probe",
    "read_frames",
    "read_voice",
    "write_picture",
    "write_video",
]
