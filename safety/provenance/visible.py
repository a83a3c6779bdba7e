"""Marks that people see: words drawn into the picture, legible on any ground. The same pixels and marks give the same."""

import io
from collections.abc import Collection
from enum import StrEnum
from typing import TYPE_CHECKING

from models import ImageSize

if TYPE_CHECKING:
    from PIL import ImageFont
    from PIL.Image import Image

LABEL_TEXT = "AI-generated"
TEST_TEXT = "PINXIT TEST"
LABEL_SHARE = 22  # letters are the shorter side divided by this
TEST_SHARE = 11
LEAST_LETTERS = 12  # pixels; smaller ones cannot be read
PLATE = (0, 0, 0, 208)
LIGHT = (255, 255, 255, 255)
TEST_STRENGTH = 140  # of 255: what is behind the words stays to be judged
TEST_ANGLE = 30
PREVIEW_QUALITY = 80


class Mark(StrEnum):
    """LABEL says in a corner that a machine made the picture, TEST all over it that it is none to be used."""

    LABEL = "label"
    TEST = "test"


def marked(pixels: bytes, size: ImageSize, marks: Collection[Mark]) -> bytes:
    """RGB bytes, row by row, with the marks drawn over them; without any, the very same. Blocks; call it in a thread."""
    if not marks:
        return pixels
    from PIL import Image  # noqa: PLC0415 - the gateway starts without it

    image = Image.frombytes("RGB", (size.width, size.height), pixels)
    if Mark.TEST in marks:
        _draw_test(image)
    if Mark.LABEL in marks:
        _draw_label(image)
    return image.tobytes()


def marked_jpeg(jpeg: bytes, marks: Collection[Mark]) -> bytes:
    """A small JPEG of our own engine with the marks drawn over it. Blocks; call it in a thread."""
    from PIL import Image  # noqa: PLC0415

    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as preview:
        image = preview.convert("RGB")
    size = ImageSize(width=image.width, height=image.height)
    drawn, file = Image.frombytes("RGB", image.size, marked(image.tobytes(), size, marks)), io.BytesIO()
    drawn.save(file, format="JPEG", quality=PREVIEW_QUALITY)
    return file.getvalue()


def _draw_label(image: "Image") -> None:
    """White letters on a dark plate with round corners, at the lower right; small pictures get letters that fit."""
    from PIL import Image, ImageDraw  # noqa: PLC0415

    font = _font(max(LEAST_LETTERS, min(image.size) // LABEL_SHARE))
    left, top, right, bottom = (round(edge) for edge in font.getbbox(LABEL_TEXT))
    margin = max(2, (bottom - top) // 2)
    plate = Image.new("RGBA", (right - left + 2 * margin, bottom - top + 2 * margin))
    pen = ImageDraw.Draw(plate)
    pen.rounded_rectangle((0, 0, plate.width - 1, plate.height - 1), radius=margin, fill=PLATE)
    pen.text((margin - left, margin - top), LABEL_TEXT, font=font, fill=LIGHT)
    if plate.width > image.width or plate.height > image.height:
        plate.thumbnail(image.size)
    place = (max(0, image.width - plate.width - margin), max(0, image.height - plate.height - margin))
    image.paste(plate, place, mask=plate.getchannel("A"))


def _draw_test(image: "Image") -> None:
    """Slanted words, white with a dark rim, half transparent, in rows over the whole picture, every other row moved."""
    stamp = _test_stamp(max(LEAST_LETTERS, min(image.size) // TEST_SHARE))
    words, shape = stamp.getchannel("L").convert("RGB"), stamp.getchannel("A")
    across = stamp.width * 5 // 4
    for row, top in enumerate(range(-stamp.height // 2, image.height, stamp.height)):
        for left in range(-stamp.width // 2 - (row % 2) * across // 2, image.width, across):
            image.paste(words, (left, top), mask=shape)


def _test_stamp(letters: int) -> "Image":
    """The words once, as grey and how much they cover."""
    from PIL import Image, ImageDraw  # noqa: PLC0415

    font, rim = _font(letters), max(1, letters // 16)
    left, top, right, bottom = (round(edge) for edge in font.getbbox(TEST_TEXT, stroke_width=rim))
    stamp = Image.new("LA", (right - left, bottom - top))
    pen = ImageDraw.Draw(stamp)
    fill, stroke = (255, TEST_STRENGTH), (0, TEST_STRENGTH)
    pen.text((-left, -top), TEST_TEXT, font=font, fill=fill, stroke_width=rim, stroke_fill=stroke)
    return stamp.rotate(TEST_ANGLE, Image.Resampling.BILINEAR, expand=True)


def _font(letters: int) -> "ImageFont.FreeTypeFont | ImageFont.ImageFont":
    """The one that Pillow brings along, for it is the same everywhere."""
    from PIL import ImageFont  # noqa: PLC0415

    return ImageFont.load_default(size=letters)
