"""Animated GIFs: one palette for the whole clip, a dither that stands still, and a budget."""

from __future__ import annotations

import logging
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from animate.errors import MediaError
from animate.media.encode import Encoding, FfmpegWriter
from animate.media.ffmpeg import ffmpeg, file_argument
from animate.types import MarkedFrames, Speech

_log = logging.getLogger(__name__)

# Ordered dither depends on the place only, so what stands still in the picture stands still in the GIF.
_DITHER = "dither=bayer:bayer_scale=3:diff_mode=rectangle"
_MARGIN = 0.97  # of the budget that an estimate aims at
_SIGNATURE = 10_000  # bytes, at most, that signing adds
_MIN_SIDE = 144  # pixels; of seven marked clips all kept the id down to 128, one lost it at 112
# Frames per second at most, colours, and share of the width: each step smaller than the one before. Delays are whole
# hundredths of a second, and browsers take 0.01 s for 0.1 s: so 50 is the most.
_STEPS = (
    (50, 256, 1.0), (25, 256, 1.0), (15, 256, 1.0), (15, 128, 1.0), (15, 128, 0.85), (15, 128, 0.7), (10, 128, 0.7),
    (10, 64, 0.7), (10, 64, 0.6), (10, 64, 0.5), (10, 64, 0.4), (10, 64, 0.3), (10, 64, 0.2),
)  # fmt: skip
_WEIGHT_OF_COLOURS = {256: 1.0, 128: 0.83, 64: 0.67}  # measured on four portraits


@dataclass(frozen=True)
class _Step:
    """Every so many frames, so many colours, and a width in pixels."""

    every: int
    colours: int
    width: int

    @property
    def weight(self) -> float:
        """How large the file will be, in units of its own."""
        return self.width**2 / self.every * _WEIGHT_OF_COLOURS[self.colours]


class GifWriter:
    """Keeps the frames without loss, then makes the largest GIF that fits into the budget from them.

    The palette needs all frames before the first is written, and memory must not grow with their number: so they wait
    in a file.
    """

    def __init__(self, draft: Path, frames: MarkedFrames, speech: Speech | None, encoding: Encoding):
        self._draft, self._frames = draft, frames
        self._budget = encoding.max_mb * 1e6 - _SIGNATURE if encoding.max_mb else np.inf  # bytes
        self._kept = draft.with_name("frames.mkv")
        self._keeper = FfmpegWriter(self._kept, frames, None, encoding)

    def add(self, frame: np.ndarray) -> None:
        """Keep one frame."""
        self._keeper.add(frame)

    def finish(self) -> None:
        """Make the GIF.

        Raises
        ------
        MediaError
            If nothing fits into the budget.
        """
        self._keeper.finish()
        steps = self._steps()
        step = steps[0]
        while self._encode(step) > self._budget:
            bytes_per_weight = self._draft.stat().st_size / step.weight
            fitting = [s for s in steps if s.weight < step.weight]
            if not fitting:
                smallest = self._draft.stat().st_size / 1e6
                raise MediaError(
                    f"It cannot weigh less than {smallest:.2f} MB as a GIF. Allow more, or make it shorter."
                )
            step = next((s for s in fitting if s.weight * bytes_per_weight < _MARGIN * self._budget), fitting[-1])
        if step != _Step(1, 256, self._frames.size[0]):
            size, rate = self._draft.stat().st_size / 1e6, float(self._frames.fps / step.every)
            chosen = f"{step.width} pixels width, {rate:.3g} frames/s and {step.colours} colours"
            _log.warning("The GIF has %s, and weighs %.2f MB.", chosen, size)

    def _steps(self) -> list[_Step]:
        width, height = self._frames.size
        found = [
            _Step(-(-self._frames.fps // fps), colours, round(width * share))
            for fps, colours, share in _STEPS
            if share == 1 or min(width, height) * share >= _MIN_SIDE
        ]
        return list(dict.fromkeys(found))

    def _encode(self, step: _Step) -> int:
        """Write the draft and return its size in bytes."""
        palette = self._draft.with_name("palette.png")
        thinned = f"fps={self._frames.fps / step.every},scale={step.width}:-1:flags=area"
        kept = ["-i", file_argument(self._kept)]
        _run([*kept, "-vf", f"{thinned},palettegen=max_colors={step.colours}", file_argument(palette)])
        chain = f"[0:v]{thinned}[thinned];[thinned][1:v]paletteuse={_DITHER}"
        _run([*kept, "-i", file_argument(palette), "-lavfi", chain, "-loop", "0", file_argument(self._draft)])
        return self._draft.stat().st_size

    def close(self) -> None:
        """End ffmpeg if it still runs."""
        self._keeper.close()


def _run(arguments: list[str]) -> None:
    with ffmpeg(arguments, stdin=subprocess.DEVNULL) as running:
        if running.finish():
            raise MediaError(f"ffmpeg said: {running.first_words()}")
