"""Measure a motion model against real people: the tracked lip gap of talking videos, never trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from animate.media import probe, read_frames, read_voice
from animate.motion.latents import lip_gap
from animate.portrait.mediapipe_detector import load_mediapipe, quiet, solutions
from animate.speech.features import FEATURES, MOTION_FPS, NUM_MELS, extract_features
from animate.train.measures import best_lag, share

_INNER_UPPER, _INNER_LOWER, _EYE_OUTER = 13, 14, (33, 263)  # MediaPipe vertices
_REACH = 4  # frames, 80 ms
_CONTEXT = 6  # frames of sound to either side that the regression sees
_RIDGE = 30.0


def track_lip_gap(path: Path) -> np.ndarray:
    """Return the distance between the inner lips, in distances of the outer eye corners, at the rate of the motion.

    Frames without a face are bridged.
    """
    fps = probe(path).fps
    with quiet():
        tracker = solutions().face_mesh.FaceMesh(static_image_mode=False, refine_landmarks=True)
        gaps = []
        for frame in read_frames(path):
            found = tracker.process(frame).multi_face_landmarks
            points = None
            if found:
                scale = np.array(frame.shape[1::-1])
                points = np.array([(point.x, point.y) for point in found[0].landmark]) * scale
            gaps.append(np.nan if points is None else _gap(points))
        tracker.close()
    times = np.arange(len(gaps)) / fps
    seen = np.isfinite(gaps)
    clock = np.arange(int(len(gaps) / fps * MOTION_FPS)) / MOTION_FPS
    return np.interp(clock, times[seen], np.array(gaps)[seen])


def real_mouths(pipeline, folder: Path) -> dict[str, float]:
    """Return correlations with the tracked lip gap at the best lag within 80 ms, averaged over the videos.

    Beside the model: a ridge regression on log-mel, trained on the other videos of the same folder, and the energy of
    the voice alone. Lags in ms, positive where the model is late.
    """
    load_mediapipe()
    videos = sorted(path for path in folder.iterdir() if path.suffix in (".mp4", ".mpg"))
    features = [extract_features(read_voice(path)) for path in videos]
    tracked = [track_lip_gap(path) for path in videos]
    lengths = [min(len(gap), len(heard.values)) for gap, heard in zip(tracked, features, strict=True)]
    tracked = [gap[:length] for gap, length in zip(tracked, lengths, strict=True)]
    heard = [_stacked(feature.values[:length]) for feature, length in zip(features, lengths, strict=True)]
    found: dict[str, list[float]] = {}
    for index, gap in enumerate(tracked):
        energy = features[index].values[: len(gap), FEATURES.index("energy")]
        guesses = {
            "model": lip_gap(pipeline(features[index], seed=0))[: len(gap)],
            "ridge": _ridge(heard, tracked, index),
            "energy": energy,
        }
        for name, guess in guesses.items():
            r, lag = best_lag(guess, gap, _REACH)
            found.setdefault(f"{name} r", []).append(r)
            found.setdefault(f"{name} lag_ms", []).append(1000 * lag / MOTION_FPS)
    return {name: share(values) for name, values in found.items()} | {"videos": len(videos)}


def _gap(points: np.ndarray) -> float:
    eyes = points[_EYE_OUTER[1]] - points[_EYE_OUTER[0]]
    return float(np.linalg.norm(points[_INNER_LOWER] - points[_INNER_UPPER]) / np.linalg.norm(eyes))


def _stacked(values: np.ndarray) -> np.ndarray:
    """Return log-mel with its neighbours and a constant, [T, (2 context + 1) bands + 1]."""
    mel = np.pad(values[:, :NUM_MELS], ((_CONTEXT, _CONTEXT), (0, 0)))
    shifted = [mel[offset : offset + len(values)] for offset in range(2 * _CONTEXT + 1)]
    return np.concatenate([*shifted, np.ones((len(values), 1))], axis=1)


def _ridge(heard: list[np.ndarray], tracked: list[np.ndarray], left_out: int) -> np.ndarray:
    """Return the lip gap of one video as a regression over all others has it."""
    others = [index for index in range(len(heard)) if index != left_out]
    x = np.concatenate([heard[index] for index in others])
    y = np.concatenate([(tracked[i] - tracked[i].mean()) / (tracked[i].std() + 1e-9) for i in others])
    weights = np.linalg.solve(x.T @ x + _RIDGE * np.eye(x.shape[1]), x.T @ y)
    return heard[left_out] @ weights
