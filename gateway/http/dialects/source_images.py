"""Begin from a picture: for dialects whose callers send one."""

import struct
from collections.abc import Iterator
from dataclasses import replace

from gateway import generations
from gateway.access import Caller
from gateway.generations import Ask
from gateway.http.dialects.sizes import fitted
from gateway.http.reading.dependencies import Services
from models import GenerationRequest, ImageSize
from models.notices import Notice, changed

RATIO_TOLERANCE = 0.02  # sides are rounded to a multiple of 16


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
    elif source.init_image is not None:
        begun = replace(
            begun, notices=(*begun.notices, *_cropped(request, _size_of(source.files[source.init_image.sha256])))
        )
    return replace(begun, request=request)


def _cropped(request: GenerationRequest, given: ImageSize) -> Iterator[Notice]:
    """Whether something of the picture goes, because a size of another ratio was asked for."""
    if request.width and request.height:
        ratio = ImageSize(width=request.width, height=request.height).ratio
        if abs(ratio / given.ratio - 1) > RATIO_TOLERANCE:
            yield changed("image", "its ratio is not that of the size asked for, so it is cropped around its centre.")


def _size_of(png: bytes) -> ImageSize:
    """Of a PNG that we wrote ourselves: its first chunk says it (PNG specification, section 11.2.1)."""
    width, height = struct.unpack(">II", png[16:24])
    return ImageSize(width=width, height=height)
