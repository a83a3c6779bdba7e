"""Begin from a picture: for dialects whose callers send one."""

import struct
from dataclasses import replace

from gateway import generations
from gateway.access import Caller
from gateway.generations import Ask
from gateway.http.dependencies import Services
from gateway.http.dialects.sizes import fitted
from models import ImageSize


async def beginning_from(given: Services, caller: Caller, ask: Ask, pictures: generations.Given) -> Ask:
    """`ask` with the pictures read; where it names no size, it gets the picture's ratio at the area of the model's own.

    Raises:
        RequestInvalid: no picture that we read, or a mask of another size.
        GenerationUnknown, Failed: as `Beginnings.read`.
    """
    beginning = await given.beginnings.read(caller, pictures)
    request = replace(ask.request, init_image=beginning.init_image)
    if beginning.init_image is not None and request.width is None and request.height is None:
        card = given.catalogue.default if request.model is None else given.catalogue.get(request.model)
        size = fitted(_size_of(beginning.files[beginning.init_image.sha256]), pixels=card.default_size.pixels)
        request = replace(request, width=size.width, height=size.height)
    return replace(ask, request=request, files=beginning.files)


def _size_of(png: bytes) -> ImageSize:
    """Of a PNG that we wrote ourselves: its first chunk says it (PNG specification, section 11.2.1)."""
    width, height = struct.unpack(">II", png[16:24])
    return ImageSize(width=width, height=height)
