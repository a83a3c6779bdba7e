"""Files of pictures: the right kind, the right pixels, the words inside."""

import io
from pathlib import Path

import pytest
from PIL import Image

from models import ImageFormat, ImageSize
from storage.encoding import EXIF_FOLDER, USER_COMMENT, encode

SIZE = ImageSize(width=64, height=48)
PIXELS = bytes(channel for y in range(48) for x in range(64) for channel in (4 * x, 5 * y, (x + y) % 256))
TEXT = {"pinxit": '{"prompt":"un phare à minuit 🌊, 灯台"}'}


def opened(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        return image


@pytest.mark.parametrize("format", ImageFormat)
def test_the_file_is_of_the_kind_and_size_asked_for(format: ImageFormat) -> None:
    image = opened(encode(PIXELS, SIZE, format, text=TEXT))

    assert (image.format, image.size, image.mode) == (format.upper(), (64, 48), "RGB")


@pytest.mark.parametrize("format", ImageFormat)
def test_the_same_picture_gives_the_same_bytes(format: ImageFormat) -> None:
    assert encode(PIXELS, SIZE, format, text=TEXT) == encode(PIXELS, SIZE, format, text=TEXT)


@pytest.mark.parametrize("format", ImageFormat)
def test_pixels_may_lie_in_a_file(format: ImageFormat, tmp_path: Path) -> None:
    (tmp_path / "pixels").write_bytes(PIXELS)

    assert encode(tmp_path / "pixels", SIZE, format, text=TEXT) == encode(PIXELS, SIZE, format, text=TEXT)


def test_png_keeps_every_pixel() -> None:
    assert opened(encode(PIXELS, SIZE, ImageFormat.PNG, text=TEXT)).tobytes() == PIXELS


@pytest.mark.parametrize("format", [ImageFormat.JPEG, ImageFormat.WEBP])
def test_the_others_keep_them_closely(format: ImageFormat) -> None:
    seen = opened(encode(PIXELS, SIZE, format, text=TEXT)).convert("RGB").tobytes()

    assert sum(abs(one - other) for one, other in zip(seen, PIXELS, strict=True)) / len(PIXELS) < 6


def test_png_carries_the_words_as_text() -> None:
    assert opened(encode(PIXELS, SIZE, ImageFormat.PNG, text=TEXT)).info["pinxit"] == TEXT["pinxit"]


@pytest.mark.parametrize("format", [ImageFormat.JPEG, ImageFormat.WEBP])
def test_the_others_carry_them_as_an_exif_comment(format: ImageFormat) -> None:
    exif = opened(encode(PIXELS, SIZE, format, text=TEXT)).getexif()

    comment = exif.get_ifd(EXIF_FOLDER)[USER_COMMENT]

    assert comment[:8] == b"UNICODE\0"
    assert comment[8:].decode("utf-16-be") == f"pinxit: {TEXT['pinxit']}"


@pytest.mark.parametrize("pixels", [b"", PIXELS[:-1], PIXELS + b"\0"])
def test_too_few_or_too_many_pixels_are_refused(pixels: bytes) -> None:
    with pytest.raises(ValueError, match="64x48"):
        encode(pixels, SIZE, ImageFormat.PNG, text={})
