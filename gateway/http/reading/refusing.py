"""The contract's words for what pydantic complains of."""

from collections.abc import Iterable, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from gateway.http.edge.refusals import JsonInvalid
from gateway.http.reading.foreign_words import hint_for
from models import ParameterMissing, ParameterUnknown, RequestInvalid


def refusal_of_first(wrong: ValidationError, kind: type[BaseModel]) -> RequestInvalid:
    """The contract's word for what pydantic complains of first; an unknown member's names what `kind` has instead."""
    problem = wrong.errors(include_url=False, include_context=False, include_input=False)[0]
    if problem["type"] == "extra_forbidden":
        *around, name = problem["loc"]
        place = _place_in(kind, around)
        return unknown_member(_member_at((*place, name)), str(name), _members_at(kind, place))
    problem["loc"] = _place_in(kind, problem["loc"])
    return refusal_of(problem)


def unknown_member(field: str, name: str, known: Iterable[str]) -> ParameterUnknown:
    """`name` stands at `field` and is none of `known`."""
    return ParameterUnknown(f"`{field}` is not a parameter of this endpoint.{hint_for(name, known)}", field=field)


def refusal_of(problem: Any) -> RequestInvalid:
    """The contract's word for pydantic's complaint."""
    field = _member_at(problem["loc"]) if problem["loc"] else None
    if problem["type"] == "json_invalid":
        return JsonInvalid(f"The body is not valid JSON: {problem['msg'].removeprefix('Invalid JSON: ')}.")
    if field is None:
        return JsonInvalid("The body must be a JSON object.")
    if problem["type"] == "missing":
        return ParameterMissing(f"`{field}` is needed.", field=field)
    return RequestInvalid(f"`{field}`: {problem['msg']}.", field=field)


def members_of(kind: type[BaseModel]) -> list[str]:
    """The public names of its members."""
    return [field.alias or name for name, field in kind.model_fields.items()]


def _members_at(kind: type[BaseModel], place: Sequence[str | int]) -> list[str]:
    """Of the model that stands at `place`, inside `kind` or a list of it."""
    match place:
        case (str(member), *rest) if member in kind.model_fields:
            inner = _model_in(kind.model_fields[member].annotation)
            return _members_at(inner, [part for part in rest if isinstance(part, str)]) if inner else []
        case _:
            return members_of(kind)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model in `list[Model] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_in(part)) is not None), None)


def _place_in(kind: type[BaseModel], place: Sequence[str | int]) -> tuple[str | int, ...]:
    """Without what stands in `place` behind the last member: that is only what pydantic tried."""
    match place:
        case (str(member), *rest):
            field = next((field for name, field in kind.model_fields.items() if member in {name, field.alias}), None)
            inner = _model_in(field.annotation) if field else None
            if inner is None:
                return (member, *(part for part in rest[:1] if isinstance(part, int)))
            if rest and isinstance(rest[0], int):
                return (member, rest[0], *_place_in(inner, rest[1:]))
            return (member, *_place_in(inner, _behind_tags(inner, rest)))
        case _:
            return tuple(place)


def _behind_tags(kind: type[BaseModel], place: Sequence[str | int]) -> Sequence[str | int]:
    """From the first member of `kind` on; pydantic names the alternatives of a union before it."""
    known = members_of(kind)
    for at, part in enumerate(place):
        if part in known:
            return place[at:]
    return ()


def _member_at(place: Sequence[str | int]) -> str:
    """As a caller would write it: `loras[0].weight`, `input.output_format`."""
    first, *rest = place
    return str(first) + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in rest)
