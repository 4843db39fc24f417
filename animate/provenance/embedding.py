"""Put the mark into frames: one pattern for each portrait, computed from its still, then added to every frame.

The pattern stands still in the picture. Codecs then keep it in the blocks they skip, and it does not flicker.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from copy import copy
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from animate.clock import frame_rate
from animate.errors import MediaError
from animate.provenance import code
from animate.provenance.analysis import band, canonical_luma, spectrum
from animate.provenance.credentials import Origin, sign
from animate.provenance.layout import TILE, Layout
from animate.provenance.record import append, files_sha256
from animate.types import MarkedFrames, Signer, Speech

# Published on purpose: everyone can verify. So everyone could also forge or erase: the mark says that this engine
# made a picture, not who used it.
PUBLIC_KEY = b"animate-portrait public watermark key 1"
MIN_SIZE = 64  # pixels of the short side; below, the mark's annulus does not fit into the picture

_FAINT_FROM, _FAINTEST = 0.25, 0.75  # flat share of the picture from which it is less, and how much of it is left
_SMALL = 480  # pixels of the short side; codecs take so much from smaller pictures that they get the full mark
_DITHER_RANGE = 0.5  # of the thresholds of rounding, about one half
_DITHER_VARIANCE = 0.104  # grey levels squared, of rounding by them
_FLAT_TEXTURE = 1.8  # grey levels; detail up to which a region counts as flat
_FULL_TEXTURE = 4.0  # grey levels; detail that hides the mark well
_LOUD_TEXTURE = 6.0  # grey levels; above, the picture drowns the mark, and amplitude is better spent elsewhere
_MAX_TEXTURE_GAIN = 2.5
_NEAR_BLACK, _NEAR_WHITE = 30, 215  # luma beyond which a change of contrast clips the mark away
_IN_BLACK = 0.4  # share of the mark in black, where codecs drop it and SSIM counts it most
_FLAT_SIGMA, _FLAT_DEVIATION = 3.0, 2.5  # window and local deviation by which the quality gate calls a place flat
_RESAMPLED_SIGMA = 0.7  # pixels; warping takes about so much grain away, and what was rough may be flat
_STEP = 0.35  # how far one turn of the closed loop goes
_AMPLITUDES = (0.2, 3.0)  # of a coded bit after it
_ROUGH = 50  # JPEG quality in it


@dataclass(frozen=True)
class _Strength:
    """How much the mark may change a picture: PSNR in dB, and RMS in flat areas in grey levels, rounding included."""

    psnr_db: float
    flat_rms: float  # smooth skin shows faint mottling from about 1.2
    ssim_loss: float  # at most, of luma


STRENGTHS = {
    "balanced": _Strength(44.12, 0.92, 0.0094),
    "strong": _Strength(42.0, 1.25, 0.02),
    "discreet": _Strength(46.0, 0.75, 0.0065),
}


def mark(
    frames: Callable[[], Iterator[np.ndarray]],
    still: np.ndarray,
    *,
    fps: float | str | Fraction,
    num_frames: int,
    mark_id: str | None = None,
    strength: str = "balanced",
    key: bytes = PUBLIC_KEY,
    origin: Origin | None = None,
) -> MarkedFrames:
    """Mark a stream of frames.

    Parameters
    ----------
    frames : callable
        Returns a fresh iterator over the uint8 [H, W, 3] RGB or [H, W, 4] RGBA frames each time it is called.
    still : uint8 [H, W, 3] or [H, W, 4]
        The portrait the frames were made from, with alpha if they have one. The mark hides in its texture.
    fps : float, str or Fraction
        Frames per second.
    num_frames : int
        Length of the stream.
    mark_id : str, optional
        12 hex digits; random if omitted.
    strength : str
        "balanced" cannot be seen; "strong" survives more and shows faintly on smooth skin; "discreet" survives less.
    key : bytes
        A private key gives a mark that only its holders can read. `detect` needs the same key.
    origin : Origin, optional
        What the frames were made from, for the manifest and the record of files that are written.

    Returns
    -------
    MarkedFrames
        The same frames with the mark added as they pass.

    Raises
    ------
    MediaError
        If the picture is too small to carry the mark, the id is not 12 hex digits, or the strength is unknown.

    Examples
    --------
    >>> still = np.full((256, 256, 3), 128, np.uint8)
    >>> marked = mark(lambda: iter([still]), still, fps=25, num_frames=1, mark_id="0123456789ab")
    >>> marked.mark_id, next(iter(marked)).shape
    ('0123456789ab', (256, 256, 3))
    """
    height, width = still.shape[:2]
    if min(height, width) < MIN_SIZE:
        raise MediaError(
            f"A picture of {width}x{height} pixels is too small to carry the mark. Use {MIN_SIZE} or more each way."
        )
    mark_id = secrets.token_hex(6) if mark_id is None else mark_id.lower()
    if len(mark_id) != 12 or set(mark_id) - set("0123456789abcdef"):
        raise MediaError(f"{mark_id!r} is not a mark id. Use 12 hex digits, or None for a random one.")
    if strength not in STRENGTHS:
        raise MediaError(f"There is no strength {strength!r} of the mark. Use one of {', '.join(STRENGTHS)}.")
    increments = dithered(pattern(still[..., :3], int(mark_id, 16), key, STRENGTHS[strength]))
    has_alpha = still.shape[2] == 4
    return _Marked(frames, increments, has_alpha, frame_rate(fps), num_frames, mark_id, origin or Origin())


class _Marked(MarkedFrames):
    """Frames with a pattern added on the fly."""

    def __init__(
        self,
        frames: Callable,
        increments: np.ndarray,
        has_alpha: bool,
        fps: Fraction,
        num_frames: int,
        mark_id: str,
        origin: Origin,
    ):
        self._frames, self._origin, self.has_alpha = frames, origin, has_alpha
        height, width = increments.shape
        # The same for red, green and blue, so that grey pictures stay grey, and none for alpha. Two saturating uint8
        # operations are the fastest way to add signed increments: 0.3 ms at 512x512.
        self._raise, self._lower = (
            np.dstack([part.astype(np.uint8)] * 3 + [np.zeros(part.shape, np.uint8)] * has_alpha)
            for part in (np.maximum(increments, 0), np.maximum(-increments, 0))
        )
        self.size, self.fps, self.num_frames, self.mark_id = (width, height), fps, num_frames, mark_id
        self._signer: Signer | None = None

    def __iter__(self) -> Iterator[np.ndarray]:
        for frame in self._frames():
            if frame.shape != self._raise.shape or frame.dtype != np.uint8:
                raise MediaError(
                    f"A frame is {frame.dtype} {list(frame.shape)}; the mark needs uint8 {list(self._raise.shape)}."
                )
            raised = cv2.add(frame, self._raise)
            yield cv2.subtract(raised, self._lower, dst=raised)

    def seal(self, file: Path, speech: Speech | None = None) -> Path | None:
        """Sign a finished file, or each picture of a folder, and note it in the record.

        Raises
        ------
        ProvenanceError
            If it cannot be signed or noted.
        """
        origin = replace(self._origin, voice_sha256=speech.sha256 if speech else "")
        pictures = sorted(file.iterdir()) if file.is_dir() else [file]
        beside = None
        for picture in pictures:
            beside = sign(picture, self.mark_id, origin, self._signer)
        event = "rendered" if origin.edits is None else "restored"
        append(event, mark_id=self.mark_id, output_sha256=files_sha256(pictures), **asdict(origin))
        return beside

    def signed_by(self, signer: Signer | None) -> MarkedFrames:
        """Return the same stream, whose files are signed by another signer."""
        other = copy(self)
        other._signer = signer
        return other


def pattern(still: np.ndarray, mark_id: int, key: bytes, strength: _Strength) -> np.ndarray:
    """Return the increments of luma that mark a picture, float32 [H, W] in grey levels.

    The still is known when the mark is made, so the picture need not be noise to the message (informed embedding:
    Malvar and Florencio 2003). The detector reads the marked still back as a rough codec would leave it, and coded
    bits that the picture works against gain amplitude at the cost of those it helps. One such turn is best: more fit
    the still so closely that the moving frames lose.
    """
    layout = Layout.from_key(key)
    coded = code.encode(mark_id, key)
    luma = canonical_luma(still)
    busy = _busyness(still, luma)
    may_be_faint = min(still.shape[:2]) >= _SMALL
    shape = partial(_increments, layout, luma=luma, busy=busy, strength=strength, may_be_faint=may_be_faint)
    first = shape(coded)
    heard = layout.evidence(layout.whitened(spectrum(band(_roughly_encoded(luma + first))))) * coded  # [264]
    amplitude = np.clip(1 + _STEP * (1 - heard / max(heard.mean(), 1e-9)), *_AMPLITUDES)
    height, width = still.shape[:2]
    increments = cv2.resize(shape(coded * amplitude), (width, height), interpolation=cv2.INTER_CUBIC)
    return _fitted(increments, cv2.cvtColor(still, cv2.COLOR_RGB2GRAY).astype(np.float32), strength)


def _fitted(increments: np.ndarray, luma: np.ndarray, strength: _Strength) -> np.ndarray:
    """Lower increments until the quality that is measured, rounding included, keeps to the strength.

    What moves is resampled and loses grain: no place that would be flat then gets more than flat ones may.
    """
    resampled = cv2.GaussianBlur(luma, (0, 0), _RESAMPLED_SIGMA)
    flat = _local_variance(resampled, _FLAT_SIGMA) < _FLAT_DEVIATION**2
    around = cv2.GaussianBlur(flat.astype(np.float32), (0, 0), _FLAT_SIGMA)
    for _ in range(2):  # the part of the dither does not shrink with the mark, so once is not enough
        change = dithered(increments).astype(np.float32)
        excess = np.sqrt(cv2.GaussianBlur(change * change, (0, 0), _FLAT_SIGMA)) / strength.flat_rms
        increments = increments * (1 - (1 - 1 / np.maximum(excess, 1)) * around)
        change = dithered(increments).astype(np.float32)
        excess = (
            np.mean(change**2) / (255.0**2 * 10 ** (-strength.psnr_db / 10)),
            _ssim_loss(luma, change) / strength.ssim_loss,
        )
        increments = increments / np.sqrt(max(*excess, 1.0))
    return increments


def _increments(
    layout: Layout, coded: np.ndarray, luma: np.ndarray, busy: np.ndarray, strength: _Strength, may_be_faint: bool
) -> np.ndarray:
    """Return the increments for weighted coded bits on the canonical frame, float32 [h, w]."""
    tile = layout.tile(layout.coefficients(coded))
    repeats = [-(-length // TILE) for length in luma.shape]
    sheet = np.tile(tile, repeats)[: luma.shape[0], : luma.shape[1]]
    return sheet * _amplitude(luma, sheet, busy, strength, may_be_faint)


def _roughly_encoded(luma: np.ndarray) -> np.ndarray:
    """Return a float32 [h, w] picture at half the size and through a coarse JPEG, back at its own size."""
    height, width = luma.shape
    half = cv2.resize(luma, (width // 2, height // 2), interpolation=cv2.INTER_AREA)
    _, stored = cv2.imencode(".jpg", np.clip(half + 0.5, 0, 255).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, _ROUGH])
    half = cv2.imdecode(stored, cv2.IMREAD_GRAYSCALE).astype(np.float32)
    return cv2.resize(half, (width, height), interpolation=cv2.INTER_CUBIC)


def _amplitude(
    luma: np.ndarray, sheet: np.ndarray, busy: np.ndarray, strength: _Strength, may_be_faint: bool
) -> np.ndarray:
    """Return the amplitude of the mark, float32 [h, w]: first what flat regions bear, then texture up to the PSNR."""
    # Weber: a step shows more on dark skin than on bright.
    level = cv2.GaussianBlur(luma, (0, 0), 8.0)
    weber = np.clip(0.7 + level / 300, 0.7, 1.1) * np.clip(_IN_BLACK + level / _NEAR_BLACK, _IN_BLACK, 1)
    flat = (busy < 0.02) & (luma > _NEAR_BLACK) & (luma < _NEAR_WHITE)
    # Where much of a picture is flat the mark reads easily and would show most.
    share = np.clip((_FAINT_FROM / max(flat.mean(), 1e-9)) ** 0.25, _FAINTEST, 1) if may_be_faint else 1.0
    level = np.sqrt((strength.flat_rms * share) ** 2 - _DITHER_VARIANCE)
    if flat.mean() > 0.0005:
        level = level / np.sqrt(np.mean((sheet * weber)[flat] ** 2))
    base = level * weber * sheet
    by_psnr = _gain(base, busy, 255.0**2 * 10 ** (-strength.psnr_db / 10) - _DITHER_VARIANCE)
    # Added noise lowers SSIM (Wang, Bovik, Sheikh and Simoncelli 2004) by about its local variance times this.
    loss = 1 / (2 * _local_variance(luma) + (0.03 * 255) ** 2)
    local = base * np.sqrt(_local_variance(sheet).mean() * loss)
    budget = strength.ssim_loss - _DITHER_VARIANCE * loss.mean()
    whole = min(1.0, np.sqrt(budget / np.mean(local**2)))
    by_ssim = _gain(whole * local, busy, budget)
    return (whole * level * weber * (1 + min(by_psnr, by_ssim) * busy)).astype(np.float32)


def _local_variance(image: np.ndarray, sigma: float = 1.5) -> np.ndarray:
    """Return the variance within a Gaussian window; by default that of SSIM."""
    mean = cv2.GaussianBlur(image, (0, 0), sigma)
    return np.maximum(cv2.GaussianBlur(image * image, (0, 0), sigma) - mean**2, 0)


def _ssim_loss(luma: np.ndarray, increments: np.ndarray) -> float:
    """Return by about how much SSIM of float32 [H, W] luma falls below 1: by changes within its window, and of it."""
    after = np.clip(luma + increments, 0, 255)
    structure = _local_variance(after - luma) / (_local_variance(luma) + _local_variance(after) + (0.03 * 255) ** 2)
    mean, moved = cv2.GaussianBlur(luma, (0, 0), 1.5), cv2.GaussianBlur(after - luma, (0, 0), 1.5)
    return float(np.mean(structure + moved**2 / (2 * mean**2 + (0.01 * 255) ** 2)))


def _gain(base: np.ndarray, busy: np.ndarray, budget: float) -> float:
    """Return how much more busy regions may bear, so that mean((base * (1 + gain * busy))^2) is the budget."""
    added = base * busy
    a, b, c = np.mean(added**2), np.mean(base * added), np.mean(base**2) - budget
    return float(np.clip((-b + np.sqrt(max(b * b - a * c, 0))) / max(a, 1e-9), 0, _MAX_TEXTURE_GAIN))


def _busyness(still: np.ndarray, luma: np.ndarray) -> np.ndarray:
    """Return how much more mark a place should get than flat ones, float32 [h, w], 0 (flat) to 1.

    Texture must be there both at the size it is looked at and on the canonical frame, whose scale is the mark's.
    """
    native = cv2.cvtColor(still, cv2.COLOR_RGB2GRAY).astype(np.float32)
    height, width = luma.shape
    seen = cv2.resize(_texture(native), (width, height), interpolation=cv2.INTER_AREA)
    texture = np.minimum(seen, _texture(luma))
    busy = np.clip((texture - _FLAT_TEXTURE) / (_FULL_TEXTURE - _FLAT_TEXTURE), 0, 1)
    # The detector weighs by texture ** -1.5 (analysis.band); the best amplitude of a given energy goes like the weight.
    return busy * np.minimum(1, _LOUD_TEXTURE / np.maximum(texture, 1e-3)) ** 1.5


def _texture(image: np.ndarray) -> np.ndarray:
    """Return the local root mean square of the detail of a picture; smooth shading is not detail."""
    detail = image - cv2.GaussianBlur(image, (0, 0), 3.0)
    return np.sqrt(cv2.GaussianBlur(detail * detail, (0, 0), 3.0))


def dithered(increments: np.ndarray) -> np.ndarray:
    """Round float32 [H, W] increments to int8 by ordered dither, so that what is below a grey level is not lost.

    Plain rounding would draw contours around patches of one level; the threshold is interleaved gradient noise
    (Jimenez 2014), which the eye and the codecs pass over. Half of its range is enough for that, and costs a third
    less energy that carries nothing.
    """
    row, column = np.mgrid[: increments.shape[0], : increments.shape[1]]
    noise = np.modf(52.9829189 * np.modf(0.06711056 * column + 0.00583715 * row)[0])[0]
    return np.floor(increments + 0.5 + _DITHER_RANGE * (noise - 0.5)).astype(np.int8)
