"""Read a picture in any common format as upright 8-bit sRGB."""

from __future__ import annotations

import hashlib
import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from animate.errors import PortraitError

MAX_SIDE_PX = 8192
MAX_PIXELS = 40_000_000  # about 1 GB of working memory in the later stages
_MAX_FILE_BYTES = 500_000_000
_SIZE_CURE = f"Use a picture of at most {MAX_SIDE_PX} px a side and {MAX_PIXELS // 1_000_000} megapixels."
_BACKDROP = 128  # grey behind transparent pixels: neither a white nor a black halo around cut-out hair
_SRGB = ImageCms.createProfile("sRGB")


def read_image(path: Path | str) -> tuple[np.ndarray, str]:
    """Read a picture.

    The EXIF orientation is applied, an ICC profile is converted to sRGB, transparent parts stand on grey, 16-bit
    values are scaled, and of an animation the first frame is taken.

    Parameters
    ----------
    path : Path or str
        Any format that Pillow reads: JPEG, PNG, WebP, TIFF, BMP, GIF, ...

    Returns
    -------
    image : uint8 [H, W, 3]
        sRGB.
    sha256 : str
        Of the file's bytes, 64 hex digits.

    Raises
    ------
    PortraitError
        If there is no such file, it is no picture, it is damaged, or it is larger than 8192 px a side or 40
        megapixels.

    Examples
    --------
    >>> read_image("nowhere.jpg")
    Traceback (most recent call last):
    animate.errors.PortraitError: There is no file nowhere.jpg. Check the path.
    """
    path = Path(path)
    data = _read_bytes(path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large pictures; the bound below refuses them
            with Image.open(io.BytesIO(data)) as picture:
                _check_size(picture.size, path.name)  # from the header, before anything is decoded
                image = np.asarray(_upright_srgb(picture))
    except Image.DecompressionBombError:
        raise PortraitError(f"{path.name} is far too large. {_SIZE_CURE}") from None
    except UnidentifiedImageError:
        raise PortraitError(_unreadable(path.name, data)) from None
    except PortraitError:
        raise
    except Exception as error:  # noqa: BLE001 - of a damaged file decoders raise anything
        raise PortraitError(
            f"{path.name} is damaged or incomplete ({error}). Copy or download it again, or save it anew as PNG."
        ) from None
    return image, hashlib.sha256(data).hexdigest()


def _read_bytes(path: Path) -> bytes:
    if path.is_dir():
        raise PortraitError(f"{path} is a folder. Name one picture in it.")
    try:
        size = path.stat().st_size
        if size > _MAX_FILE_BYTES:
            raise PortraitError(f"{path.name} has {size / 1e6:.0f} MB. {_SIZE_CURE}")
        data = path.read_bytes()
    except FileNotFoundError:
        raise PortraitError(f"There is no file {path}. Check the path.") from None
    except OSError as error:
        raise PortraitError(f"Cannot read {path}: {error.strerror}. Check its permissions.") from None
    if not data:
        raise PortraitError(f"{path.name} is empty. Copy or download it again.")
    return data


def _unreadable(name: str, data: bytes) -> str:
    if data[4:8] == b"ftyp":  # the ISO container of phones' pictures, and of MP4
        kind = "a HEIC or AVIF picture" if data[8:12] in (b"heic", b"heix", b"mif1", b"msf1", b"avif") else "a video"
        return f"{name} is {kind}, which cannot be read here. Save it as JPEG or PNG."
    return f"{name} is not a picture that can be read. Use JPEG, PNG, WebP or TIFF."


def _check_size(size: tuple[int, int], name: str) -> None:
    width, height = size
    if max(size) > MAX_SIDE_PX or width * height > MAX_PIXELS:
        raise PortraitError(f"{name} is too large ({width}x{height}). {_SIZE_CURE}")


def _upright_srgb(picture: Image.Image) -> Image.Image:
    profile = picture.info.get("icc_profile")
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith(("I", "F")):
        return _eight_bit(picture)
    alpha = None
    if picture.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in picture.info:
        alpha = picture.convert("RGBA").getchannel("A")
        picture = picture.convert("L" if picture.mode in ("LA", "La", "L") else "RGB")
    elif picture.mode in ("1", "P"):
        picture = picture.convert("RGB")
    picture = _to_srgb(picture, profile)
    if alpha is not None:
        picture = Image.composite(picture, Image.new("RGB", picture.size, (_BACKDROP,) * 3), alpha)
    return picture


def _to_srgb(picture: Image.Image, profile: bytes | None) -> Image.Image:
    """Convert from the embedded colour profile; a profile that is broken or of another mode is left out."""
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            return ImageCms.profileToProfile(picture, source, _SRGB, outputMode="RGB") or picture.convert("RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass
    return picture.convert("RGB")


def _eight_bit(picture: Image.Image) -> Image.Image:
    """Scale 16-bit, 32-bit and float greyscale; Pillow's own conversion would clip it at 255."""
    values = np.asarray(picture, np.float64)
    values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    if picture.mode == "F":
        full = 1.0 if values.max() <= 1 else values.max()
    else:
        full = 255 if values.max() <= 255 and picture.mode == "I" else max(65535, values.max())
    return Image.fromarray(np.clip(values * (255 / full) + 0.5, 0, 255).astype(np.uint8)).convert("RGB")
