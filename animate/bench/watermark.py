"""Measure the mark: its quality, its cost, and what it survives, on clips of the engine itself.

A clip is rendered, marked and written as a user would; every attack of `animate.bench.attacks` then starts from that file.
"""

from __future__ import annotations

import itertools
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from animate import media, provenance
from animate.bench.attacks import ATTACKS, FPS, Attack, shrunk
from animate.errors import ConfigError
from animate.types import MarkedFrames, Portrait

_FLAT_TEXTURE = 2.5  # grey levels of local standard deviation up to which a place counts as flat
_WANG = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
_MARK_ID = "5a17c0ffee42"


@dataclass(frozen=True)
class Quality:
    """What the mark changes in one clip, before any encoder, and what that costs."""

    clip: str
    psnr_db: float
    flat_rms: float  # grey levels, where the local standard deviation is under 2.5; NaN if nothing is flat
    ssim: float
    embed_ms: float  # a frame


@dataclass(frozen=True)
class Trial:
    """One clip after one attack."""

    attack: Attack
    clip: str
    mark_id: str | None
    score: float
    seconds: float  # of the detector, decoding not included

    @property
    def exact(self) -> bool:
        """Whether the very id was read."""
        return self.mark_id == _MARK_ID


def clips(portraits: list, voices: list, seconds: float) -> Iterator[tuple[str, np.ndarray, Callable]]:
    """Yield name, still and a function that draws the unmarked frames, for each portrait with each voice in turn.

    Portraits are files or `Portrait`, voices are files.

    Raises
    ------
    PortraitError, VoiceError
        If a file cannot be used.
    """
    from animate.pipeline import Animator, generate_motion, read_portrait, read_voice
    from animate.renderer import MeshRenderer

    model = Animator.from_pretrained().model
    for (number, file), sound in zip(enumerate(portraits), itertools.cycle(voices)):
        portrait = file if isinstance(file, Portrait) else read_portrait(file)
        speech = read_voice(sound)
        speech = replace(speech, samples=np.resize(speech.samples, round(seconds * speech.sample_rate)))
        motion = generate_motion(speech, model=model, seed=number).resampled(FPS)
        yield f"{Path(portrait.name).stem} {number}", portrait.image, partial(MeshRenderer(portrait).frames, motion)


def measure(
    name: str,
    still: np.ndarray,
    draw: Callable[[], Iterator[np.ndarray]],
    *,
    attacks: Iterable[Attack] = ATTACKS,
    strength: str = "balanced",
) -> Iterator[Quality | Trial]:
    """Yield the quality of one clip, then its trials as they are made.

    Parameters
    ----------
    name : str
    still : uint8 [H, W, 3]
        The portrait.
    draw : callable
        Returns a fresh iterator over its unmarked frames.
    attacks : iterable of Attack
    strength : str
        Preset of the mark.
    """
    for pixels, group in itertools.groupby(sorted(attacks, key=_portrait_px), key=_portrait_px):
        clip = _Clip(still, draw, pixels, strength)
        if not pixels:
            yield _quality(name, clip)
        with tempfile.TemporaryDirectory() as folder:
            file = media.write_video(Path(folder, "clip.mp4"), clip.marked)
            for attack in group:
                seen = spread(attack(media.read_frames(file)), provenance.MAX_FRAMES)
                start = time.perf_counter()
                verdict = provenance.detect(seen, deep=attack.deep)
                yield Trial(attack, name, verdict.mark_id, verdict.score, time.perf_counter() - start)


def _portrait_px(attack: Attack) -> int:
    return attack.portrait_px or 0


class _Clip:
    """A clip whose unmarked frames can be drawn beside the marked ones, at another size if one is given."""

    def __init__(self, still: np.ndarray, draw: Callable, pixels: int, strength: str):
        resize = partial(shrunk, pixels=pixels) if pixels else np.asarray
        self.still = resize(still)
        self.draw = lambda: map(resize, draw())
        count = sum(1 for _ in draw())
        self.marked: MarkedFrames = provenance.mark(
            self.draw, self.still, fps=FPS, num_frames=count, mark_id=_MARK_ID, strength=strength
        )


def _quality(name: str, clip: _Clip) -> Quality:
    from skimage.metrics import structural_similarity

    errors, flat_errors, similarities = [], [], []
    for number, (plain, marked) in enumerate(zip(clip.draw(), clip.marked)):
        if number % 10:
            continue
        squared = (marked.astype(np.float32) - plain) ** 2
        errors.append(squared.mean())
        flat_errors.append(squared[_flat(plain)])
        if not number:  # as Wang et al. (2004) define it: on luma, in a Gaussian window
            luma = (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (plain, marked))
            similarities.append(structural_similarity(*luma, **_WANG))
    flat = np.concatenate(flat_errors)
    return Quality(
        clip=name,
        psnr_db=float(10 * np.log10(255**2 / np.mean(errors))),
        flat_rms=float(np.sqrt(flat.mean())) if flat.size else float("nan"),
        ssim=float(np.mean(similarities)),
        embed_ms=_embed_ms(clip.still),
    )


def _flat(frame: np.ndarray) -> np.ndarray:
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float64)
    mean = cv2.GaussianBlur(grey, (0, 0), 3)
    return np.sqrt(np.maximum(cv2.GaussianBlur(grey * grey, (0, 0), 3) - mean**2, 0)) < _FLAT_TEXTURE


def _embed_ms(still: np.ndarray, count: int = 50) -> float:
    marked = provenance.mark(lambda: itertools.repeat(still, count), still, fps=FPS, num_frames=count)
    start = time.perf_counter()
    for _ in marked:
        pass
    return (time.perf_counter() - start) / count * 1000


def spread(frames: Iterable[np.ndarray], count: int) -> list[np.ndarray]:
    """Return at most `count` frames spread evenly over a stream of unknown length, in bounded memory.

    Examples
    --------
    >>> spread(range(10), 4)
    [0, 4, 8]
    """
    kept, stride = [], 1
    for number, frame in enumerate(frames):
        if number % stride == 0:
            kept.append(frame)
            if len(kept) > count:
                kept, stride = kept[::2], stride * 2
    return kept


def chosen(names: list[str] | None) -> list[Attack]:
    """Return the attacks of these names; all if there are none.

    Raises
    ------
    ConfigError
        If a name is unknown.
    """
    by_name = {attack.name: attack for attack in ATTACKS}
    if unknown := set(names or ()) - set(by_name):
        raise ConfigError(f"There is no attack {min(unknown)!r}. The attacks are: {'; '.join(by_name)}.")
    return [by_name[name] for name in names or by_name]


def table(results: list[Quality | Trial]) -> str:
    """Return the results as text: quality first, then one line an attack with its bar."""
    lines = _quality_lines([result for result in results if isinstance(result, Quality)])
    lines.append(f"{'attack':28}{'exact id':>10}{'bar':>7}{'score':>8}{'s, mean':>9}{'s, max':>8}")
    trials = [result for result in results if isinstance(result, Trial)]
    for attack in ATTACKS:
        group = [trial for trial in trials if trial.attack == attack]
        if not group:
            continue
        exact = sum(trial.exact for trial in group)
        bar = f"{attack.bar:7.0%}" if attack.bar else f"{'-':>7}"
        seconds = [trial.seconds for trial in group]
        missed = "  MISSED" if attack.bar and exact < attack.bar * len(group) else ""
        lines.append(
            f"{attack.name:28}{f'{exact}/{len(group)}':>10}{bar}{np.mean([trial.score for trial in group]):8.1f}"
            f"{np.mean(seconds):9.2f}{max(seconds):8.2f}{missed}"
        )
    return "\n".join(lines)


def _quality_lines(qualities: list[Quality]) -> list[str]:
    if not qualities:
        return []
    lines = [f"{'quality of ' + str(len(qualities)) + ' clips':28}{'worst':>10}{'median':>10}"]
    for label, field, worst in (
        ("PSNR, dB", "psnr_db", np.min),
        ("RMS in flat areas, levels", "flat_rms", np.nanmax),
        ("SSIM", "ssim", np.min),
        ("embedding, ms a frame", "embed_ms", np.max),
    ):
        values = [getattr(quality, field) for quality in qualities]
        lines.append(f"{label:28}{worst(values):10.4g}{np.nanmedian(values):10.4g}")
    return [*lines, ""]
