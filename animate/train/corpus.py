"""Build the corpus: synthesised speech with exact phone times, in many voices and languages.

    python -m animate.train.corpus --out corpus --minutes 40

One FLAC file (16 kHz) and one JSON file with phones per utterance. Building can be stopped and run again; the plan
follows from the seed alone. Nothing of the corpus is committed: this recipe is.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soundfile
from tqdm import tqdm

from animate.errors import AnimateError, ConfigError, VoiceError
from animate.train.phonemes import Phone
from animate.train.synthesisers import HELD_OUT_VOICES, SOURCES, Synthesiser
from animate.train.texts import sentences

SAMPLE_RATE = 16_000
_PER_ROUND = {"en-us": 8, "en-gb": 3}  # more voices, more sentences; every other language has four a round
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Utterance:
    """One line of the plan: who says what, how fast."""

    name: str
    source: str
    voice: str
    language: str
    text: str
    speed: float
    split: str  # 'train' or 'test'


def plan(source: str, voices: dict[str, list[str]], seed: int) -> Iterator[Utterance]:
    """Yield utterances endlessly so that any beginning of the plan is balanced over languages and voices.

    Parameters
    ----------
    source : str
        A key of `synthesisers.SOURCES`.
    voices : dict of str to list of str
        Language to the voices that speak it.
    seed : int
    """
    rng = random.Random(f"{source} {seed}")
    texts = {language: sentences(language, random.Random(f"{source} {language} {seed}")) for language in voices}
    turns = {language: 0 for language in voices}
    while True:
        order = [language for language in voices for _ in range(_PER_ROUND.get(language, 4))]
        for language in rng.sample(order, len(order)):
            turn = turns[language]
            turns[language] += 1
            voice = voices[language][turn % len(voices[language])]
            text = " ".join(next(texts[language]) for _ in range(rng.choice((1, 1, 2))))
            name = f"{source}-{voice}-{language}-{turn:04d}"
            split = "test" if voice in HELD_OUT_VOICES else "train"
            yield Utterance(name, source, voice, language, text, round(rng.uniform(0.8, 1.2), 2), split)


def build(
    out: Path,
    source: str,
    minutes: float,
    seed: int = 0,
    threads: int = 1,
    split: str | None = None,
    progress: bool = False,
) -> float:
    """Synthesise until the corpus holds `minutes` of this source; return the minutes it then has.

    Parameters
    ----------
    out : Path
        Corpus folder; synthesisers look for downloaded parts in `out`/tools.
    source : str
        A key of `synthesisers.SOURCES`.
    split : str, optional
        Only 'train' or only 'test' utterances.

    Raises
    ------
    ConfigError
        If there is no such source.
    DependencyError
        If the synthesiser or its weights are missing.
    """
    if source not in SOURCES:
        raise ConfigError(f"There is no source {source!r}. Use one of {', '.join(SOURCES)}.")
    synthesiser: Synthesiser = SOURCES[source](out / "tools", threads)
    folder = out / "clips"
    folder.mkdir(parents=True, exist_ok=True)
    done_s = 0.0
    with tqdm(total=round(minutes * 60), unit="s", desc=source, disable=not progress) as bar:
        for utterance in plan(source, synthesiser.voices(), seed):
            if done_s >= minutes * 60:
                return done_s / 60
            path = folder / f"{utterance.name}.json"
            if path.with_suffix(".failed").exists() or split not in (None, utterance.split):
                continue
            if path.exists():
                duration_s = json.loads(path.read_text(encoding="utf-8"))["duration_s"]
            else:
                duration_s = _synthesise(synthesiser, utterance, path)
            done_s += duration_s
            bar.update(round(duration_s))
    return done_s / 60


def _synthesise(synthesiser: Synthesiser, utterance: Utterance, path: Path) -> float:
    """Write one utterance (sound first, so that the JSON marks it complete) and return its duration in seconds."""
    from librosa import resample

    try:
        speech = synthesiser.speak(utterance.text, utterance.voice, utterance.language, utterance.speed)
    except VoiceError as error:
        _log.info("%s", error)
        speech = None
    # Half precision overflows in a few sentences of some voices
    if speech is None or not np.isfinite(speech.samples).all():
        path.with_suffix(".failed").touch()
        return 0.0
    samples = resample(speech.samples, orig_sr=speech.sample_rate, target_sr=SAMPLE_RATE)
    samples = np.clip(samples, -1, 1)
    soundfile.write(path.with_suffix(".flac"), samples, SAMPLE_RATE)
    duration_s = len(samples) / SAMPLE_RATE
    phones = [(phone.symbol, round(phone.start_s, 4), round(phone.end_s, 4)) for phone in speech.phones]
    record = asdict(utterance) | {"duration_s": duration_s, "phones": phones}
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")
    partial.rename(path)
    return duration_s


def read_clip(path: Path) -> tuple[np.ndarray, list[Phone], dict]:
    """Return samples float32 [N] at 16 kHz, phones and the record of a clip, given its JSON file."""
    record = json.loads(path.read_text(encoding="utf-8"))
    samples, _ = soundfile.read(path.with_suffix(".flac"), dtype="float32")
    return samples, [Phone(*phone) for phone in record["phones"]], record


def main(arguments: list[str] | None = None) -> int:
    """Run the builder from the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m animate.train.corpus", description="Synthesise the corpus.")
    parser.add_argument("--out", type=Path, default=Path("corpus"), help="corpus folder (default: corpus)")
    parser.add_argument("--minutes", type=float, help="minutes of each source (default: the source's own share)")
    parser.add_argument("--sources", nargs="+", default=list(SOURCES), metavar="NAME", help=", ".join(SOURCES))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--split", choices=("train", "test"), help="only these utterances (default: both)")
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    failures = 0
    for source in options.sources:
        share = getattr(SOURCES.get(source), "share_minutes", 0)
        minutes = options.minutes if options.minutes is not None else share
        try:
            made = build(
                options.out, source, minutes, options.seed, options.threads, options.split, sys.stderr.isatty()
            )
            _log.info("%s: %.1f minutes", source, made)
        except AnimateError as error:
            _log.error("%s", error)
            failures += 1
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
