"""Write marked frames and a voice as a video file, atomically and in bounded memory."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from animate.errors import MediaError
from animate.media.ffmpeg import FfmpegProcess, ffmpeg
from animate.types import MarkedFrames, Speech

_SUFFIXES = (".mp4",)
# Both converted and tagged as BT.709, so that every player shows the colours of the portrait.
_BT709 = (
    "scale=out_color_matrix=bt709:out_range=tv:flags=bicubic+accurate_rnd,"
    "setparams=color_primaries=bt709:color_trc=bt709:colorspace=bt709:range=tv"
)


def write_video(
    path: str | Path,
    frames: MarkedFrames,
    speech: Speech | None = None,
    *,
    crf: int = 18,
    preset: str = "veryfast",
    progress: bool = False,
) -> Path:
    """Write an mp4 with H.264 pictures and AAC sound.

    The file appears under its name when it is complete and sealed (`MarkedFrames.seal`); whatever fails before leaves nothing behind and an older
    file of that name as it was. An odd width or height grows by one pixel, which repeats the edge. The sound is cut
    or filled with silence to the length of the pictures.

    Parameters
    ----------
    path : str or Path
        Target, ending in .mp4.
    frames : MarkedFrames
        From `animate.provenance.mark`; nothing else is written.
    speech : Speech, optional
        The sound track; none if omitted.
    crf : int
        x264's constant rate factor, 0 (lossless) to 51; 18 looks like the original.
    preset : str
        x264's speed preset.
    progress : bool
        Show a progress bar if stderr is a terminal.

    Returns
    -------
    Path
        The target.

    Raises
    ------
    MediaError
        If the frames are not marked, the target cannot be written, or ffmpeg fails.
    ProvenanceError
        If the file cannot be signed or noted in the record.
    """
    target = Path(path)
    _check(target, frames, crf)
    try:
        workspace = tempfile.TemporaryDirectory(prefix=f".{target.stem[:64]}-", dir=target.parent)
    except OSError as error:
        raise MediaError(f"The folder {target.parent} cannot be written to: {error.strerror}.") from error
    with workspace as folder:  # on the target's file system, so that the last step is a rename
        draft = Path(folder, f"video{target.suffix}")
        arguments = _video_arguments(frames, crf, preset)
        if speech is not None:
            try:
                arguments = _sound_arguments(Path(folder, "voice.f32"), arguments, frames, speech)
            except OSError as error:
                raise MediaError(f"{target} could not be written: {error.strerror or error}.") from error
        arguments += ["-movflags", "+faststart", f"file:{draft.absolute()}"]
        with ffmpeg(arguments, stdin=subprocess.PIPE) as encoder:
            _feed(encoder, frames, progress)
            if encoder.finish():
                raise MediaError(f"{target} could not be written. ffmpeg said: {encoder.first_words()}")
        frames.seal(draft, speech)
        try:
            os.replace(draft, target)
        except OSError as error:
            raise MediaError(
                f"{target} could not be replaced: {error.strerror}. Close programs that use it."
            ) from error
    return target


def check_target(path: str | Path) -> None:
    """Raise the error that `write_video` would raise for this name, before anything is rendered.

    Raises
    ------
    MediaError
        If the name does not end in .mp4, is that of a folder, or its folder does not exist.
    """
    target = Path(path)
    if target.suffix.lower() not in _SUFFIXES:
        raise MediaError(f"{target.name}: files of type {target.suffix!r} cannot be written. Use {_SUFFIXES[0]}.")
    if target.is_dir():
        raise MediaError(f"{target} is a folder. Give a file name.")
    if not target.parent.is_dir():
        raise MediaError(f"The folder {target.parent} does not exist. Create it first.")


def _check(target: Path, frames: MarkedFrames, crf: int) -> None:
    check_target(target)
    if not isinstance(frames, MarkedFrames):
        raise MediaError(
            f"Only marked frames are written, not {type(frames).__name__}. Pass them through animate.provenance.mark."
        )
    if not 0 <= crf <= 51:
        raise MediaError(f"The quality crf={crf} is out of range. Use 0 (lossless) to 51; 18 looks like the original.")


def _video_arguments(frames: MarkedFrames, crf: int, preset: str) -> list[str]:
    width, height = (length + length % 2 for length in frames.size)
    source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(frames.fps), "-i", "pipe:0"]
    return [*source, "-vf", _BT709, "-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", preset, "-crf", str(crf)]


def _sound_arguments(scratch: Path, arguments: list[str], frames: MarkedFrames, speech: Speech) -> list[str]:
    """Put the voice into a scratch file and return the arguments with it as the second input."""
    speech.samples.astype("<f4", copy=False).tofile(scratch)
    source = ["-f", "f32le", "-ar", str(speech.sample_rate), "-ac", "1", "-i", f"file:{scratch.absolute()}"]
    length = round(frames.num_frames / frames.fps * speech.sample_rate)
    fitted = ["-af", f"apad=whole_len={length},atrim=end_sample={length}", "-c:a", "aac", "-b:a", "128k"]
    first_output_option = arguments.index("pipe:0") + 1
    return [*arguments[:first_output_option], *source, *arguments[first_output_option:], *fitted]


def _feed(encoder: FfmpegProcess, frames: MarkedFrames, progress: bool) -> None:
    """Send every frame to ffmpeg, and check that they are what `frames` promises."""
    width, height = frames.size
    sent = 0
    # disable=None lets tqdm be silent when stderr is no terminal
    for frame in tqdm(frames, total=frames.num_frames, unit="frame", desc="video", disable=None if progress else True):
        if frame.shape != (height, width, 3) or frame.dtype != np.uint8:
            raise MediaError(f"Frame {sent} is {frame.dtype} {list(frame.shape)}, not uint8 {[height, width, 3]}.")
        if width % 2 or height % 2:
            frame = cv2.copyMakeBorder(frame, 0, height % 2, 0, width % 2, cv2.BORDER_REPLICATE)
        try:
            encoder.process.stdin.write(np.ascontiguousarray(frame))
        except BrokenPipeError:
            encoder.process.wait()
            raise MediaError(f"The video could not be written. ffmpeg said: {encoder.first_words()}") from None
        sent += 1
    if sent != frames.num_frames:
        raise MediaError(f"The renderer gave {sent} frames where {frames.num_frames} were announced.")
