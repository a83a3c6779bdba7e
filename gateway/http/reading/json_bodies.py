"""Native bodies in JSON, parsed by their own strict model, and described for the OpenAPI document."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from fastapi import Request
from pydantic import BaseModel

from gateway.http.reading.lenient import read_json

Body = TypeVar("Body", bound=BaseModel)


def body_of(kind: type[Body]) -> Callable[[Request], Awaitable[Body]]:
    """A dependency. FastAPI's own reading would check dates and enums as Python's, not as JSON's."""

    async def body(request: Request) -> Body:
        return (await read_json(request, kind)).body

    return body


def optional_body_of(kind: type[Body]) -> Callable[[Request], Awaitable[Body]]:
    """Likewise, where no body at all means that nothing is given."""

    async def body(request: Request) -> Body:
        is_empty = not await request.body()
        return kind() if is_empty else (await read_json(request, kind)).body

    return body


def in_json(kind: type[BaseModel], *, is_needed: bool = True) -> dict[str, Any]:
    """For a route's `openapi_extra`; the model's schema comes by `gateway.http.schema`."""
    schema = {"$ref": f"#/components/schemas/{kind.__name__}"}
    return {"requestBody": {"required": is_needed, "content": {"application/json": {"schema": schema}}}}
