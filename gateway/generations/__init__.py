"""The use cases, one file each: submit, run, settle, fetch, replay, cancel, remove.

inputs -> submit -> (queue) -> run -> settle; replay submits again; fetch, watching, cancel and remove beside them.
Owns what happens in which transaction. Must never know HTTP, and never write a state that `storage.generation` does not allow.
"""

from gateway.generations.accepting.asking import Accepted, Ask, Quote
from gateway.generations.accepting.entering import QueueFull
from gateway.generations.accepting.recalling import IdempotencyClash, IdempotencyInProgress
from gateway.generations.accepting.replay import NotCompleted, Replay, Replayed, check_repaintable
from gateway.generations.accepting.submit import Submit
from gateway.generations.ending.cancel import AlreadyFinished, Cancel
from gateway.generations.ending.disconnecting import Disconnects
from gateway.generations.ending.remove import Remove
from gateway.generations.ending.retention import Sweeper
from gateway.generations.inputs.source_images import GenerationId, Given, GivenImages, Source, SourceImages
from gateway.generations.painting.run import Runner
from gateway.generations.painting.settle import Settle
from gateway.generations.showing.cursors import CursorInvalid
from gateway.generations.showing.fetch import Fetch, GenerationUnknown, Page, View
from gateway.generations.showing.pace import Pace
from gateway.generations.showing.picture_files import PictureFiles
from gateway.generations.showing.progress import ProgressBoard
from gateway.generations.showing.urls import PublicUrls
from gateway.generations.showing.variants import Variants
from gateway.generations.showing.watching import Watching

__all__ = [
    "Accepted",
    "AlreadyFinished",
    "Ask",
    "Cancel",
    "CursorInvalid",
    "Disconnects",
    "Fetch",
    "GenerationId",
    "GenerationUnknown",
    "Given",
    "GivenImages",
    "IdempotencyClash",
    "IdempotencyInProgress",
    "NotCompleted",
    "Pace",
    "Page",
    "PictureFiles",
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
    "SourceImages",
    "Submit",
    "Sweeper",
    "Variants",
    "View",
    "Watching",
    "check_repaintable",
]
