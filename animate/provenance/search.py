"""Find where the mark lies: scale, aspect, rotation, mirror state and position, by correlation with the pilot.

One inverse FFT correlates with all positions of the tile at once. The search runs at half the size, where the mark's
annulus still fits and everything takes a quarter of the time; what it finds is refined, the last step at full size.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import cv2
import numpy as np
import scipy.fft

from animate.provenance.analysis import spectrum
from animate.provenance.layout import TILE, Layout

_HALF = TILE // 2


@dataclass(frozen=True)
class Geometry:
    """What to do to the canonical frame so that the tile fits: scale, widen, rotate, mirror."""

    scale: float = 1.0
    aspect: float = 1.0
    rotation_deg: float = 0.0
    mirrored: bool = False


@dataclass(frozen=True, eq=False)
class View:
    """The band of the canonical frame at a zoom, float32 [h, w].

    What was cropped is enlarged on the canonical frame, and so is the mark; the filters of the band fit it only where
    it has the size it was made at.
    """

    zoom: float
    band: np.ndarray


@dataclass(frozen=True, eq=False)
class Peak:
    """The best position under one geometry.

    Attributes
    ----------
    score : float
        Height of the correlation in standard deviations.
    geometry : Geometry
    shift : tuple of float
        Row and column on the full tile.
    values : complex64 [P + D]
        Whitened coefficients before the shift is undone.
    """

    score: float
    geometry: Geometry
    shift: tuple[float, float]
    values: np.ndarray


# Steps of 1 %, from the unchanged size outwards: crops to 42 % of the short side, borders that make it 1.9 times.
PLAIN = [Geometry(scale) for scale in sorted(np.geomspace(0.42, 1.9, 151), key=lambda scale: abs(math.log(scale)))]
_TURNS = sorted((turn for turn in np.arange(-12, 13) / 2 if turn), key=abs)
_ASPECTS = sorted(
    (aspect for aspect in np.geomspace(0.86, 1.16, 31) if abs(aspect - 1) > 1e-6), key=lambda a: abs(a - 1)
)
DEEP = [
    *(Geometry(s, rotation_deg=r) for r, s in product(_TURNS, np.geomspace(0.88, 1.14, 17))),
    *(Geometry(s, aspect=a) for a, s in product(_ASPECTS, np.geomspace(0.88, 1.14, 25))),
]
_FOLLOWED = 6  # best peaks of a search that are refined
_CLEAR_SCORE = 8.0  # no accident: refined at once, before the search has ended


def candidates(layout: Layout, views: list[View], geometries: list[Geometry]) -> Iterator[Peak]:
    """Yield refined peaks: clear ones as soon as they are met, at last the best of all.

    Parameters
    ----------
    layout : Layout
    views : list of View
        Bands of the same frames at several zooms; each geometry is looked for in the one nearest to its scale.
    geometries : list of Geometry
    """
    halves = [
        View(view.zoom, cv2.resize(view.band, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)) for view in views
    ]
    best: list[Peak] = []
    for geometry in geometries:
        for peak in peaks(layout, _nearest(halves, geometry), geometry, _HALF):
            if peak.score >= _CLEAR_SCORE:
                yield _refined(layout, views, halves, peak)
            elif len(best) < _FOLLOWED or peak.score > best[-1].score:
                best = sorted([*best, peak], key=lambda peak: -peak.score)[:_FOLLOWED]
    for peak in best:
        yield _refined(layout, views, halves, peak)


def _nearest(views: list[View], geometry: Geometry) -> View:
    return min(views, key=lambda view: abs(math.log(geometry.scale / view.zoom)))


def peaks(layout: Layout, view: View, geometry: Geometry, period: int = TILE) -> tuple[Peak, Peak]:
    """Correlate a band with the pilot at all positions, as it is and mirrored."""
    coefficients = spectrum(_transformed(view, geometry), period)
    direct, mirrored = (layout.whitened(coefficients, state) for state in (False, True))
    # Both correlations are real: one inverse FFT gives them as its real and its imaginary part.
    both = scipy.fft.ifft2(layout.matched(direct, period) + 1j * layout.matched(mirrored, period), norm="forward")
    return (
        _peak(layout, both.real, direct, replace(geometry, mirrored=False)),
        _peak(layout, both.imag, mirrored, replace(geometry, mirrored=True)),
    )


def _peak(layout: Layout, correlation: np.ndarray, values: np.ndarray, geometry: Geometry) -> Peak:
    place = int(correlation.argmax())
    deviation = np.sqrt(2 * np.sum(np.abs(values[: len(layout.pilot)]) ** 2))
    score = float(correlation.flat[place] / max(deviation, 1e-9))
    row, column = (index * TILE / len(correlation) for index in divmod(place, len(correlation)))
    return Peak(score, geometry, (row, column), values)


def _transformed(view: View, geometry: Geometry) -> np.ndarray:
    """Return the band under a geometry, float32."""
    signal, scale_y = view.band, geometry.scale / view.zoom
    scale_x = scale_y * geometry.aspect
    if geometry.rotation_deg:
        height, width = signal.shape
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), geometry.rotation_deg, 1)
        size = (round(width * scale_x), round(height * scale_y))
        return cv2.warpAffine(signal, np.diag([scale_x, scale_y]) @ turn, size, flags=cv2.INTER_LINEAR)
    if scale_x == scale_y == 1:
        return signal
    # The factors, not the size: given a size, OpenCV would round the scale to whole pixels.
    return cv2.resize(signal, None, fx=scale_x, fy=scale_y, interpolation=cv2.INTER_LINEAR)


def _refined(layout: Layout, views: list[View], halves: list[View], peak: Peak) -> Peak:
    """Move to the best geometry near a peak: finer than the steps of the search."""
    for step in (0.004, 0.002):
        half = _nearest(halves, peak.geometry)
        nearby = [peaks(layout, half, geometry, _HALF) for geometry in _neighbours(peak.geometry, step)]
        peak = max([peak, *(pair[peak.geometry.mirrored] for pair in nearby)], key=lambda peak: peak.score)
    return seen_in(layout, _nearest(views, peak.geometry), peak, 0.001)


def seen_in(layout: Layout, view: View, peak: Peak, step: float = 0.0005) -> Peak:
    """Return a peak as a view of the same frames shows it, at its geometry or a step beside that."""
    nearby = [peaks(layout, view, geometry) for geometry in (peak.geometry, *_neighbours(peak.geometry, step))]
    return max((pair[peak.geometry.mirrored] for pair in nearby), key=lambda peak: peak.score)


def _neighbours(geometry: Geometry, step: float) -> list[Geometry]:
    nearby = [replace(geometry, scale=geometry.scale * factor) for factor in (1 - step, 1 + step)]
    if geometry.aspect != 1:
        nearby += [replace(geometry, aspect=geometry.aspect * factor) for factor in (1 - step, 1 + step)]
    if geometry.rotation_deg:
        nearby += [replace(geometry, rotation_deg=geometry.rotation_deg + 50 * turn) for turn in (-step, step)]
    return nearby
