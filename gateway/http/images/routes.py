"""`GET /img/{name}`: the finished file, immutable, by an unguessable name; and variants of it, by signed addresses."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response

from gateway.http.answering.answers import described
from gateway.http.answering.delivering import deliver
from gateway.http.edge.refusals import PathUnknown
from gateway.http.reading.dependencies import Given, Services
from models import ImageFormat, RequestInvalid
from storage.generations import picture_named
from storage.links import ORIGINAL, Variant

YEAR_S = 31_536_000
HEADERS = {
    # A picture opened by itself may show and nothing else.
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; sandbox",
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}

routes = APIRouter(tags=["images"])


ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {f"image/{format}": {} for format in ImageFormat}},
    206: {"description": "The part that `Range` asked for."},
    304: {"description": "Unchanged since the ETag sent."},
    **described(400, 403, 404, 410, 416, 503),
}


def _parameter(name: str, description: str, **schema: object) -> dict[str, object]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


# Read by hand, since most addresses have no query and this is the busiest route.
PARAMETERS = {
    "parameters": [
        _parameter("w", "Width in pixels; never wider than the picture.", type="integer"),
        _parameter("fm", "Format.", type="string", enum=list(ImageFormat)),
        _parameter("q", "Quality.", type="integer"),
        _parameter("exp", "Until when the address is good, in seconds since the epoch.", type="integer"),
        _parameter("sig", "Our signature: needed with any of the others, and always where pictures are private."),
    ]
}


@routes.head(
    "/img/{name}",
    summary="The picture's headers",
    operation_id="head_image",
    response_class=Response,
    responses=ANSWERS,
    openapi_extra=PARAMETERS,
)
@routes.get(
    "/img/{name}",
    summary="The picture",
    operation_id="read_image",
    response_class=Response,
    responses=ANSWERS,
    openapi_extra=PARAMETERS,
)
async def read_image(request: Request, given: Given, name: str) -> Response:
    """The bytes never change under an address. Ranges, one at a time, and conditional requests are answered."""
    asked = dict(parse_qsl(request.url.query)) if request.scope["query_string"] else {}
    variant = ORIGINAL if not asked else _variant_in(asked)
    expires_at = _number("exp", asked)
    given.urls.check(name, variant, expires_at=expires_at, signature=asked.get("sig", ""))
    async with given.database.reading() as connection:
        picture = await picture_named(connection, name)
    if picture is None:
        raise PathUnknown(f"There is no picture {name!r}.")
    headers = HEADERS | {"Cache-Control": _keeping(given, expires_at)}
    if variant == ORIGINAL:
        etag, format = picture.file_sha256, picture.format
        content = await given.files.find(picture)
    else:
        given.variants.check(variant)
        etag, format = given.variants.tag(picture, variant), variant.format or picture.format
        content = await given.variants(picture, variant)
    return deliver(request, content, etag=f'"{etag}"', media_type=f"image/{format}", headers=headers)


def _variant_in(asked: Mapping[str, str]) -> Variant:
    """Raises RequestInvalid."""
    format = asked.get("fm")
    if format is not None and format not in list(ImageFormat):
        raise RequestInvalid(f"`fm` must be one of {', '.join(ImageFormat)}.", field="fm")
    return Variant(
        width=_number("w", asked),
        format=None if format is None else ImageFormat(format),
        quality=_number("q", asked),
    )


def _number(field: str, asked: Mapping[str, str]) -> int | None:
    """Raises RequestInvalid."""
    text = asked.get(field)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        raise RequestInvalid(f"`{field}` must be a whole number.", field=field)
    return int(text)


def _keeping(given: Services, expires_at: int | None) -> str:
    """How long who may keep the answer: anybody for ever, or whoever asked until the address ends."""
    if given.urls.lifetime_s is None:
        return f"public, max-age={YEAR_S}, immutable, no-transform"
    left_s = 0 if expires_at is None else expires_at - int(given.clock().timestamp())
    return f"private, max-age={min(YEAR_S, max(0, left_s))}, no-transform"
