"""One curve for everything that begins and ends softly, in time and in space."""

from __future__ import annotations

import numpy as np


def smoothstep(share: np.ndarray) -> np.ndarray:
    """Return 0 below 0, 1 above 1, and between them a rise that is flat at both ends: 3 s^2 - 2 s^3.

    Examples
    --------
    >>> smoothstep(np.array([-1.0, 0.25, 0.5, 2.0]))
    array([0.     , 0.15625, 0.5    , 1.     ])
    """
    share = np.clip(share, 0, 1)
    return share * share * (3 - 2 * share)
