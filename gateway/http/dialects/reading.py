"""Bodies of other people's contracts: JSON, read leniently, so that no client fails for a member of its own."""

import hashlib
from dataclasses import dataclass
from typing import Generic, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

from gateway.http.dependencies import refusal_of
from gateway.http.refusals import MediaTypeUnsupported

Body = TypeVar("Body", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Read(Generic[Body]):
    """A parsed body and the hash of its bytes."""

    body: Body
    sha256: str


async def read_json(request: Request, kind: type[Body]) -> Read[Body]:
    """Raises JsonInvalid, MediaTypeUnsupported, ParameterMissing, RequestInvalid."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise MediaTypeUnsupported("Send the body as `Content-Type: application/json`.")
    content = await request.body()
    try:
        body = kind.model_validate_json(content)
    except ValidationError as wrong:
        raise refusal_of(wrong.errors(include_url=False, include_context=False, include_input=False)[0]) from None
    return Read(body=body, sha256=hashlib.sha256(content).hexdigest())
