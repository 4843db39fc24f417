"""A face in a video becomes a motion."""

from animate.tracking.video import Tracking, track, track_video

__all__ = ["Tracking", "track", "track_video"]
