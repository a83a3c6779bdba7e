"""Where an image file ends, by its own structure: what follows is somebody's second file, and is refused. Pure.

Nothing is unpacked here; each walk takes time linear in the file's length.
"""

import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import ClassVar

from models import RequestInvalid

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_START, JPEG_END, JPEG_SCAN = 0xD8, 0xD9, 0xDA
# In entropy-coded data 0xFF is followed by 0 or by a restart marker; more 0xFF are padding.
JPEG_MARKER = re.compile(rb"\xff+[^\x00\xd0-\xd7\xff]")


class ImageInvalid(RequestInvalid):
    """The picture is in no form that we read, damaged, animated, too large, or has something behind its end."""

    code: ClassVar[str] = "invalid_image"


class Container(StrEnum):
    """Forms that we read, under Pillow's names."""

    PNG = "PNG"
    JPEG = "JPEG"
    WEBP = "WEBP"
    AVIF = "AVIF"


def container_of(content: bytes, *, field: str) -> Container:
    """The form of a file that ends where its form says.

    Raises:
        ImageInvalid: it has another form, stops before its end, or goes on behind it; `field` is named as the cause.
    """
    container = _form_of(content)
    if container is None:
        raise ImageInvalid(f"`{field}` must be a PNG, JPEG, WebP or AVIF file.", field=field)
    end = ENDS[container](content)
    if end is None or end > len(content):
        raise ImageInvalid(f"`{field}` is damaged or cut off: its {container} structure does not end.", field=field)
    if end < len(content):
        raise ImageInvalid(
            f"`{field}` has {len(content) - end} bytes behind the end of its picture; send the picture alone.",
            field=field,
        )
    return container


def _form_of(content: bytes) -> Container | None:
    if content.startswith(PNG_SIGNATURE):
        return Container.PNG
    if content.startswith(b"\xff\xd8\xff"):
        return Container.JPEG
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return Container.WEBP
    if content[4:8] == b"ftyp" and content[8:12] in {b"avif", b"avis", b"mif1", b"msf1"}:
        return Container.AVIF
    return None


def _png_end(content: bytes) -> int | None:
    """Behind the chunk IEND (PNG, third edition, section 5.3: length, type, content, checksum)."""
    at = len(PNG_SIGNATURE)
    while at + 12 <= len(content):
        kind = content[at + 4 : at + 8]
        at += 12 + int.from_bytes(content[at : at + 4], "big")
        if kind == b"IEND":
            return at
    return None


def _jpeg_end(content: bytes) -> int | None:
    """Behind the marker EOI (ITU-T T.81, annex B): segments tell their length, scans run to the next marker."""
    at = 0
    while (found := JPEG_MARKER.match(content, at)) is not None:
        marker, at = content[found.end() - 1], found.end()
        if marker == JPEG_END:
            return at
        if marker != JPEG_START:
            at += int.from_bytes(content[at : at + 2], "big")
        if marker == JPEG_SCAN:
            following = JPEG_MARKER.search(content, at)
            if following is None:
                return None
            at = following.start()
    return None


def _webp_end(content: bytes) -> int | None:
    """RIFF tells its length; a chunk of an odd one is padded."""
    length = int.from_bytes(content[4:8], "little")
    return 8 + length + length % 2


def _avif_end(content: bytes) -> int | None:
    """Behind the last box (ISO 14496-12, section 4.2: length, type); what cannot be one is behind the picture."""
    at = 0
    while at + 8 <= len(content):
        length, kind = int.from_bytes(content[at : at + 4], "big"), content[at + 4 : at + 8]
        if kind not in AVIF_BOXES or length < 8:
            return at
        at += length
    return at


AVIF_BOXES = {b"ftyp", b"meta", b"mdat", b"moov", b"free", b"skip"}
ENDS: Mapping[Container, Callable[[bytes], int | None]] = {
    Container.PNG: _png_end,
    Container.JPEG: _jpeg_end,
    Container.WEBP: _webp_end,
    Container.AVIF: _avif_end,
}
