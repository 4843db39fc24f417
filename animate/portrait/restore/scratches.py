"""Find scratches: long thin lines of one colour that lie over whatever a picture shows, straight or jagged.

A line is searched whole, then judged whole, so what is repaired is repaired from end to end. The first must be so long
and strong that it is no wire, hair or rim of light. Others of its colour are believed more easily: damage does not come
alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from animate.portrait.restore.noise import finest_noise
from animate.portrait.restore.tone import picture_range

# Set on 16 clean pictures (photographs, paintings, a statue, a cartoon, animals), six other photographs and a frame of
# each of seven videos, on none of which anything is found, and on scratches drawn over seven of them. The strongest line
# of the clean ones, a cable, has 0.031 where a certain scratch needs `_CERTAIN`.
_DIRECTIONS = 12
_ALONG_PX = 3  # luma is averaged over so much of a line, against noise
_STEP = 14.0  # grey levels by which a scratch stands out on both sides,
_NOISE_STEPS = 3.0  # or standard deviations of noise,
_SPAN_STEP = 0.15  # or share of the span from black to white, whichever is most
_ALIKE = 0.8  # difference between both sides of a scratch, as a share of its contrast: else it is an outline
_HIDDEN = 0.5  # share of what it crosses that a scratch hides
_HALF_WIDTH = 0.006  # from the middle of a scratch to the picture beside it, as a share of the short side
_LENGTH, _LENGTH_PX = 0.06, 25  # least length, as a share of the short side and in pixels
_GAP = 0.01  # between the pieces of a scratch, as a share of the short side
_BRIDGED = 0.02  # between two parts of one, across which all of its colour belongs to it
_FAINT = 0.5  # of that step is enough where a scratch goes on
_MARGIN = 0.015  # lines along the picture's edge are its frame
_BARE = 1.1  # brighter by far than what the picture shows: surely no part of it
_PAPER = 0.85  # of the span from black to white; what is brighter may be bare paper
_SUPPORT = 0.4  # share of a certain scratch that is beside such pixels
_CERTAIN = 0.04  # weight times variety, see `_Line`, of a certain scratch
_LEAST_VARIETY = 0.1  # which is added: a scratch over an even background counts less, but does count
_LIKELY = 0.03  # weight of others
_STRANGE = 0.5  # and more, by this share of how much their colour differs from the certain ones'
_SAME_COLOUR = 0.1  # of the span, by which a piece of a scratch may be less bright
_CROWDED, _LESS_CROWDED = 0.12, 0.3  # crowd, see `_Line`, of a certain scratch and of others
_MOSTLY = 0.4  # share of a line inside the features of a face from which it is one of them


@dataclass(frozen=True, eq=False)
class _Line:
    """A connected line.

    Attributes
    ----------
    window : tuple of slice
        The part of the picture it is in.
    mask : bool [rows, columns]
        Where it is in the window.
    level : float
        Its brightness where it hides most; 0 is the picture's black, 1 its white.
    weight : float
        Its length as a share of the picture's short side times its contrast.
    variety : float
        Standard deviation of the brightness of what it crosses; a rim of light or a wire follows one thing.
    support : float
        Share of it that is beside pixels as bright as paper.
    crowd : float
        Share of the places around it that are on lines too: high in hair, fabric and craquelure.
    """

    window: tuple[slice, slice]
    mask: np.ndarray
    level: float
    weight: float
    variety: float
    support: float
    crowd: float


def find_scratches(luma: np.ndarray, features: np.ndarray) -> np.ndarray:
    """Return where scratches lie, bool [h, w].

    Parameters
    ----------
    luma : float32 [h, w]
    features : bool [h, w]
        Eyes, brows, nostrils and lips: a line that lies mostly in them is no scratch.
    """
    black, white = picture_range(luma)
    span = max(1.0, white - black)
    step = max(_STEP / span, _NOISE_STEPS * finest_noise(luma) / span, _SPAN_STEP)
    ridges = _ridges((luma - black) / span)
    lines = np.maximum(*(contrast for contrast, _ in ridges)) > step
    return np.logical_or(*(_of_one_colour(contrast, level, step, lines, features) for contrast, level in ridges))


def _ridges(luma: np.ndarray) -> tuple[tuple[np.ndarray, np.ndarray], ...]:
    """Return how much brighter each place is than both its sides, and its brightness; then the same of the negative.

    Each float32 [h, w], in the direction of most contrast. `luma` is 0 for black and 1 for white.
    """
    half_width = _half_width(luma.shape)
    beside = cv2.blur(luma, (3, 3))
    ridges = tuple((np.zeros(luma.shape, np.float32), level.copy()) for level in (luma, 1 - luma))
    for angle in np.arange(_DIRECTIONS) * np.pi / _DIRECTIONS:
        across = half_width * np.array([-np.sin(angle), np.cos(angle)])
        left, right = _shifted(beside, across), _shifted(beside, -across)
        along = cv2.filter2D(luma, -1, _line_kernel(_ALONG_PX, angle))
        outline = np.abs(left - right) / _ALIKE
        bright, dark = (along - np.maximum(left, right), along), (np.minimum(left, right) - along, 1 - along)
        for (contrast, level), (here, here_level) in zip(ridges, (bright, dark)):
            more = (here > contrast) & (here > outline)
            contrast[more], level[more] = here[more], here_level[more]
    return ridges


def _of_one_colour(
    contrast: np.ndarray, level: np.ndarray, step: float, lines: np.ndarray, features: np.ndarray
) -> np.ndarray:
    """Return the bright lines that are scratches beyond doubt, and all of their colour, bool [h, w].

    `contrast` and `level` as from `_ridges`; `lines` is all that looks like a line, bright or dark.
    """
    found = np.zeros(level.shape, bool)
    hiding = (contrast > step) & (contrast > _HIDDEN * (np.maximum(level, 1) - level + contrast))
    certain = [
        line
        for line in _lines(hiding, contrast, level, lines, features)
        if line.weight * (line.variety + _LEAST_VARIETY) > _CERTAIN
        and line.support > _SUPPORT
        and line.crowd < _CROWDED
    ]
    if not certain:
        return found
    colour = float(np.median([line.level for line in certain]))
    hiding = (contrast > step) & (contrast > _HIDDEN * (np.maximum(level, colour) - level + contrast))
    for line in _lines(hiding, contrast, level, lines, features):
        if line.weight > _LIKELY + _STRANGE * abs(line.level - colour) and line.crowd < _LESS_CROWDED:
            found[line.window] |= line.mask
    coloured = (level > colour - _SAME_COLOUR) & ~features  # pupils and lashes are easily taken for a scratch's end
    pieces = (
        coloured & (contrast > _FAINT * step) & (contrast > _HIDDEN * (np.maximum(level, colour) - level + contrast))
    )
    if colour > _BARE:
        pieces |= coloured & (level > (1 + colour) / 2)
    found |= _pieces(found, pieces)
    reach = 2 * round(_BRIDGED * min(found.shape)) + 1
    bridged = cv2.morphologyEx(found.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((reach, reach), np.uint8))
    bridged = cv2.dilate(bridged, np.ones((7, 7), np.uint8)) > 0  # the outside of a bend too
    return found | (bridged & coloured)


def _lines(
    hiding: np.ndarray, contrast: np.ndarray, level: np.ndarray, lines: np.ndarray, features: np.ndarray
) -> list[_Line]:
    """Return the connected lines of `hiding` that are long, thin, not the picture's frame and no facial feature."""
    short, half_width = min(level.shape), _half_width(level.shape)
    margin = max(3, round(_MARGIN * short))
    inside = np.zeros(level.shape, bool)
    inside[margin:-margin, margin:-margin] = True
    paper = hiding & (level > _PAPER)
    near, far = (
        cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * k + 1,) * 2) for k in (half_width + 1, 4 * half_width)
    )
    _, labels, stats, _ = cv2.connectedComponentsWithStats(hiding.astype(np.uint8))
    found = []
    for label, (x, y, width, height, _) in enumerate(stats[1:], start=1):
        length = float(np.hypot(width, height))
        if length < max(_LENGTH * short, _LENGTH_PX):
            continue
        reach = 4 * half_width
        window = np.s_[max(0, y - reach) : y + height + reach, max(0, x - reach) : x + width + reach]
        mask = labels[window] == label
        if inside[window][mask].mean() < 0.5 or features[window][mask].mean() > _MOSTLY:
            continue
        line = mask.astype(np.uint8)
        around = (cv2.dilate(line, far) > 0) & (cv2.dilate(line, near) == 0)
        supported = cv2.dilate((mask & paper[window]).astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
        found.append(
            _Line(
                window,
                mask,
                level=float(np.quantile(level[window][mask], 0.75)),
                weight=length / short * float(np.median(contrast[window][mask])),
                variety=float((level - contrast)[window][mask].std()),
                support=float(supported[mask].mean()),
                crowd=float(lines[window][around].mean()),
            )
        )
    return found


def _pieces(found: np.ndarray, like: np.ndarray) -> np.ndarray:
    """Return the pieces of `like` that go on where what was found ends, or are short and lie within a gap of it."""
    short = min(found.shape)
    near = cv2.dilate(found.astype(np.uint8), np.ones((2 * round(_GAP * short) + 1,) * 2, np.uint8)) > 0
    _, labels, stats, _ = cv2.connectedComponentsWithStats(like.astype(np.uint8))
    goes_on, is_near = np.zeros((2, len(stats)), bool)
    goes_on[labels[found & like]] = True
    is_near[labels[near & like]] = True
    is_short = np.hypot(stats[:, 2], stats[:, 3]) < max(_LENGTH * short, _LENGTH_PX)
    return (goes_on | (is_near & is_short))[labels]


def _half_width(shape: tuple[int, int]) -> int:
    return max(4, round(_HALF_WIDTH * min(shape)))


def _shifted(image: np.ndarray, by: np.ndarray) -> np.ndarray:
    """Return what lies `by` (x, y) pixels beside each place; the border is repeated."""
    x, y = (round(float(part)) for part in by)
    height, width = image.shape
    reach = max(abs(x), abs(y))
    padded = cv2.copyMakeBorder(image, reach, reach, reach, reach, cv2.BORDER_REPLICATE)
    return padded[reach + y : reach + y + height, reach + x : reach + x + width]


def _line_kernel(length: int, angle: float) -> np.ndarray:
    """Return the mean over a line through the middle, float32 [length, length]."""
    kernel, middle = np.zeros((length, length), np.float32), length // 2
    reach = middle * np.array([np.cos(angle), np.sin(angle)])
    start, end = (tuple(round(float(middle + sign * part)) for part in reach) for sign in (-1, 1))
    cv2.line(kernel, start, end, 1.0)
    return kernel / kernel.sum()
