"""OpenAI's form of a batch, as it is asked for and shown: made of a file, read as an output and an error file.

What the file's lines mean is the dialect's; it is handed in as a `FileReader`.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Literal

import msgspec
from fastapi import Request
from pydantic import BaseModel, ValidationError

from gateway.access import Caller
from gateway.batch_bodies import BatchBody
from gateway.batches import BatchAsk, BatchView
from gateway.http.reading.dependencies import Services
from gateway.http.reading.lenient import LenientBody
from gateway.http.reading.refusing import refusal_of_first
from models.request import check_metadata
from storage import BatchState

ENDPOINT = "/v1/images/generations"
Status = Literal["in_progress", "completed", "cancelling", "cancelled"]
Half = Literal["output", "errors"]

STATUSES: Mapping[BatchState, Status] = {
    BatchState.PROCESSING: "in_progress",
    BatchState.COMPLETED: "completed",
    BatchState.CANCELING: "cancelling",
    BatchState.CANCELED: "cancelled",
}
PREFIXES: Mapping[Half, str] = {"output": "file_output_", "errors": "file_errors_"}


class FileBatchOrder(LenientBody):
    """A batch of the requests in a file."""

    input_file_id: str
    endpoint: Literal["/v1/images/generations"]
    completion_window: Literal["24h"]
    metadata: dict[str, str] | None = None


class RequestCounts(BaseModel):
    """`failed` includes those that were refused or cancelled."""

    total: int
    completed: int
    failed: int


class FileBatchBody(BaseModel):
    """`output_file_id` and `error_file_id` are there when the batch has ended and such a file has any line."""

    id: str
    object: Literal["batch"] = "batch"
    endpoint: str = ENDPOINT
    errors: None = None
    input_file_id: str
    completion_window: str = "24h"
    status: Status
    output_file_id: str | None
    error_file_id: str | None
    created_at: int
    in_progress_at: int
    completed_at: int | None
    cancelling_at: int | None
    cancelled_at: int | None
    request_counts: RequestCounts
    metadata: dict[str, str]


class AnyBatchListBody(BaseModel):
    """One page, newest first, each batch in the words in which it was asked for; `next_cursor` fetches the following."""

    object: Literal["list"] = "list"
    data: list[BatchBody | FileBatchBody]
    has_more: bool
    next_cursor: str | None


FileReader = Callable[[Services, Caller, FileBatchOrder], Awaitable[BatchAsk]]
"""Makes items of a file's lines."""


async def file_batch_order(request: Request) -> FileBatchOrder | None:
    """None: the body is not in OpenAI's form, whatever else it may be.

    Raises:
        ParameterMissing, RequestInvalid.
    """
    if not request.headers.get("content-type", "").lower().startswith("application/json"):
        return None
    try:
        sent = msgspec.json.decode(await request.body())
    except ValueError:
        return None
    if not isinstance(sent, dict) or "input_file_id" not in sent:
        return None
    try:
        order = FileBatchOrder.model_validate(sent)
    except ValidationError as wrong:
        raise refusal_of_first(wrong, FileBatchOrder) from None
    check_metadata(order.metadata or {})
    return order


def file_batch_body(view: BatchView) -> FileBatchBody:
    batch, counts = view.batch, view.counts
    failed = counts.failed + counts.refused + counts.canceled
    ended = _seconds(batch.completed_at)
    has_completed = batch.state is BatchState.COMPLETED
    return FileBatchBody(
        id=batch.id,
        input_file_id=batch.input_file_id or "",
        status=STATUSES[batch.state],
        output_file_id=result_id(batch.id, "output") if batch.state.is_final and counts.completed else None,
        error_file_id=result_id(batch.id, "errors") if batch.state.is_final and failed else None,
        created_at=int(batch.created_at.timestamp()),
        in_progress_at=int(batch.created_at.timestamp()),
        completed_at=ended if has_completed else None,
        cancelling_at=_seconds(batch.canceled_at),
        cancelled_at=None if has_completed else ended,
        request_counts=RequestCounts(total=counts.total, completed=counts.completed, failed=failed),
        metadata=dict(batch.metadata),
    )


def result_id(batch_id: str, half: Half) -> str:
    return PREFIXES[half] + batch_id.removeprefix("batch_")


def batch_and_half(file_id: str) -> tuple[str, Half] | None:
    """Which batch's file this is and which; None: it is a file that somebody sent."""
    for half, prefix in PREFIXES.items():
        if file_id.startswith(prefix):
            return f"batch_{file_id.removeprefix(prefix)}", half
    return None


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())
