"""Plot a motion under its voice: waveform and spectrogram above jaw, lips, lids, brows and head."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np

from animate.errors import DependencyError, MediaError
from animate.types import Motion, Speech

_SUFFIXES = (".png", ".pdf", ".svg")
_SPECTRUM_WINDOW, _SPECTRUM_HOP = 0.025, 0.005  # seconds: short enough to show the silence in a plosive
_SPECTRUM_TOP_HZ, _SPECTRUM_SPAN_DB = 8000, 70

# Title, unit and the curves of each panel: a label, and the channels whose mean is drawn
_PANELS = (
    ("jaw", (0, 1), {"jawOpen": ("jawOpen",), "mouthClose": ("mouthClose",)}),
    (
        "lips",
        (0, 1),
        {
            "pucker": ("mouthPucker",),
            "funnel": ("mouthFunnel",),
            "smile": ("mouthSmileLeft", "mouthSmileRight"),
            "press": ("mouthPressLeft", "mouthPressRight"),
            "lower down": ("mouthLowerDownLeft", "mouthLowerDownRight"),
            "upper up": ("mouthUpperUpLeft", "mouthUpperUpRight"),
        },
    ),
    (
        "lids",
        (0, 1),
        {
            "blink left": ("eyeBlinkLeft",),
            "blink right": ("eyeBlinkRight",),
            "squint": ("eyeSquintLeft", "eyeSquintRight"),
        },
    ),
    (
        "brows",
        (0, 1),
        {
            "inner up": ("browInnerUp",),
            "outer up": ("browOuterUpLeft", "browOuterUpRight"),
            "down": ("browDownLeft", "browDownRight"),
        },
    ),
    ("head, degrees", None, {"pitch": ("headPitch",), "yaw": ("headYaw",), "roll": ("headRoll",)}),
)


def plot_motion(motion: Motion, path: str | Path, speech: Speech | None = None) -> Path:
    """Write a picture of the curves of a motion, and of its voice above them.

    Parameters
    ----------
    motion : Motion
    path : path
        Ends in .png, .pdf or .svg.
    speech : Speech, optional

    Returns
    -------
    Path
        The file, which appears when it is complete.

    Raises
    ------
    DependencyError
        If matplotlib is missing.
    MediaError
        If the suffix is another or the file cannot be written.

    Examples
    --------
    >>> plot_motion(Motion.rest(1.0, 50), "curves.png")                 # doctest: +SKIP
    """
    target = Path(path)
    if target.suffix.lower() not in _SUFFIXES:
        raise MediaError(f"{target.name}: a plot cannot be written as that. Use {', '.join(_SUFFIXES)}.")
    figure = _figure(motion, speech)
    try:
        with tempfile.TemporaryDirectory(prefix=f".{target.stem[:64]}-", dir=target.parent) as folder:
            draft = Path(folder, target.name)
            figure.savefig(draft, dpi=110)
            os.replace(draft, target)
    except OSError as error:
        raise MediaError(f"The plot {target} could not be written: {error.strerror or error}.") from None
    return target


def _figure(motion: Motion, speech: Speech | None):
    try:
        from matplotlib.figure import Figure  # not pyplot: no window, no global state
    except ImportError:
        raise DependencyError("matplotlib is missing. Install it: pip install 'animate-portrait[plot]'") from None
    heights = ([0.8, 1.4] if speech is not None else []) + [1.0] * len(_PANELS)
    width = float(np.clip(4 + 1.6 * motion.duration_s, 9, 40))  # inches
    figure = Figure(figsize=(width, 1.35 * sum(heights) + 0.6), layout="constrained")
    axes = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
    if speech is not None:
        _draw_voice(axes[0], axes[1], speech)
    times_s = np.arange(len(motion)) / motion.fps
    for axis, (title, limits, curves) in zip(axes[-len(_PANELS) :], _PANELS, strict=True):
        for label, channels in curves.items():
            axis.plot(times_s, np.mean([motion[channel] for channel in channels], axis=0), linewidth=1.1, label=label)
        if limits:
            axis.set_ylim(limits[0] - 0.03, limits[1] + 0.03)
        axis.set_ylabel(title)
        axis.grid(alpha=0.3)
        axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1.02), fontsize=8, frameon=False)
    axes[-1].set_xlim(0, motion.duration_s)
    axes[-1].set_xlabel("seconds")
    return figure


def _draw_voice(wave_axis, spectrum_axis, speech: Speech) -> None:
    samples, rate = speech.samples, speech.sample_rate
    # Extremes of short runs, so that an hour draws as quickly as a second.
    run = max(1, len(samples) // 6000)
    runs = samples[: len(samples) // run * run].reshape(-1, run)
    times_s = np.arange(len(runs)) * run / rate
    wave_axis.fill_between(times_s, runs.min(axis=1), runs.max(axis=1), linewidth=0.5, color="0.35")
    wave_axis.set_ylabel("voice")
    wave_axis.set_yticks([])
    window = round(_SPECTRUM_WINDOW * rate)
    padded = np.pad(samples, (0, max(0, window - len(samples))))
    hop = max(round(_SPECTRUM_HOP * rate), len(padded) // 8000)
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop]  # [n, window]
    power = np.abs(np.fft.rfft(frames * np.hanning(window), axis=1).astype(np.complex64)) ** 2
    level_db = 10 * np.log10(power + 1e-12).T  # [bins, n]
    span_s = (window / 2 / rate, ((level_db.shape[1] - 1) * hop + window / 2) / rate)
    spectrum_axis.imshow(
        level_db,
        origin="lower",
        aspect="auto",
        extent=(*span_s, 0, rate / 2),
        vmin=level_db.max() - _SPECTRUM_SPAN_DB,
        cmap="magma",
        interpolation="nearest",
    )
    spectrum_axis.set_ylim(0, min(_SPECTRUM_TOP_HZ, rate / 2))
    spectrum_axis.set_ylabel("Hz")
