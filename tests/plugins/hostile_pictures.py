"""Image files as a stranger might send them: what must be read, and what must be refused."""

import io
import struct
import zlib

from PIL import Image


def written(image: Image.Image, format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def two_colours(width: int = 64, height: int = 32) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (width, height), (250, 0, 0))
    image.paste((0, 0, 250), (width // 2, 0, width, height))
    return image


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_of(width: int, height: int, content: bytes, *, colour: int = 2) -> bytes:
    """A PNG that says whatever size it likes."""
    header = struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0)
    parts = (chunk(b"IHDR", header), chunk(b"IDAT", content), chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def frames(format: str) -> bytes:
    first, second = two_colours(), two_colours().rotate(180)
    return written(first, format, save_all=True, append_images=[second])


def hostile() -> dict[str, bytes]:
    """By what is wrong with them."""
    picture = two_colours()
    png, jpeg, webp, avif = (written(picture, format) for format in ("PNG", "JPEG", "WEBP", "AVIF"))
    text_bomb = chunk(b"zTXt", b"x\0\0" + zlib.compress(bytes(200 << 20)))
    forged = bytearray(png)
    forged[-20] ^= 0xFF
    files = {
        "nothing but zeros": bytes(1000),
        "a gif": written(picture, "GIF"),
        "a bmp": written(picture, "BMP"),
        "a tiff": written(picture, "TIFF"),
        "an svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "a pdf": b"%PDF-1.7\n" + bytes(100),
        "a text": b"not a picture",
        "a header of 60,000 x 60,000": png_of(60_000, 60_000, zlib.compress(bytes(1000))),
        "a header beyond 31 bits": png_of(2**31 - 1, 2**31 - 1, zlib.compress(b"")),
        "no pixels": png_of(0, 0, zlib.compress(b"")),
        "a bomb of 60,000 x 60,000": png_of(60_000, 60_000, zlib.compress(bytes(10 << 20), 9)),
        "a bomb in a text chunk": png[:33] + text_bomb + png[33:],
        "a wrong checksum": bytes(forged),
        "an animated png": frames("PNG"),
        "an animated webp": frames("WEBP"),
        "an animated avif": frames("AVIF"),
        "a jpeg of two pictures": frames("MPO"),
    }
    for name, whole in (("png", png), ("jpeg", jpeg), ("webp", webp), ("avif", avif)):
        files[f"a {name} with a zip behind it"] = whole + b"PK\x03\x04" + bytes(40)
        files[f"a {name} with one byte behind it"] = whole + b"\0"
        files[f"a {name} with a script behind it"] = whole + b"<script>alert(1)</script>"
        for share in (0.1, 0.5, 0.9, 0.99):
            files[f"a {name} cut off after {share:.0%}"] = whole[: int(len(whole) * share)]
        files[f"a {name} of noise"] = whole[:20] + bytes(range(256)) * 4
    return files
