"""OpenAI's form of a batch: made of a file whose lines name a path and a body, read as an output and an error file.

Both files are made of the batch's items whenever they are read; their ids say of which batch and which half.
"""

import hashlib
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec
from fastapi import Request
from pydantic import BaseModel, JsonValue, ValidationError

from gateway.access import Caller
from gateway.batch_bodies import BatchBody
from gateway.batches import BatchAsk, BatchView, ItemAsk, ItemView, Wish
from gateway.http.batch_forms import CUSTOM_ID, items_by_line
from gateway.http.batch_presenting import item_body
from gateway.http.bodies import refusal_of_first
from gateway.http.dependencies import Services
from gateway.http.dialects.model_names import ModelNames, model_names
from gateway.http.dialects.openai_answers import images_answer
from gateway.http.dialects.openai_orders import ImagesBody
from gateway.http.dialects.reading import LenientBody
from gateway.http.refusals import GenerationCanceled, JsonInvalid
from models import DomainError, ParameterMissing, RequestInvalid
from models.request import check_metadata
from storage import BatchState, ItemState

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
        raise refusal_of_first(wrong) from None
    check_metadata(order.metadata or {})
    return order


async def ask_of_file(given: Services, caller: Caller, order: FileBatchOrder) -> BatchAsk:
    """Raises FileUnknown, BlobUnavailable."""
    file = await given.batches.files.one(caller, order.input_file_id)
    content, names = await given.batches.files.content(file), model_names(given)
    return BatchAsk(
        items=items_by_line(content, lambda sent: _item(sent, names)),
        metadata=order.metadata or {},
        input_file_id=file.id,
        body_sha256=hashlib.sha256(b"file batch\n" + order.model_dump_json().encode()).hexdigest(),
    )


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


async def result_lines(given: Services, views: AsyncIterator[ItemView], half: Half) -> AsyncIterator[bytes]:
    """A line for each item that has ended this way."""
    async for view in views:
        if view.item.state.is_final and (view.item.state is ItemState.COMPLETED) is (half == "output"):
            yield msgspec.json.encode(await _line(given, view)) + b"\n"


async def _line(given: Services, view: ItemView) -> dict[str, Any]:
    item = view.item
    response = error = None
    if item.state is not ItemState.COMPLETED:
        error = _error(given, view)
    elif view.generation is None:
        error = {"code": "not_found", "message": "The generation was deleted."}
    else:
        body = await images_answer(view.generation, is_base64=False, urls=given.urls, blobs=given.blobs)
        shown = body.model_dump(mode="json", exclude_none=True)
        response = {"status_code": 200, "request_id": item.generation_id, "body": shown}
    line_id = f"batch_req_{item.batch_id.removeprefix('batch_')}_{item.position}"
    return {"id": line_id, CUSTOM_ID: item.custom_id, "response": response, "error": error}


def _error(given: Services, view: ItemView) -> dict[str, str | None]:
    failure = item_body(view, given.urls).error
    if failure is None:
        return {"code": GenerationCanceled.code, "message": "It was cancelled, or deleted after it had failed."}
    return failure.model_dump()


def _item(sent: JsonValue, names: ModelNames) -> ItemAsk:
    if not isinstance(sent, dict):
        return ItemAsk(custom_id=None, wish=JsonInvalid("A line must be a JSON object."))
    custom_id = sent.get(CUSTOM_ID)
    if not isinstance(custom_id, str):
        return ItemAsk(custom_id=None, wish=ParameterMissing("`custom_id` is needed, as text.", field=CUSTOM_ID))
    try:
        return ItemAsk(custom_id=custom_id, wish=_wish(sent, names))
    except DomainError as wrong:
        return ItemAsk(custom_id=custom_id, wish=wrong)


def _wish(sent: Mapping[str, JsonValue], names: ModelNames) -> Wish:
    """Raises RequestInvalid: the line names another path, or its body breaks a rule."""
    for name, only in (("method", "POST"), ("url", ENDPOINT)):
        if sent.get(name) != only:
            raise RequestInvalid(f"`{name}` must be {only!r}.", field=name)
    try:
        body = ImagesBody.model_validate_json(msgspec.json.encode(sent.get("body")))
    except ValidationError as wrong:
        raise refusal_of_first(wrong) from None
    if body.stream:
        raise RequestInvalid("`stream`: nobody listens to a batch.", field="stream")
    return Wish(request=body.request(names), metadata=body.metadata())


def _seconds(moment: datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp())
