"""The use cases, one file each: submit, run, settle, fetch, replay, cancel, remove.

beginnings -> submit -> (queue) -> run -> settle; replay submits again; fetch, watching, cancel and remove beside them.
Owns what happens in which transaction. Must never know HTTP, and never write a state that `storage.generation` does not allow.
"""

from gateway.generations.asking import Accepted, Ask, Quote
from gateway.generations.beginnings import Beginning, Beginnings, GenerationId, Given, Source
from gateway.generations.cancel import AlreadyFinished, Cancel
from gateway.generations.cursors import CursorInvalid
from gateway.generations.departing import Departures
from gateway.generations.fetch import Fetch, GenerationUnknown, Page, View
from gateway.generations.pace import Pace
from gateway.generations.progress import ProgressBoard
from gateway.generations.remove import Remove
from gateway.generations.replay import NotCompleted, Replay, Replayed, check_repaintable
from gateway.generations.retention import Sweeper
from gateway.generations.run import Runner
from gateway.generations.settle import Settle
from gateway.generations.submit import (
    IdempotencyClash,
    IdempotencyInProgress,
    QueueFull,
    Submit,
)
from gateway.generations.urls import PublicUrls
from gateway.generations.variants import Variants
from gateway.generations.watching import Watching

__all__ = [
    "Accepted",
    "AlreadyFinished",
    "Ask",
    "Beginning",
    "Beginnings",
    "Cancel",
    "CursorInvalid",
    "Departures",
    "Fetch",
    "GenerationId",
    "GenerationUnknown",
    "Given",
    "IdempotencyClash",
    "IdempotencyInProgress",
    "NotCompleted",
    "Pace",
    "Page",
    "ProgressBoard",
    "PublicUrls",
    "QueueFull",
    "Quote",
    "Remove",
    "Replay",
    "Replayed",
    "Runner",
    "Settle",
    "Source",
    "Submit",
    "Sweeper",
    "Variants",
    "View",
    "Watching",
    "check_repaintable",
]
