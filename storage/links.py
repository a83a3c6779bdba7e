"""Public names of pictures. Pure."""

import hashlib

from models import ImageFormat

NAME_CHARACTERS = 32  # of hexadecimal, 128 bits
ENDINGS = {ImageFormat.PNG: "png", ImageFormat.JPEG: "jpg", ImageFormat.WEBP: "webp", ImageFormat.AVIF: "avif"}


def image_name(generation_id: str, position: int, file_sha256: str, format: ImageFormat) -> str:
    """Such as `9f86d081884c7d659a2feaa0c55ad015.png`.

    The bytes under a name never change, for the name depends on them. Nobody who has not seen the generation's id can
    guess it, even who painted the same picture.
    """
    seal = hashlib.sha256(f"{generation_id}/{position}/{file_sha256}".encode()).hexdigest()
    return f"{seal[:NAME_CHARACTERS]}.{ENDINGS[format]}"
