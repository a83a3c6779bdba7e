"""Many requests sent as one: create, list, read, cancel, and fetch what came of them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from starlette.responses import StreamingResponse

from gateway.access import Caller
from gateway.batch_bodies import BatchBody, ItemListBody
from gateway.batches import BatchView
from gateway.generations import PublicUrls
from gateway.generations.showing.cursors import cursor_of
from gateway.http.answering.answers import answer, described
from gateway.http.batches.file_form import (
    AnyBatchListBody,
    FileBatchBody,
    FileReader,
    file_batch_body,
    file_batch_order,
)
from gateway.http.batches.presenting import batch_body, csv_rows, item_body, json_lines
from gateway.http.batches.reading import Words, read_batch
from gateway.http.reading.dependencies import Given, IdempotencyKey, caller_with, painting_caller
from storage import ItemState

STATES: Mapping[str, tuple[ItemState, ...]] = {
    "queued": (ItemState.WAITING, ItemState.QUEUED),
    **{state.value: (state,) for state in ItemState if state.is_final},
}
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "anyOf": [
                        {"$ref": "#/components/schemas/BatchOrder"},
                        {"$ref": "#/components/schemas/FileBatchOrder"},
                    ]
                }
            },
            "multipart/form-data": {"schema": {"$ref": "#/components/schemas/BatchForm"}},
            "application/jsonl": {"schema": {"type": "string", "description": "An item a line."}},
            "text/csv": {
                "schema": {"type": "string", "description": "A header of members' names, then an item a row."}
            },
        },
    }
}
RESULTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "An item a line, or a row.",
        "content": {
            "application/jsonl": {"schema": {"type": "string"}},
            "text/csv": {"schema": {"type": "string"}},
        },
    }
}

routes = APIRouter(prefix="/v1/batches", tags=["batches"])

Painter = Annotated[Caller, Depends(painting_caller)]
Canceler = Annotated[Caller, Depends(caller_with("generate"))]
Reader = Annotated[Caller, Depends(caller_with("read"))]
Limit = Annotated[int, Query(ge=1, le=100)]
AnyBatchBody = BatchBody | FileBatchBody


@routes.post(
    "",
    summary="Send many requests as one",
    status_code=202,
    response_model=AnyBatchBody,
    responses=described(400, 401, 403, 404, 409, 410, 413, 415, 422, 429, 500, 503),
    openapi_extra=BODY,
)
async def create_batch(
    request: Request,
    given: Given,
    caller: Painter,
    words: Annotated[Words, Depends()],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Every item is judged by itself: one that is refused carries its own error, and the others are painted.

    They wait behind interactive work. What concerns the whole batch stands in the query where a file is the body.
    A JSON body with `input_file_id` is OpenAI's form: the batch is made of that file, and shown in OpenAI's words.
    """
    order = await file_batch_order(request)
    if order is None:
        sent = await read_batch(request, words, max_file_bytes=given.settings.max_batch_bytes)
    else:
        read_file: FileReader = request.app.state.read_batch_file
        sent = await read_file(given, caller, order)
    ask = replace(sent, idempotency_key=idempotency_key)
    if ask.webhook_url is not None:
        given.destinations.check_url(ask.webhook_url)
    accepted = await given.batches.accept(caller, ask)
    request.state.is_replay = accepted.is_replay
    view = await given.batches.fetch.one(caller, accepted.batch.id)
    return answer(_shown(view, given.urls), status=202, headers={"Location": given.urls.batch(view.batch.id)})


@routes.get(
    "", summary="List batches, newest first", response_model=AnyBatchListBody, responses=described(400, 401, 403, 404)
)
async def list_batches(
    given: Given, caller: Reader, limit: Limit = 20, cursor: str | None = None, after: str | None = None
) -> Response:
    """One page; the cursor stays good while new batches are added. `after`, the id of a batch, does the same."""
    if after is not None:
        cursor = cursor_of((await given.batches.fetch.one(caller, after)).batch.number)
    page = await given.batches.fetch.page(caller, limit=limit, cursor=cursor)
    data = [_shown(view, given.urls) for view in page.views]
    return answer(AnyBatchListBody(data=data, has_more=page.cursor is not None, next_cursor=page.cursor))


@routes.get(
    "/{batch_id}",
    summary="Read a batch",
    operation_id="read_batch",
    response_model=AnyBatchBody,
    responses=described(401, 403, 404),
)
async def read_batch_by_id(given: Given, caller: Reader, batch_id: str) -> Response:
    """How far it has come."""
    return answer(_shown(await given.batches.fetch.one(caller, batch_id), given.urls))


@routes.post(
    "/{batch_id}/cancel",
    summary="Cancel a batch",
    response_model=AnyBatchBody,
    responses=described(401, 403, 404, 409),
)
async def cancel_batch(given: Given, caller: Canceler, batch_id: str) -> Response:
    """Stops what has not ended, between two steps; what is completed stays. `canceling` until all of it has stopped."""
    return answer(_shown(await given.batches.cancel(caller, batch_id), given.urls))


@routes.get(
    "/{batch_id}/items",
    summary="List a batch's items",
    response_model=ItemListBody,
    responses=described(400, 401, 403, 404),
)
async def list_items(
    given: Given,
    caller: Reader,
    batch_id: str,
    limit: Limit = 20,
    cursor: str | None = None,
    status: Literal["queued", "completed", "failed", "canceled", "refused"] | None = None,
) -> Response:
    """One page, in the order in which they were sent; `queued` includes those that are being painted."""
    states = STATES[status] if status else ()
    page = await given.batches.fetch.items(caller, batch_id, limit=limit, cursor=cursor, states=states)
    data = [item_body(view, given.urls) for view in page.views]
    return answer(ItemListBody(data=data, has_more=page.cursor is not None, next_cursor=page.cursor))


@routes.get(
    "/{batch_id}/results",
    summary="Fetch what came of every item",
    response_class=StreamingResponse,
    responses={**RESULTS, **described(400, 401, 403, 404)},
)
async def read_results(
    given: Given, caller: Reader, batch_id: str, format: Literal["jsonl", "csv"] = "jsonl"
) -> Response:
    """All items in one file, as they stand now: the same members as the list's, or a table of the most wanted ones."""
    await given.batches.fetch.one(caller, batch_id)
    views = given.batches.fetch.results(caller, batch_id)
    content = csv_rows(views, given.urls) if format == "csv" else json_lines(views, given.urls)
    return StreamingResponse(
        content,
        media_type="text/csv; charset=utf-8" if format == "csv" else "application/jsonl",
        headers={"Content-Disposition": f'attachment; filename="{batch_id}.{format}"'},
    )


def _shown(view: BatchView, urls: PublicUrls) -> AnyBatchBody:
    """In the words in which it was asked for."""
    return batch_body(view, urls) if view.batch.input_file_id is None else file_batch_body(view)
