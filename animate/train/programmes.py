"""Programmes: what a recording may hold, with what the face that made it did.

A programme is silence, a few utterances with pauses between them, breaths, laughs, sometimes no speech at all, over
noise, music or a crowd. Features are taken from the whole, so that levels and noise floors are those of a recording.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from animate.motion.latents import LATENTS
from animate.speech.features import FEATURES, MOTION_FPS, extract_features
from animate.train import augment
from animate.train.behaviour import behaviour_curves, draw_liveliness
from animate.train.corpus import SAMPLE_RATE, read_clip
from animate.train.emotions import coloured, draw_intensities, head_liveliness
from animate.train.phonemes import PAUSE, Phone
from animate.train.teacher import lip_curves
from animate.train.visemes import phone_classes
from animate.types import Speech

_NO_SPEECH = 0.08  # share of programmes without a voice
_SHOUT_OPENS = 1.2  # how much further a shouting mouth opens
# How often each source is drawn, however much of it there is: natural voices first, statistical ones as seasoning
_SOURCE_SHARES = {
    "kokoro": 0.25, "blend": 0.28, "hibari": 0.09, "piper": 0.09, "song": 0.07, "festival": 0.12, "espeak": 0.10,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Programme:
    """One augmented recording.

    Attributes
    ----------
    features : float32 [T, D]
    controls : float32 [T, L]
        What the teacher does.
    emotion : float32 [T, len(EMOTIONS)]
    style : float32 [2]
        As `animate.motion.denoiser.STYLES`.
    phones : list of Phone
    """

    features: np.ndarray
    controls: np.ndarray
    emotion: np.ndarray
    style: np.ndarray
    phones: list[Phone]


class Shelves:
    """Clips by source and language, so that all languages of a source are drawn alike."""

    def __init__(self, clips: list[Path]):
        self.clips = clips
        self.by_source: dict[str, dict[str, list[Path]]] = {}
        for path in clips:
            record = json.loads(path.read_text(encoding="utf-8"))
            self.by_source.setdefault(record["source"], {}).setdefault(record["language"], []).append(path)
        self.sources = sorted(self.by_source)
        shares = np.array([_SOURCE_SHARES.get(source, 0.05) for source in self.sources])
        self.shares = shares / shares.sum()

    def draw(self, rng: np.random.Generator) -> list[Path]:
        """Return the clips of one programme."""
        drawn = []
        for source in rng.choice(self.sources, size=rng.integers(1, 4), p=self.shares):
            languages = self.by_source[source]
            shelf = languages[rng.choice(sorted(languages))]
            drawn.append(shelf[rng.integers(len(shelf))])
        return drawn

    def crowd(self, length: int, rng: np.random.Generator) -> np.ndarray:
        """Return many voices at once, float32 [length]: nobody's lips should follow it."""
        out = np.zeros(length, np.float32)
        for path in rng.choice(self.clips, size=min(len(self.clips), int(rng.integers(6, 12))), replace=False):
            samples, _, _ = read_clip(path)
            out += np.roll(np.resize(samples, length), int(rng.integers(length))) * rng.uniform(0.3, 1)
        return out / max(float(np.sqrt(np.mean(out**2))), 1e-9)


def draw_programme(shelves: Shelves, rng: np.random.Generator) -> Programme:
    """Return a programme with or without a voice."""
    if rng.random() < _NO_SPEECH:
        return make_silence(rng, shelves)
    return make_programme(shelves.draw(rng), rng, shelves)


def make_programme(clips: list[Path], rng: np.random.Generator, shelves: Shelves | None = None) -> Programme:
    """Assemble, record and label one programme of the given clips.

    Parameters
    ----------
    clips : list of Path
        JSON files.
    rng : numpy.random.Generator
    shelves : Shelves, optional
        Where voices of a crowd come from; without it there is none.
    """
    pieces, phones, clock = [], [], 0
    for path in clips:
        gap = int(SAMPLE_RATE * rng.choice((rng.uniform(0, 0.3), rng.uniform(0.3, 1.0), rng.uniform(1.0, 2.5))))
        silence, laugh = _gap(gap, rng)
        phones += _shifted(laugh, clock / SAMPLE_RATE)
        samples, spoken, _ = read_clip(path)
        factor = float(rng.uniform(0.82, 1.25))
        samples = augment.change_speed(samples, factor)
        samples = samples / max(np.abs(samples).max(), 1e-9) * 10 ** (rng.uniform(-5, 0) / 20)
        phones += _shifted(spoken, (clock + gap) / SAMPLE_RATE, factor)
        pieces += [silence, samples]
        clock += gap + len(samples)
    pieces.append(np.zeros(int(SAMPLE_RATE * rng.uniform(0, 1.5)), np.float32))
    samples, opens = _effort(np.concatenate(pieces), rng)
    crowd = shelves.crowd if shelves and rng.random() < 0.1 else None
    return label(augment.record(samples, rng, crowd), phones, rng, opens)


def make_silence(rng: np.random.Generator, shelves: Shelves | None = None) -> Programme:
    """Make a programme without a voice: noise, music, a crowd, breaths or nothing, at any level."""
    length = int(SAMPLE_RATE * rng.uniform(3, 8))
    samples = np.zeros(length, np.float32)
    kind = rng.random()
    if kind < 0.85:
        bed = augment.music if kind < 0.4 else augment.coloured_noise
        bed = shelves.crowd if shelves and kind > 0.65 else bed
        samples = bed(length, rng) * 10 ** (rng.uniform(-60, -15) / 20)
    for _ in range(rng.integers(0, 4)):
        size = int(rng.uniform(0.02, 0.5) * SAMPLE_RATE)
        start = int(rng.integers(0, length - size))
        samples[start : start + size] += augment.breath(size, rng) * 10 ** (rng.uniform(-50, -12) / 20)
    return label(samples.astype(np.float32), [], rng)


def label(
    samples: np.ndarray, phones: list[Phone], rng: np.random.Generator, opens: float = 1.0, plain: bool = False
) -> Programme:
    """Return the features of a sound with the teacher's curves for its phones.

    Parameters
    ----------
    samples : float32 [N]
        At 16 kHz.
    phones : list of Phone
    rng : numpy.random.Generator
    opens : float
        How far the mouth opens for the effort of this voice, 1 in ordinary speech.
    plain : bool
        An ordinary speaker without emotion, instead of a drawn one.
    """
    features = extract_features(Speech(samples, SAMPLE_RATE)).values
    count = len(features)
    speaking = np.zeros(count)
    for phone in phones:
        if phone.symbol != PAUSE:
            speaking[round(phone.start_s * MOTION_FPS) : round(phone.end_s * MOTION_FPS)] = 1
    articulation = 1.0 if plain else float(np.clip(rng.normal(1.0, 0.2), 0.5, 1.5))
    liveliness = 1.0 if plain else draw_liveliness(rng)
    intensities = draw_intensities(count, MOTION_FPS, rng) * (not plain)
    level_db = 60 * features[:, FEATURES.index("energy")]
    lips = lip_curves(phones, count, MOTION_FPS, level_db, articulation * opens)
    rest = behaviour_curves(count, MOTION_FPS, speaking, rng, liveliness * head_liveliness(intensities))
    controls = coloured(np.concatenate([lips, rest], axis=1), intensities, MOTION_FPS, rng)
    assert controls.shape == (count, len(LATENTS))
    style = np.array([articulation - 1, np.log2(liveliness)], np.float32)
    return Programme(features, controls, intensities.astype(np.float32), style, phones)


def class_of_each_frame(programme: Programme) -> np.ndarray:
    """Return the class of the phone in each frame, uint8 [T]."""
    return phone_classes(programme.phones, len(programme.features), MOTION_FPS)


def _gap(length: int, rng: np.random.Generator) -> tuple[np.ndarray, list[Phone]]:
    """Return a pause float32 [length], sometimes with a breath or a laugh in it, and the phones of the laugh."""
    silence = np.zeros(length, np.float32)
    seconds = length / SAMPLE_RATE
    if seconds > 1.4 and rng.random() < 0.15:
        samples, phones = augment.laugh(rng)
        start = int(0.2 * SAMPLE_RATE)
        samples = samples[: length - start]
        silence[start : start + len(samples)] = samples * rng.uniform(0.1, 0.5)
        heard = [phone for phone in phones if phone.end_s * SAMPLE_RATE < len(samples)]
        return silence, _shifted(heard, 0.2)
    if seconds > 0.3 and rng.random() < 0.35:
        size = int(rng.uniform(0.02, min(0.5, seconds - 0.1)) * SAMPLE_RATE)
        start = int(rng.integers(0, length - size))
        silence[start : start + size] = augment.breath(size, rng) * rng.uniform(0.005, 0.06)
    return silence, []


def _effort(samples: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Whisper or shout some programmes; return the sound and how far the mouth opens for it."""
    kind = rng.random()
    if kind < 0.06:
        return augment.whispered(samples, rng), 1.0
    if kind < 0.12:
        return augment.shouted(samples, rng), _SHOUT_OPENS
    return samples, 1.0


def _shifted(phones: list[Phone], start_s: float, factor: float = 1.0) -> list[Phone]:
    return [Phone(phone.symbol, start_s + phone.start_s / factor, start_s + phone.end_s / factor) for phone in phones]
