"""How often the detector could be wrong: scores of unmarked material, the law they follow, and its confidence.

Items are made from the given files and from synthetic patterns, changed at random (crop, size, mirror, rotation,
JPEG, noise, blur, tone, a caption, several frames averaged), so that no two of them are alike.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np

from animate import media, provenance
from animate.bench import attacks
from animate.errors import AnimateError

_MAX_FRAMES = 24  # kept of one file
_MAX_SIDE = 900  # pixels; larger material is brought down first, to save time
_BATCH = 25  # items to a task of a worker


@dataclass(frozen=True)
class Item:
    """One unmarked thing and what the detector said of it."""

    kind: str
    score: float
    marked: bool
    mark_id: str | None


@dataclass(frozen=True)
class Fit:
    """A Gumbel law fitted to the scores by maximum likelihood; the errors are standard ones of the bootstrap."""

    mode: float
    mode_error: float
    scale: float
    scale_error: float


def examine(files: list[str], count: int, *, seed: int = 0, deep: bool = False, workers: int = 1) -> Iterator[Item]:
    """Yield so many items as they are examined.

    Parameters
    ----------
    files : list of path
        Unmarked pictures and videos; half of the items come from them, the others are synthetic.
    count : int
    seed : int
        The same seed and files give the same items.
    deep : bool
        Use the deep search.
    workers : int
        Processes.
    """
    tasks = [(files, list(range(n, min(n + _BATCH, count))), seed, deep) for n in range(0, count, _BATCH)]
    if workers == 1:
        for task in tasks:
            yield from _examined(task)
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("spawn")) as pool:
        for items in pool.map(_examined, tasks):
            yield from items


def fit(scores: np.ndarray, rounds: int = 50) -> Fit:
    """Fit the law of the largest score of a search, float [N]."""
    from scipy.stats import gumbel_r

    random = np.random.default_rng(0)
    mode, scale = gumbel_r.fit(scores)
    again = np.array([gumbel_r.fit(random.choice(scores, len(scores))) for _ in range(rounds)])
    return Fit(float(mode), float(again[:, 0].std()), float(scale), float(again[:, 1].std()))


def report(items: list[Item]) -> str:
    """Return the count of false alarms, the bound on their rate and the fitted law, as text."""
    scores = np.array([item.score for item in items if item.score])
    law = fit(scores)
    read, alarms = (sum(bool(flag) for flag in flags) for flags in zip(*((i.mark_id, i.marked) for i in items)))
    lines = [
        f"{len(items)} unmarked items: {read} ids read, {alarms} called marked",
        f"rate of false alarms below {3.0 / len(items):.2g} at 95 % confidence, by the count alone (rule of three)",
        f"largest score {scores.max():.2f}; Gumbel mode {law.mode:.3f} +- {law.mode_error:.3f}, "
        f"scale {law.scale:.4f} +- {law.scale_error:.4f}",
    ]
    for tail in (1e-2, 1e-3):
        level = law.mode - law.scale * np.log(-np.log1p(-tail))
        lines.append(f"fitted chance {tail:g} is a score of {level:.2f}: seen {np.mean(scores > level):.2g}")
    kinds = sorted({item.kind for item in items})
    for kind in kinds:
        own = [item.score for item in items if item.kind == kind]
        lines.append(f"  {kind:16}{len(own):6} items, mean {np.mean(own):.2f}, largest {max(own):.2f}")
    return "\n".join(lines)


def _examined(task: tuple) -> list[Item]:
    cv2.setNumThreads(1)
    files, numbers, seed, deep = task
    items = []
    for number in numbers:
        random = np.random.default_rng([seed, number])
        kind, frames = _drawn(files, random)
        verdict = provenance.detect([np.ascontiguousarray(frame) for frame in frames], deep=deep)
        items.append(Item(kind, verdict.score, verdict.marked, verdict.mark_id))
    return items


def _drawn(files: list[str], random: np.random.Generator) -> tuple[str, list[np.ndarray]]:
    """Return kind and frames, uint8 [H, W, 3], of a random item."""
    if files and random.random() < 0.5:
        frames = _frames_of(str(files[random.integers(len(files))]))
        kind = "video" if len(frames) > 1 else "picture"
        frames = [frames[n] for n in sorted(random.integers(len(frames), size=random.choice([1, 1, 4])))]
    else:
        kind = str(random.choice(list(_PATTERNS)))
        size = random.integers(200, 800, 2)
        frames = [_PATTERNS[kind](random, *size)]
    change = _changes(random)
    return kind, [change(frame) for frame in frames]


_cache: dict[str, list[np.ndarray]] = {}


def _frames_of(file: str) -> list[np.ndarray]:
    if file not in _cache:
        frames = list(media.read_frames(file, max_frames=_MAX_FRAMES))
        if not frames:
            raise AnimateError(f"{file} holds no frames.")
        largest = max(frames[0].shape[:2])
        factor = min(1.0, _MAX_SIDE / largest)
        _cache[file] = [cv2.resize(frame, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA) for frame in frames]
    return _cache[file]


def _changes(random: np.random.Generator):
    """Return a function that changes a frame, the same way each time."""
    crop, factor, turn = random.uniform(0.4, 1), random.uniform(0.5, 1.5), random.uniform(-8, 8)
    place, mirrored, quality = random.random(2), random.random() < 0.5, int(random.integers(25, 96))
    gain, gamma, blur, deviation = random.uniform(0.6, 1.4), random.uniform(0.6, 1.6), random.uniform(0.3, 2), 4.0
    use = random.random(8) < 0.5
    steps = [
        (use[0], attacks.rotated(turn)),
        (use[1], attacks.cropped(crop, *place)),
        (use[2], attacks.resized(factor)),
        (mirrored, attacks.each(lambda frame: frame[:, ::-1])),
        (use[3], attacks.levels(gain=gain, gamma=gamma)),
        (use[4], attacks.each(lambda frame: cv2.GaussianBlur(frame, (0, 0), blur))),
        (use[5], attacks.noise(deviation * blur)),
        (use[6] and use[0], attacks.each(attacks.overlaid)),
        (use[7], attacks.jpeg(quality)),
    ]

    def change(frame: np.ndarray) -> np.ndarray:
        for wanted, step in steps:
            if wanted and min(frame.shape[:2]) > 2 * provenance.MIN_SIZE:
                frame = next(step(iter([frame])))
        return frame

    return change


def _noise(random, height, width):
    return random.integers(0, 256, (height, width, 3), np.uint8)


def _clouds(random, height, width):
    """Noise of power 1 / f ** a, the spectrum of natural scenes at a = 2 (Field 1987)."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(height), np.fft.rfftfreq(width), indexing="ij"))
    amplitude = np.maximum(frequency, 1 / max(height, width)) ** -random.uniform(0.6, 1.6)
    phase = np.exp(2j * np.pi * random.random(amplitude.shape))
    layers = [np.fft.irfft2(amplitude * phase * np.exp(1j * random.normal()), (height, width)) for _ in range(3)]
    picture = np.stack(layers, axis=2)
    return np.clip(128 + picture / picture.std() * random.uniform(15, 50), 0, 255).astype(np.uint8)


def _stripes(random, height, width):
    y, x = np.mgrid[:height, :width]
    total = np.zeros((height, width))
    for _ in range(random.integers(1, 5)):
        fy, fx = random.normal(0, 0.12, 2)
        total += np.sin(2 * np.pi * (fy * y + fx * x) + random.random() * 6) * random.uniform(8, 50)
    return np.repeat(np.clip(128 + total, 0, 255).astype(np.uint8)[..., None], 3, axis=2)


def _checks(random, height, width):
    y, x = np.mgrid[:height, :width]
    step_y, step_x = random.integers(3, 60, 2)
    picture = ((y // step_y + x // step_x) % 2)[..., None] * random.integers(20, 200, 3) + random.integers(0, 55, 3)
    return picture.astype(np.uint8)


def _shapes(random, height, width):
    picture = np.full((height, width, 3), random.integers(0, 256, 3), np.uint8)
    for _ in range(random.integers(5, 120)):
        centre = tuple(int(v) for v in random.integers(0, [width, height]))
        axes = tuple(int(v) for v in random.integers(3, 120, 2))
        colour = tuple(int(v) for v in random.integers(0, 256, 3))
        cv2.ellipse(picture, centre, axes, float(random.uniform(0, 180)), 0, 360, colour, -1, cv2.LINE_AA)
    return picture


def _writing(random, height, width):
    picture = np.full((height, width, 3), 255, np.uint8)
    size = random.uniform(0.3, 1.2)
    for y in range(20, height, int(34 * size) + 4):
        line = "".join(chr(random.integers(33, 123)) for _ in range(80))
        cv2.putText(picture, line, (6, y), cv2.FONT_HERSHEY_SIMPLEX, size, (0, 0, 0), 1, cv2.LINE_AA)
    return picture


def _gradient(random, height, width):
    y, x = np.mgrid[:height, :width]
    slope = random.normal(0, 1, (3, 2))
    ramps = [128 + 120 * np.tanh((a * y / height + b * x / width) * 2 - (a + b) / 2) for a, b in slope]
    return np.clip(np.stack(ramps, axis=2) + random.normal(0, 0.6, (height, width, 1)), 0, 255).astype(np.uint8)


_PATTERNS = {
    "noise": _noise,
    "clouds": _clouds,
    "stripes": _stripes,
    "checks": _checks,
    "shapes": _shapes,
    "writing": _writing,
    "gradient": _gradient,
}
