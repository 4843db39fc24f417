"""Pictures of every kind arrive as upright 8-bit sRGB, and the others are refused with a cure."""

import hashlib
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from animate.errors import PortraitError
from animate.portrait.image import read_image


@pytest.fixture
def gradient():
    """A picture whose corners all differ: red to the right, green downwards, a blue quarter at the top left."""
    y, x = np.mgrid[0:60, 0:80]
    return np.dstack([x * 3, y * 4, np.where((x < 40) & (y < 30), 200, 30)]).astype(np.uint8)


def save(path, image, **options):
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(path, **options)
    return path


@pytest.mark.parametrize("suffix", ["png", "bmp", "tiff", "webp"])
def test_lossless_formats_keep_every_value(tmp_path, gradient, suffix):
    options = {"lossless": True} if suffix == "webp" else {}
    image, sha256 = read_image(save(tmp_path / f"a.{suffix}", gradient, **options))
    assert image.dtype == np.uint8 and np.array_equal(image, gradient)
    assert sha256 == hashlib.sha256((tmp_path / f"a.{suffix}").read_bytes()).hexdigest()


@pytest.mark.parametrize("mode", ["L", "LA", "1"])
def test_greyscale_becomes_exactly_grey_rgb(tmp_path, gradient, mode):
    grey = Image.fromarray(gradient).convert("L")
    image, _ = read_image(save(tmp_path / "a.png", grey.convert(mode)))
    assert image.shape == (60, 80, 3) and (image[..., :1] == image).all()
    assert np.array_equal(image[..., 0], np.asarray(grey.convert("1" if mode == "1" else "L").convert("L")))


def test_palette_keeps_its_colours(tmp_path, gradient):
    palette = Image.fromarray(gradient).quantize(64)
    image, _ = read_image(save(tmp_path / "a.png", palette))
    assert np.array_equal(image, np.asarray(palette.convert("RGB")))


def test_transparent_parts_stand_on_grey(tmp_path, gradient):
    alpha = np.full((60, 80), 255, np.uint8)
    alpha[:, 40:] = 0
    image, _ = read_image(save(tmp_path / "a.png", np.dstack([gradient, alpha])))
    assert np.array_equal(image[:, :40], gradient[:, :40]) and (image[:, 40:] == 128).all()


def test_a_transparent_palette_entry_stands_on_grey(tmp_path):
    palette = Image.new("P", (4, 4), 0)
    palette.putpalette([255, 0, 0, 0, 0, 255])
    palette.putpixel((0, 0), 1)
    image, _ = read_image(save(tmp_path / "a.png", palette, transparency=0))
    assert image[0, 0].tolist() == [0, 0, 255] and (image[1:] == 128).all()


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_16_bit_greyscale_is_scaled_not_clipped(tmp_path, gradient, suffix):
    grey = np.asarray(Image.fromarray(gradient).convert("L"))
    image, _ = read_image(save(tmp_path / f"a.{suffix}", grey.astype(np.uint16) * 257))
    assert np.array_equal(image[..., 0], grey)


def test_16_bit_colour_is_scaled_not_clipped(tmp_path, gradient):
    cv2.imwrite(str(tmp_path / "a.png"), gradient[..., ::-1].astype(np.uint16) * 257)
    assert np.array_equal(read_image(tmp_path / "a.png")[0], gradient)


def test_float_greyscale_is_scaled(tmp_path):
    ramp = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    image, _ = read_image(save(tmp_path / "a.tiff", ramp))
    assert np.array_equal(image[..., 0].ravel(), np.arange(256))


def test_cmyk_becomes_rgb(tmp_path, gradient):
    image, _ = read_image(save(tmp_path / "a.jpg", Image.fromarray(gradient).convert("CMYK"), quality=95))
    assert np.abs(image.astype(int) - gradient).mean() < 6


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(tmp_path, gradient, orientation):
    to_stored = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Pillow's transposition that the camera did
    picture = Image.fromarray(gradient)
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = picture if orientation == 1 else picture.transpose(Image.Transpose(to_stored[orientation]))
    assert np.array_equal(read_image(save(tmp_path / "a.png", stored, exif=exif))[0], gradient)


def test_the_first_frame_of_an_animation_is_taken(tmp_path, gradient):
    frames = [Image.fromarray(gradient), Image.fromarray(255 - gradient)]
    path = save(tmp_path / "a.webp", frames[0], save_all=True, append_images=frames[1:], lossless=True)
    assert np.array_equal(read_image(path)[0], gradient)


def test_an_icc_profile_is_converted_to_srgb(tmp_path):
    """In a Lab profile, L 50 without chroma is the sRGB grey 119; a reader that ignores profiles gives 128."""
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    image, _ = read_image(save(tmp_path / "a.tiff", Image.new("LAB", (8, 8), (128, 128, 128)), icc_profile=lab))
    assert np.abs(image.astype(int) - 119).max() <= 2


def test_a_broken_icc_profile_is_left_out(tmp_path, gradient):
    assert np.array_equal(read_image(save(tmp_path / "a.png", gradient, icc_profile=b"nonsense"))[0], gradient)


def png_header(width, height):
    """A PNG that claims a size and holds no pixels."""
    chunks = (b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0), b"IDAT" + zlib.compress(b""))
    framed = (struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk)) for chunk in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


@pytest.mark.parametrize("size", [(8193, 10), (7000, 7000), (60000, 60000)])
def test_too_large_is_refused_before_decoding(tmp_path, size):
    (tmp_path / "huge.png").write_bytes(png_header(*size))
    with pytest.raises(PortraitError, match=r"huge.png is (far )?too large.*8192 px a side and 40 megapixels"):
        read_image(tmp_path / "huge.png")


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tiff"])
def test_truncated_is_refused(tmp_path, gradient, suffix):
    path = save(tmp_path / f"cut.{suffix}", np.tile(gradient, (4, 4, 1)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(PortraitError, match=rf"cut.{suffix} is (damaged|not a picture)"):
        read_image(path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b"hello, I am a text\n" * 20, "is not a picture"),
        (b"\0\0\0\x18ftypheic" + bytes(64), "HEIC.*JPEG or PNG"),
        (b"\0\0\0\x18ftypisom" + bytes(64), "video"),
    ],
)
def test_other_files_are_refused_with_their_reason(tmp_path, content, reason):
    (tmp_path / "file.jpg").write_bytes(content)
    with pytest.raises(PortraitError, match=f"file.jpg.*{reason}"):
        read_image(tmp_path / "file.jpg")


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(PortraitError, match="no file .*nowhere.png"):
        read_image(tmp_path / "nowhere.png")
    with pytest.raises(PortraitError, match="folder"):
        read_image(tmp_path)
