"""From a video of a face to the motion that its owner performed."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from animate.errors import TrackingError
from animate.media import probe, read_frames
from animate.speech.features import MOTION_FPS
from animate.topology import NUM_VERTICES
from animate.tracking.calibrate import calibrate
from animate.tracking.follow import follow
from animate.tracking.person import Person
from animate.tracking.solve import solve
from animate.tracking.steady import bridge, without_jitter
from animate.types import Motion

_FASTEST_FPS = 60  # of what a faster camera saw, this much is looked at
_LEAST_S = 0.4  # of face
_SAMPLE = 1000  # frames that a person is calibrated on
_CHUNK = 1000  # frames that are solved at once


@dataclass(frozen=True, eq=False)
class Tracking:
    """What was followed.

    Attributes
    ----------
    motion : Motion
        At the rate of the library's motions. Head angles are against the camera, its place against the middle of the
        video.
    num_frames, num_tracked : int
        Frames of the video that were looked at, and those in which the face was found.
    gaps_s : tuple of (float, float)
        From when to when it was not, in seconds.
    """

    motion: Motion
    num_frames: int
    num_tracked: int
    gaps_s: tuple[tuple[float, float], ...]

    def summary(self) -> str:
        """Return what a user wants to know, in one line for each fact."""
        share = self.num_tracked / self.num_frames
        lines = [f"{self.num_frames} frames ({self.motion.duration_s:.2f} s), the face followed in {share:.1%}"]
        if self.gaps_s:
            spans = ", ".join(f"{start:.2f}-{stop:.2f}" for start, stop in self.gaps_s[:5])
            more = f" and {len(self.gaps_s) - 5} more" if len(self.gaps_s) > 5 else ""
            lines.append(f"gaps bridged at {spans} s{more}")
        angles = [f"{name} {np.median(self.motion['head' + name.title()]):+.0f}" for name in ("pitch", "yaw", "roll")]
        lines.append(f"the head rests at {', '.join(angles)} degrees against the camera")
        return "\n".join(lines)


def track(path: str | Path, *, face: int | None = None, progress: bool = False) -> Motion:
    """Return what a face does in a video, to drive any portrait with.

    Parameters
    ----------
    path : path
        Any video that ffmpeg reads, of any length and rate, in one take: only the curves stay in memory.
    face : int, optional
        Which face, counted from the left from 1; the largest if omitted.
    progress : bool
        Show a progress bar on stderr.

    Returns
    -------
    Motion
        As long as the video.

    Raises
    ------
    MediaError
        If there is no such file, or it cannot be decoded.
    TrackingError
        If it is no video, too short, or shows no face that can be followed.

    Examples
    --------
    >>> motion = track("me.mp4")                                    # doctest: +SKIP
    >>> motion.fps                                                  # doctest: +SKIP
    50.0
    """
    return track_video(path, face=face, progress=progress).motion


def track_video(path: str | Path, *, face: int | None = None, progress: bool = False) -> Tracking:
    """Return the motion of `track` with what there is to say about it.

    Parameters and errors are those of `track`.
    """
    info = probe(path)
    if not info.fps:
        raise TrackingError(f"{Path(path).name} is a picture. Give a video in which a face moves.")
    fps = min(info.fps, _FASTEST_FPS)
    count = round(info.duration_s * fps)
    bar = tqdm(read_frames(path, fps=fps), "following", count, unit="frame", disable=not progress)
    # Meshes wait on disk: an hour of them is half a gigabyte.
    with tempfile.TemporaryFile() as file:
        seen = np.array(list(_written(follow(bar, face), file)), bool)
        least = round(_LEAST_S * fps)
        if not seen.any():
            raise TrackingError(
                f"No face found in {Path(path).name} ({len(seen)} frames of {info.size[0]}x{info.size[1]}). Use a "
                "video of a person whose face is at least 96 px wide and seen from the front."
            )
        if seen.sum() < least:
            raise TrackingError(
                f"The face in {Path(path).name} is seen in {seen.sum()} frames, and {least} ({_LEAST_S} s) are the "
                "least. Use a longer video, or one in which it is clearer."
            )
        meshes = np.memmap(file, np.float32, "r", shape=(int(seen.sum()), NUM_VERTICES, 3))
        values = _channels(meshes, seen, fps)
    motion = Motion(values, fps, len(seen) / fps).resampled(MOTION_FPS)
    return Tracking(motion, len(seen), int(seen.sum()), tuple(_gaps(seen, fps)))


def _written(meshes: Iterator[np.ndarray | None], file) -> Iterator[bool]:
    """Write the meshes that there are, and yield for every frame whether there was one."""
    for mesh in meshes:
        if mesh is not None:
            file.write(mesh.astype(np.float32).tobytes())
        yield mesh is not None
    file.flush()


def _channels(meshes: np.ndarray, seen: np.ndarray, fps: float) -> np.ndarray:
    """Return channels float32 [T, 58] of all frames from the meshes float32 [n, 478, 3] of those that show the face."""
    person = Person.from_meshes(np.array(meshes[:: -(-len(meshes) // _SAMPLE)]))
    solved = [solve(person, np.array(meshes[start : start + _CHUNK])) for start in range(0, len(meshes), _CHUNK)]
    return calibrate(without_jitter(bridge(np.concatenate(solved), seen), fps))


def _gaps(seen: np.ndarray, fps: float) -> Iterator[tuple[float, float]]:
    edges = np.flatnonzero(np.diff(np.concatenate([[True], seen, [True]]).astype(int)))
    for start, stop in edges.reshape(-1, 2):
        yield start / fps, stop / fps
