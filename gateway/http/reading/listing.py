"""What a list leaves out, from the query: `?status=&style=&created_after=&created_before=&metadata[order]=7`."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, Query, Request

from gateway.wire import Status
from models import RequestInvalid
from models.request import check_metadata
from storage import Filters, State

METADATA_PARAMETER: dict[str, Any] = {
    "parameters": [
        {
            "name": "metadata",
            "in": "query",
            "required": False,
            "style": "deepObject",
            "explode": True,
            "description": "Only those that have all these pairs, `metadata[order]=7`.",
            "schema": {"type": "object", "additionalProperties": {"type": "string"}},
        }
    ]
}


async def read_filters(
    request: Request,
    status: Status | None = None,
    style: str | None = None,
    created_after: Annotated[datetime | None, Query(description="From this moment on; UTC unless it says.")] = None,
    created_before: Annotated[datetime | None, Query(description="Before this moment; UTC unless it says.")] = None,
) -> Filters:
    """Raises RequestInvalid."""
    return Filters(
        state=State(status) if status else None,
        style=style.casefold() if style else None,
        created_from=_aware(created_after),
        created_before=_aware(created_before),
        metadata=_pairs_of(request),
    )


AskedFilters = Annotated[Filters, Depends(read_filters)]


def _pairs_of(request: Request) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if not name.startswith("metadata"):
            continue
        key = name.removeprefix("metadata[").removesuffix("]")
        if name != f"metadata[{key}]" or key in pairs:
            raise RequestInvalid("Filter by `metadata[key]=value`, each key once.", field="metadata")
        pairs[key] = value
    check_metadata(pairs)
    return pairs


def _aware(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment
