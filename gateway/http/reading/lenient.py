"""Bodies of other people's contracts: JSON, read leniently, so that no client fails for a member of its own."""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from fastapi import Request
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from gateway.http.edge.refusals import MediaTypeUnsupported
from gateway.http.reading.refusing import refusal_of_first

IGNORED_HEADER = "X-Pinxit-Ignored"
WARNINGS_HEADER = "X-Pinxit-Warnings"
MAX_NAMED = 20
_NAME = re.compile(r"[A-Za-z0-9_.\-\[\]]{1,64}")


class LenientBody(BaseModel):
    """Unknown members are not refused; null means "not given"."""

    model_config = ConfigDict(extra="allow", use_attribute_docstrings=True)

    @model_validator(mode="before")
    @classmethod
    def without_nulls(cls, sent: object) -> object:
        """Clients in C#, Go and Java write every member that is not set as null."""
        if not isinstance(sent, dict):
            return sent
        members = cast("dict[str, object]", sent)
        return {name: value for name, value in members.items() if value is not None}

    def strangers(self) -> list[str]:
        """The names of members that we do not know."""
        return list(self.model_extra or ())


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
        raise refusal_of_first(wrong, kind) from None
    return Read(body=body, sha256=hashlib.sha256(content).hexdigest())


def ignored_header(names: Iterable[str]) -> dict[str, str]:
    """The header that names members which were sent and changed nothing; names that do not fit into it are left out."""
    named = sorted(name for name in names if _NAME.fullmatch(name))[:MAX_NAMED]
    return {IGNORED_HEADER: ", ".join(named)} if named else {}
