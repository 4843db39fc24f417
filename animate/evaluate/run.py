"""All the figures of a portrait, and the few that belong with a render."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from animate.evaluate.closed_loop import closed_loop, shut_figure
from animate.evaluate.figures import Figure
from animate.evaluate.geometry import folds_and_holes
from animate.evaluate.pixels import (
    grey_figure,
    identity_figure,
    mirror_figure,
    outside_figure,
    rest_figure,
    smoothness_figure,
    turned_rows,
)
from animate.evaluate.rows import blinks, plausible_rows, row, smooth_motion, sweep
from animate.evaluate.turned import turned_figure
from animate.renderer import MeshRenderer
from animate.types import Motion, Portrait

_SPEECH_FRAMES = 12  # of the motion, on which pictures are compared
_SMOOTH_FRAMES = 50


def evaluate(
    portrait: Portrait,
    motion: Motion,
    *,
    num_random: int = 1000,
    seed: int = 0,
    identity_model: Path | str | None = None,
    progress: bool = False,
) -> list[Figure]:
    """Measure the default renderer on a portrait.

    Parameters
    ----------
    portrait : Portrait
    motion : Motion
        What the portrait would perform; random plausible rows are drawn around its own.
    num_random : int
        Random rows to look for folds and holes in.
    seed : int
        Of those rows.
    identity_model : Path or str, optional
        SFace's ONNX file; without it identity is not measured.
    progress : bool
        Show bars on stderr.

    Returns
    -------
    list of Figure

    Raises
    ------
    DependencyError
        If the identity model is missing.

    Examples
    --------
    >>> from animate.pipeline import generate_motion, read_portrait, read_voice
    >>> figures = evaluate(read_portrait("ada.jpg"), generate_motion(read_voice("line.wav")))  # doctest: +SKIP
    """
    renderer = MeshRenderer(portrait)
    bar = _bar(progress)
    turns = {name: values for name, values in sweep().items() if name.startswith("head")}
    speech = _spread(motion, _SPEECH_FRAMES)
    hardest = np.concatenate([speech, np.stack(list(turns.values()))])
    figures = [
        rest_figure(portrait, renderer),
        *closed_loop(portrait, renderer, sweep(), bar),
        shut_figure(portrait, renderer, blinks()),
        outside_figure(portrait, renderer, hardest),
        mirror_figure(portrait, renderer, MeshRenderer, np.concatenate([row()[None], speech, turned_rows()])),
        grey_figure(portrait, MeshRenderer, hardest),
        *folds_and_holes(renderer, portrait.face.eye_distance, plausible_rows(motion, num_random, seed)),
        smoothness_figure(portrait, renderer, smooth_motion(_SMOOTH_FRAMES)),
        turned_figure(portrait, motion),
    ]
    if identity_model is not None:
        figures.append(identity_figure(portrait, renderer, np.concatenate([speech, turned_rows()]), identity_model))
    return figures


def report(portrait: Portrait, motion: Motion) -> list[Figure]:
    """Return the figures of one performance, measured on a few of its own frames; a few seconds' work."""
    renderer = MeshRenderer(portrait)
    rows = _spread(motion, _SPEECH_FRAMES)
    named = {"rest": row()} | {f"{index}": values for index, values in enumerate(rows)}
    return [
        rest_figure(portrait, renderer),
        *closed_loop(portrait, renderer, named),
        outside_figure(portrait, renderer, rows),
        *folds_and_holes(renderer, portrait.face.eye_distance, motion.values[:: max(1, len(motion) // 200)]),
        turned_figure(portrait, motion),
    ]


def _spread(motion: Motion, count: int) -> np.ndarray:
    """Return rows spread evenly over a motion, float32 [count, 58] or as many as it has."""
    return motion.values[np.unique(np.linspace(0, len(motion) - 1, count).astype(int))]


def _bar(progress: bool):
    if not progress:
        return iter
    from tqdm import tqdm

    return tqdm
