"""Several people at once: together in a picture, side by side, or in conversation."""

from animate.people.conversation import Conversation, converse
from animate.people.group import Group, Performer, perform_together
from animate.people.scene import read_conversation

__all__ = ["Conversation", "Group", "Performer", "converse", "perform_together", "read_conversation"]
