"""The teacher: what a mouth does for phones with known times, as curves for the lip controls.

Each phone pulls the articulators towards its targets; pulls blend with Gaussian dominance (after Cohen & Massaro
1993). Closures are forced afterwards, whatever the neighbours. Time constants are those measured on 11 minutes of
talking video (aggregate figures, project note; the numbers in brackets below are rows of that note's table).
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from animate.motion.latents import LATENT_INDEX, LOWER_DOWN_GAP, NUM_LIP_LATENTS, UPPER_UP_GAP
from animate.train.phonemes import PAUSE, Phone
from animate.train.visemes import VOWELS, Viseme, visemes_of

GRID_FPS = 200  # the blend runs on a finer clock than the motion

# Widths of the blend, in seconds (6-8; true widths after simulating the blur of the video)
_SIGMA_S = {"gap": 0.035, "jaw": 0.035, "width": 0.070, "pucker": 0.045, "funnel": 0.050}
_ROUNDING_LEAD_S = 0.065  # u and w begin to round 60-160 ms before the phone and peak 55 ms after its onset (9)
_CLOSURE_LEAD_S = 0.020  # contact precedes the phone (3)
_CLOSURE_MIN_S = 0.100  # contact lasts at least (3)
_CLOSURE_TAIL_S = 0.010  # and outlasts a long phone
_CLOSING_S, _OPENING_S = 0.075, 0.090  # full ramps; 60 and 70 ms between 10 and 90 % (4)
_VOWEL_KEEPS = 0.65  # of a closure's gate is lifted in the middle of an open vowel, however short
_OPEN_VOWELS = frozenset("aɑäæɛʌɐɔɒ")
_TEETH_GAP = 0.05  # of the range, for f and v (5)
_LONG_PAUSE_S = 0.6  # shorter ones are spent with the lips half open (12)
_PAUSE_OPENING_S = 0.130  # lips begin to part before the sound (12: 129 ms at the half)
_JAW_PER_DB = 0.007  # of the range, in vowels, against the clip's mean level (11)
_SEAL_FROM = 0.6  # of a closure's gate: the seal is the contact itself, without most of the way there and back
_HALF_OPEN = Viseme(0.30, 0.28, 0.0, 0.05, 0.0, 0.5, 0.8)

# From articulators to ARKit. jawOpen is 0.33 jaw in the note; a quarter more reads better on a still portrait.
JAW_GAIN = 0.42
GAP_GAIN = 0.55
_LOWER_SHARE = 2.2  # the lower lip does more of the parting than the upper one
_UPPER_SHARE = (1 - LOWER_DOWN_GAP * _LOWER_SHARE) / UPPER_UP_GAP


def lip_curves(
    phones: list[Phone],
    num_frames: int,
    fps: float,
    level_db: np.ndarray | None = None,
    articulation: float = 1.0,
) -> np.ndarray:
    """Return the lip controls for phones with known times.

    Parameters
    ----------
    phones : list of Phone
        In order; gaps between them and what lies outside count as silence.
    num_frames : int
    fps : float
    level_db : float [num_frames], optional
        Loudness of the speech; vowels open the jaw a little more when it is above the clip's mean.
    articulation : float
        How far the mouth moves from its closed rest: below 1 mumbles, above 1 enunciates. Closures stay closures.

    Returns
    -------
    float32 [num_frames, 14]
        The first controls of `animate.motion.latents.LATENTS`, each 0-1.
    """
    length = round(num_frames / fps * GRID_FPS) + 1
    segments = _segments(phones, length / GRID_FPS)
    tracks = _blend(segments, length)
    if level_db is not None:
        tracks["jaw"] += _JAW_PER_DB * _louder(segments, level_db, fps, length)
    sealed = _gate(segments, "lips", length)
    teeth = _gate(segments, "teeth", length)
    shut = _silence_gate(segments, length)
    tracks["gap"] = np.minimum(tracks["gap"], _TEETH_GAP + (1 - _TEETH_GAP) * (1 - teeth))
    for name in tracks:
        tracks[name] *= articulation
    controls = _controls(tracks, sealed, teeth) * (1 - shut)
    frames = np.minimum(np.round(np.arange(num_frames) / fps * GRID_FPS).astype(int), length - 1)
    return controls[:, frames].T.astype(np.float32)


def _segments(phones: list[Phone], end_s: float) -> list[tuple[float, float, Viseme | None, str]]:
    """Return (start, end, viseme, base) without gaps; a viseme of None is a pause with closed lips."""
    segments, clock = [], 0.0
    voiced = [phone for phone in phones if phone.symbol != PAUSE and phone.end_s > phone.start_s]
    for phone in [*voiced, Phone("end", end_s, end_s)]:
        if phone.start_s > clock + 1e-3:
            pause_s = phone.start_s - clock
            inside = bool(segments) and phone.symbol != "end"
            short = inside and pause_s < _LONG_PAUSE_S
            segments.append((clock, phone.start_s, _HALF_OPEN if short and pause_s > 0.08 else None, PAUSE))
            if short and pause_s <= 0.08:  # a hole of a label, not a pause
                start, _, viseme, base = segments[-2]
                segments[-2:] = [(start, phone.start_s, viseme, base)]
        clock = max(clock, phone.start_s)
        if phone.symbol == "end":
            break
        for viseme, share, base in visemes_of(phone.symbol):
            end = min(clock + share * (phone.end_s - phone.start_s), end_s)
            segments.append((clock, end, viseme, base))
            clock = end
    return segments


def _blend(segments: list, length: int) -> dict[str, np.ndarray]:
    """Return each articulator's blended track, float64 [length]."""
    tracks = {}
    for name, sigma_s in _SIGMA_S.items():
        rounding = name in ("width", "pucker", "funnel")
        pull, weight = np.full(length, 1e-6), np.full(length, 2e-6)
        for start, end, viseme, _ in segments:
            if viseme is None:
                target, strength = 0.0, 0.8
            else:
                target = getattr(viseme, name)
                strength = viseme.rounding_dominance if rounding else viseme.dominance
            lead = _ROUNDING_LEAD_S if rounding and viseme is not None and viseme.pucker >= 0.7 else 0.0
            span = slice(max(0, round((start - lead) * GRID_FPS)), max(0, round(end * GRID_FPS)))
            pull[span] += strength * target
            weight[span] += strength
        sigma = sigma_s * GRID_FPS
        tracks[name] = gaussian_filter1d(pull, sigma) / gaussian_filter1d(weight, sigma)
    return tracks


def _louder(segments: list, level_db: np.ndarray, fps: float, length: int) -> np.ndarray:
    """Return decibels above the mean of the vowels, within +-10, smooth and zero outside vowels, [length]."""
    levels = np.interp(np.arange(length) / GRID_FPS, np.arange(len(level_db)) / fps, level_db)
    vowel = np.zeros(length)
    for start, end, _, base in segments:
        if base in VOWELS:
            vowel[round(start * GRID_FPS) : round(end * GRID_FPS)] = 1
    if not vowel.any():
        return vowel
    relative = np.clip(levels - levels[vowel > 0].mean(), -10, 10)
    return gaussian_filter1d(relative * vowel, 0.05 * GRID_FPS)


def _ramped(length: int, start: float, end: float, rise_s: float, fall_s: float) -> np.ndarray:
    """Return a smooth 0-1-0 gate [length] that is 1 from `start` to `end` seconds."""
    times = np.arange(length) / GRID_FPS
    ramp = np.clip(np.minimum((times - start) / rise_s + 1, 1 - (times - end) / fall_s), 0, 1)
    return ramp * ramp * (3 - 2 * ramp)


def _gate(segments: list, contact: str, length: int) -> np.ndarray:
    gate = np.zeros(length)
    for start, end, viseme, _ in segments:
        if viseme is not None and viseme.contact == contact:
            begin = start - _CLOSURE_LEAD_S
            until = begin + max(_CLOSURE_MIN_S, end - start + _CLOSURE_LEAD_S + _CLOSURE_TAIL_S)
            gate = np.maximum(gate, _ramped(length, begin, until, _CLOSING_S, _OPENING_S))
    for start, end, _, base in segments:
        if base in _OPEN_VOWELS:  # the ramps of closures on both sides must not shut a short one
            middle, half = (start + end) / 2, (end - start) / 2
            gate *= 1 - _VOWEL_KEEPS * _ramped(length, middle, middle, half, half)
    return gate


def _silence_gate(segments: list, length: int) -> np.ndarray:
    gate = np.zeros(length)
    for index, (start, end, viseme, _) in enumerate(segments):
        if viseme is None:
            last = index == len(segments) - 1
            begin = -1.0 if start == 0 else start + 0.04
            until = end + 1.0 if last else end - 0.04
            gate = np.maximum(gate, _ramped(length, begin, until, 0.10, _PAUSE_OPENING_S))
    return gate


def _controls(tracks: dict[str, np.ndarray], sealed: np.ndarray, teeth: np.ndarray) -> np.ndarray:
    """Return lip controls [14, length] that part the lips by exactly the wanted gap."""
    jaw = np.clip(JAW_GAIN * tracks["jaw"], 0, 0.6)
    gap = np.clip(GAP_GAIN * tracks["gap"], 0, 0.7) * (1 - sealed)
    wide, narrow = np.maximum(tracks["width"], 0), np.maximum(tracks["pucker"], 0)
    parting = np.maximum(gap - jaw, 0)
    controls = {
        "jawOpen": jaw,
        "mouthClose": np.maximum(jaw - gap, 0),
        "mouthFunnel": np.clip(tracks["funnel"] * 1.1, 0, 0.6) * (1 - 0.6 * sealed),
        "mouthPucker": np.clip(0.5 * narrow - 0.03, 0, 0.65),
        "mouthSmile": np.clip(0.40 * wide - 0.02, 0, 0.4),
        "mouthStretch": np.clip(0.35 * wide - 0.02, 0, 0.4),
        "mouthPress": 0.12 * sealed,
        "mouthRollLower": 0.08 * sealed + 0.18 * teeth,
        "mouthRollUpper": 0.08 * sealed,
        "mouthShrugLower": 0.11 * teeth,
        "mouthShrugUpper": 0.03 * sealed,
        "mouthLowerDown": _LOWER_SHARE * parting,
        "mouthUpperUp": _UPPER_SHARE * parting,
        "seal": np.clip((sealed - _SEAL_FROM) / (1 - _SEAL_FROM), 0, 1),
    }
    rows = np.zeros((NUM_LIP_LATENTS, len(jaw)))
    for name, curve in controls.items():
        rows[LATENT_INDEX[name]] = curve
    return np.clip(rows, 0, 1)
