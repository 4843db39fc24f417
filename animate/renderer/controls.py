"""From motion channels to the controls of the rig: the few places where channels limit one another."""

import numpy as np

from animate.channels import BLENDSHAPES, INDEX

CONTROLS = BLENDSHAPES + tuple(
    lid + side for lid in ("lidUpper", "lidLower", "lidOverlap") for side in ("Right", "Left")
)
NUM_CONTROLS = len(CONTROLS)
COLUMN = {name: column for column, name in enumerate(CONTROLS)}

MEETING = 0.15  # where closed lids meet: this share of the opening above the lower lid
_SIDES = ("Right", "Left")


def controls_from_row(row: np.ndarray) -> np.ndarray:
    """Return the coefficients of the rig's basis for one row of a motion.

    Blendshapes are clipped to 0-1. `mouthClose` never exceeds `jawOpen`, so that lips do not cross, and the lids
    meet but do not cross: a lid control of 1 brings that lid to where closed lids meet, negative values widen.

    Parameters
    ----------
    row : float32 [58]

    Returns
    -------
    float32 [NUM_CONTROLS]
    """
    controls = np.zeros(NUM_CONTROLS, np.float32)
    np.clip(row[: len(BLENDSHAPES)], 0, 1, out=controls[: len(BLENDSHAPES)])
    given = controls.tolist()  # plain floats are quicker one by one
    controls[COLUMN["mouthClose"]] = min(given[COLUMN["mouthClose"]], given[COLUMN["jawOpen"]])
    for side in _SIDES:
        blink, squint, wide, down, up, cheek = (
            given[INDEX[name + side]]
            for name in ("eyeBlink", "eyeSquint", "eyeWide", "eyeLookDown", "eyeLookUp", "cheekSquint")
        )
        # The upper lid rides on the eyeball: it follows the gaze down and up (Evinger et al. 1991).
        resting = 0.42 * down + 0.2 * squint - 0.3 * wide - 0.22 * up
        raised = min(1.5 * squint + 0.9 * cheek, 2.2) - 0.3 * wide - 0.8 * down * (1 - squint)
        lower = raised * (1 - blink) + blink
        upper = resting * (1 - blink) + blink / (1 - MEETING) * (1 - MEETING * lower)
        controls[COLUMN["lidLower" + side]] = lower
        upper = min(upper, (1 - MEETING * lower) / (1 - MEETING))
        controls[COLUMN["lidUpper" + side]] = upper
        controls[COLUMN["lidOverlap" + side]] = max(0.0, (lid_closure(controls, side) - 0.8) / 0.2)
    return controls


def lid_closure(controls: np.ndarray, side: str) -> float:
    """Return how far the lids of the "Right" or "Left" eye are closed: 0 as in the picture, 1 shut, below 0 wider."""
    upper, lower = (float(controls[COLUMN[lid + side]]) for lid in ("lidUpper", "lidLower"))
    return (1 - MEETING) * upper + MEETING * lower
