"""Files of pictures: the right kind, the right pixels, the words inside."""

import io
import resource
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from models import ImageFormat, ImageSize
from storage.encoding import EXIF_FOLDER, USER_COMMENT, encode, holds, read_text

SIZE = ImageSize(width=64, height=48)
PIXELS = bytes(channel for y in range(48) for x in range(64) for channel in (4 * x, 5 * y, (x + y) % 256))
TEXT = {"pinxit": '{"prompt":"un phare à minuit 🌊, 灯台"}'}
WHOLE = {format: encode(PIXELS, SIZE, format, text=TEXT) for format in ImageFormat}


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


@pytest.mark.parametrize("format", [ImageFormat.JPEG, ImageFormat.WEBP, ImageFormat.AVIF])
def test_the_others_keep_them_closely(format: ImageFormat) -> None:
    seen = opened(encode(PIXELS, SIZE, format, text=TEXT)).convert("RGB").tobytes()

    assert sum(abs(one - other) for one, other in zip(seen, PIXELS, strict=True)) / len(PIXELS) < 6


def test_png_carries_the_words_as_text() -> None:
    assert opened(encode(PIXELS, SIZE, ImageFormat.PNG, text=TEXT)).info["pinxit"] == TEXT["pinxit"]


@pytest.mark.parametrize("format", [ImageFormat.JPEG, ImageFormat.WEBP, ImageFormat.AVIF])
def test_the_others_carry_them_as_an_exif_comment(format: ImageFormat) -> None:
    exif = opened(encode(PIXELS, SIZE, format, text=TEXT)).getexif()

    comment = exif.get_ifd(EXIF_FOLDER)[USER_COMMENT]

    assert comment[:8] == b"UNICODE\0"
    assert comment[8:].decode("utf-16-be") == f"pinxit: {TEXT['pinxit']}"


@pytest.mark.parametrize("pixels", [b"", PIXELS[:-1], PIXELS + b"\0"])
def test_too_few_or_too_many_pixels_are_refused(pixels: bytes) -> None:
    with pytest.raises(ValueError, match="64x48"):
        encode(pixels, SIZE, ImageFormat.PNG, text={})


@pytest.mark.parametrize("format", ImageFormat)
def test_the_words_come_back_out_of_the_file(format: ImageFormat) -> None:
    text = {"pinxit": '{"prompt":"un phare\\nà minuit 🌊: 灯台\u2028"}', "author": "nobody"}

    assert read_text(encode(PIXELS, SIZE, format, text=text)) == text


@pytest.mark.parametrize("format", ImageFormat)
def test_a_file_without_words_has_none(format: ImageFormat) -> None:
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, format.value)

    assert read_text(file.getvalue()) == {}


def longest_in_a_jpeg() -> int:
    """In letters; found by asking pillow, not us."""
    overhead = len(opened_exif({"pinxit": ""}).tobytes())
    return (65_533 - overhead) // 2


def opened_exif(text: Mapping[str, str]) -> Image.Exif:
    return opened(encode(PIXELS, SIZE, ImageFormat.JPEG, text=text)).getexif()


@pytest.mark.parametrize("letter", ["x", "灯"])
def test_a_jpeg_holds_words_up_to_one_segment_and_no_longer_ones(letter: str) -> None:
    fitting = {"pinxit": letter * longest_in_a_jpeg()}
    too_long = {"pinxit": letter * (longest_in_a_jpeg() + 1)}

    assert holds(ImageFormat.JPEG, fitting)
    assert read_text(encode(PIXELS, SIZE, ImageFormat.JPEG, text=fitting)) == fitting
    assert not holds(ImageFormat.JPEG, too_long)
    without = encode(PIXELS, SIZE, ImageFormat.JPEG, text=too_long)
    assert read_text(without) == {}
    assert opened(without).tobytes() == opened(encode(PIXELS, SIZE, ImageFormat.JPEG, text={})).tobytes()


@pytest.mark.parametrize("format", [ImageFormat.PNG, ImageFormat.WEBP])
def test_the_others_hold_words_of_any_length(format: ImageFormat) -> None:
    text = {"pinxit": "灯" * 300_000}

    assert holds(format, text)
    assert read_text(encode(PIXELS, SIZE, format, text=text)) == text


def test_another_programs_comment_is_no_words_of_ours() -> None:
    exif = Image.Exif()
    exif.get_ifd(EXIF_FOLDER)[USER_COMMENT] = b"ASCII\0\0\0pinxit: {}"
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "JPEG", exif=exif)

    assert read_text(file.getvalue()) == {}


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\xff\xff\xff\xffWEBP"]
)
def test_what_is_no_whole_picture_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="PNG, JPEG, WebP or AVIF"):
        read_text(content)


@pytest.mark.parametrize("format", ImageFormat)
@given(
    edits=st.lists(st.tuples(st.integers(0, 2000), st.binary(max_size=8), st.integers(0, 8)), min_size=1, max_size=8)
)
def test_a_broken_file_gives_words_or_is_refused_and_nothing_else(
    format: ImageFormat, edits: list[tuple[int, bytes, int]]
) -> None:
    content = WHOLE[format]
    for start, put_in, cut_out in edits:
        content = content[:start] + put_in + content[start + cut_out :]

    refusal = ""
    text: Mapping[str, str] = {}
    try:
        text = read_text(content)
    except ValueError as wrong:
        refusal = str(wrong)

    assert isinstance(text, dict)
    assert "PNG, JPEG, WebP or AVIF" in refusal or not refusal


def test_a_picture_that_unpacks_to_more_than_memory_is_not_unpacked() -> None:
    """A PNG that promises 60,000 x 60,000 pixels, and a WebP of the largest size there is."""
    giant = WHOLE[ImageFormat.PNG].replace(struct.pack(">II", 64, 48), struct.pack(">II", 60_000, 60_000))
    giant = giant[:29] + struct.pack(">I", zlib.crc32(giant[12:29])) + giant[33:]
    webp = b"VP8L" + struct.pack("<I", 6) + b"\x2f" + struct.pack("<I", 16382 | 16382 << 14) + b"\0"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    for content in (giant, b"RIFF" + struct.pack("<I", 4 + len(webp)) + b"WEBP" + webp):
        with pytest.raises(ValueError, match="PNG, JPEG, WebP or AVIF"):
            read_text(content)

    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kilobytes
