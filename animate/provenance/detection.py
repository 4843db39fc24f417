"""Find the mark in frames, without the original: average their bands, search (`search.py`), decode.

Where nobody has resized the picture unevenly, cropped or mirrored it, one correlation finds the mark, often after
one frame.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from itertools import islice

import cv2
import numpy as np

from animate.errors import MediaError
from animate.provenance import code
from animate.provenance.analysis import band, canonical_luma
from animate.provenance.embedding import MIN_SIZE, PUBLIC_KEY
from animate.provenance.layout import Layout
from animate.provenance.search import DEEP, PLAIN, Geometry, Peak, View, candidates, peaks, seen_in
from animate.types import Verdict

MAX_FRAMES = 12  # the mark stands still, so more add little
_FAST_AFTER = (1, 4)  # frames after which the unchanged geometry is tried; the full search follows all of them

# The largest score of an ordinary search in unmarked material follows a Gumbel law. `animate-portrait bench unmarked`
# fitted 5.166 +- 0.002 and 0.230 +- 0.002 to 9500 items (the largest score was 6.94, no id was read); the scale here is
# larger, so that p-values err on the safe side. Beyond 1e-3 they are extrapolated.
_MODE, _SCALE = 5.17, 0.26
_ZOOMS = 0.75, 0.52  # at which crops are looked at too
_READ_SCORE = 5.5  # below, the message is not even decoded
_UNREAD_P = 1e-6  # at most, to call a picture marked whose id cannot be read


def detect(frames: Iterable[np.ndarray], *, deep: bool = False, key: bytes = PUBLIC_KEY) -> Verdict:
    """Look for the mark of this library.

    Parameters
    ----------
    frames : iterable of uint8 [H, W, 3]
        RGB frames of one picture or video; up to 12 are used: spread them over its length.
    deep : bool
        Also search rotations up to 3 degrees and changes of aspect up to 10 %.
    key : bytes
        The key the mark was made with.

    Returns
    -------
    Verdict
        Pictures of less than 64 pixels on the short side cannot carry the mark: they are never marked. The p-value
        is that of the largest peak of the whole search, also when the first try found the mark.

    Raises
    ------
    MediaError
        If there are no frames, or they differ in size.

    Examples
    --------
    >>> detect([np.zeros((128, 128, 3), np.uint8)]).marked
    False
    """
    layout = Layout.from_key(key)
    lumas, bands, shape = [], [], None
    for count, frame in enumerate(islice(frames, MAX_FRAMES), start=1):
        if shape not in (None, frame.shape):
            raise MediaError(f"The frames differ in size: {list(shape)} and {list(frame.shape)}.")
        shape = frame.shape
        if min(shape[:2]) < MIN_SIZE:
            return Verdict(False, None, 1.0, 0.0)
        lumas.append(canonical_luma(frame))
        bands.append(band(lumas[-1]))
        if count in _FAST_AFTER:
            peak = peaks(layout, View(1.0, sum(bands)), Geometry())[0]
            if (mark_id := _read(layout, peak, key)) is not None:
                return _verdict(peak.score, mark_id)
    if not lumas:
        raise MediaError("There are no frames to look at. Give a picture or a video.")
    views = [View(1.0, sum(bands)), *(View(zoom, sum(band(_zoomed(luma, zoom)) for luma in lumas)) for zoom in _ZOOMS)]
    best = 0.0
    for geometries in (PLAIN, DEEP) if deep else (PLAIN,):
        for peak in candidates(layout, views, geometries):
            best = max(best, peak.score)
            mark_id = _read(layout, peak, key)
            if mark_id is None:  # the message may come through at full size where this view misses a few bits
                mark_id = _read(layout, seen_in(layout, views[0], peak), key)
            if mark_id is not None:
                return _verdict(peak.score, mark_id)
    return _verdict(best, None, 1 + deep * len(DEEP) / len(PLAIN))


def _zoomed(luma: np.ndarray, zoom: float) -> np.ndarray:
    return cv2.resize(luma, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)


def _verdict(score: float, mark_id: str | None, extent: float = 1.0) -> Verdict:
    """Turn the largest score of a search, so many times as long as the ordinary one, into a verdict."""
    p_value = -math.expm1(-extent * math.exp(-(score - _MODE) / _SCALE))
    return Verdict(mark_id is not None or p_value < _UNREAD_P, mark_id, p_value, float(score))


def _read(layout: Layout, peak: Peak, key: bytes) -> str | None:
    """Decode the message where the pilot fits."""
    if peak.score < _READ_SCORE:
        return None
    mark_id = code.decode(layout.evidence(layout.shifted(peak.values, *peak.shift)), key)
    return None if mark_id is None else f"{mark_id:012x}"
