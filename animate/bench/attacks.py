"""What happens to files on their way: the attacks that `animate-portrait bench watermark` puts marked clips through.

An attack is a chain of steps; a step takes an iterator of uint8 [H, W, 3] RGB frames and gives another one. Steps
that encode go through a real file, so that what is measured is what ffmpeg and Pillow do.
"""

from __future__ import annotations

import io
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from animate.errors import MediaError
from animate.media import read_frames
from animate.media.ffmpeg import ffmpeg, file_argument

Frames = Iterator[np.ndarray]
Step = Callable[[Frames], Frames]

FPS = 25
_MUST, _SHOULD = 1.0, 0.95  # shares of clips whose exact id must be read


@dataclass(frozen=True)
class Attack:
    """A chain of steps, and the share of clips that must come through it (None: reported only).

    Attributes
    ----------
    name : str
    bar : float or None
    steps : tuple of callable
        Each takes an iterator of frames and gives one.
    deep : bool
        Whether the detector may use its deep search.
    portrait_px : int or None
        Mark a portrait of this short side instead of the picture's own size.
    """

    name: str
    bar: float | None
    steps: tuple[Step, ...] = ()
    deep: bool = False
    portrait_px: int | None = None

    def __call__(self, frames: Frames) -> Frames:
        for step in self.steps:
            frames = step(frames)
        return frames


def each(change: Callable[[np.ndarray], np.ndarray]) -> Step:
    """Return the step that changes every frame alone."""
    return lambda frames: (np.ascontiguousarray(change(frame)) for frame in frames)


def first(count: int) -> Step:
    """Return the step that keeps so many frames from the start."""
    return lambda frames: (frame for frame, _ in zip(frames, range(count)))


def encoded(*options: str, suffix: str = ".mp4") -> Step:
    """Return the step that encodes by ffmpeg with these output options and decodes again."""

    def step(frames: Frames) -> Frames:
        first_frame = next(frames)
        height, width = (length - length % 2 for length in first_frame.shape[:2])
        source = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(FPS), "-i", "pipe:0"]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, f"attacked{suffix}")
            with ffmpeg([*source, *options, file_argument(path)], stdin=subprocess.PIPE) as encoder:
                for frame in (first_frame, *frames):
                    encoder.process.stdin.write(np.ascontiguousarray(frame[:height, :width]))
                if encoder.finish():
                    raise MediaError(f"The attack {options} failed. ffmpeg said: {encoder.first_words()}")
            yield from read_frames(path)

    return step


def x264(crf: int, fps: int | None = None) -> Step:
    """Return the step that encodes by x264 at its default preset, at another frame rate if given."""
    rate = ["-r", str(fps)] if fps else []
    return encoded(*rate, "-pix_fmt", "yuv420p", "-c:v", "libx264", "-crf", str(crf))


def jpeg(quality: int) -> Step:
    """Return the step that stores every frame as a JPEG."""

    def stored(frame: np.ndarray) -> np.ndarray:
        buffer = io.BytesIO()
        Image.fromarray(frame).save(buffer, "JPEG", quality=quality)
        return np.asarray(Image.open(buffer))

    return each(stored)


def webp(frames: Frames) -> Frames:
    """Store the frames as one animated WebP at Pillow's default quality."""
    pictures = [Image.fromarray(frame) for frame in frames]
    buffer = io.BytesIO()
    pictures[0].save(buffer, "WEBP", save_all=True, append_images=pictures[1:], duration=1000 // FPS, method=2)
    with Image.open(buffer) as stored:
        for index in range(stored.n_frames):
            stored.seek(index)
            yield np.array(stored.convert("RGB"))


def gif(scale: float) -> Step:
    """Return the step that stores the frames as a GIF with ffmpeg's own palette, at another size."""
    palette = "split[a][b];[a]palettegen=stats_mode=diff[p];[b][p]paletteuse=dither=bayer:bayer_scale=3"
    return encoded("-vf", f"fps=12.5,scale=iw*{scale}:-1:flags=lanczos,{palette}", suffix=".gif")


def resized(factor_x: float, factor_y: float | None = None) -> Step:
    """Return the step that resizes by two factors (the same one if one is given)."""

    def resize(frame: np.ndarray) -> np.ndarray:
        size = round(frame.shape[1] * factor_x), round(frame.shape[0] * (factor_y or factor_x))
        return cv2.resize(frame, size, interpolation=cv2.INTER_AREA if factor_x < 1 else cv2.INTER_CUBIC)

    return each(resize)


def to_short_side(pixels: int) -> Step:
    """Return the step that brings the short side to so many pixels."""
    return each(lambda frame: shrunk(frame, pixels))


def shrunk(frame: np.ndarray, pixels: int) -> np.ndarray:
    """Return a uint8 [H, W, 3] frame with a short side of so many pixels."""
    factor = pixels / min(frame.shape[:2])
    size = round(frame.shape[1] * factor), round(frame.shape[0] * factor)
    return cv2.resize(frame, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)


def cropped(share: float, right: float = 0.4, down: float = 0.3) -> Step:
    """Return the step that keeps a share of width and height, at a place between 0 (left, top) and 1."""

    def crop(frame: np.ndarray) -> np.ndarray:
        height, width = round(frame.shape[0] * share), round(frame.shape[1] * share)
        top, left = int((frame.shape[0] - height) * down), int((frame.shape[1] - width) * right)
        return frame[top : top + height, left : left + width]

    return each(crop)


def rotated(degrees: float) -> Step:
    """Return the step that turns the picture about its centre, corners filled by reflection."""

    def rotate(frame: np.ndarray) -> np.ndarray:
        height, width = frame.shape[:2]
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
        return cv2.warpAffine(frame, turn, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)

    return each(rotate)


def levels(gain: float = 1.0, lift: float = 0.0, gamma: float = 1.0) -> Step:
    """Return the step that changes contrast, brightness (grey levels) and gamma."""
    table = np.clip((255 * (np.arange(256) / 255) ** gamma - 128) * gain + 128 + lift, 0, 255).astype(np.uint8)
    return each(lambda frame: cv2.LUT(frame, table))


def saturated(factor: float) -> Step:
    """Return the step that multiplies the saturation and turns the hue a little."""

    def change(frame: np.ndarray) -> np.ndarray:
        hsv = cv2.cvtColor(frame, cv2.COLOR_RGB2HSV).astype(np.float32)
        hsv[..., 0] = (hsv[..., 0] + 6) % 180
        hsv[..., 1] = np.clip(hsv[..., 1] * factor, 0, 255)
        return cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB)

    return each(change)


def noise(deviation: float) -> Step:
    """Return the step that adds independent Gaussian noise to every frame."""
    random = np.random.default_rng(0)
    return each(lambda frame: np.clip(frame + random.normal(0, deviation, frame.shape), 0, 255).astype(np.uint8))


def overlaid(frame: np.ndarray) -> np.ndarray:
    """Draw a logo in a corner and a caption on a bar."""
    frame = frame.copy()
    height, width = frame.shape[:2]
    cv2.circle(frame, (int(width * 0.88), int(height * 0.12)), int(min(height, width) * 0.08), (240, 60, 40), -1)
    cv2.rectangle(frame, (int(width * 0.1), int(height * 0.84)), (int(width * 0.9), int(height * 0.94)), (0, 0, 0), -1)
    place, size = (int(width * 0.12), int(height * 0.91)), min(height, width) / 640
    cv2.putText(frame, "a caption, as they are", place, cv2.FONT_HERSHEY_SIMPLEX, size, (255, 255, 255), 1, cv2.LINE_AA)
    return frame


def letterboxed(frame: np.ndarray) -> np.ndarray:
    """Fit the frame into 720x1280 with black borders."""
    scale = min(720 / frame.shape[1], 1280 / frame.shape[0])
    size = round(frame.shape[1] * scale), round(frame.shape[0] * scale)
    inner = cv2.resize(frame, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    top, left = (1280 - size[1]) // 2, (720 - size[0]) // 2
    return cv2.copyMakeBorder(inner, top, 1280 - size[1] - top, left, 720 - size[0] - left, cv2.BORDER_CONSTANT)


def screenshot(frame: np.ndarray) -> np.ndarray:
    """Show the frame at 0.9 of its size, moved by parts of a pixel."""
    size = round(frame.shape[1] * 0.9), round(frame.shape[0] * 0.9)
    move = np.array([[0.9, 0, 0.37], [0, 0.9, 0.61]], np.float32)
    return cv2.warpAffine(frame, move, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def filmed(frame: np.ndarray) -> np.ndarray:
    """Imitate a phone that films a screen: perspective, moire, blur, noise."""
    height, width = frame.shape[:2]
    corners = np.float32([[0, 0], [width, 0], [width, height], [0, height]])
    seen = corners + np.float32([[0.02, 0.015], [-0.015, 0.03], [-0.03, -0.015], [0.015, -0.02]]) * [width, height]
    frame = cv2.warpPerspective(frame, cv2.getPerspectiveTransform(corners, seen.astype(np.float32)), (width, height))
    y, x = np.mgrid[:height, :width]
    moire = 4 * np.sin(0.31 * x + 0.05 * y) * np.sin(0.29 * y)
    grain = np.random.default_rng(int(frame[0, 0, 0])).normal(0, 4, frame.shape)
    return np.clip(cv2.GaussianBlur(frame, (0, 0), 1.2) + moire[..., None] + grain, 0, 255).astype(np.uint8)


_VP9 = encoded("-pix_fmt", "yuv420p", "-c:v", "libvpx-vp9", "-crf", "36", "-b:v", "0", "-cpu-used", "5", suffix=".webm")
_AV1 = encoded("-pix_fmt", "yuv420p", "-c:v", "libsvtav1", "-crf", "40", "-preset", "9")
_HEVC = encoded(
    "-pix_fmt", "yuv420p", "-c:v", "libx265", "-crf", "30", "-preset", "fast", "-x265-params", "log-level=1"
)

ATTACKS = (
    Attack("none", _MUST),
    *(Attack(f"x264 CRF {crf}", _MUST, (x264(crf),)) for crf in (18, 23, 28)),
    Attack("VP9 36", _MUST, (_VP9,)),
    Attack("AV1 40", _MUST, (_AV1,)),
    Attack("HEVC 30", _MUST, (_HEVC,)),
    Attack("GIF", _MUST, (gif(1),)),
    Attack("GIF, half size", _MUST, (gif(0.5),)),
    Attack("animated WebP", _MUST, (webp,)),
    Attack("one frame, JPEG 50", _MUST, (first(1), jpeg(50))),
    Attack("half size, CRF 23", _MUST, (resized(0.5), x264(23))),
    Attack("crop to 75 %, CRF 23", _MUST, (cropped(0.75), x264(23))),
    *(Attack(f"{fps} fps, CRF 23", _MUST, (x264(23, fps=fps),)) for fps in (15, 24, 30, 60)),
    Attack("brighter", _MUST, (levels(lift=25), x264(23))),
    Attack("more contrast", _MUST, (levels(gain=1.3), x264(23))),
    Attack("less contrast", _MUST, (levels(gain=0.75), x264(23))),
    Attack("gamma 1.4", _MUST, (levels(gamma=1.4), x264(23))),
    Attack("hue, saturation", _MUST, (saturated(1.4), x264(23))),
    Attack("greyscale", _MUST, (saturated(0), x264(23))),
    Attack("blur 2", _MUST, (each(lambda frame: cv2.GaussianBlur(frame, (0, 0), 2)), x264(23))),
    Attack("noise 8", _MUST, (noise(8), x264(23))),
    Attack("mirror", _MUST, (each(lambda frame: frame[:, ::-1]), x264(23))),
    Attack("logo and caption", _MUST, (each(overlaid), x264(23))),
    Attack("letterbox 720x1280", _MUST, (each(letterboxed), x264(23))),
    Attack("two generations", _MUST, (x264(26), _VP9)),
    Attack("first 0.5 s", _MUST, (first(FPS // 2), x264(23))),
    Attack("x264 CRF 32", _SHOULD, (x264(32),)),
    Attack("x264 CRF 36", _SHOULD, (x264(36),)),
    Attack("half size, CRF 28", _SHOULD, (resized(0.5), x264(28))),
    Attack("third, CRF 23", _SHOULD, (resized(1 / 3), x264(23))),
    Attack("one frame, JPEG 30", _SHOULD, (first(1), jpeg(30))),
    Attack("rotation by 2 degrees", _SHOULD, (rotated(2), x264(23)), deep=True),
    Attack("squeeze by 8 %", _SHOULD, (resized(0.92, 1), x264(23)), deep=True),
    Attack("crop to 50 %, CRF 23", _SHOULD, (cropped(0.5), x264(23))),
    Attack("screenshot", _SHOULD, (first(1), each(screenshot), jpeg(75)), deep=True),
    Attack(
        "social",
        _SHOULD,
        (levels(lift=12), cropped(0.9), to_short_side(360), each(overlaid), x264(28, fps=30)),
    ),
    Attack("256-px portrait, CRF 28", _SHOULD, (x264(28),), portrait_px=256),
    Attack("x264 CRF 40", None, (x264(40),)),
    Attack("third, CRF 28", None, (resized(1 / 3), x264(28))),
    Attack("phone films a screen", None, (each(filmed), x264(23)), deep=True),
)
