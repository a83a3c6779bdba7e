"""Begin from a picture: for dialects whose callers send one."""

import struct
from dataclasses import replace

from gateway import generations
from gateway.access import Caller
from gateway.generations import Ask
from gateway.http.dialects.sizes import fitted
from gateway.http.reading.dependencies import Services
from models import ImageSize


async def with_source_images(given: Services, caller: Caller, ask: Ask, pictures: generations.Given) -> Ask:
    """`ask` with the pictures read; where it names no size, it gets the picture's ratio at the area of the model's own.

    Raises:
        RequestInvalid: no picture that we read, or a mask of another size.
        GenerationUnknown, Failed: as `SourceImages.read`.
    """
    source = await given.source_images.read(caller, pictures)
    begun = ask.beginning_from(source)
    request = begun.request
    if source.init_image is not None and request.width is None and request.height is None:
        card = given.catalogue.default if request.model is None else given.catalogue.get(request.model)
        size = fitted(_size_of(source.files[source.init_image.sha256]), pixels=card.default_size.pixels)
        request = replace(request, width=size.width, height=size.height)
    return replace(begun, request=request)


def _size_of(png: bytes) -> ImageSize:
    """Of a PNG that we wrote ourselves: its first chunk says it (PNG specification, section 11.2.1)."""
    width, height = struct.unpack(">II", png[16:24])
    return ImageSize(width=width, height=height)
