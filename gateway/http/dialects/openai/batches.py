"""OpenAI's form of a batch: made of a file whose lines name a path and a body, read as an output and an error file.

Both files are made of the batch's items whenever they are read; their ids say of which batch and which half.
"""

import hashlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

import msgspec
from pydantic import JsonValue, ValidationError

from gateway.access import Caller
from gateway.batches import BatchAsk, ItemAsk, ItemView, Wish
from gateway.http.batches.file_form import ENDPOINT, FileBatchOrder, Half
from gateway.http.batches.forms import CUSTOM_ID, items_by_line
from gateway.http.batches.presenting import item_body
from gateway.http.dialects.members import in_words, words_of
from gateway.http.dialects.model_names import ModelNames, model_names
from gateway.http.dialects.openai.answers import images_answer
from gateway.http.dialects.openai.orders import MEMBERS, ImagesBody
from gateway.http.dialects.warnings import warnings_of
from gateway.http.edge.refusals import GenerationCanceled, JsonInvalid
from gateway.http.reading.dependencies import Services
from gateway.http.reading.refusing import refusal_of_first
from models import DomainError, ParameterMissing, RequestInvalid
from safety import Surface
from storage import ItemState


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
        found = warnings_of(view.generation, words_of(MEMBERS, MEMBERS))
        body = await images_answer(view.generation, is_base64=False, urls=given.urls, files=given.files, warnings=found)
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
        raise refusal_of_first(wrong, ImagesBody) from None
    if body.stream:
        raise RequestInvalid("`stream`: a batch has no stream; read its results.", field="stream")
    with in_words(body.words()):
        request = body.request(names)
    return Wish(
        surface=Surface.OPENAI_BATCH,
        request=request,
        metadata=body.metadata(),
        notices=body.without_effect(request),
    )
