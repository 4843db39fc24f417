"""A picture becomes a `Portrait`: loaded, its face found or refused with a reason, its person cut out."""

from animate.portrait.faces import Face, draw_numbers
from animate.portrait.image import read_image
from animate.portrait.landmarks import FaceCandidate, LandmarkDetector
from animate.portrait.read import find_faces, people_from_image, portrait_from_image, read_people, read_portrait
from animate.portrait.restore import restore_image

__all__ = [
    "Face", "FaceCandidate", "LandmarkDetector", "draw_numbers", "find_faces", "people_from_image",
    "portrait_from_image", "read_image", "read_people", "read_portrait", "restore_image",
]  # fmt: skip
