"""`GET /img/{name}`: the finished file, immutable, by an unguessable name."""

from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.responses import FileResponse

from gateway.http.answering import described, is_unchanged
from gateway.http.dependencies import Given
from gateway.http.ranges import check_range
from gateway.http.refusals import PathUnknown
from storage.generations import picture_named

IMMUTABLE = "public, max-age=31536000, immutable, no-transform"
# A picture opened by itself may show and nothing else.
IMAGE_POLICY = "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; sandbox"

routes = APIRouter(tags=["images"])


ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/png": {}, "image/jpeg": {}, "image/webp": {}, "image/avif": {}}},
    206: {"description": "The part that `Range` asked for."},
    304: {"description": "Unchanged since the ETag sent."},
    **described(404, 416),
}


@routes.head(
    "/img/{name}",
    summary="The picture's headers",
    operation_id="head_image",
    response_class=Response,
    responses=ANSWERS,
)
@routes.get("/img/{name}", summary="The picture", operation_id="read_image", response_class=Response, responses=ANSWERS)
async def read_image(request: Request, given: Given, name: str) -> Response:
    """The bytes never change under a name. Ranges and conditional requests are answered."""
    async with given.database.reading() as connection:
        picture = await picture_named(connection, name)
    if picture is None:
        raise PathUnknown(f"There is no picture {name!r}.")
    headers = {
        "ETag": f'"{picture.file_sha256}"',
        "Cache-Control": IMMUTABLE,
        "Content-Security-Policy": IMAGE_POLICY,
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if is_unchanged(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    check_range(request.scope, picture.byte_count)
    media_type = f"image/{picture.format}"
    path = given.blobs.local_path(picture.blob_key)
    if path is not None:
        return FileResponse(path, headers=headers, media_type=media_type)
    return Response(await given.blobs.get(picture.blob_key), headers=headers, media_type=media_type)
