"""Training material: programmes on disk as a few long arrays, and random windows of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from tqdm import tqdm

from animate.errors import ConfigError
from animate.motion.denoiser import STYLES
from animate.motion.emotions import EMOTIONS
from animate.motion.latents import LATENTS
from animate.speech.features import FEATURES, MOTION_FPS, NUM_MELS
from animate.train import augment
from animate.train.programmes import Shelves, class_of_each_frame, draw_programme

_BATCH = 64  # programmes that a worker makes at a time


def list_clips(corpus: Path, split: str) -> list[Path]:
    """Return the JSON files of the complete clips of a split ('train' or 'test').

    Raises
    ------
    ConfigError
        If there are none.
    """
    paths = sorted((corpus / "clips").glob("*.json"))
    clips = [path for path in paths if json.loads(path.read_text(encoding="utf-8"))["split"] == split]
    if not clips:
        raise ConfigError(f"No {split} clips in {corpus}. Run: python -m animate.train.corpus --out {corpus}")
    return clips


def prepare(corpus: Path, folder: Path, hours: float, seed: int, workers: int = 1, progress: bool = False) -> None:
    """Write about `hours` of augmented speech with the teacher's controls under `folder`, unless it is there.

    Arrays float16 [N, ...] `features`, `controls`, `emotion` and `style`, uint8 [N] `phones`, and int64 [P + 1]
    `starts`, the rows at which the programmes begin. What is made does not depend on the number of workers.
    """
    if (folder / "starts.npy").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    total = round(hours * 3600 * MOTION_FPS)
    parts: dict[str, list[np.ndarray]] = {}
    starts = [0]
    with tqdm(total=total, unit="frame", desc="augmenting", disable=not progress) as bar:
        for rows in _batches(corpus, seed, workers):
            for row in rows:
                if starts[-1] >= total:
                    break
                for name, array in row.items():
                    parts.setdefault(name, []).append(array)
                starts.append(starts[-1] + len(row["features"]))
                bar.update(len(row["features"]))
            if starts[-1] >= total:
                break
    for name, arrays in parts.items():
        np.save(folder / f"{name}.npy", np.concatenate(arrays))
    np.save(folder / "starts.npy", np.array(starts))  # last: it marks the folder as complete


def _batches(corpus: Path, seed: int, workers: int) -> Iterator[list[dict[str, np.ndarray]]]:
    """Yield batches of programmes endlessly, in order, at most a few of them ahead of what is taken."""
    make = partial(_make_batch, list_clips(corpus, "train"), seed)
    if workers == 1:
        yield from map(make, _endless())
    with ProcessPoolExecutor(workers) as pool:
        ahead = [pool.submit(make, number) for number in range(2 * workers)]
        for number in _endless():
            ahead.append(pool.submit(make, number + 2 * workers))
            yield ahead.pop(0).result()


def _endless() -> Iterator[int]:
    number = 0
    while True:
        yield number
        number += 1


def _make_batch(clips: list[Path], seed: int, number: int) -> list[dict[str, np.ndarray]]:
    shelves = Shelves(clips)
    rows = []
    for index in range(number * _BATCH, (number + 1) * _BATCH):
        programme = draw_programme(shelves, np.random.default_rng((seed, index)))
        count = len(programme.features)
        rows.append(
            {
                "features": programme.features.astype(np.float16),
                "controls": programme.controls.astype(np.float16),
                "emotion": programme.emotion.astype(np.float16),
                "style": np.tile(programme.style.astype(np.float16), (count, 1)),
                "phones": class_of_each_frame(programme),
            }
        )
    return rows


@dataclass(frozen=True, eq=False)
class Batch:
    """Windows: `features` float32 [B, T + 2 margin, D], `controls` [B, T, L], `emotion` [B, T, E], `style` [B, T, S]
    and `phones` int64 [B, T]."""

    features: np.ndarray
    controls: np.ndarray
    emotion: np.ndarray
    style: np.ndarray
    phones: np.ndarray


class Windows:
    """Random windows of the prepared material.

    Parameters
    ----------
    folder : Path
        As `prepare` left it.
    num_frames : int
        Of a window.
    margin : int
        Frames of sound on both sides of it that the encoder may hear; silence where there are none.
    """

    def __init__(self, folder: Path, num_frames: int, margin: int):
        names = ("features", "controls", "emotion", "style", "phones")
        self.arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in names}
        self.starts = np.load(folder / "starts.npy")
        self.num_frames, self.margin = num_frames, margin
        self.lengths = np.diff(self.starts)
        room = np.maximum(self.lengths - num_frames + 1, 0)
        self.weights = room / room.sum()

    def batch(self, size: int, rng: np.random.Generator) -> Batch:
        """Draw `size` windows."""
        frames = self.num_frames
        heard = np.zeros((size, frames + 2 * self.margin, len(FEATURES)), np.float32)
        drawn = {
            "controls": np.empty((size, frames, len(LATENTS)), np.float32),
            "emotion": np.empty((size, frames, len(EMOTIONS)), np.float32),
            "style": np.empty((size, frames, len(STYLES)), np.float32),
            "phones": np.empty((size, frames), np.int64),
        }
        for row, programme in enumerate(rng.choice(len(self.lengths), size, p=self.weights)):
            length, origin = self.lengths[programme], self.starts[programme]
            # The beginning is where the model must start from nothing: draw it more often than chance would
            start = 0 if rng.random() < 0.1 else int(rng.integers(0, length - frames + 1))
            left, right = max(0, start - self.margin), min(length, start + frames + self.margin)
            into = left - (start - self.margin)
            heard[row, into : into + right - left] = self.arrays["features"][origin + left : origin + right]
            augment.disguise(heard[row, :, :NUM_MELS], rng)
            for name, array in drawn.items():
                array[row] = self.arrays[name][origin + start : origin + start + frames]
        return Batch(heard, **drawn)
