"""Where in the spectrum of the tile each coded bit lives, and what the pilot looks like; both follow from the key.

The mark repeats with a period of `TILE` pixels of the canonical frame. Its Fourier coefficients lie in an annulus:
higher frequencies do not survive compression and resizing, lower ones are visible and drown in the picture. A
quarter of them is a *pilot* of known phase, by which the detector finds scale and position; each of the others
carries two coded bits, in its real and its imaginary part, and each coded bit sits in several places (spread
spectrum: Cox, Kilian, Leighton and Shamoon 1997).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import scipy.fft

from animate.provenance.code import NUM_CODED

TILE = 256
_RADIUS = (7.0, 28.0)  # of the annulus, in cycles per tile
_PILOT_SHARE = 0.2
_PILOT_GAIN = 1.45
_WHITE_LIMIT = 1.6  # times the root mean square of the ring
_RING_WIDTH = 1.5  # cycles per tile; picture and compression change little within one


@dataclass(frozen=True, eq=False)
class Layout:
    """The places of pilot and message; P pilot and D data coefficients, the pilot first.

    Attributes
    ----------
    row, column : int [P + D]
        Places in the spectrum of the tile: one of each conjugate pair.
    ring : int [P + D]
        Index of a coefficient's ring, by its radius.
    pilot : complex64 [P]
        Unit phasors.
    bit : int [2 D]
        Which coded bit each real part (the first D) and each imaginary part (the others) carries.
    sign : int8 [2 D]
        What the coded bit is multiplied with there.
    """

    row: np.ndarray
    column: np.ndarray
    ring: np.ndarray
    pilot: np.ndarray
    bit: np.ndarray
    sign: np.ndarray

    @classmethod
    def from_key(cls, key: bytes) -> Layout:
        """Return the layout that belongs to a key."""
        frequency = np.fft.fftfreq(TILE, 1 / TILE)  # cycles per tile
        v, u = np.meshgrid(frequency, frequency, indexing="ij")
        radius = np.hypot(u, v)
        half_plane = (v > 0) | ((v == 0) & (u > 0))
        places = np.argwhere((radius >= _RADIUS[0]) & (radius <= _RADIUS[1]) & half_plane)
        places = places[_permutation(key, "places", len(places))]
        row, column = places.T
        num_pilot = int(len(places) * _PILOT_SHARE)
        num_parts = 2 * (len(places) - num_pilot)
        rounds = [_permutation(key, f"bits {n}", NUM_CODED) for n in range(-(-num_parts // NUM_CODED))]
        quadrant = _numbers(key, "pilot", num_pilot) % 4
        return cls(
            row=row,
            column=column,
            ring=((radius[row, column] - _RADIUS[0]) // _RING_WIDTH).astype(int),
            pilot=np.exp(0.5j * np.pi * (quadrant + 0.5)).astype(np.complex64),
            bit=np.concatenate(rounds)[:num_parts],
            sign=(1 - 2 * (_numbers(key, "signs", num_parts) % 2).astype(np.int8)),
        )

    def coefficients(self, coded: np.ndarray) -> np.ndarray:
        """Return the mark's spectrum for coded bits of +1 and -1: complex64 [P + D], before any shaping."""
        parts = coded[self.bit] * self.sign / np.sqrt(2.0)  # [2 D]
        real, imaginary = np.split(parts, 2)
        return np.concatenate([_PILOT_GAIN * self.pilot, real + 1j * imaginary]).astype(np.complex64)

    def tile(self, coefficients: np.ndarray) -> np.ndarray:
        """Return the tile with these coefficients, float32 [256, 256] of mean square 1."""
        spectrum = np.zeros((TILE, TILE), np.complex64)
        spectrum[self.row, self.column] = coefficients
        tile = scipy.fft.ifft2(spectrum).real
        return (tile / np.sqrt(np.mean(tile**2))).astype(np.float32)

    def __post_init__(self):
        # Signed frequencies index a spectrum of any size: Python counts negative indices from the end.
        half = TILE // 2
        object.__setattr__(self, "cycles_y", (self.row + half) % TILE - half)
        object.__setattr__(self, "cycles_x", (self.column + half) % TILE - half)

    def whitened(self, spectrum: np.ndarray, mirrored: bool = False) -> np.ndarray:
        """Return what a spectrum [n, n] of a tile holds at the mark's places, complex64 [P + D], of even power.

        Each ring is brought to mean square 1 and single coefficients are limited, so that no line of the picture
        outweighs the mark. The spectrum of a mirrored picture is mirrored.
        """
        values = spectrum[self.cycles_y, -self.cycles_x if mirrored else self.cycles_x]
        power = np.bincount(self.ring, np.abs(values) ** 2) / np.bincount(self.ring)
        values = values / np.sqrt(power + 1e-9)[self.ring]
        size = np.abs(values)
        return (values * (np.minimum(size, _WHITE_LIMIT) / np.maximum(size, 1e-9))).astype(np.complex64)

    def matched(self, values: np.ndarray, period: int = TILE) -> np.ndarray:
        """Return the cross-spectrum of coefficients [P + D] with the pilot, Hermitian complex64 [period, period]."""
        count = len(self.pilot)
        y, x = self.cycles_y[:count], self.cycles_x[:count]
        matched = np.zeros((period, period), np.complex64)
        matched[y, x] = values[:count] * np.conj(self.pilot)
        matched[-y, -x] = np.conj(matched[y, x])
        return matched

    def shifted(self, values: np.ndarray, row: float, column: float) -> np.ndarray:
        """Return coefficients [P + D] as if the picture were moved up and left by so many pixels of the full tile."""
        return values * np.exp(2j * np.pi * (self.cycles_y * row + self.cycles_x * column) / TILE)

    def evidence(self, values: np.ndarray) -> np.ndarray:
        """Return the evidence for each coded bit, float64 [264], in whitened coefficients that are in position.

        Each ring counts by how well its pilot came through.
        """
        num_pilot, num_rings = len(self.pilot), self.ring.max() + 1
        fit = (values[:num_pilot] * np.conj(self.pilot)).real
        gain = np.bincount(self.ring[:num_pilot], fit, num_rings)
        gain /= np.maximum(np.bincount(self.ring[:num_pilot], minlength=num_rings), 1)
        gain = np.convolve(np.pad(gain, 2, "edge"), np.ones(5) / 5, "valid").clip(0.03)  # over neighbouring rings
        data = values[num_pilot:] * gain[self.ring[num_pilot:]]
        return np.bincount(self.bit, np.concatenate([data.real, data.imag]) * self.sign, NUM_CODED)


def _numbers(key: bytes, purpose: str, count: int) -> np.ndarray:
    """Return keyed uint64 numbers: the little-endian output of SHAKE-128, the same on every machine and version."""
    return np.frombuffer(hashlib.shake_128(purpose.encode() + b"\0" + key).digest(8 * count), "<u8")


def _permutation(key: bytes, purpose: str, count: int) -> np.ndarray:
    return np.argsort(_numbers(key, purpose, count), kind="stable")
