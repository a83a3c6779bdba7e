"""A batch and its items as values, and which states may follow which. Pure: no database here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from storage.generation import State


class BatchState(StrEnum):
    """processing -> completed; processing -> canceling -> canceled."""

    PROCESSING = "processing"
    CANCELING = "canceling"
    COMPLETED = "completed"
    CANCELED = "canceled"

    @property
    def is_final(self) -> bool:
        return not BATCH_MOVES[self]


BATCH_MOVES: Mapping[BatchState, frozenset[BatchState]] = {
    BatchState.PROCESSING: frozenset({BatchState.CANCELING, BatchState.COMPLETED}),
    BatchState.CANCELING: frozenset({BatchState.CANCELED}),
    BatchState.COMPLETED: frozenset(),
    BatchState.CANCELED: frozenset(),
}

# What a batch becomes when the last of its items has ended.
WHEN_DONE: Mapping[BatchState, BatchState] = {
    BatchState.PROCESSING: BatchState.COMPLETED,
    BatchState.CANCELING: BatchState.CANCELED,
}


class ItemState(StrEnum):
    """waiting -> queued -> completed | failed | canceled; a waiting item may also be refused or canceled.

    A queued item has a generation, whose own state says whether it is being painted.
    """

    WAITING = "waiting"
    QUEUED = "queued"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"
    REFUSED = "refused"

    @property
    def is_final(self) -> bool:
        return not ITEM_MOVES[self]


ITEM_MOVES: Mapping[ItemState, frozenset[ItemState]] = {
    ItemState.WAITING: frozenset({ItemState.QUEUED, ItemState.REFUSED, ItemState.CANCELED}),
    ItemState.QUEUED: frozenset({ItemState.COMPLETED, ItemState.FAILED, ItemState.CANCELED}),
    ItemState.COMPLETED: frozenset(),
    ItemState.FAILED: frozenset(),
    ItemState.CANCELED: frozenset(),
    ItemState.REFUSED: frozenset(),
}

OPEN_BATCH_STATES = tuple(state for state in BatchState if not state.is_final)
OPEN_ITEM_STATES = tuple(state for state in ItemState if not state.is_final)

# How an item ends when its generation does.
ITEM_STATES: Mapping[State, ItemState] = {
    State.COMPLETED: ItemState.COMPLETED,
    State.FAILED: ItemState.FAILED,
    State.CANCELED: ItemState.CANCELED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Many requests sent as one. `number` is the order of acceptance, 0 before it is written; `metadata` is the
    caller's own and comes back; `input_file_id` names the file it was made of, if it was, which may be deleted by now."""

    id: str
    account_id: str
    key_id: str
    livemode: bool
    state: BatchState
    total: int
    created_at: datetime
    webhook_url: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    canceled_at: datetime | None = None
    completed_at: datetime | None = None
    input_file_id: str | None = None
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchItem:
    """One request of a batch, at its `position` as it was sent, counted from 0.

    `body` is what it asks for as JSON, kept only while it waits. The error's members say why it was refused.
    """

    batch_id: str
    position: int
    state: ItemState
    custom_id: str | None = None
    body: bytes | None = None
    generation_id: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    error_field: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many items stand where. Those that wait for their generation are counted as queued; together `total`."""

    total: int
    queued: int
    processing: int
    completed: int
    failed: int
    canceled: int
    refused: int
