"""A picture becomes a `Portrait`: loaded, its face found or refused with a reason, its person cut out."""

from animate.portrait.image import read_image
from animate.portrait.landmarks import FaceCandidate, LandmarkDetector
from animate.portrait.read import portrait_from_image, read_portrait
from animate.portrait.restore import restore_image

__all__ = ["FaceCandidate", "LandmarkDetector", "portrait_from_image", "read_image", "read_portrait", "restore_image"]
