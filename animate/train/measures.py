"""What is measured of a performance whose phones are known. All of it on the channels that a user gets."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from animate.channels import HEAD
from animate.motion.latents import lip_gap
from animate.speech.features import FEATURES, MOTION_FPS
from animate.train.phonemes import PAUSE, Phone
from animate.train.visemes import VISEMES, VOWELS, visemes_of
from animate.types import Motion, SpeechFeatures

CONTACT = 0.05  # of `lip_gap`, about 2 % of the eye distance
TEETH_CONTACT = 0.10
_ROUNDED = 0.15  # of mouthPucker
_REACH_S = 0.04  # a contact may come this much early or late
_SETTLE_S = 0.25  # lips may be on their way this long beside a silence
_LONG_PAUSE_S = 0.8
UNWRITTEN = "?"  # a phone of no class
_SOUNDS_FROM = 0.9  # of `energy`, 6 dB below the speech: louder than the noise of any room we know
_VOICE_S = 0.2  # a shorter one is the end of a word
_FADED = 0.5  # of `energy`, 30 dB below the speech
# Consonants that no lip makes: not p b m, f v, w and their like
_PARTED = frozenset(symbol for symbol, viseme in VISEMES.items() if symbol not in VOWELS and viseme.gap > 0.2)
_HEIGHTS = {"a": "aɑæ", "e o": "eɛoɔ", "i u": "iuɯ", "m": "m"}


@dataclass(frozen=True, eq=False)
class Case:
    """Speech with known phones, what the model made of it and, for synthetic voices, what the teacher says."""

    phones: list[Phone]
    motion: Motion
    language: str = ""
    teacher: Motion | None = None


def contacts(cases: list[Case]) -> dict[str, float]:
    """Return how often lips do what p b m, f v and rounded vowels need, and how often they touch where they should not:
    in the middle of open vowels and of consonants that no lip makes."""
    found: dict[str, list[bool]] = {
        "closures p b m": [],
        "contacts f v": [],
        "rounding u o w": [],
        "false closures": [],
        "closed in other consonants": [],
    }
    for case in cases:
        gap, pucker = lip_gap(case.motion), case.motion["mouthPucker"]
        for phone in case.phones:
            near = _span(phone, _REACH_S)
            if not phone.symbol or not len(gap[near]):
                continue
            middle = min(round((phone.start_s + phone.end_s) / 2 * MOTION_FPS), len(gap) - 1)
            if phone.symbol[0] in "pbm":
                found["closures p b m"].append(gap[near].min() < CONTACT)
            elif phone.symbol[0] in "fv":
                found["contacts f v"].append(gap[near].min() < TEETH_CONTACT)
            elif phone.symbol[0] in "uow":
                found["rounding u o w"].append(pucker[near].max() > _ROUNDED)
            elif phone.symbol[0] in "aɑæɛ" and phone.end_s - phone.start_s >= 0.08:
                found["false closures"].append(gap[middle] < CONTACT)
            elif visemes_of(phone.symbol)[-1][2] in _PARTED:
                found["closed in other consonants"].append(gap[middle] < CONTACT)
    return {name: share(flags) for name, flags in found.items()} | {"p b m": len(found["closures p b m"])}


def openness(cases: list[Case]) -> dict[str, float]:
    """Return the mean jawOpen in the middle of open, mid and close vowels and of m."""
    jaws: dict[str, list[float]] = {height: [] for height in _HEIGHTS}
    for case in cases:
        for phone in case.phones:
            middle = round((phone.start_s + phone.end_s) / 2 * MOTION_FPS)
            for height, letters in _HEIGHTS.items():
                if phone.symbol[:1] and phone.symbol[0] in letters and middle < len(case.motion):
                    jaws[height].append(case.motion["jawOpen"][middle])
    return {f"jaw {height}": share(values) for height, values in jaws.items()}


def languages_in_order(cases: list[Case]) -> dict[str, float]:
    """Return in how many languages jaw opening ranks a > e o > i u > m, and how many there are."""
    by_language: dict[str, list[Case]] = {}
    for case in cases:
        by_language.setdefault(case.language, []).append(case)
    ranked = [list(openness(group).values()) for group in by_language.values()]
    ranked = [values for values in ranked if np.isfinite(values).all()]
    return {"languages": len(ranked), "languages in order": sum(values == sorted(values)[::-1] for values in ranked)}


def agreement(cases: list[Case]) -> dict[str, float]:
    """Return correlations with the teacher and the lag at which the gap fits it best (positive: the model is late)."""
    found: dict[str, list[float]] = {"gap r": [], "jaw r": [], "pucker r": [], "lag_ms": []}
    for case in cases:
        if case.teacher is None:
            continue
        made, wanted = lip_gap(case.motion), lip_gap(case.teacher)
        found["gap r"].append(correlation(made, wanted))
        for name, channel in (("jaw r", "jawOpen"), ("pucker r", "mouthPucker")):
            found[name].append(correlation(case.motion[channel], case.teacher[channel]))
        found["lag_ms"].append(1000 * best_lag(made, wanted, 6)[1] / MOTION_FPS)
    return {name: share(values) for name, values in found.items()}


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
    return {"closed outside speech": share(outer), "closed in long pauses": share(pauses)}


def with_unwritten_voice(phones: list[Phone], features: SpeechFeatures) -> list[Phone]:
    """Return the phones of a transcript; pauses in which a voice sounds, as in an 'uh', are `UNWRITTEN` sounds."""
    level, voicing = (features.values[:, FEATURES.index(name)] for name in ("energy", "voicing"))
    sounds = (level > _SOUNDS_FROM) & (voicing > 0.5)
    heard = []
    for phone in phones:
        unwritten = phone.symbol == PAUSE and sounds[_span(phone, 0)].sum() / MOTION_FPS > _VOICE_S
        heard.append(Phone(UNWRITTEN, phone.start_s, phone.end_s) if unwritten else phone)
    return heard


def without_silent_ends(phones: list[Phone], features: SpeechFeatures) -> list[Phone]:
    """Return the phones; vowels end where they fade, for synthesisers label the last one on into the silence."""
    level = features.values[:, FEATURES.index("energy")]
    heard = []
    for phone in phones:
        if phone.symbol[:1] in VOWELS:
            sounds = np.flatnonzero(level[_span(phone, 0)] > _FADED)
            end_s = phone.start_s + (sounds[-1] + 1) / MOTION_FPS if len(sounds) else phone.start_s
            phone = replace(phone, end_s=min(end_s, phone.end_s))
        heard.append(phone)
    return heard


def held_notes(cases: list[Case]) -> dict[str, float]:
    """Return, for open vowels sung for 0.7 s or more, how long they stay open and how late they open."""
    open_shares, delays_ms = [], []
    for case in cases:
        gap = lip_gap(case.motion)
        for phone in case.phones:
            held = gap[_span(phone, 0)]
            if phone.symbol[:1] in ("a", "ɑ", "æ", "ɛ", "ʌ") and phone.end_s - phone.start_s >= 0.7 and len(held):
                opened = held > 0.12
                open_shares.append(opened.mean())
                delays_ms += [1000 * float(np.argmax(opened)) / MOTION_FPS] if opened.any() else []
    return {"held open": share(open_shares), "opens after ms": share(delays_ms), "notes": len(open_shares)}


def life(motions: list[Motion]) -> dict[str, float]:
    """Return blinks a minute, the head's spread and limits in degrees, and what is faster than a face."""
    minutes = sum(motion.duration_s for motion in motions) / 60
    heads = {name: np.concatenate([motion[name] for motion in motions]) for name in HEAD[:3]}
    fast = {name: share([_fast_share(motion[name]) for motion in motions]) for name in ("headYaw", "browInnerUp")}
    return {
        "blinks/min": sum(_rises(motion["eyeBlinkLeft"], 0.5) for motion in motions) / minutes,
        **{f"{name} sd": share([np.std(motion[name]) for motion in motions]) for name in heads},
        "head 99.9 % within": float(np.quantile(np.abs(np.concatenate(list(heads.values()))), 0.999)),
        **{f"{name} >10 Hz": value for name, value in fast.items()},
    }


def spectrum_error_db(motions: list[Motion], spectra: dict[str, tuple[float, float, float]]) -> dict[str, float]:
    """Return how far head spectra are from A / (1 + (f / fc)^2)^n at 0.3-3 Hz, mean absolute decibels.

    The overall level is left out: the liveliness of a head is a matter of style.
    """
    errors = {}
    for name, (power, corner_hz, order) in spectra.items():
        length = 512
        pieces = [m[name][i : i + length] for m in motions for i in range(0, len(m) - length + 1, length // 2)]
        windowed = [(piece - piece.mean()) * np.hanning(length) for piece in pieces]
        density = np.mean([np.abs(np.fft.rfft(piece)) ** 2 for piece in windowed], axis=0)
        frequency = np.fft.rfftfreq(length, 1 / MOTION_FPS)
        band = (frequency >= 0.3) & (frequency <= 3)
        wanted = power / (1 + (frequency[band] / corner_hz) ** 2) ** order
        difference_db = 10 * np.log10(density[band] / wanted)
        errors[f"{name} spectrum dB"] = float(np.abs(difference_db - difference_db.mean()).mean())
    return errors


def correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Return Pearson's r, 0 where a curve is constant."""
    if np.std(first) < 1e-9 or np.std(second) < 1e-9:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def best_lag(made: np.ndarray, wanted: np.ndarray, reach: int) -> tuple[float, int]:
    """Return the best correlation within `reach` frames and by how many frames `made` is late there."""
    inner = slice(reach, len(wanted) - reach)
    fits = {lag: correlation(np.roll(made, -lag)[inner], wanted[inner]) for lag in range(-reach, reach + 1)}
    lag = max(fits, key=fits.get)
    return fits[lag], lag


def share(values: list) -> float:
    """Return the mean, or nan of nothing."""
    return float(np.mean(values)) if len(values) else float("nan")


def _span(phone: Phone, reach_s: float) -> slice:
    start, stop = (round(time_s * MOTION_FPS) for time_s in (phone.start_s - reach_s, phone.end_s + reach_s))
    return slice(max(0, start), stop + 1)


def _fast_share(curve: np.ndarray) -> float:
    power = np.abs(np.fft.rfft((curve - curve.mean()) * np.hanning(len(curve)))) ** 2
    return float(power[np.fft.rfftfreq(len(curve), 1 / MOTION_FPS) > 10].sum() / max(power.sum(), 1e-12))


def _rises(curve: np.ndarray, height: float) -> int:
    return int(np.sum((curve[1:] >= height) & (curve[:-1] < height)))
