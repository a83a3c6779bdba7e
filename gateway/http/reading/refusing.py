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
        return unknown_member(_member_at(problem["loc"]), str(problem["loc"][-1]), _members_at(kind, problem["loc"]))
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
    """Of the model that stands at `place`, which may lie inside a list of `kind`."""
    match place:
        case (str(member), int(), *_) if member in kind.model_fields:
            inner = _model_in(kind.model_fields[member].annotation)
            return members_of(inner) if inner else []
        case _:
            return members_of(kind)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model in `list[Model] | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((model for part in get_args(annotation) if (model := _model_in(part)) is not None), None)


def _member_at(place: Sequence[str | int]) -> str:
    """As a caller would write it, `loras[0].weight`; behind another member stands only what pydantic tried."""
    match place:
        case (str(member), int(index), str(inner), *_):
            return f"{member}[{index}].{inner}"
        case _:
            return str(place[0])
