"""Score a checkpoint on speech it never saw: held-out voices, recorded speech, silence, noise and music.

    python -m animate.train.score checkpoints/base --corpus corpus --recordings FOLDER

Everything is measured on the channels that a user gets, through `lip_gap`. One table on stdout, and JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from animate.channels import HEAD
from animate.errors import AnimateError, DependencyError, VoiceError
from animate.motion.latents import lip_gap, to_channels
from animate.motion.pipeline import CONTEXT, OVERLAP, WINDOW, AudioToMotionPipeline, load_pipeline
from animate.speech.features import MOTION_FPS, extract_features
from animate.train import augment
from animate.train.alignment import align_english, read_textgrid
from animate.train.corpus import SAMPLE_RATE, read_clip
from animate.train.dataset import label, list_clips
from animate.train.phonemes import PAUSE, Phone
from animate.types import Motion, Speech

CONTACT = 0.05  # of `lip_gap`, about 2 % of the eye distance
_REACH_S = 0.04  # a closure may come this much early or late
_SETTLE_S = 0.25  # lips may be on their way this long beside a silence
_LONG_PAUSE_S = 0.8
_HEIGHTS = {"a": "aɑæ", "e o": "eɛoɔ", "i u": "iu", "m": "m"}


@dataclass(frozen=True, eq=False)
class Case:
    """Speech with known phones, what the model made of it and, for synthetic voices, what the teacher says."""

    phones: list[Phone]
    motion: Motion
    teacher: Motion | None = None


def closures(cases: list[Case]) -> dict[str, float]:
    """Return how often lips touch for p b m, and how often they do so in the middle of an open vowel."""
    hits, false = [], []
    for case in cases:
        gap = lip_gap(case.motion)
        for phone in case.phones:
            start, stop = (round(time_s * MOTION_FPS) for time_s in (phone.start_s - _REACH_S, phone.end_s + _REACH_S))
            near = gap[max(0, start) : stop + 1]
            if phone.symbol[:1] in ("p", "b", "m") and len(near):
                hits.append(near.min() < CONTACT)
            elif phone.symbol[:1] in ("a", "ɑ", "æ", "ɛ") and phone.end_s - phone.start_s >= 0.08:
                middle = round((phone.start_s + phone.end_s) / 2 * MOTION_FPS)
                false += [gap[middle] < CONTACT] if middle < len(gap) else []
    return {"closures": _share(hits), "num_closures": len(hits), "false_closures": _share(false)}


def openness(cases: list[Case]) -> dict[str, float]:
    """Return the mean jawOpen in the middle of open, mid and close vowels and of m."""
    jaws: dict[str, list[float]] = {height: [] for height in _HEIGHTS}
    for case in cases:
        for phone in case.phones:
            middle = round((phone.start_s + phone.end_s) / 2 * MOTION_FPS)
            for height, letters in _HEIGHTS.items():
                if phone.symbol[:1] and phone.symbol[0] in letters and middle < len(case.motion):
                    jaws[height].append(case.motion["jawOpen"][middle])
    return {f"jaw {height}": _mean(values) for height, values in jaws.items()}


def agreement(cases: list[Case]) -> dict[str, float]:
    """Return correlations with the teacher and the lag at which the gap fits it best (positive: the model is late)."""
    gaps, jaws, puckers, lags = [], [], [], []
    for case in cases:
        if case.teacher is None:
            continue
        made, wanted = lip_gap(case.motion), lip_gap(case.teacher)
        gaps.append(np.corrcoef(made, wanted)[0, 1])
        jaws.append(np.corrcoef(case.motion["jawOpen"], case.teacher["jawOpen"])[0, 1])
        puckers.append(np.corrcoef(case.motion["mouthPucker"], case.teacher["mouthPucker"])[0, 1])
        shifts = range(-6, 7)
        fits = [np.corrcoef(np.roll(made, -shift)[8:-8], wanted[8:-8])[0, 1] for shift in shifts]
        lags.append(1000 * shifts[int(np.argmax(fits))] / MOTION_FPS)
    return {"gap r": _mean(gaps), "jaw r": _mean(jaws), "pucker r": _mean(puckers), "lag_ms": _mean(lags)}


def stillness(cases: list[Case]) -> dict[str, float]:
    """Return the share of frames with closed lips before and after the voice and in its long pauses."""
    outer, pauses = [], []
    for case in cases:
        gap, clock = lip_gap(case.motion), 0.0
        end_s = len(gap) / MOTION_FPS
        spoken = [phone for phone in case.phones if phone.symbol != PAUSE]
        for start_s, stop_s in [(phone.start_s, phone.end_s) for phone in spoken] + [(end_s, end_s)]:
            first, last = clock == 0, start_s == end_s
            if start_s - clock > _LONG_PAUSE_S or first or last:
                begin = 0 if first else round((clock + _SETTLE_S) * MOTION_FPS)
                until = len(gap) if last else round((start_s - _SETTLE_S) * MOTION_FPS)
                (outer if first or last else pauses).extend(gap[begin : max(begin, until)] < CONTACT)
            clock = max(clock, stop_s)
    return {"closed outside speech": _share(outer), "closed in long pauses": _share(pauses)}


def unmoved(pipeline: AudioToMotionPipeline, count: int = 6) -> dict[str, float]:
    """Return the share of frames with closed lips for music, noise and breaths without a voice."""
    shares = {}
    for name, make in (("music", augment.music), ("noise", augment.coloured_noise)):
        rng, closed = np.random.default_rng(99), []
        for _ in range(count):
            samples = make(6 * SAMPLE_RATE, rng) * 10 ** (rng.uniform(-45, -18) / 20)
            motion = pipeline(extract_features(Speech(samples.astype(np.float32), SAMPLE_RATE)), seed=1)
            closed.extend(lip_gap(motion) < CONTACT)
        shares[f"closed in {name}"] = _share(closed)
    return shares


def life(motions: list[Motion]) -> dict[str, float]:
    """Return blinks a minute, head spread in degrees, jitter and seams."""
    minutes = sum(motion.duration_s for motion in motions) / 60
    blinks = sum(_rises(motion["eyeBlinkLeft"], 0.5) for motion in motions)
    heights = [motion["eyeBlinkLeft"].max() for motion in motions]
    spread = {name: _mean([np.std(motion[name]) for motion in motions]) for name in HEAD[:3]}
    jitter = {name: _mean([_fast_share(motion[name]) for motion in motions]) for name in ("jawOpen", "headYaw")}
    return {
        "blinks/min": blinks / minutes,
        "deepest blink": _mean(heights),
        **{f"{name} sd": value for name, value in spread.items()},
        **{f"{name} >10 Hz": value for name, value in jitter.items()},
        "seam ratio": _mean([_seam_ratio(motion) for motion in motions if len(motion) > 2 * WINDOW]),
    }


def speed(pipeline: AudioToMotionPipeline, samples: np.ndarray) -> dict[str, float]:
    """Return how many times faster than real time features and motion are made."""
    speech = Speech(samples, SAMPLE_RATE)
    pipeline(extract_features(speech), seed=0)
    begin = time.perf_counter()
    features = extract_features(speech)
    middle = time.perf_counter()
    pipeline(features, seed=0)
    end = time.perf_counter()
    return {"features x": speech.duration_s / (middle - begin), "motion x": speech.duration_s / (end - middle)}


def held_out_cases(pipeline: AudioToMotionPipeline, corpus: Path, limit: int = 40) -> list[Case]:
    """Return cases of voices that the training never heard, with a second of silence on both sides."""
    cases = []
    clips = list_clips(corpus, "test")
    natural_first = sorted(clips, key=lambda path: path.name.startswith("flite"))
    for path in natural_first[:limit]:
        samples, phones, _ = read_clip(path)
        phones = [Phone(phone.symbol, phone.start_s + 1, phone.end_s + 1) for phone in phones]
        programme = label(np.pad(samples, SAMPLE_RATE), phones, np.random.default_rng(0))
        speech = Speech(np.pad(samples, SAMPLE_RATE), SAMPLE_RATE)
        teacher = Motion(to_channels(programme.controls), MOTION_FPS)
        cases.append(Case(phones, pipeline(extract_features(speech), seed=0), teacher))
    return cases


def recorded_cases(pipeline: AudioToMotionPipeline, folder: Path) -> list[Case]:
    """Return cases of recorded English: sounds with a TextGrid beside them, and lines of lj_transcripts.csv."""
    import librosa

    cases = []
    for path in sorted(folder.glob("*.wav")):
        samples, _ = librosa.load(path, sr=SAMPLE_RATE)
        phones = _recorded_phones(path, samples)
        if phones:
            cases.append(Case(phones, pipeline(extract_features(Speech(samples, SAMPLE_RATE)), seed=0)))
    return cases


def _recorded_phones(path: Path, samples: np.ndarray) -> list[Phone]:
    if path.with_suffix(".TextGrid").exists():
        return read_textgrid(path.with_suffix(".TextGrid"))
    transcripts = path.parent / "lj_transcripts.csv"
    rows = transcripts.read_text(encoding="utf-8").splitlines() if transcripts.exists() else []
    lines = dict(row.split("|")[:2] for row in rows)
    if path.stem not in lines:
        return []
    try:
        return align_english(samples, lines[path.stem])
    except (DependencyError, VoiceError) as error:
        print(error, file=sys.stderr)
        return []


def score(checkpoint: Path, corpus: Path, recordings: Path | None = None) -> dict[str, dict[str, float]]:
    """Return the scores of a checkpoint by group.

    Raises
    ------
    CheckpointError, ConfigError
        If there is no checkpoint or no held-out speech.
    """
    pipeline = load_pipeline(checkpoint)
    held_out = held_out_cases(pipeline, corpus)
    natural = recorded_cases(pipeline, recordings) if recordings else []
    samples = np.concatenate([read_clip(path)[0] for path in list_clips(corpus, "test")])[: 60 * SAMPLE_RATE]
    long = pipeline(extract_features(Speech(samples, SAMPLE_RATE)), seed=3)
    scores = {
        "held-out voices": closures(held_out) | openness(held_out) | agreement(held_out) | stillness(held_out),
        "no voice": unmoved(pipeline),
        "life": life([long, *(case.motion for case in held_out)]),
        "speed": speed(pipeline, samples[: 30 * SAMPLE_RATE]),
    }
    if natural:
        scores["recorded English"] = closures(natural) | openness(natural) | stillness(natural)
    return {group: {name: round(float(value), 3) for name, value in row.items()} for group, row in scores.items()}


def _seam_ratio(motion: Motion) -> float:
    """Return the largest step at a window's edges over the largest elsewhere (99.9th percentiles), all channels."""
    steps = np.abs(np.diff(motion.values, axis=0)) / (motion.values.std(axis=0) + 1e-3)
    step = steps.max(axis=1)
    edges = np.arange(WINDOW - OVERLAP, len(step), WINDOW - OVERLAP - CONTEXT)
    return float(np.quantile(step[edges - 1], 0.999) / np.quantile(step, 0.999))


def _fast_share(curve: np.ndarray) -> float:
    power = np.abs(np.fft.rfft((curve - curve.mean()) * np.hanning(len(curve)))) ** 2
    return float(power[np.fft.rfftfreq(len(curve), 1 / MOTION_FPS) > 10].sum() / max(power.sum(), 1e-12))


def _rises(curve: np.ndarray, height: float) -> int:
    return int(np.sum((curve[1:] >= height) & (curve[:-1] < height)))


def _share(flags: list) -> float:
    return float(np.mean(flags)) if len(flags) else float("nan")


_mean = _share


def main(arguments: list[str] | None = None) -> int:
    """Score from the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m animate.train.score", description="Score a checkpoint.")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--corpus", type=Path, default=Path("corpus"))
    parser.add_argument("--recordings", type=Path, help="folder of recorded English with TextGrids or transcripts")
    parser.add_argument("--json", type=Path, help="also write the scores here")
    options = parser.parse_args(arguments)
    try:
        scores = score(options.checkpoint, options.corpus, options.recordings)
    except AnimateError as error:
        print(error, file=sys.stderr)
        return 1
    for group, row in scores.items():
        for name, value in row.items():
            print(f"{group:18} {name:24} {value:9.3f}")
    if options.json:
        options.json.write_text(json.dumps(scores, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
