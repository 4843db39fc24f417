"""Parts of a mask."""

import cv2
import numpy as np


def joined(mask: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """Return the pieces of a mask bool [h, w] that some seeds bool [h, w] lie in."""
    _, pieces = cv2.connectedComponents(mask.astype(np.uint8))
    return mask & np.isin(pieces, pieces[mask & seeds])
