"""Frames go to ffmpeg as they are drawn: what each container holds, and how the one quality scale maps to its codec."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np

from animate.config import CODECS, X264_PRESETS, RenderConfig
from animate.errors import MediaError
from animate.media.ffmpeg import FfmpegProcess, file_argument
from animate.types import MarkedFrames, Speech

# Both converted and tagged as BT.709, so that every player shows the colours of the portrait.
_BT709 = (
    "scale=out_color_matrix=bt709:out_range=tv:flags=bicubic+accurate_rnd,"
    "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv"
)


@dataclass(frozen=True)
class Encoding:
    """How frames are encoded.

    Attributes
    ----------
    crf : int
        Quality on x264's scale, 0 (lossless) to 51; 18 looks like the original. Other codecs get what looks alike.
    preset : str
        x264's speed preset; other codecs get the nearest.
    codec : str
        Of mp4: "h264", "hevc" or "av1".
    max_mb : float
        What a GIF may weigh, in 10^6 bytes; 0 is no limit.
    still_at_s : float
        Which moment a .png or .jpg shows.
    aigc_producer : str
        Who answers for the content: writes the `AIGC` tag of China's labelling measures (in force since 2025-09-01).

    Raises
    ------
    MediaError
        If a value is out of range.
    """

    crf: int = 18
    preset: str = "veryfast"
    codec: str = "h264"
    max_mb: float = 0.0
    still_at_s: float = 0.0
    aigc_producer: str = ""

    @classmethod
    def of(cls, config: RenderConfig) -> Encoding:
        """Return the part of the settings of a clip that is about encoding."""
        return cls(
            config.crf, config.encoder_preset, config.codec, config.max_mb, config.still_at_s, config.aigc_producer
        )

    def __post_init__(self):
        if not 0 <= self.crf <= 51:
            raise MediaError(
                f"The quality crf={self.crf} is out of range. Use 0 (lossless) to 51; 18 looks like the original."
            )
        if self.codec not in CODECS:
            raise MediaError(f"There is no codec {self.codec!r}. Use {', '.join(CODECS)}.")


class Writer(Protocol):
    """Takes the frames of one output in their order, and leaves a finished draft."""

    def add(self, frame: np.ndarray) -> None:
        """Take one frame, uint8 [H, W, 3] or, if it is transparent, [H, W, 4]."""

    def finish(self) -> None:
        """Complete the draft after the last frame."""

    def close(self) -> None:
        """Let go of processes and files, whatever happened."""


class FfmpegWriter:
    """Pipes frames into ffmpeg, which encodes them with the voice.

    Parameters
    ----------
    draft : Path
        Its suffix says what is written.
    frames : MarkedFrames
        For their size, rate and number; they come by `add`.
    speech : Speech or None
        Left out where the format has no sound.
    encoding : Encoding

    Raises
    ------
    MediaError
        By `add` and `finish`, if ffmpeg fails.
    """

    def __init__(self, draft: Path, frames: MarkedFrames, speech: Speech | None, encoding: Encoding):
        suffix = draft.suffix.lower()
        pictures = {".mp4": _mp4, ".webm": _webm, ".mov": _mov, ".webp": _webp, ".mkv": _lossless}[suffix]
        width, height = frames.size
        self._odd = (height % 2, width % 2) if suffix in (".mp4", ".webm") else (0, 0)
        size = f"{width + self._odd[1]}x{height + self._odd[0]}"
        layout = "rgba" if frames.has_alpha else "rgb24"
        arguments = ["-f", "rawvideo", "-pix_fmt", layout, "-s", size, "-r", str(frames.fps), "-i", "pipe:0"]
        sound = _SOUND.get(suffix)
        if speech is not None and sound is not None:
            voice, fitted = _voice(draft.with_name("voice.f32"), frames, speech)
            arguments += [*voice, *pictures(encoding, frames.has_alpha), *fitted, *sound]
        else:
            arguments += pictures(encoding, frames.has_alpha)
        if encoding.aigc_producer and suffix in TAGGED:
            arguments += _aigc(encoding.aigc_producer, frames.mark_id, suffix)
        self._running = FfmpegProcess([*arguments, file_argument(draft)], stdin=subprocess.PIPE)

    def add(self, frame: np.ndarray) -> None:
        """Send one frame; an odd side grows by one pixel, which repeats the edge, where the codec needs even ones."""
        if any(self._odd):
            frame = cv2.copyMakeBorder(frame, 0, self._odd[0], 0, self._odd[1], cv2.BORDER_REPLICATE)
        try:
            self._running.process.stdin.write(np.ascontiguousarray(frame))
        except BrokenPipeError:
            self._running.process.wait()
            raise MediaError(f"ffmpeg said: {self._running.first_words()}") from None

    def finish(self) -> None:
        """Wait for ffmpeg."""
        if self._running.finish():
            raise MediaError(f"ffmpeg said: {self._running.first_words()}")

    def close(self) -> None:
        """End ffmpeg if it still runs."""
        self._running.close()


TAGGED = (".mp4", ".mov", ".webm")  # formats that hold an AIGC tag
_SOUND = {
    ".mp4": ["-c:a", "aac", "-b:a", "128k"],
    ".webm": ["-c:a", "libopus", "-b:a", "96k"],
    ".mov": ["-c:a", "pcm_s16le"],
}


def _aigc(producer: str, mark_id: str, suffix: str) -> list[str]:
    """Return the arguments for the tag: label 1 says that the content is generated, and the mark's id is its number."""
    tag = {
        "Label": "1", "ContentProducer": producer, "ProduceID": mark_id, "ReservedCode1": "",
        "ContentPropagator": "", "PropagateID": "", "ReservedCode2": "",
    }  # fmt: skip
    flags = [] if suffix == ".webm" else ["-movflags", "+faststart+use_metadata_tags"]
    # The QuickTime family drops names that it does not know without the flag; the last of two -movflags counts.
    return ["-metadata", f"AIGC={json.dumps(tag, ensure_ascii=False)}", *flags]


def _voice(scratch: Path, frames: MarkedFrames, speech: Speech) -> tuple[list[str], list[str]]:
    """Put the voice into a scratch file; return the arguments that read it and those that fit it to the pictures."""
    speech.samples.astype("<f4", copy=False).tofile(scratch)
    source = ["-f", "f32le", "-ar", str(speech.sample_rate), "-ac", "1", "-i", file_argument(scratch)]
    length = round(frames.num_frames / frames.fps * speech.sample_rate)
    return source, ["-af", f"apad=whole_len={length},atrim=end_sample={length}"]


def _slowness(preset: str) -> int:
    """Return 0 for x264's fastest preset to 8 for its slowest."""
    return X264_PRESETS.index(preset)


def _mp4(encoding: Encoding, has_alpha: bool) -> list[str]:
    crf, preset = encoding.crf, encoding.preset
    coded = {
        "h264": ["-c:v", "libx264", "-preset", preset, "-crf", str(crf)],
        # Apple's players know HEVC by the tag hvc1 only. At 2 more than x264's it has the SSIM (measured at 18 to 26).
        "hevc": [
            "-c:v",
            "libx265",
            "-x265-params",
            "log-level=error",
            "-preset",
            preset,
            "-crf",
            str(min(51, crf + 2)),
            "-tag:v",
            "hvc1",
        ],
        "av1": ["-c:v", "libsvtav1", "-preset", str(12 - _slowness(preset)), "-crf", str(_wide_crf(crf))],
    }[encoding.codec]
    return ["-vf", _BT709, "-pix_fmt", "yuv420p", *coded, "-movflags", "+faststart"]


def _webm(encoding: Encoding, has_alpha: bool) -> list[str]:
    speed = str(max(0, 6 - _slowness(encoding.preset)))
    coded = ["-c:v", "libvpx-vp9", "-deadline", "good", "-cpu-used", speed, "-row-mt", "1", "-b:v", "0"]
    # The alpha channel is a second stream, which hidden reference frames would shift against the first.
    alpha = ["-pix_fmt", "yuva420p", "-auto-alt-ref", "0"] if has_alpha else ["-pix_fmt", "yuv420p"]
    return ["-vf", _BT709, *alpha, *coded, "-crf", str(_wide_crf(encoding.crf))]


def _mov(encoding: Encoding, has_alpha: bool) -> list[str]:
    layout = "yuva444p10le" if has_alpha else "yuv444p10le"
    return ["-vf", _BT709, "-pix_fmt", layout, "-c:v", "prores_ks", "-profile:v", "4444", "-vendor", "apl0"]


def _webp(encoding: Encoding, has_alpha: bool) -> list[str]:
    quality = str(round(100 - 15 * encoding.crf / 18))  # 85 at 18; libwebp's own default of 75 shows
    layout = "yuva420p" if has_alpha else "yuv420p"
    return ["-pix_fmt", layout, "-c:v", "libwebp_anim", "-quality", quality, "-compression_level", "4", "-loop", "0"]


def _lossless(encoding: Encoding, has_alpha: bool) -> list[str]:
    return ["-c:v", "libx264rgb", "-qp", "0", "-preset", "ultrafast"]


def _wide_crf(crf: int) -> int:
    """Return the value on the scale of AV1 and VP9, 0 to 63, that gives the SSIM of x264's (measured at 12 to 28)."""
    return min(63, max(0, round(2.2 * crf - 11)))
