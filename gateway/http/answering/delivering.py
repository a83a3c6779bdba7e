"""A file as an answer: whole, a part of it, or that it is unchanged (RFC 9110, sections 13 and 14)."""

from collections.abc import Mapping
from pathlib import Path

from fastapi import Request, Response
from starlette.responses import FileResponse

from gateway.http.answering.answers import is_unchanged
from gateway.http.answering.ranges import asked_range, check_range


def deliver(
    request: Request, content: Path | bytes, *, etag: str, media_type: str, headers: Mapping[str, str]
) -> Response:
    """`etag` in its quotation marks. `Range` counts if `If-Range`, where it is sent, is exactly that tag.

    Raises:
        RangeNotSatisfiable.
    """
    headers = {**headers, "ETag": etag}
    if is_unchanged(request, etag):
        return Response(status_code=304, headers=headers)
    if "range" in request.headers:
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        check_range(request.scope, size, etag=etag)
    if isinstance(content, Path):
        return FileResponse(content, headers=headers, media_type=media_type)
    headers["Accept-Ranges"] = "bytes"
    part = asked_range(request.scope, len(content))
    if part is None:
        return Response(content, headers=headers, media_type=media_type)
    headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{len(content)}"
    return Response(content[part.start : part.stop], status_code=206, headers=headers, media_type=media_type)
