"""Score a checkpoint on speech it never saw, and print one table.

    animate-portrait score checkpoints/base --corpus corpus --recordings FOLDER --videos FOLDER

Held-out voices, a held-out synthesiser, a held-out language and songs come from the corpus; recorded English (sounds
with a TextGrid beside them, and lines of lj_transcripts.csv) and videos of talking people are given by folder. Groups
whose material is not given are left out.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from animate.errors import AnimateError, DependencyError, VoiceError
from animate.motion.acting import Acting
from animate.motion.emotions import EMOTIONS
from animate.motion.latents import LATENT_INDEX, LATENTS, channel_matrix, lip_gap, to_channels
from animate.motion.pipeline import AudioToMotionPipeline, load_pipeline
from animate.speech.features import MOTION_FPS, extract_features
from animate.train import augment, measures
from animate.train.alignment import align_english, read_textgrid
from animate.train.behaviour import HEAD_SPECTRA
from animate.train.corpus import SAMPLE_RATE, read_clip
from animate.train.dataset import list_clips
from animate.train.emotions import ADDED
from animate.train.measures import CONTACT, Case
from animate.train.phonemes import Phone
from animate.train.programmes import label
from animate.types import Motion, Speech

_GROUPS = {  # of the corpus' test split, by how the names of its files begin
    "known synthesiser": "kokoro",
    "unknown synthesiser": "flite",
    "unknown language": "festival",
    "songs": "song",
}
_LIMIT = 24  # clips of a group
_SCORED = Acting()  # neutral: the teacher of these scores is


def score(
    checkpoint: Path, corpus: Path, recordings: Path | None = None, videos: Path | None = None
) -> dict[str, dict[str, float]]:
    """Return the scores of a checkpoint by group.

    Raises
    ------
    CheckpointError, ConfigError
        If there is no checkpoint or no held-out speech.
    """
    pipeline = load_pipeline(checkpoint)
    clips = list_clips(corpus, "test")
    scores, groups = {}, {}
    for group, prefix in _GROUPS.items():
        chosen = [path for path in clips if path.name.startswith(prefix)][:_LIMIT]
        if chosen:
            groups[group] = corpus_cases(pipeline, chosen)
            scores[group] = speech_scores(groups[group])
    if "songs" in groups:
        scores["songs"] |= measures.held_notes(groups["songs"])
    if natural := recorded_cases(pipeline, recordings) if recordings else []:
        scores["recorded English"] = speech_scores(natural)
    if videos:
        from animate.train.real_mouths import real_mouths

        scores["real mouths"] = real_mouths(pipeline, videos)
    samples = np.concatenate([read_clip(path)[0] for path in clips])[: 60 * SAMPLE_RATE]
    scores["all languages"] = measures.languages_in_order([case for cases in groups.values() for case in cases])
    scores["no voice"] = unmoved(pipeline)
    scores["behind a voice"] = still_with_a_bed(pipeline, samples[: 8 * SAMPLE_RATE])
    scores["life"] = lively(pipeline, samples)
    scores["emotion (Cohen's d)"] = emotions(pipeline, clips)
    scores["steps"] = steps_against_quality(pipeline, clips)
    scores["speed"] = speed(pipeline, samples[: 30 * SAMPLE_RATE])
    return {group: {name: round(float(value), 3) for name, value in row.items()} for group, row in scores.items()}


def speech_scores(cases: list[Case]) -> dict[str, float]:
    """Return everything that is measured of speech with known phones."""
    row = measures.contacts(cases) | measures.openness(cases)
    if taught := [replace(case, motion=case.teacher) for case in cases if case.teacher]:
        row |= measures.agreement(cases)
        row["closed in other consonants (teacher)"] = measures.contacts(taught)["closed in other consonants"]
    return row | measures.stillness(cases)


def corpus_cases(
    pipeline: AudioToMotionPipeline, clips: list[Path], acting: Acting = _SCORED, num_inference_steps: int = 6
) -> list[Case]:
    """Return cases of clips of the corpus, with a second of silence on both sides."""
    cases = []
    for path in clips:
        samples, phones, record = read_clip(path)
        phones = [Phone(phone.symbol, phone.start_s + 1, phone.end_s + 1) for phone in phones]
        padded = np.pad(samples, SAMPLE_RATE)
        programme = label(padded, phones, np.random.default_rng(0), plain=True)
        features = extract_features(Speech(padded, SAMPLE_RATE))
        motion = pipeline(features, seed=0, acting=acting, num_inference_steps=num_inference_steps)
        teacher = Motion(to_channels(programme.controls), MOTION_FPS)
        cases.append(Case(measures.without_silent_ends(phones, features), motion, record["language"], teacher))
    return cases


def recorded_cases(pipeline: AudioToMotionPipeline, folder: Path) -> list[Case]:
    """Return cases of recorded English: sounds with a TextGrid beside them, and lines of lj_transcripts.csv."""
    import librosa

    cases = []
    for path in sorted(path for path in folder.iterdir() if path.suffix in (".wav", ".flac")):
        samples, _ = librosa.load(path, sr=SAMPLE_RATE)
        phones = _recorded_phones(path, samples)
        if phones:
            features = extract_features(Speech(samples, SAMPLE_RATE))
            phones = measures.with_unwritten_voice(phones, features)
            cases.append(Case(phones, pipeline(features, seed=0, acting=_SCORED), "en"))
    return cases


def _recorded_phones(path: Path, samples: np.ndarray) -> list[Phone]:
    if path.with_suffix(".TextGrid").exists():
        return read_textgrid(path.with_suffix(".TextGrid"))
    transcripts = path.parent / "lj_transcripts.csv"
    rows = transcripts.read_text(encoding="utf-8").splitlines() if transcripts.exists() else []
    lines = {row.split("|")[0]: row.split("|")[-1] for row in rows}  # name, words, words as they are read
    if path.stem not in lines:
        return []
    try:
        return align_english(samples, lines[path.stem])
    except (DependencyError, VoiceError) as error:
        print(error, file=sys.stderr)
        return []


def unmoved(pipeline: AudioToMotionPipeline, count: int = 6) -> dict[str, float]:
    """Return the share of frames with closed lips for music and noise without a voice."""
    shares = {}
    for name, make in (("music", augment.music), ("noise", augment.coloured_noise)):
        rng, closed = np.random.default_rng(99), []
        for _ in range(count):
            samples = make(6 * SAMPLE_RATE, rng) * 10 ** (rng.uniform(-45, -18) / 20)
            motion = pipeline(extract_features(Speech(samples.astype(np.float32), SAMPLE_RATE)), seed=1)
            closed.extend(lip_gap(motion) < CONTACT)
        shares[f"closed in {name}"] = measures.share(closed)
    return shares


def still_with_a_bed(pipeline: AudioToMotionPipeline, samples: np.ndarray) -> dict[str, float]:
    """Return the share of frames with closed lips before and after a voice, over noise or music 15 dB below it."""
    shares = {}
    padded = np.pad(samples, 2 * SAMPLE_RATE)
    for name, make in (("music", augment.music), ("noise", augment.coloured_noise)):
        closed = []
        for seed in range(4):
            bed = make(len(padded), np.random.default_rng(seed)) * np.sqrt(np.mean(samples**2)) * 10 ** (-15 / 20)
            motion = pipeline(extract_features(Speech((padded + bed).astype(np.float32), SAMPLE_RATE)), seed=1)
            gap, edge = lip_gap(motion), round(1.7 * MOTION_FPS)
            closed.extend(np.concatenate([gap[:edge], gap[-edge:]]) < CONTACT)
        shares[f"closed before and after, {name}"] = measures.share(closed)
    return shares


def lively(pipeline: AudioToMotionPipeline, samples: np.ndarray) -> dict[str, float]:
    """Return measures of blinks and head over some performances of one voice, and of clips of three seconds."""
    features = extract_features(Speech(samples, SAMPLE_RATE))
    motions = [pipeline(features, seed=seed) for seed in range(3)]
    short = extract_features(Speech(samples[: 3 * SAMPLE_RATE], SAMPLE_RATE))
    blinking = [pipeline(short, seed=seed)["eyeBlinkLeft"].max() > 0.6 for seed in range(10)]
    again = pipeline(short, seed=0).values
    return {
        **measures.life(motions),
        **measures.spectrum_error_db(motions, HEAD_SPECTRA),
        "clips of 3 s that blink": measures.share(blinking),
        "repeats exactly": float(np.array_equal(again, pipeline(short, seed=0).values)),
    }


def emotions(pipeline: AudioToMotionPipeline, clips: list[Path]) -> dict[str, float]:
    """Return for each emotion the effect on its own channels against neutral, and its closures.

    Cohen's d over frames of the sum of those channels, each by the size the teacher moves it; at intensity 1, and in
    brackets at 0.5.
    """
    chosen = [path for path in clips if path.name.startswith("kokoro")][:6]
    neutral = corpus_cases(pipeline, chosen)
    row = {}
    for emotion in EMOTIONS:
        weights = _channel_weights(ADDED[emotion])
        plain = _levels(neutral, weights)
        full = corpus_cases(pipeline, chosen, Acting(emotion=emotion))
        half = corpus_cases(pipeline, chosen, Acting(emotion=f"{emotion}:0.5"))
        row[emotion] = _cohens_d(_levels(full, weights), plain)
        row[f"{emotion} (0.5)"] = _cohens_d(_levels(half, weights), plain)
        row[f"{emotion} closures"] = measures.contacts(full)["closures p b m"]
    return row


def _channel_weights(added: dict[str, float]) -> np.ndarray:
    """Return float [58]: the blendshapes that an emotion moves, each with the size it is moved by."""
    controls = np.zeros(len(LATENTS))
    for name, size in added.items():
        if not name.startswith(("head", "gaze")):
            controls[LATENT_INDEX[name]] = size
    return controls @ channel_matrix(LATENTS)


def _levels(cases: list[Case], weights: np.ndarray) -> np.ndarray:
    return np.concatenate([case.motion.values @ weights for case in cases])


def _cohens_d(first: np.ndarray, second: np.ndarray) -> float:
    return float((first.mean() - second.mean()) / np.sqrt((first.var() + second.var()) / 2 + 1e-12))


def steps_against_quality(pipeline: AudioToMotionPipeline, clips: list[Path]) -> dict[str, float]:
    """Return the gap's correlation with the teacher, closures and speed for 1 to 16 Euler steps."""
    chosen = [path for path in clips if path.name.startswith("kokoro")][:5]
    row = {}
    for steps in (1, 2, 4, 8, 16):
        begin = time.perf_counter()
        cases = corpus_cases(pipeline, chosen, num_inference_steps=steps)
        seconds = sum(case.motion.duration_s for case in cases)
        row[f"{steps}: gap r"] = measures.agreement(cases)["gap r"]
        row[f"{steps}: closures"] = measures.contacts(cases)["closures p b m"]
        row[f"{steps}: head sd"] = measures.share([case.motion["headYaw"].std() for case in cases])
        row[f"{steps}: x real time"] = seconds / (time.perf_counter() - begin)
    return row


def speed(pipeline: AudioToMotionPipeline, samples: np.ndarray) -> dict[str, float]:
    """Return how many times faster than real time features and motion are, and seconds to the first streamed block."""
    speech = Speech(samples, SAMPLE_RATE)
    pipeline(extract_features(speech), seed=0)
    begin = time.perf_counter()
    features = extract_features(speech)
    middle = time.perf_counter()
    pipeline(features, seed=0)
    end = time.perf_counter()
    next(pipeline.stream([features]))
    first = time.perf_counter()
    return {
        "features x real time": speech.duration_s / (middle - begin),
        "motion x real time": speech.duration_s / (end - middle),
        "first block s": first - end,
    }


def main(arguments: list[str] | None = None) -> int:
    """Score from the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="animate-portrait score", description="Score a checkpoint.")
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--corpus", type=Path, default=Path("corpus"))
    parser.add_argument("--recordings", type=Path, help="folder of recorded English with TextGrids or transcripts")
    parser.add_argument("--videos", type=Path, help="folder of videos of talking people")
    parser.add_argument("--json", type=Path, help="also write the scores here")
    options = parser.parse_args(arguments)
    try:
        scores = score(options.checkpoint, options.corpus, options.recordings, options.videos)
    except AnimateError as error:
        print(f"animate-portrait: {error}", file=sys.stderr)
        return 2
    print(table(scores))
    if options.json:
        options.json.write_text(json.dumps(scores, indent=1) + "\n")
    return 0


def table(scores: dict[str, dict[str, float]]) -> str:
    """Return the scores as text, one line each."""
    return "\n".join(
        f"{group:22} {name:36} {value:9.3f}" for group, row in scores.items() for name, value in row.items()
    )


if __name__ == "__main__":
    sys.exit(main())
