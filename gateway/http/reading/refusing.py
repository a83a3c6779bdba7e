"""The contract's words for what pydantic complains of."""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError

from gateway.http.edge.refusals import JsonInvalid
from models import ParameterMissing, ParameterUnknown, RequestInvalid


def refusal_of_first(wrong: ValidationError) -> RequestInvalid:
    """The contract's word for what pydantic complains of first."""
    return refusal_of(wrong.errors(include_url=False, include_context=False, include_input=False)[0])


def refusal_of(problem: Any) -> RequestInvalid:
    """The contract's word for pydantic's first complaint."""
    field = _member_at(problem["loc"]) if problem["loc"] else None
    if problem["type"] == "json_invalid":
        return JsonInvalid(f"The body is not valid JSON: {problem['msg'].removeprefix('Invalid JSON: ')}.")
    if field is None:
        return JsonInvalid("The body must be a JSON object.")
    if problem["type"] == "missing":
        return ParameterMissing(f"`{field}` is needed.", field=field)
    if problem["type"] == "extra_forbidden":
        return ParameterUnknown(f"`{field}` is not a parameter of this endpoint.", field=field)
    return RequestInvalid(f"`{field}`: {problem['msg']}.", field=field)


def _member_at(place: Sequence[str | int]) -> str:
    """As a caller would write it, `loras[0].weight`; behind another member stands only what pydantic tried."""
    match place:
        case (str(member), int(index), str(inner), *_):
            return f"{member}[{index}].{inner}"
        case _:
            return str(place[0])
