"""Addresses of pictures on request: of another width, format or quality, and fresh ones where they end."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response

from gateway.access import Caller
from gateway.http.answering.answers import answer, described
from gateway.http.edge.refusals import PathUnknown
from gateway.http.reading.dependencies import Given, caller_with
from gateway.wire import ImageLinkBody
from models import ImageFormat
from storage.links import ORIGINAL, Variant

routes = APIRouter(prefix="/v1", tags=["images"])


async def asked_variant(
    w: Annotated[int | None, Query(description="Width in pixels, one of those that the operator allows.")] = None,
    fm: Annotated[ImageFormat | None, Query(description="Format; none means the picture's own.")] = None,
    q: Annotated[int | None, Query(description="Quality, one of those that the operator allows.")] = None,
) -> Variant:
    return Variant(width=w, format=fm, quality=q)


@routes.get(
    "/generations/{generation_id}/images/{index}/link",
    summary="Get an address of a picture",
    response_model=ImageLinkBody,
    responses=described(400, 401, 403, 404, 503),
)
async def read_link(
    given: Given,
    caller: Annotated[Caller, Depends(caller_with("read"))],
    generation_id: str,
    index: Annotated[int, Path(description="Place in `images`, from 0.", ge=0, le=100)],
    variant: Annotated[Variant, Depends(asked_variant)],
) -> Response:
    """The picture itself, or as a variant, which is made when it is first looked at. No variant is wider than it."""
    given.variants.check(variant)
    view = await given.fetch.one(caller, generation_id)
    if index >= len(view.pictures):
        raise PathUnknown(f"This generation has no picture {index}.")
    name, until = view.pictures[index].name, given.urls.expires_at()
    return answer(
        ImageLinkBody(
            url=given.urls.image(name) if variant == ORIGINAL else given.urls.variant(name, variant),
            expires_at=None if until is None else datetime.fromtimestamp(until, UTC),
        )
    )
