"""From a call of `POST /v1/batches` to what it asks for: a JSON body, or a file and words beside it."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Annotated

import msgspec
from fastapi import Query, Request
from pydantic import JsonValue, ValidationError

from gateway.batch_bodies import BatchOrder
from gateway.batches import BatchAsk, ItemAsk
from gateway.http.batches.forms import items_of_csv, items_of_json, items_of_lines
from gateway.http.batches.tables import BOM
from gateway.http.edge.body_limits import MULTIPART
from gateway.http.edge.refusals import JsonInvalid, MediaTypeUnsupported, PayloadTooLarge
from gateway.http.reading.forms import read_form
from gateway.http.reading.refusing import refusal_of_first, unknown_member
from models import ParameterMissing, RequestInvalid
from models.request import check_metadata

Reader = Callable[[bytes, Mapping[str, JsonValue]], Iterator[ItemAsk]]

FILES: Mapping[str, Reader] = {
    "text/csv": items_of_csv,
    "application/jsonl": items_of_lines,
    "application/x-ndjson": items_of_lines,
    "application/x-jsonlines": items_of_lines,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a file cannot say of its batch, in the query or beside it in a form; objects are written as JSON."""

    defaults: Annotated[str | None, Query(description="JSON object: members for every item without them.")] = None
    webhook_url: Annotated[str | None, Query(description="Post here once, when every item has ended.")] = None
    metadata: Annotated[str | None, Query(description="JSON object of texts; it comes back.")] = None


WORDS = tuple(member.name for member in fields(Words))


async def read_batch(request: Request, words: Words, *, max_file_bytes: int) -> BatchAsk:
    """What the call asks for. Items are read when they are looked at.

    Raises:
        MediaTypeUnsupported, JsonInvalid, FormInvalid, ParameterMissing, ParameterUnknown, RequestInvalid,
        PayloadTooLarge.
    """
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "application/json":
        content = await request.body()
        order = _order(content)
        return _ask(order, items_of_json(order.items, order.defaults or {}), content)
    if media_type == MULTIPART:
        words, content = await _read_form(request, max_file_bytes=max_file_bytes)
        reader = _reader_of(content)
    elif media_type in FILES:
        content, reader = await request.body(), FILES[media_type]
    else:
        raise MediaTypeUnsupported(f"Send `Content-Type: application/json`, a form, or a file as {', '.join(FILES)}.")
    order = _order_in(words)
    return _ask(order, reader(content, order.defaults or {}), content)


async def _read_form(request: Request, *, max_file_bytes: int) -> tuple[Words, bytes]:
    texts, files = (await read_form(request)).only()
    for name in (set(texts) - set(WORDS)) | (set(files) - {"file"}):
        raise unknown_member(name, name, {*WORDS, "file"})
    if "file" not in files:
        raise ParameterMissing("`file` is needed: CSV or JSON lines.", field="file")
    if len(files["file"]) > max_file_bytes:
        raise PayloadTooLarge(f"A batch's file may have at most {max_file_bytes} bytes.")
    return Words(**texts), files["file"]


def _reader_of(content: bytes) -> Reader:
    """No column is called `{`, and no item begins with anything else."""
    return items_of_lines if content.removeprefix(BOM).lstrip().startswith(b"{") else items_of_csv


def _ask(order: BatchOrder, items: Iterator[ItemAsk], content: bytes) -> BatchAsk:
    """Raises RequestInvalid: the metadata break their rule."""
    check_metadata(order.metadata or {})
    envelope = order.model_dump_json(exclude={"items"}).encode()
    return BatchAsk(
        items=items,
        webhook_url=order.webhook_url,
        metadata=order.metadata or {},
        body_sha256=hashlib.sha256(b"\n".join((b"batch", envelope, content))).hexdigest(),
    )


def _order(content: bytes) -> BatchOrder:
    try:
        return BatchOrder.model_validate(msgspec.json.decode(content))
    except ValidationError as wrong:
        raise refusal_of_first(wrong, BatchOrder) from None
    except ValueError as wrong:
        raise JsonInvalid(f"The body is not valid JSON: {wrong}.") from None


def _order_in(words: Words) -> BatchOrder:
    """The body's members but `items`, out of the query."""
    given = {"defaults": words.defaults, "metadata": words.metadata}
    members = {name: _parsed(name, text) for name, text in given.items() if text is not None}
    try:
        return BatchOrder.model_validate({"items": [], "webhook_url": words.webhook_url, **members})
    except ValidationError as wrong:
        raise refusal_of_first(wrong, BatchOrder) from None


def _parsed(name: str, text: str) -> JsonValue:
    try:
        parsed: JsonValue = msgspec.json.decode(text)
    except ValueError as wrong:
        raise RequestInvalid(f"`{name}` is not valid JSON: {wrong}.", field=name) from None
    return parsed
