"""Run imageio's ffmpeg: argument lists, never a shell; its words are kept for the error messages."""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import imageio_ffmpeg

# Only local files: a playlist or a name such as "http:x" must not make ffmpeg open a connection.
LOCAL_ONLY = ["-protocol_whitelist", "file"]


def file_argument(path: str | Path) -> str:
    """Return a path as ffmpeg must be given it, so that no file name reads as an option or a protocol."""
    return f"file:{Path(path).absolute()}"


class FfmpegProcess:
    """A running ffmpeg with pipes for data and its messages in a temporary file.

    imageio_ffmpeg's own writer ignores the exit status, so that a full disk would leave a broken file unnoticed;
    that is why we start the process ourselves.
    """

    def __init__(self, arguments: list[str], **pipes):
        self._log = tempfile.TemporaryFile()
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-hide_banner", "-loglevel", "error", *arguments]
        self.process = subprocess.Popen(command, stderr=self._log, **pipes)

    def finish(self) -> int:
        """Close the input, wait, and return the exit status."""
        if self.process.stdin:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass  # ffmpeg has ended early; its exit status and words say why
        return self.process.wait()

    def first_words(self) -> str:
        """Return the first three lines of what ffmpeg said (the cause), in one line without memory addresses."""
        self._log.seek(0)
        said = re.sub(r"\[[^]]* @ 0x[0-9a-f]+\] ", "", self._log.read().decode(errors="replace")).split("\n")
        lines = [line.strip(" .") for line in said if line.strip()]
        return " / ".join(lines[:3]) or f"ffmpeg ended with status {self.process.poll()}"

    def close(self) -> None:
        """End the process if it still runs and free the pipes."""
        if self.process.poll() is None:
            self.process.kill()
        self.finish()
        if self.process.stdout:
            self.process.stdout.close()
        self._log.close()


@contextmanager
def ffmpeg(arguments: list[str], **pipes) -> Iterator[FfmpegProcess]:
    """Run ffmpeg for the length of a `with` block; it is killed if the block fails."""
    running = FfmpegProcess(arguments, **pipes)
    try:
        yield running
    finally:
        running.close()
