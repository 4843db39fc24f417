"""Read the frames of pictures and videos."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from animate.errors import MediaError
from animate.media.ffmpeg import LOCAL_ONLY, file_argument

_PICTURES = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
# Longer videos are sampled by seeking: decoding them whole would take minutes.
_MAX_SEQUENTIAL_S = 20.0
_FRAMES_PER_SEEK = 4


@dataclass(frozen=True)
class MediaInfo:
    """Size in pixels (width, height), frame rate, length and number of frames (nearest; exact if 1) of a file."""

    size: tuple[int, int]
    fps: float
    duration_s: float
    num_frames: int


def probe(path: str | Path) -> MediaInfo:
    """Return size, frame rate and length of a picture or video without decoding it.

    Raises
    ------
    MediaError
        If there is no such file, or it is neither a picture nor a video.
    """
    path = _existing(path)
    if (picture := _open_picture(path)) is not None:
        with picture:
            return MediaInfo(picture.size, 0.0, 0.0, getattr(picture, "n_frames", 1))
    frames = imageio_ffmpeg.read_frames(file_argument(path), input_params=[*LOCAL_ONLY])
    try:
        meta = next(frames)
    except (OSError, RuntimeError, StopIteration, KeyError, IndexError, ValueError) as error:
        raise MediaError(f"{path.name} is neither a picture nor a video that ffmpeg can decode.") from error
    finally:
        frames.close()
    if "size" not in meta:
        raise MediaError(f"{path.name} holds no pictures. Give a picture or a video.")
    fps, duration_s = float(meta["fps"]), float(meta["duration"])
    return MediaInfo(tuple(meta["size"]), fps, duration_s, max(1, round(fps * duration_s)))


def read_frames(path: str | Path, *, max_frames: int | None = None, fps: float | None = None) -> Iterator[np.ndarray]:
    """Yield the frames of a picture, an animation or a video.

    Parameters
    ----------
    path : str or Path
        PNG, JPEG, WebP, GIF, BMP, TIFF, or any video that ffmpeg reads.
    max_frames : int, optional
        At most this many, spread over the whole length; all of them if omitted.
    fps : float, optional
        Read all of a video at this constant rate, frames repeated or left out, so that frame i is at i / `fps` seconds
        also where the camera's rate was not constant.

    Yields
    ------
    uint8 [H, W, 3]
        RGB, upright.

    Raises
    ------
    MediaError
        If there is no such file, or it cannot be decoded.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "red.png"
    >>> Image.new("RGB", (64, 48), "red").save(path)
    >>> next(read_frames(path)).shape
    (48, 64, 3)
    """
    path = _existing(path)
    if max_frames is not None and max_frames < 1:
        raise MediaError(f"max_frames={max_frames} makes no sense. Use 1 or more, or None for all frames.")
    if (picture := _open_picture(path)) is not None:
        yield from _picture_frames(picture, path, max_frames)
    else:
        yield from _video_frames(path, max_frames, fps)


def _existing(path: str | Path) -> Path:
    path = Path(path)
    if path.is_dir():
        raise MediaError(f"{path} is a folder. Give a picture or a video.")
    if not path.is_file():
        raise MediaError(f"There is no file {path}. Check the path.")
    return path


def _open_picture(path: Path) -> Image.Image | None:
    Image.init()  # `formats` knows only plugins that are loaded
    try:
        return Image.open(path, formats=_PICTURES)
    except UnidentifiedImageError:
        return None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise MediaError(f"{path.name} cannot be decoded: {error}") from error


def _picture_frames(picture: Image.Image, path: Path, max_frames: int | None) -> Iterator[np.ndarray]:
    with picture:
        count = getattr(picture, "n_frames", 1) if picture.format != "MPO" else 1  # MPO holds other views, not time
        for index in _spread(count, max_frames or count):
            try:
                picture.seek(index)
                yield _rgb(ImageOps.exif_transpose(picture), picture.format == "WEBP")
            except (OSError, SyntaxError, ValueError, EOFError) as error:
                raise MediaError(f"{path.name} cannot be decoded: {error}") from error


def _rgb(picture: Image.Image, may_hide_junk: bool) -> np.ndarray:
    if may_hide_junk and picture.mode == "RGBA":  # WebP stores whatever is small under what nobody sees
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "grey"), picture)
    if picture.mode.startswith("I"):  # 16-bit grey, which Pillow would clip at 255
        grey = np.clip(np.asarray(picture, np.float64) / 257, 0, 255).round().astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2)
    return np.array(picture.convert("RGB"))


def _video_frames(path: Path, max_frames: int | None, fps: float | None) -> Iterator[np.ndarray]:
    if max_frames is None:
        yield from _decode(path, [], [] if fps is None else ["-vf", f"fps={fps}"])
        return
    info = probe(path)
    if info.duration_s <= _MAX_SEQUENTIAL_S:
        yield from _decode(path, [], _every(-(-info.num_frames // max_frames), max_frames))
        return
    seeks = -(-max_frames // _FRAMES_PER_SEEK)
    step = max(1, int(info.fps / _FRAMES_PER_SEEK))  # the frames of one seek cover about a second
    left = max_frames
    for start_s in np.arange(seeks) * info.duration_s / seeks:
        yield from _decode(path, ["-ss", f"{start_s:.3f}"], _every(step, min(left, _FRAMES_PER_SEEK)))
        left -= _FRAMES_PER_SEEK


def _every(step: int, count: int) -> list[str]:
    chosen = f"select=not(mod(n\\,{max(1, step)}))"
    return ["-vf", chosen, "-fps_mode", "passthrough", "-frames:v", str(count)]


def _decode(path: Path, input_params: list[str], output_params: list[str]) -> Iterator[np.ndarray]:
    # imageio_ffmpeg extends the lists it is given
    source = imageio_ffmpeg.read_frames(
        file_argument(path), input_params=[*LOCAL_ONLY, *input_params], output_params=[*output_params]
    )
    try:
        width, height = next(source)["size"]
        for frame in source:
            yield np.frombuffer(frame, np.uint8).reshape(height, width, 3)
    except (OSError, RuntimeError, StopIteration, KeyError, IndexError, ValueError) as error:
        raise MediaError(f"{path.name} is neither a picture nor a video that ffmpeg can decode.") from error
    finally:
        source.close()


def _spread(count: int, num_frames: int) -> np.ndarray:
    """Return at most `num_frames` indices spread over 0 .. `count` - 1."""
    return np.unique(np.linspace(0, count - 1, min(count, num_frames)).round().astype(int))
