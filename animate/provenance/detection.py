"""Find the mark in frames, without the original: search position, scale and mirror state by the pilot, then decode.

The pilot is correlated by one inverse FFT with all 65536 positions of the tile at once. Where nobody has resized the
picture unevenly, cropped or mirrored it, the first of these correlations finds the mark, after one frame.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice, product

import cv2
import numpy as np
import scipy.fft

from animate.errors import MediaError
from animate.provenance import code
from animate.provenance.analysis import band, canonical_luma, spectrum
from animate.provenance.embedding import MIN_SIZE, PUBLIC_KEY
from animate.provenance.layout import TILE, Layout
from animate.types import Verdict

MAX_FRAMES = 32
_FAST_AFTER = (1, 8)  # frames after which the unchanged geometry is tried; the full search follows all of them

# The largest score of a full search in unmarked pictures follows a Gumbel distribution; this mode and scale were
# fitted to 299 trials (62 pictures, video frames and synthetic patterns, cropped, resized, JPEG-coded and noisy at
# random, 70 % of them under random keys), pooled over three runs between which the search became faster. Their
# largest was 6.24, so smaller p-values are extrapolated; a rate of false positives cannot be quoted from so few.
_MODE, _SCALE = 5.16, 0.30
_READ_SCORE = 5.5  # below, the message is not even decoded
_CLEAR_SCORE = 8.0  # no accident: followed up at once, before the search has ended
_UNREAD_P = 1e-6  # at most, to call a picture marked whose id cannot be read


@dataclass(frozen=True)
class _Geometry:
    """What to do to the canonical frame so that the tile fits: scale, widen, rotate, mirror."""

    scale: float = 1.0
    aspect: float = 1.0
    rotation_deg: float = 0.0
    mirrored: bool = False


@dataclass(frozen=True, eq=False)
class _Peak:
    """The best position under one geometry."""

    score: float  # standard deviations
    geometry: _Geometry
    shift: tuple[int, int]  # row, column on the tile
    values: np.ndarray  # complex64 [P + D], whitened coefficients before the shift is undone


# Steps of 1 %, from the unchanged size outwards: crops to 42 % of the short side, borders that make it 1.9 times.
_SEARCH = [_Geometry(scale) for scale in sorted(np.geomspace(0.42, 1.9, 151), key=lambda scale: abs(math.log(scale)))]
_DEEP_SEARCH = [
    *(_Geometry(s, rotation_deg=r) for s, r in product(np.linspace(0.9, 1.1, 11), np.linspace(-3, 3, 13)) if r),
    *(_Geometry(s, aspect=a) for s, a in product(np.linspace(0.9, 1.1, 21), np.linspace(0.9, 1.1, 21)) if a != 1),
]
_FOLLOWED = 6  # best peaks of a search that are refined and read


def detect(frames: Iterable[np.ndarray], *, deep: bool = False, key: bytes = PUBLIC_KEY) -> Verdict:
    """Look for the mark of this library.

    Parameters
    ----------
    frames : iterable of uint8 [H, W, 3]
        RGB frames of one picture or video; up to 32 are used.
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
    total, shape = None, None
    for count, frame in enumerate(islice(frames, MAX_FRAMES), start=1):
        if shape not in (None, frame.shape):
            raise MediaError(f"The frames differ in size: {list(shape)} and {list(frame.shape)}.")
        shape = frame.shape
        if min(shape[:2]) < MIN_SIZE:
            return Verdict(False, None, 1.0, 0.0)
        signal = band(canonical_luma(frame))
        total = signal if total is None else total + signal
        if count in _FAST_AFTER:
            peak = _peaks(layout, total, _Geometry())[0]
            if (mark_id := _read(layout, peak, key)) is not None:
                return _verdict(peak.score, mark_id)
    if total is None:
        raise MediaError("There are no frames to look at. Give a picture or a video.")
    verdict = _search(layout, total, key, _SEARCH)
    if deep and verdict.mark_id is None:
        verdict = _search(layout, total, key, _SEARCH + _DEEP_SEARCH)
    return verdict


def _search(layout: Layout, signal: np.ndarray, key: bytes, geometries: list[_Geometry]) -> Verdict:
    """Try all geometries in both mirror states, follow up the best peaks and read them."""
    best, peaks = 0.0, []
    for geometry in geometries:
        for peak in _peaks(layout, signal, geometry):
            if peak.score >= _CLEAR_SCORE:
                peak = _refined(layout, signal, peak)
                if (mark_id := _read(layout, peak, key)) is not None:
                    return _verdict(peak.score, mark_id)
            best = max(best, peak.score)
            peaks = sorted([*peaks, peak], key=lambda peak: -peak.score)[:_FOLLOWED]
    for peak in peaks:
        peak = _refined(layout, signal, peak)
        best = max(best, peak.score)
        if (mark_id := _read(layout, peak, key)) is not None:
            return _verdict(peak.score, mark_id)
    return _verdict(best, None, len(geometries) / len(_SEARCH))


def _verdict(score: float, mark_id: str | None, extent: float = 1.0) -> Verdict:
    """Turn the largest score of a search, so many times as long as the ordinary one, into a verdict."""
    p_value = -math.expm1(-extent * math.exp(-(score - _MODE) / _SCALE))
    return Verdict(mark_id is not None or p_value < _UNREAD_P, mark_id, p_value, float(score))


def _peaks(layout: Layout, signal: np.ndarray, geometry: _Geometry) -> list[_Peak]:
    """Correlate with the pilot at all positions, as it is and mirrored."""
    coefficients = spectrum(_transformed(signal, geometry))
    direct, mirrored = (layout.whitened(coefficients, state) for state in (False, True))
    # Both correlations are real: one inverse FFT gives them as its real and its imaginary part.
    both = scipy.fft.ifft2(layout.matched(direct) + 1j * layout.matched(mirrored), norm="forward")
    return [
        _peak(layout, both.real, direct, geometry),
        _peak(layout, both.imag, mirrored, replace(geometry, mirrored=True)),
    ]


def _peak(layout: Layout, correlation: np.ndarray, values: np.ndarray, geometry: _Geometry) -> _Peak:
    place = int(correlation.argmax())
    deviation = np.sqrt(2 * np.sum(np.abs(values[: len(layout.pilot)]) ** 2))
    score = float(correlation.flat[place] / max(deviation, 1e-9))
    return _Peak(score, geometry, divmod(place, TILE), values)


def _transformed(signal: np.ndarray, geometry: _Geometry) -> np.ndarray:
    """Return the band under a geometry, float32."""
    scale_x, scale_y = geometry.scale * geometry.aspect, geometry.scale
    if geometry.rotation_deg:
        height, width = signal.shape
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), geometry.rotation_deg, 1)
        size = (round(width * scale_x), round(height * scale_y))
        return cv2.warpAffine(signal, np.diag([scale_x, scale_y]) @ turn, size, flags=cv2.INTER_LINEAR)
    if scale_x == scale_y == 1:
        return signal
    # The factors, not the size: given a size, OpenCV would round the scale to whole pixels.
    return cv2.resize(signal, None, fx=scale_x, fy=scale_y, interpolation=cv2.INTER_LINEAR)


def _refined(layout: Layout, signal: np.ndarray, peak: _Peak) -> _Peak:
    """Move to the best geometry near a peak: finer than the steps of the search."""
    for step in (0.0035, 0.0035, 0.0015):
        start = peak.geometry
        nearby = [replace(start, scale=start.scale * factor) for factor in (1 - step, 1 + step)]
        if start.aspect != 1:
            nearby += [replace(start, aspect=start.aspect * factor) for factor in (1 - step, 1 + step)]
        if start.rotation_deg:
            nearby += [replace(start, rotation_deg=start.rotation_deg + 50 * turn) for turn in (-step, step)]
        tried = [_peaks(layout, signal, geometry)[start.mirrored] for geometry in nearby]
        peak = max([peak, *tried], key=lambda peak: peak.score)
    return peak


def _read(layout: Layout, peak: _Peak, key: bytes) -> str | None:
    """Decode the message where the pilot fits."""
    if peak.score < _READ_SCORE:
        return None
    mark_id = code.decode(layout.evidence(layout.shifted(peak.values, *peak.shift)), key)
    return None if mark_id is None else f"{mark_id:012x}"
