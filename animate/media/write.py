"""Write marked frames and a voice into files, atomically and in bounded memory."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from tqdm import tqdm

from animate.errors import MediaError
from animate.media.encode import Encoding, Writer
from animate.media.formats import check_targets, format_of, is_sequence
from animate.types import MarkedFrames, Speech


def write_video(
    path: str | Path, frames: MarkedFrames, speech: Speech | None = None, *, progress: bool = False, **encoding
) -> Path:
    """Write one file; see `write_videos`.

    Parameters
    ----------
    path, frames, speech, progress
        As for `write_videos`.
    **encoding
        Fields of `Encoding`, such as ``crf=23``.

    Returns
    -------
    Path
        The target.

    Raises
    ------
    MediaError, ProvenanceError
        As `write_videos`.
    """
    return write_videos([path], frames, speech, Encoding(**encoding), progress=progress)[0]


def write_videos(
    paths: Sequence[str | Path],
    frames: MarkedFrames,
    speech: Speech | None = None,
    encoding: Encoding | None = None,
    *,
    progress: bool = False,
) -> list[Path]:
    """Write frames into one or more files in one pass; their suffixes say what they are.

    A file appears under its name when it is complete and sealed (`MarkedFrames.seal`); whatever fails before leaves
    nothing behind and an older file of that name as it was. So does the folder of a sequence. Where the format cannot
    hold the signature, it lies beside the file, under the same name with the suffix .c2pa.

    .mp4 (H.264, HEVC or AV1, and AAC), .webm (VP9 and Opus) and .mov (ProRes 4444 and PCM) have sound, cut or filled
    with silence to the length of the pictures; .gif and .webp loop; .png and .jpg are stills, and ``FOLDER/%04d.png``
    is one picture a frame. In .mp4 and .webm an odd width or height grows by one pixel, which repeats the edge.

    Parameters
    ----------
    paths : sequence of path
    frames : MarkedFrames
        From `animate.provenance.mark`; nothing else is written.
    speech : Speech, optional
        The sound track; none if omitted.
    encoding : Encoding, optional
    progress : bool
        Show a progress bar if stderr is a terminal.

    Returns
    -------
    list of Path
        The targets.

    Raises
    ------
    MediaError
        If the frames are not marked, a target cannot be written, or ffmpeg fails.
    ProvenanceError
        If a file cannot be signed or noted in the record.
    """
    targets, encoding = [Path(path) for path in paths], encoding or Encoding()
    if not isinstance(frames, MarkedFrames):
        raise MediaError(
            f"Only marked frames are written, not {type(frames).__name__}. Pass them through animate.provenance.mark."
        )
    check_targets(targets, encoding, frames.has_alpha)
    with ExitStack() as stack:
        drafts = [stack.enter_context(_Draft(target, frames, speech, encoding)) for target in targets]
        _feed(drafts, frames, progress)
        for draft in drafts:
            draft.finish()
        for draft in drafts:
            draft.deliver(frames, speech)
    return targets


class _Draft:
    """One output in the making, in a folder on the file system of its target, so that the last step is a rename."""

    def __init__(self, target: Path, frames: MarkedFrames, speech: Speech | None, encoding: Encoding):
        self.target = target
        self._made_of = (frames, speech, encoding)
        # what gets the last name: the folder of a sequence, else the file
        self._whole = target.absolute().parent if is_sequence(target) else target

    def __enter__(self) -> _Draft:
        with ExitStack() as stack:
            try:
                folder = tempfile.TemporaryDirectory(prefix=f".{self._whole.stem[:64]}-", dir=self._whole.parent)
            except OSError as error:
                raise MediaError(f"The folder {self._whole.parent} cannot be written to: {error.strerror}.") from error
            self._draft = Path(stack.enter_context(folder), f"draft{self._whole.suffix}")
            inside = self._draft / self.target.name if is_sequence(self.target) else self._draft
            self._writer: Writer = self._attempt(lambda: format_of(self.target).writer(inside, *self._made_of))
            stack.callback(self._writer.close)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *failure) -> None:
        self._stack.close()

    def add(self, frame: np.ndarray) -> None:
        self._attempt(lambda: self._writer.add(frame))

    def finish(self) -> None:
        self._attempt(self._writer.finish)

    def deliver(self, frames: MarkedFrames, speech: Speech | None) -> None:
        """Seal the draft and give it its name; a signature that lies beside it comes first."""
        beside = frames.seal(self._draft, speech)
        signature = self._whole.with_suffix(".c2pa")
        try:
            if beside is not None:
                os.replace(beside, signature)
            os.replace(self._draft, self._whole)
        except OSError as error:
            if beside is not None:
                signature.unlink(missing_ok=True)
            raise MediaError(
                f"{self._whole} could not be replaced: {error.strerror}. Close programs that use it."
            ) from error

    def _attempt(self, step):
        try:
            return step()
        except OSError as error:
            raise MediaError(f"{self.target} could not be written: {error.strerror or error}.") from error
        except MediaError as error:
            raise MediaError(f"{self.target} could not be written. {error}") from error


def _feed(drafts: list[_Draft], frames: MarkedFrames, progress: bool) -> None:
    """Give every frame to every draft, and check that they are what `frames` promises."""
    shape = (frames.size[1], frames.size[0], 4 if frames.has_alpha else 3)
    sent = 0
    # disable=None lets tqdm be silent when stderr is no terminal
    for frame in tqdm(frames, total=frames.num_frames, unit="frame", desc="video", disable=None if progress else True):
        if frame.shape != shape or frame.dtype != np.uint8:
            raise MediaError(f"Frame {sent} is {frame.dtype} {list(frame.shape)}, not uint8 {list(shape)}.")
        for draft in drafts:
            draft.add(frame)
        sent += 1
    if sent != frames.num_frames:
        raise MediaError(f"The renderer gave {sent} frames where {frames.num_frames} were announced.")
