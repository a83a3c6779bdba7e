"""One generation as a value, and which states may follow which. Pure: no database here."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Any

from models import ImageFormat, Quality


class State(StrEnum):
    """queued -> processing -> completed | failed | canceled; processing may fall back to queued."""

    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def is_final(self) -> bool:
        return not MOVES[self]


# PROCESSING after PROCESSING: another worker takes over a claim whose lease has run out.
MOVES: Mapping[State, frozenset[State]] = {
    State.QUEUED: frozenset({State.PROCESSING, State.CANCELED}),
    State.PROCESSING: frozenset({State.PROCESSING, State.QUEUED, State.COMPLETED, State.FAILED, State.CANCELED}),
    State.COMPLETED: frozenset(),
    State.FAILED: frozenset(),
    State.CANCELED: frozenset(),
}


def states_before(state: State) -> tuple[State, ...]:
    """The states that may become `state`, in the order of their definition."""
    return tuple(earlier for earlier in State if state in MOVES[earlier])


OPEN_STATES = tuple(state for state in State if not state.is_final)


class Priority(IntEnum):
    """What is claimed first: INTERACTIVE, but for every `LESS_URGENT_EVERY`th claim while any BATCH waits."""

    INTERACTIVE = 0
    BATCH = 1


LESS_URGENT_EVERY = 8
"""Of so many claims one is of what is less urgent, if any waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """One request being served. `request`, `specs`, `notices` and `recipes` are JSON; sides are of the delivered picture.

    `attempt` counts claims and fences off stale workers; `failures` counts attempts by what ended them; `number`
    is the order of acceptance, 0 before it is written. `price` is what the style's price list asks, `cost` what this
    caller pays of it, both in credits. `work` is what painting all of its `picture_count` pictures costs the engine,
    above 0, in any unit that is the same for all. Lower `priority` is claimed first. `replay_of` is the generation
    that this one paints again, `batch_id` the batch that it came in. `metadata` are the caller's own pairs. What has a default is not decided by the request,
    or was not asked for.

    `webhook_url` hears of the end in our words; where `prediction_events` is set, of these in Replicate's.

    `painting_id` names the painting that it shows or waits for: its own id, or that of another generation of the account,
    for which it was begun; `is_sharer` while somebody else of them pays. `canonical_sha256` says what was asked for, None
    where it must not be shared; `revision` which engine painted it (both by `gateway.generations.canonical`).
    """

    id: str
    painting_id: str
    account_id: str
    key_id: str
    livemode: bool
    state: State
    price: int
    cost: int
    prompt: str
    style: str
    request: bytes
    specs: bytes
    format: ImageFormat
    created_at: datetime
    model: str
    revised_prompt: str
    negative_prompt_used: str
    style_resolved: str
    style_reason: str
    quality: Quality
    width: int
    height: int
    seed: int
    work: int
    picture_count: int
    number: int = 0
    attempt: int = 0
    priority: int = Priority.INTERACTIVE
    lease_owner: str | None = None
    lease_until: datetime | None = None
    credits_used: int = 0
    webhook_url: str | None = None
    prediction_events: frozenset[str] | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    expires_at: datetime | None = None
    error_code: str | None = None
    error_message: str | None = None
    render_ms: int | None = None
    recipes: bytes | None = None
    failures: Mapping[str, int] = field(default_factory=dict[str, int])
    replay_of: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    is_sharer: bool = False
    canonical_sha256: str | None = None
    revision: str | None = None
    batch_id: str | None = None
    notices: bytes = b"[]"


def afresh(generation: Generation, *, id: str) -> Generation:
    """Another one with what was decided when this was accepted, without anything that has happened since: queued."""
    untouched: dict[str, Any] = {}
    for member in fields(Generation):
        if member.name == "notices":
            continue
        if member.default_factory is not MISSING:
            untouched[member.name] = member.default_factory()
        elif member.default is not MISSING:
            untouched[member.name] = member.default
    return replace(generation, id=id, painting_id=id, state=State.QUEUED, **untouched)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """As much of a generation that may be claimed as it takes to decide whether it is next."""

    number: int
    account_id: str
    priority: int
    work: int
    picture_count: int
    failures: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One delivered file. `name` is its public name, `blob_key` where it lies.

    `pixel_sha256` is of the painted pixels, `delivered_sha256` of those after marks, `file_sha256` of the bytes.
    """

    generation_id: str
    position: int
    name: str
    blob_key: str
    width: int
    height: int
    format: ImageFormat
    seed: int
    pixel_sha256: str
    delivered_sha256: str
    file_sha256: str
    byte_count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """What a successful attempt leaves behind. `recipes` is JSON, one for each picture; see `Generation.revision`."""

    pictures: tuple[Picture, ...]
    recipes: bytes
    render_ms: int
    credits_used: int
    revision: str | None = None
