"""What lies above a picture whose upper edge cuts the hair: made up, so that the hair can come down with the head."""

import cv2
import numpy as np

from animate.renderer.attachment import bare_margins
from animate.renderer.backdrop import diffuse_fill
from animate.renderer.sampling import colours_at
from animate.types import Portrait

_HEIGHT = 0.9  # eye distances; motion dies away over its upper third, which no nod brings into sight
_LIKE = 40.0  # of 255, by which the colour of hair differs from that of what is below
_DETAIL = 0.05  # eye distances; strands and highlights are smaller
_EVEN = 0.08  # eye distances along the edge over which the depth of the hair is evened out
_ARCH = 0.45  # height of a crown over half its width where the edge cuts it
_SOFT = 0.02  # eye distances, of its edge


def room_overhead(portrait: Portrait, region: tuple[int, int, int, int], unit: float) -> int:
    """Return how many rows are to be made up above a picture: none where the hair ends well before its edge.

    Parameters
    ----------
    portrait : Portrait
    region : tuple of int
        left, top, right, bottom of what moves, pixels.
    unit : float
        Eye distance, pixels.
    """
    cut = region[1] == 0 and bare_margins(portrait.matte > 0.5, unit)[1] == 0
    return round(_HEIGHT * unit) if cut else 0


def make_overhead(image: np.ndarray, matte: np.ndarray, rows: int, unit: float) -> tuple[np.ndarray, np.ndarray]:
    """Make up what lies above a picture: smooth background, and over it the hair that the edge cuts, under an arch.

    Parameters
    ----------
    image : uint8 [H, W, 3]
    matte : float32 [H, W]
    rows : int
    unit : float
        Eye distance, pixels.

    Returns
    -------
    uint8 [rows, W, 3], float32 [rows, W]
        Of the picture and of the matte.
    """
    width = matte.shape[1]
    crown = np.zeros((rows, width), np.float32)
    if not rows:
        return np.empty((0, width, 3), np.uint8), crown
    x, up = np.arange(width), np.arange(rows, 0, -1, dtype=np.float32)[:, None]
    ends = np.flatnonzero(np.diff(matte[0] > 0.5, prepend=False, append=False)).reshape(-1, 2)
    for start, end in ends:
        half = (end - start) / 2
        crown[((x + 0.5 - start - half) / half) ** 2 + up / (_ARCH * half) < 1] = 1
    crown = cv2.GaussianBlur(crown, (0, 0), _SOFT * unit + 0.3)

    around = np.vstack([np.zeros((rows, width, 3), np.uint8), image[:rows]])
    background = diffuse_fill(around, np.vstack([crown > 2, matte[:rows] < 0.1]))[:rows]
    # Hair goes on mirrored, over and over, as far down as it reaches.
    top = cv2.GaussianBlur(image[:rows].astype(np.float32), (0, 0), _DETAIL * unit)
    edge = cv2.blur(image[:1].astype(np.float32), (2 * round(_EVEN * unit) + 1, 1))
    other = np.abs(top - edge).max(axis=2) > _LIKE  # [rows, W]
    depth = np.where(other.any(axis=0), other.argmax(axis=0), rows - 1).astype(np.float32)[None]
    depth = cv2.erode(depth, np.ones((1, 2 * round(_EVEN * unit) + 1)))
    depth = np.maximum(cv2.GaussianBlur(depth, (0, 0), _EVEN * unit), 1)
    down = up % (2 * depth)
    hair = colours_at(image, np.dstack([np.tile(x, (rows, 1)), np.minimum(down, 2 * depth - down)]))
    return np.round(background + crown[..., None] * (hair - background)).astype(np.uint8), crown
