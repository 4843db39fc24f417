"""Measure the mark: its quality, its cost, and what it survives, on clips of the engine itself.

A clip is rendered, marked and written as a user would; each of `animate.bench.attacks` then starts from that file.
Results can be kept as JSON lines, so that a long run may be stopped and taken up again.
"""

from __future__ import annotations

import itertools
import json
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
from animate.camera import Shot, shoot
from animate.errors import ConfigError
from animate.renderer import MeshRenderer
from animate.types import MarkedFrames, Motion, Portrait

_FLAT_TEXTURE = 2.5  # grey levels of local standard deviation up to which a place counts as flat
_FLAT_SHARE = 0.001  # of a clip; less is no area
_WANG = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
_MARK_ID = "5a17c0ffee42"


@dataclass(frozen=True)
class Quality:
    """What the mark changes in one clip, before any encoder, and what that costs."""

    clip: str
    psnr_db: float
    flat_rms: float  # grey levels, where the local standard deviation is under 2.5; NaN if hardly anything is flat
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
    peer: str = ""  # whose mark it is, if not ours

    @property
    def exact(self) -> bool:
        """Whether the very id was read."""
        return self.mark_id == _MARK_ID


@dataclass(frozen=True)
class Drawn:
    """A clip of the engine: its name, the still its mark is made for, and a function that draws the unmarked frames."""

    name: str
    still: np.ndarray
    draw: Callable[[], Iterator[np.ndarray]]


def clips(portraits: list, voices: list, seconds: list[float], size: int | str = "") -> Iterator[Drawn]:
    """Yield a clip of each portrait, as large as `render` makes it, with voices and lengths in turn and its own seed.

    Portraits are files or `Portrait`, voices are files; `size` is as in `RenderConfig`.

    Raises
    ------
    PortraitError, VoiceError
        If a file cannot be used.
    """
    from animate.pipeline import Animator, generate_motion, read_portrait, read_voice

    model = Animator.from_pretrained().model
    for number, (file, sound, length) in enumerate(zip(portraits, itertools.cycle(voices), itertools.cycle(seconds))):
        portrait = file if isinstance(file, Portrait) else read_portrait(file)
        speech = read_voice(sound)
        speech = replace(speech, samples=np.resize(speech.samples, round(length * speech.sample_rate)))
        motion = generate_motion(speech, model=model, seed=number).resampled(FPS)
        renderer = MeshRenderer(portrait)
        shot = shoot(portrait, renderer, motion, np.arange(len(motion)) / FPS, size=size)
        draw = partial(_draw, shot, renderer, motion)
        yield Drawn(f"{Path(portrait.name).stem} {number}", shot.still, draw)


def _draw(shot: Shot, renderer: MeshRenderer, motion: Motion) -> Iterator[np.ndarray]:
    return shot.frames(renderer.frames(motion))


def measure(
    drawn: Drawn,
    *,
    attacks: Iterable[Attack] = ATTACKS,
    strength: str = "balanced",
    known: Iterable[Quality | Trial] = (),
) -> Iterator[Quality | Trial]:
    """Yield the quality of one clip, then its trials as they are made.

    Parameters
    ----------
    drawn : Drawn
    attacks : iterable of Attack
    strength : str
        Preset of the mark.
    known : iterable of Quality or Trial
        What is not measured again.
    """
    own = [result for result in known if result.clip == drawn.name]
    has_quality = any(isinstance(result, Quality) for result in own)
    tried = {result.attack for result in own if isinstance(result, Trial) and not result.peer}
    attacks = [attack for attack in attacks if attack not in tried]
    for pixels, group in itertools.groupby(sorted(attacks, key=_portrait_px), key=_portrait_px):
        clip = _Clip(drawn, pixels, strength)
        if not pixels and not has_quality:
            yield _quality(drawn.name, clip)
        with tempfile.TemporaryDirectory() as folder:
            file = media.write_video(Path(folder, "clip.mp4"), clip.marked)
            for attack in group:
                seen = spread(attack(media.read_frames(file)), provenance.MAX_FRAMES)
                start = time.perf_counter()
                verdict = provenance.detect(seen, deep=attack.deep)
                yield Trial(attack, drawn.name, verdict.mark_id, verdict.score, time.perf_counter() - start)


def _portrait_px(attack: Attack) -> int:
    return attack.portrait_px or 0


class _Clip:
    """A clip whose unmarked frames can be drawn beside the marked ones, at another size if one is given."""

    def __init__(self, drawn: Drawn, pixels: int, strength: str):
        resize = partial(shrunk, pixels=pixels) if pixels else np.asarray
        self.still = resize(drawn.still)
        self.draw = lambda: map(resize, drawn.draw())
        count = sum(1 for _ in drawn.draw())
        self.marked: MarkedFrames = provenance.mark(
            self.draw, self.still, fps=FPS, num_frames=count, mark_id=_MARK_ID, strength=strength
        )


def _quality(name: str, clip: _Clip) -> Quality:
    from skimage.metrics import structural_similarity

    errors, flat_errors, similarities, num_values = [], [], [], 0
    for number, (plain, marked) in enumerate(zip(clip.draw(), clip.marked)):
        if number % 10:
            continue
        squared = (marked.astype(np.float32) - plain) ** 2
        errors.append(squared.mean())
        num_values += squared.size
        flat_errors.append(squared[_flat(plain)])
        if not number:  # as Wang et al. (2004) define it: on luma, in a Gaussian window
            luma = (cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in (plain, marked))
            similarities.append(structural_similarity(*luma, **_WANG))
    flat = np.concatenate(flat_errors)
    return Quality(
        clip=name,
        psnr_db=float(10 * np.log10(255**2 / np.mean(errors))),
        flat_rms=float(np.sqrt(flat.mean())) if flat.size > _FLAT_SHARE * num_values else float("nan"),
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


def keep(result: Quality | Trial, file: Path) -> None:
    """Add a result to a file of JSON lines."""
    line = vars(result) | ({"attack": result.attack.name} if isinstance(result, Trial) else {})
    with file.open("a") as stream:
        stream.write(json.dumps(line) + "\n")


def kept(file: Path) -> list[Quality | Trial]:
    """Return the results of a file that `keep` wrote; none if there is none. A last line that was cut off is left out.

    Raises
    ------
    ConfigError
        If it holds something else.
    """
    by_name = {attack.name: attack for attack in ATTACKS}
    lines = file.read_text().split("\n")[:-1] if file.is_file() else []
    try:
        results = [json.loads(line) for line in lines]
        return [
            Trial(**{**line, "attack": by_name[line["attack"]]}) if "attack" in line else Quality(**line)
            for line in results
        ]
    except (ValueError, TypeError, KeyError) as error:
        raise ConfigError(f"{file} does not hold results of this benchmark ({error}). Name another file.") from error


def table(results: list[Quality | Trial]) -> str:
    """Return the results as text: quality first, then one line an attack with its bar; then the same of each peer."""
    peers = sorted({result.peer for result in results if isinstance(result, Trial)} - {""})
    parts = [_table([result for result in results if isinstance(result, Quality) or not result.peer])]
    for peer in peers:
        others = [result for result in results if isinstance(result, Trial) and result.peer == peer]
        parts.append(f"{peer} (score: share of its 48 bits that are right)\n{_table(others)}")
    return "\n\n".join(parts)


def _table(results: list[Quality | Trial]) -> str:
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
