"""From pixels to a file's bytes, with words about the picture inside, and those words back out of a file.

The same pixels and words give the same bytes.
"""

import io
import struct
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import __version__ as pillow_version

from models import ImageFormat, ImageSize

if TYPE_CHECKING:
    from PIL.Image import Exif, Image

PNG_COMPRESSION = 4  # of 9: beyond it files shrink by a few percent and take twice as long
JPEG_QUALITY = 95
WEBP_QUALITY = 92
AVIF_QUALITY = 90
AVIF_SPEED = 8  # of 10: 6 takes five to nine times as long and saves 8 percent
EXIF_FOLDER = 0x8769
USER_COMMENT = 0x9286
MAX_JPEG_EXIF_BYTES = 65_533  # it lies in one segment, whose length counts its own two bytes
UNICODE = b"UNICODE\0"
READABLE = ("PNG", "JPEG", "WEBP", "AVIF")
BROKEN = (OSError, RuntimeError, SyntaxError, ValueError, struct.error)
"""What pillow raises on bytes that only begin like a picture."""
ENCODER = f"pillow-{pillow_version}"


def encode(pixels: Path | bytes, size: ImageSize, format: ImageFormat, *, text: Mapping[str, str]) -> bytes:
    """Make the file a caller receives.

    `pixels` are RGB bytes, row by row, in memory or in a file. `text` goes into PNG as text chunks, into the
    others as lines `name: value` of the EXIF user comment; text that the format does not hold (`holds`) is left out as a
    whole, for no picture shall fail for its words. Blocks; call it in a thread.

    Raises:
        ValueError: there are more or fewer pixels than `size` says.
    """
    from PIL import Image  # noqa: PLC0415 - the gateway starts without it

    content = pixels if isinstance(pixels, bytes) else pixels.read_bytes()
    if len(content) != size.pixels * 3:
        raise ValueError(f"A picture of {size} has {size.pixels * 3} bytes of pixels, not {len(content)}.")
    image = Image.frombytes("RGB", (size.width, size.height), content)
    return _written(image, format, None, text)


def encode_again(picture: Path | bytes, format: ImageFormat, *, width: int | None, quality: int | None) -> bytes:
    """A variant of a file that `encode` has made, without words: narrower, never wider, of the same shape.

    `quality` None means as `encode` takes it; PNG has none. Blocks; call it in a thread.
    """
    from PIL import Image  # noqa: PLC0415

    with Image.open(io.BytesIO(picture) if isinstance(picture, bytes) else picture, formats=READABLE) as opened:
        image = opened.convert("RGB")
    if width is not None and width < image.width:
        height = max(1, round(image.height * width / image.width))
        image = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return _written(image, format, quality, {})


def _written(image: "Image", format: ImageFormat, quality: int | None, text: Mapping[str, str]) -> bytes:
    match format:
        case ImageFormat.PNG:
            return _png(image, text)
        case ImageFormat.JPEG:
            exif = _user_comment(text) if text and holds(format, text) else b""
            return _saved(image, "JPEG", quality=quality or JPEG_QUALITY, subsampling=0, exif=exif)
        case ImageFormat.WEBP:
            exif = _user_comment(text) if text else b""
            return _saved(image, "WEBP", quality=quality or WEBP_QUALITY, method=4, exif=exif)
        case ImageFormat.AVIF:  # in one thread: its bytes depend on how many there are
            exif = _user_comment(text).tobytes() if text else b""  # pillow takes our Exif for empty
            options = {"speed": AVIF_SPEED, "subsampling": "4:4:4", "max_threads": 1}
            return _saved(image, "AVIF", quality=quality or AVIF_QUALITY, exif=exif, **options)


def holds(format: ImageFormat, text: Mapping[str, str]) -> bool:
    """Whether a file of this format has room for `text`: a JPEG has 64 KB, which are 32,000 letters; the others all."""
    return format is not ImageFormat.JPEG or len(_user_comment(text).tobytes()) <= MAX_JPEG_EXIF_BYTES


def read_text(content: bytes) -> Mapping[str, str]:
    """The words that `encode` put into a file, empty where there are none. No pixel is decoded.

    Raises:
        ValueError: this is no PNG, JPEG, WebP or AVIF file, or a broken one.
    """
    from PIL import Image  # noqa: PLC0415

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is broken, none of our words can be read; that says it
            with Image.open(io.BytesIO(content), formats=READABLE) as image:
                if image.format == "PNG":
                    return {str(name): str(text) for name, text in image.info.items() if isinstance(text, str)}
                comment = image.getexif().get_ifd(EXIF_FOLDER).get(USER_COMMENT, b"")
    except (*BROKEN, Image.DecompressionBombError) as wrong:
        raise ValueError(f"This is no whole PNG, JPEG, WebP or AVIF file: {wrong}") from None
    return _lines_of(comment)


def _lines_of(comment: object) -> Mapping[str, str]:
    """Back from the EXIF user comment; another program's comment has no lines of this form."""
    if not isinstance(comment, bytes) or not comment.startswith(UNICODE):
        return {}
    lines = comment.removeprefix(UNICODE).decode("utf-16-be", errors="replace").split("\n")
    return {name: value for name, found, value in (line.partition(": ") for line in lines) if found}


def _png(image: "Image", text: Mapping[str, str]) -> bytes:
    from PIL.PngImagePlugin import PngInfo  # noqa: PLC0415

    chunks = PngInfo()
    for name, value in text.items():
        chunks.add_itxt(name, value)
    return _saved(image, "PNG", compress_level=PNG_COMPRESSION, pnginfo=chunks)


def _user_comment(text: Mapping[str, str]) -> "Exif":
    """Exif 2.32, section 4.6.5: eight bytes name the encoding, then the text."""
    from PIL.Image import Exif  # noqa: PLC0415

    lines = "\n".join(f"{name}: {value}" for name, value in text.items())
    exif = Exif()
    exif.get_ifd(EXIF_FOLDER)[USER_COMMENT] = UNICODE + lines.encode("utf-16-be")
    return exif


def _saved(image: "Image", kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()
