"""Training material: augmented programmes of speech and silence with the teacher's curves, on disk as two arrays.

A programme is what a recording may hold: silence, a few utterances with pauses between them, breaths, sometimes no
speech at all. Features are taken from the whole programme, so that levels and noise floors are those of a recording.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from animate.errors import ConfigError
from animate.motion.latents import LATENTS
from animate.speech.features import FEATURES, MOTION_FPS, NUM_MELS, extract_features
from animate.train import augment
from animate.train.behaviour import behaviour_curves
from animate.train.corpus import SAMPLE_RATE, read_clip
from animate.train.phonemes import PAUSE, Phone
from animate.train.teacher import lip_curves
from animate.types import Speech

_NO_SPEECH = 0.08  # share of programmes with noise or music alone
# How often each source is drawn, however much of it there is: natural voices first, statistical ones as seasoning
_SOURCE_SHARES = {"kokoro": 0.65, "hibari": 0.23, "flite": 0.07, "festival": 0.05}


@dataclass(frozen=True, eq=False)
class Programme:
    """One augmented recording: features float32 [T, D], controls float32 [T, L] and its phones."""

    features: np.ndarray
    controls: np.ndarray
    phones: list[Phone]


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


def make_programme(clips: list[Path], rng: np.random.Generator, clean: bool = False) -> Programme:
    """Assemble, record and label one programme of the given clips; `clean` leaves out the recording's defects."""
    pieces, phones, clock = [], [], 0
    for path in clips:
        gap = int(SAMPLE_RATE * rng.choice((rng.uniform(0, 0.3), rng.uniform(0.3, 1.0), rng.uniform(1.0, 2.5))))
        silence = np.zeros(gap, np.float32)
        if gap > 0.3 * SAMPLE_RATE and rng.random() < 0.35:
            size = int(rng.uniform(0.02, min(0.5, gap / SAMPLE_RATE - 0.1)) * SAMPLE_RATE)
            start = int(rng.integers(0, gap - size))
            silence[start : start + size] = augment.breath(size, rng) * rng.uniform(0.005, 0.06)
        samples, spoken, _ = read_clip(path)
        factor = 1.0 if clean else float(rng.uniform(0.82, 1.25))
        samples = augment.change_speed(samples, factor) if factor != 1 else samples
        samples = samples / max(np.abs(samples).max(), 1e-9) * 10 ** (rng.uniform(-5, 0) / 20)
        clock_s = (clock + gap) / SAMPLE_RATE
        phones += [
            Phone(phone.symbol, clock_s + phone.start_s / factor, clock_s + phone.end_s / factor) for phone in spoken
        ]
        pieces += [silence, samples]
        clock += gap + len(samples)
    pieces.append(np.zeros(int(SAMPLE_RATE * rng.uniform(0, 1.5)), np.float32))
    samples = np.concatenate(pieces)
    return label(samples if clean else augment.record(samples, rng), phones, rng)


def make_silence(rng: np.random.Generator) -> Programme:
    """Make a programme without a voice: noise, music, breaths or nothing, at any level."""
    length = int(SAMPLE_RATE * rng.uniform(3, 8))
    samples = np.zeros(length, np.float32)
    if rng.random() < 0.85:
        bed = augment.music if rng.random() < 0.5 else augment.coloured_noise
        samples = bed(length, rng) * 10 ** (rng.uniform(-60, -15) / 20)
    for _ in range(rng.integers(0, 4)):
        size = int(rng.uniform(0.02, 0.5) * SAMPLE_RATE)
        start = int(rng.integers(0, length - size))
        samples[start : start + size] += augment.breath(size, rng) * 10 ** (rng.uniform(-50, -12) / 20)
    return label(samples.astype(np.float32), [], rng)


def label(samples: np.ndarray, phones: list[Phone], rng: np.random.Generator) -> Programme:
    """Return the features of a sound with the teacher's curves for its phones."""
    features = extract_features(Speech(samples, SAMPLE_RATE)).values
    count = len(features)
    speaking = np.zeros(count)
    for phone in phones:
        if phone.symbol != PAUSE:
            speaking[round(phone.start_s * MOTION_FPS) : round(phone.end_s * MOTION_FPS)] = 1
    level_db = 60 * features[:, FEATURES.index("energy")]
    lips = lip_curves(phones, count, MOTION_FPS, level_db)
    return Programme(features, np.concatenate([lips, behaviour_curves(count, MOTION_FPS, speaking, rng)], 1), phones)


def programmes(clips: list[Path], hours: float, seed: int) -> Iterator[Programme]:
    """Yield programmes of drawn clips until `hours` are full."""
    rng = np.random.default_rng(seed)
    shelves: dict[str, dict[str, list[Path]]] = {}  # source, language
    for path in clips:
        record = json.loads(path.read_text(encoding="utf-8"))
        shelves.setdefault(record["source"], {}).setdefault(record["language"], []).append(path)
    sources = sorted(shelves)
    shares = np.array([_SOURCE_SHARES.get(source, 0.05) for source in sources])
    made = 0
    while made < hours * 3600 * MOTION_FPS:
        if rng.random() < _NO_SPEECH:
            programme = make_silence(rng)
        else:
            drawn = []
            for source in rng.choice(sources, size=rng.integers(1, 4), p=shares / shares.sum()):
                languages = shelves[source]
                shelf = languages[rng.choice(sorted(languages))]
                drawn.append(shelf[rng.integers(len(shelf))])
            programme = make_programme(drawn, rng)
        made += len(programme.features)
        yield programme


def prepare(corpus: Path, folder: Path, hours: float, seed: int, progress: bool = False) -> None:
    """Write features and controls of about `hours` of augmented speech under `folder`, unless they are there.

    `features.npy` float16 [N, D], `controls.npy` float16 [N, L] and `starts.npy` int64 [P + 1], the rows at which the
    programmes begin.
    """
    if (folder / "starts.npy").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    features, controls, starts = [], [], [0]
    total = round(hours * 3600 * MOTION_FPS)
    with tqdm(total=total, unit="frame", desc="augmenting", disable=not progress) as bar:
        for programme in programmes(list_clips(corpus, "train"), hours, seed):
            features.append(programme.features.astype(np.float16))
            controls.append(programme.controls.astype(np.float16))
            starts.append(starts[-1] + len(programme.features))
            bar.update(len(programme.features))
    np.save(folder / "features.npy", np.concatenate(features))
    np.save(folder / "controls.npy", np.concatenate(controls))
    np.save(folder / "starts.npy", np.array(starts))  # last: it marks the folder as complete


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
        self.features = np.load(folder / "features.npy", mmap_mode="r")
        self.controls = np.load(folder / "controls.npy", mmap_mode="r")
        self.starts = np.load(folder / "starts.npy")
        self.num_frames, self.margin = num_frames, margin
        self.lengths = np.diff(self.starts)
        self.weights = np.maximum(self.lengths - num_frames + 1, 0) / np.maximum(self.lengths - num_frames + 1, 0).sum()

    def batch(self, size: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Return features float32 [B, T + 2 margin, D] and controls float32 [B, T, L]."""
        heard = np.zeros((size, self.num_frames + 2 * self.margin, len(FEATURES)), np.float32)
        wanted = np.empty((size, self.num_frames, len(LATENTS)), np.float32)
        for row, programme in enumerate(rng.choice(len(self.lengths), size, p=self.weights)):
            length, origin = self.lengths[programme], self.starts[programme]
            # The beginning is where the model must start from nothing: draw it more often than chance would
            start = 0 if rng.random() < 0.1 else int(rng.integers(0, length - self.num_frames + 1))
            left, right = max(0, start - self.margin), min(length, start + self.num_frames + self.margin)
            into = left - (start - self.margin)
            heard[row, into : into + right - left] = self.features[origin + left : origin + right]
            wanted[row] = self.controls[origin + start : origin + start + self.num_frames]
            augment.disguise(heard[row, :, :NUM_MELS], rng)
        return heard, wanted
