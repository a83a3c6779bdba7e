"""What the document declares is what is enforced: every bound of every member, read from the schema itself."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from gateway.orders import GenerateBody
from gateway.wire import ProgressBody, Status
from models import MAX_PROMPT_CHARACTERS, MAX_SEED, SIDES, Phase, RequestInvalid
from storage import Priority, State

SCHEMA = GenerateBody.model_json_schema(by_alias=True)
STUDIO = Path(__file__).parents[2] / "gateway" / "studio" / "form.js"
TINY = 1e-6
# No bound can be declared for what these hold; their own tests hold them to their rules.
UNBOUNDED = {"style", "model", "vae", "webhook_url", "image", "mask"}


def alternatives(declared: dict) -> Iterator[dict]:
    """What a member may be, null left out, with what stands beside it."""
    beside = {name: value for name, value in declared.items() if name != "anyOf"}
    for one in declared.get("anyOf", [declared]):
        meant = SCHEMA["$defs"][one["$ref"].rpartition("/")[2]] if "$ref" in one else one
        if meant.get("type") != "null":
            yield beside | meant


def pairs(count: int) -> dict[str, str]:
    return {f"k{n}": "v" for n in range(count)}


def loras(count: int) -> list[dict]:
    return [{"id": f"lora-{n}"} for n in range(count)]


# By the schema's keyword: a value at the bound and one beyond it. `step` is the least that counts.
EDGES = {
    "pattern": lambda *_: ("768x512", "768 by 512"),  # of `size`, the only one
    "enum": lambda bound, step: (bound[0], bound[-1] + 1 if step == 1 else "no-such-word"),
    "const": lambda bound, _: (bound, "no-such-word"),
    "minimum": lambda bound, step: (bound, bound - step),
    "exclusiveMinimum": lambda bound, step: (bound + step, bound),
    "maximum": lambda bound, step: (bound, bound + step),
    "maxLength": lambda bound, _: ("x" * bound, "x" * (bound + 1)),
    "minLength": lambda bound, _: ("x" * bound, "x" * (bound - 1)),
    "maxItems": lambda bound, _: (loras(bound), loras(bound + 1)),
    "maxProperties": lambda bound, _: (pairs(bound), pairs(bound + 1)),
    "additionalProperties": lambda bound, _: (
        {"k": "x" * bound["maxLength"]},
        {"k": "x" * (bound["maxLength"] + 1)},
    ),
}


def edges(declared: dict) -> Iterator[tuple[object, bool]]:
    """Values at the declared bounds and beyond them, and whether they are allowed."""
    step = 1 if declared.get("type") == "integer" else TINY
    if declared.get("type") == "boolean":
        yield from ((True, True), (False, True), (1, False))
    for keyword in sorted(EDGES.keys() & declared):
        at, beyond = EDGES[keyword](declared[keyword], step)
        yield from ((at, True), (beyond, False))


def cases() -> list[tuple[str, object, bool]]:
    return [
        (member, value, is_allowed)
        for member, declared in SCHEMA["properties"].items()
        if member not in UNBOUNDED
        for alternative in alternatives(declared)
        for value, is_allowed in edges(alternative)
    ]


@pytest.mark.parametrize(("member", "value", "is_allowed"), cases(), ids=lambda value: str(value)[:24])
def test_a_declared_bound_is_the_one_that_is_enforced(member, value, is_allowed):
    body = json.dumps({"prompt": "a boat"} | {member: value})
    if is_allowed:
        GenerateBody.model_validate_json(body).request()
        return
    with pytest.raises((RequestInvalid, ValueError)):
        GenerateBody.model_validate_json(body).request()


def test_every_member_declares_its_bounds_or_is_known_to_have_none():
    assert {member for member, _, _ in cases()} == set(SCHEMA["properties"]) - UNBOUNDED


def test_words_that_are_said_in_several_places_are_the_same():
    assert set(get_args(Status)) == {state.value for state in State}
    assert set(get_args(ProgressBody.model_fields["phase"].annotation)) == {phase.value for phase in Phase}
    assert set(SCHEMA["properties"]["priority"]["anyOf"][0]["enum"]) == {priority.name.lower() for priority in Priority}


def test_the_studio_knows_the_same_bounds():
    script = STUDIO.read_text()
    assert json.loads(re.search(r"SIDES = (\[.*?\]);", script).group(1)) == list(SIDES)
    assert int(re.search(r"MAX_PROMPT = (\d+);", script).group(1)) == MAX_PROMPT_CHARACTERS
    assert int(re.search(r"MAX_SEED = (\d+);", script).group(1)) == MAX_SEED
