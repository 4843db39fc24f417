"""Time the whole job and each stage on this machine, next to the floor: ffmpeg encoding the same frames.

Each picture size runs in a fresh process, whole job first, so that its peak memory is its own.
"""

from __future__ import annotations

import itertools
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from fractions import Fraction
from pathlib import Path

import numpy as np

from animate.clock import frame_rate
from animate.errors import ConfigError

_SAMPLE = 50  # frames kept in memory for timing the later stages, cycled over the clip


def benchmark(
    sizes: list[int],
    seconds: float,
    fps: float | str = 25,
    portrait: str | None = None,
    voice: str | None = None,
) -> list[dict]:
    """Return one row per size and stage.

    Parameters
    ----------
    sizes : list of int
        Short sides of the picture in pixels; the portrait is resized to each.
    seconds : float
        Length of the voice, which is cut or repeated to it.
    fps : float or str
        Output frame rate.
    portrait, voice : str, optional
        Files to use instead of the shipped example.

    Returns
    -------
    list of dict
        ``size``, ``stage``, ``seconds``, ``frames_per_s``, ``real_time_factor`` (seconds of video per second of work)
        and ``peak_mb`` (of the process up to then; None for stages after the whole job).

    Raises
    ------
    ConfigError
        If a size or the length is out of range.
    """
    if not 1 <= seconds <= 3600 or not all(64 <= size <= 8192 for size in sizes):
        raise ConfigError("bench takes 1 to 3600 seconds and sizes of 64 to 8192 pixels.")
    frame_rate(fps)
    fresh = multiprocessing.get_context("spawn")
    rows = []
    for size in sizes:
        with ProcessPoolExecutor(1, mp_context=fresh) as process:
            rows += process.submit(_measure, size, seconds, fps, portrait, voice).result()
    return rows


def table(rows: list[dict]) -> str:
    """Return the rows as text, with the ratio of the whole job to the encoding floor under each size."""
    lines = [f"{'size':12}{'stage':16}{'seconds':>9}{'frames/s':>10}{'x real time':>13}{'peak MB':>9}"]
    for size, group in itertools.groupby(rows, key=lambda row: row["size"]):
        group = list(group)
        for row in group:
            peak = f"{row['peak_mb']:9.0f}" if row["peak_mb"] else ""
            rates = f"{row['frames_per_s']:10.1f}{row['real_time_factor']:13.2f}" if row["frames_per_s"] else ""
            lines.append(f"{size:12}{row['stage']:16}{row['seconds']:9.2f}{rates or ' ' * 23}{peak}")
        taken = {row["stage"]: row["seconds"] for row in group}
        lines.append(f"{size:12}{'whole / floor':16}{taken['whole job'] / taken['encode floor']:9.2f}")
    return "\n".join(lines)


class _Stopwatch:
    """Collect one row per stage of one picture size."""

    def __init__(self, size: str, seconds: float, rate: Fraction):
        self.size, self.seconds, self.rate = size, seconds, float(rate)
        self.rows: list[dict] = []

    def __call__(self, stage: str, work: Callable, per_frame: bool = True, peak: bool = False):
        """Run `work`, note its time, and return what it returned."""
        start = time.perf_counter()
        result = work()
        taken = time.perf_counter() - start
        self.rows.append(
            {
                "size": self.size,
                "stage": stage,
                "seconds": round(taken, 3),
                "frames_per_s": round(self.seconds * self.rate / taken, 2) if per_frame else None,
                "real_time_factor": round(self.seconds / taken, 3) if per_frame else None,
                "peak_mb": round(_peak_mb()) if peak else None,
            }
        )
        return result


def _measure(size: int, seconds: float, fps, portrait_file, voice_file) -> list[dict]:
    rate = frame_rate(fps)
    image, speech = _picture(size, portrait_file), _voice(seconds, voice_file)
    timed = _Stopwatch(f"{image.shape[1]}x{image.shape[0]}", seconds, rate)
    animator = timed("load models", _load_animator, per_frame=False)
    _warm_up(animator, image)
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "bench.mp4"
        timed("whole job", lambda: _whole_job(animator, image, speech, fps, target), peak=True)
        portrait = timed("portrait", lambda: _read(image), per_frame=False)
        features = timed("features", lambda: _features(speech))
        motion = timed("motion", lambda: animator.model(features, duration_s=seconds, seed=0))
        renderer = timed("prepare rig", lambda: _renderer(portrait), per_frame=False)
        drawn = timed("render", lambda: _draw(renderer, motion.resampled(rate)))
        timed("mark", lambda: _mark(drawn, image, rate, seconds))
        timed("encode floor", lambda: _encode(drawn, target, rate, seconds))
    return timed.rows


def _picture(size: int, path: str | None) -> np.ndarray:
    import cv2
    import skimage.data

    from animate.pipeline import read_portrait

    image = read_portrait(path).image if path else skimage.data.astronaut()
    scale = size / min(image.shape[:2])
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return cv2.resize(image, None, fx=scale, fy=scale, interpolation=interpolation)


def _voice(seconds: float, path: str | None):
    from dataclasses import replace

    from animate.example import example_voice
    from animate.pipeline import read_voice

    speech = read_voice(path or example_voice())
    return replace(speech, samples=np.resize(speech.samples, round(seconds * speech.sample_rate)))


def _load_animator():
    from animate.pipeline import Animator

    return Animator.from_pretrained()


def _warm_up(animator, image: np.ndarray) -> None:
    """Compile numba's kernels and fill caches, which a long job does once."""
    from animate.types import Speech

    with tempfile.TemporaryDirectory() as folder:
        silence = Speech(np.zeros(16000, np.float32), 16000)
        _whole_job(animator, image, silence, 25, Path(folder) / "warm.mp4")


def _read(image: np.ndarray):
    from animate.portrait import portrait_from_image

    return portrait_from_image(image)


def _whole_job(animator, image, speech, fps, target: Path) -> None:
    animator(_read(image), speech, fps=fps, consent="undeclared").save(target)


def _features(speech):
    from animate.speech import extract_features

    return extract_features(speech)


def _renderer(portrait):
    from animate.renderer import MeshRenderer

    return MeshRenderer(portrait)


def _draw(renderer, motion) -> list[np.ndarray]:
    kept = []
    for number, frame in enumerate(renderer.frames(motion)):
        if number < _SAMPLE:
            kept.append(frame.copy())
    return kept


def _mark(drawn, image, rate, seconds: float) -> None:
    from animate import provenance
    from animate.clock import num_frames

    count = num_frames(seconds, rate)
    cycled = lambda: itertools.islice(itertools.cycle(drawn), count)  # noqa: E731
    for _ in provenance.mark(cycled, still=image, fps=rate, num_frames=count):
        pass


def _encode(drawn, target: Path, rate, seconds: float) -> None:
    """Encode with ffmpeg alone, at the settings of a default render."""
    import imageio_ffmpeg

    from animate.clock import num_frames
    from animate.config import RenderConfig

    height, width = (side - side % 2 for side in drawn[0].shape[:2])
    writer = imageio_ffmpeg.write_frames(
        str(target),
        (width, height),
        fps=float(rate),
        codec="libx264",
        macro_block_size=1,
        pix_fmt_out="yuv420p",
        output_params=["-preset", RenderConfig.encoder_preset, "-crf", str(RenderConfig.crf)],
    )
    writer.send(None)
    for frame in itertools.islice(itertools.cycle(drawn), num_frames(seconds, rate)):
        writer.send(np.ascontiguousarray(frame[:height, :width]))
    writer.close()


def _peak_mb() -> float:
    unit = 1 if sys.platform == "darwin" else 1024  # getrusage counts bytes on macOS, kilobytes on Linux
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6
