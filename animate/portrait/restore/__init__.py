"""Restore an old photograph: straighten, repair, denoise, give contrast back, take a tint out, enlarge.

Every step first looks for evidence that it is needed, does nothing without, and says which it was.
"""

from animate.portrait.restore.steps import STEPS, parse_steps, restore_image

__all__ = ["STEPS", "parse_steps", "restore_image"]
