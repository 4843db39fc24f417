"""Several people in one picture, each moving on their own."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from animate.errors import PortraitError
from animate.renderer.mesh_renderer import MeshRenderer
from animate.topology import NOSE_TIP
from animate.types import Motion, Portrait


class GroupRenderer:
    """Moves several people of one picture, from the back to the front.

    Each is drawn by a `MeshRenderer` on what is drawn already; what those in front hide of the others is made up from
    what is around it, and shows only where they move aside. Everybody else, and the background, stay as they are.

    Parameters
    ----------
    portraits : sequence of Portrait
        Of the same picture, as `animate.read_people` gives them.
    device : str
        As for `MeshRenderer`.

    Raises
    ------
    PortraitError
        If there is none, or they are of different pictures.

    Attributes
    ----------
    renderers : list of MeshRenderer
        In the order of the portraits.
    """

    def __init__(self, portraits: Sequence[Portrait], device: str = "cpu"):
        if not portraits or any(not np.array_equal(portraits[0].image, other.image) for other in portraits[1:]):
            raise PortraitError("A group needs portraits of one and the same picture. Read them with read_people.")
        self._back_first = sorted(range(len(portraits)), key=lambda index: -_num_before(portraits[index], portraits))
        self.renderers: list[MeshRenderer] = [None] * len(portraits)
        self._nobody = portraits[0].image
        for index in reversed(self._back_first):
            portrait = portraits[index]
            alone = replace(portrait, image=self._nobody, in_front=_still_before(portrait, portraits))
            self.renderers[index] = MeshRenderer(alone, device)
            self._nobody = self.renderers[index].picture_behind()

    def draw(self, rows: Sequence[np.ndarray]) -> np.ndarray:
        """Return the frame uint8 [H, W, 3] RGB for one row float32 [58] of each motion; a fresh array."""
        frame = self._nobody.copy()
        for index in self._back_first:
            self.renderers[index].draw(rows[index], onto=frame)
        return frame

    def frames(self, motions: Sequence[Motion]) -> Iterator[np.ndarray]:
        """Draw motions of the same rate, one for each portrait, until the shortest ends; in bounded memory."""
        for rows in zip(*(motion.values for motion in motions)):
            yield self.draw(rows)


def _num_before(portrait: Portrait, portraits: Sequence[Portrait]) -> int:
    """Return how many of the others stand before a person."""
    return sum(_at_nose(portrait.in_front, other) > 0.5 for other in portraits if other is not portrait)


def _still_before(portrait: Portrait, portraits: Sequence[Portrait]) -> np.ndarray | None:
    """Return where people stand before a person who are none of the group, float32 [H, W], or None."""
    if portrait.in_front is None:
        return None
    group = np.max([other.matte for other in portraits if other is not portrait] or [0 * portrait.matte], axis=0)
    still = portrait.in_front * (1 - group)
    return still if still.max() > 0.5 else None


def _at_nose(mask: np.ndarray | None, portrait: Portrait) -> float:
    if mask is None:
        return 0.0
    x, y = portrait.face.vertices[NOSE_TIP, :2].astype(int)
    return float(mask[np.clip(y, 0, len(mask) - 1), np.clip(x, 0, mask.shape[1] - 1)])
