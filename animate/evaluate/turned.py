"""Does a performance turn the head further than its picture allows?"""

from animate.evaluate.figures import Figure
from animate.portrait.turning import turn_in_words, turn_range
from animate.types import Motion, Portrait


def turned_figure(portrait: Portrait, motion: Motion) -> Figure:
    """Return by how many degrees a motion turns the head beyond what the picture shows of it."""
    left_deg, right_deg = turn_range(portrait.face.vertices)
    yaw_deg = motion["headYaw"]
    beyond = max(0.0, float(yaw_deg.max()) - right_deg, -float(yaw_deg.min()) - left_deg)
    note = turn_in_words(portrait.face.pose.yaw_deg, left_deg, right_deg)
    return Figure("turned too far", beyond, "degrees", 0, note=note)
