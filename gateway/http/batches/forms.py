"""The forms in which a batch may be sent: a JSON body, or a file of JSON lines or CSV. Pure.

    bytes -> one line, row or member after the other -> `ItemAsk`

What is wrong with one line or row is that item's fault; only a file that cannot be read as one at all is refused.
Everything is read lazily, so a file with too many items is not read to its end.
"""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from pydantic import JsonValue, ValidationError

from gateway.batches import ItemAsk, Wish
from gateway.http.batches.tables import BOM, rows_of
from gateway.http.edge.refusals import FileInvalid, JsonInvalid
from gateway.http.reading.foreign_words import hint_for
from gateway.http.reading.refusing import refusal_of_first
from gateway.orders import GenerateBody
from models import DomainError, ParameterUnknown, RequestInvalid
from models.request import check_metadata, check_ttl

CUSTOM_ID = "custom_id"
OF_THE_CALL = ("webhook_url", "async", "dry_run")
"""Members that say how one call is answered, which the batch says."""


def items_of_json(items: Sequence[JsonValue], defaults: Mapping[str, JsonValue]) -> Iterator[ItemAsk]:
    """From the body's own list."""
    return (_item(item, defaults) for item in items)


def items_of_lines(content: bytes, defaults: Mapping[str, JsonValue]) -> Iterator[ItemAsk]:
    """From JSON lines; blank ones do not count."""
    return items_by_line(content, lambda sent: _item(sent, defaults))


def items_by_line(content: bytes, item: Callable[[JsonValue], ItemAsk]) -> Iterator[ItemAsk]:
    """What `item` makes of each line; one that is no JSON is refused by itself."""
    for number, line in enumerate(io.BytesIO(content.removeprefix(BOM)), start=1):
        if not line.strip():
            continue
        try:
            sent = msgspec.json.decode(line)
        except ValueError as wrong:
            yield ItemAsk(custom_id=None, wish=JsonInvalid(f"Line {number} is not valid JSON: {wrong}."))
        else:
            yield item(sent)


def items_of_csv(content: bytes, defaults: Mapping[str, JsonValue]) -> Iterator[ItemAsk]:
    """From a table: a header with members' names, an item a row. A cell without text says nothing.

    Raises:
        FileInvalid: it cannot be read as a table, has no header, or a column twice. Also while it is read.
        ParameterUnknown: a column is no member of an item.
    """
    rows = rows_of(content)
    header = next(rows, None)
    if header is None:
        raise FileInvalid("The file is empty: its first row must name the columns.")
    names = [name.strip() for name in header.cells]
    _check_header(names)
    for row in rows:
        if wrong := row.misfit(names):
            yield ItemAsk(custom_id=None, wish=RequestInvalid(wrong))
        else:
            named = zip(names, row.cells, strict=False)
            yield _item({name: _typed(name, cell) for name, cell in named if name and cell.strip()}, defaults)


def _check_header(header: Sequence[str]) -> None:
    """Columns without a name may stand where nobody fills them."""
    named = [name for name in header if name]
    for name in named:
        if name not in MEMBERS:
            hint = hint_for(name, MEMBERS)
            raise ParameterUnknown(f"The column {name!r} is not a parameter of an item.{hint}", field=name)
    if len(set(named)) < len(named):
        raise FileInvalid("A column stands in the header twice.")


def _typed(name: str, cell: str) -> JsonValue:
    """A cell as the member's own type; what cannot be read is left for the check of that member to name."""
    if name in TEXTS:
        return cell
    word = cell.strip()
    try:
        value: Any = msgspec.json.decode(word.lower() if word.lower() in {"true", "false"} else word)
    except ValueError:
        return cell
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _item(sent: JsonValue, defaults: Mapping[str, JsonValue]) -> ItemAsk:
    if not isinstance(sent, dict):
        return ItemAsk(custom_id=None, wish=JsonInvalid("An item must be a JSON object."))
    custom_id = sent.get(CUSTOM_ID)
    if not isinstance(custom_id, str | None):
        return ItemAsk(custom_id=None, wish=RequestInvalid("`custom_id` must be text.", field=CUSTOM_ID))
    members = {name: value for name, value in {**defaults, **sent}.items() if name != CUSTOM_ID}
    return ItemAsk(custom_id=custom_id, wish=_wish(members))


def _wish(members: Mapping[str, JsonValue]) -> Wish | DomainError:
    """What `POST /v1/generate` would make of these members, or refuse them for."""
    for name in OF_THE_CALL:
        if name in members:
            return ParameterUnknown(f"`{name}` is not a parameter of an item.", field=name)
    try:
        body = GenerateBody.model_validate_json(msgspec.json.encode(members))
        check_metadata(body.metadata or {})
        check_ttl(body.ttl)
        if body.priority == "interactive":
            return RequestInvalid("An item waits behind interactive work: its `priority` is `batch`.", field="priority")
        return Wish(
            request=body.request(),
            metadata=body.metadata or {},
            ttl_s=body.ttl,
            may_share=body.cache is not False,
            notices=body.notices(),
            image=body.image,
            mask=body.mask,
            strength=body.strength,
        )
    except ValidationError as wrong:
        return refusal_of_first(wrong, GenerateBody)
    except RequestInvalid as wrong:
        return wrong


def _members() -> Iterable[tuple[str, bool]]:
    """Every member of an item, and whether it is text: cells of such a column are taken as they are."""
    yield CUSTOM_ID, True
    for name, form in GenerateBody.model_json_schema(by_alias=True)["properties"].items():
        forms = form.get("anyOf", [form])
        if name not in OF_THE_CALL:
            yield name, any("$ref" in one or (one.get("type") == "string" and "const" not in one) for one in forms)


MEMBERS = {name for name, _ in _members()}
TEXTS = {name for name, is_text in _members() if is_text}
