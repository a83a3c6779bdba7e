"""Watch one generation as a series of typed events, from wherever it stands to its end.

row and board -> Queued | Started | Progressed | Ended. Nothing is kept for those who watch: every event is made of the
generation's row and of what is known here about its painting, so a restart of the server, or another server, goes on
where the last one stopped. Of what a slow reader has missed only the latest is told.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Self

import msgspec

from gateway.access import Caller
from gateway.generations.showing.fetch import POLL_S, Fetch, View
from gateway.generations.showing.marks import marked_previews
from gateway.generations.showing.pace import Pace
from gateway.generations.showing.progress import Onlooker, ProgressBoard
from models import GenerationSpec, Progress
from storage import Generation, State

PREVIEW_EVERY = 3
_MARK = re.compile(r"(\d{1,9})\.([0-3])\.(\d{1,9})")


class Stage(IntEnum):
    """What an attempt at a generation goes through, in this order; ENDED comes once."""

    QUEUED = 0
    STARTED = 1
    PROGRESS = 2
    ENDED = 3


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Mark:
    """Where in a generation's life an event stands; later events have greater marks.

    `attempt` is the one that an event belongs to, or leads to, or follows. `count` tells equal stages of one attempt
    apart; it goes on from the mark that a watcher comes back with.
    """

    attempt: int
    stage: Stage
    count: int = 0

    def __str__(self) -> str:
        return f"{self.attempt}.{self.stage.value}.{self.count}"

    @classmethod
    def read(cls, text: str) -> Self | None:
        """None for anything that is no mark of ours."""
        found = _MARK.fullmatch(text)
        if found is None:
            return None
        return cls(attempt=int(found[1]), stage=Stage(int(found[2])), count=int(found[3]))

    def following(self, attempt: int, stage: Stage) -> "Mark":
        is_same = (attempt, stage) == (self.attempt, self.stage)
        return Mark(attempt=attempt, stage=stage, count=self.count + 1 if is_same else 0)


BEGINNING = Mark(attempt=0, stage=Stage.QUEUED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """It waits, with `position` others before it; it may be done in `eta_ms`."""

    mark: Mark
    position: int
    eta_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """An attempt at it has begun."""

    mark: Mark
    generation: Generation


@dataclass(frozen=True, slots=True, kw_only=True)
class Progressed:
    """How far all its pictures are together; `preview` is a small JPEG of the one at `position`, where there is one."""

    mark: Mark
    progress: Progress
    preview: bytes | None = None
    position: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """Completed, failed or canceled. The last event."""

    mark: Mark
    view: View


WatchEvent = Queued | Started | Progressed | Ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """Tells what happens to a generation. Another account's generation does not exist."""

    fetch: Fetch
    board: ProgressBoard
    pace: Pace

    async def __call__(
        self, caller: Caller, generation_id: str, *, after: Mark = BEGINNING, preview_every: int = PREVIEW_EVERY
    ) -> AsyncGenerator[WatchEvent]:
        """Every event behind the mark `after` that still matters, up to Ended; nothing, if `after` is of Ended.

        Where it stands now is always told, whatever has been told before. The engine makes a preview each
        `preview_every` steps (0: none) as long as this is iterated. Close it when you leave early.

        Raises:
            GenerationUnknown: also when it is deleted meanwhile.
        """
        tale = _Tale(pace=self.pace, last=after)
        painting_id = (await self.fetch.one(caller, generation_id)).generation.painting_id
        with self.board.watched(painting_id, Onlooker(preview_every=preview_every)) as onlooker:
            while True:
                view = await self.fetch.one(caller, generation_id)
                for event in tale.of_row(view):
                    yield event
                if view.generation.state.is_final:
                    return
                async for event in self._painted(view.generation, onlooker, tale):
                    yield event

    async def _painted(self, generation: Generation, onlooker: Onlooker, tale: "_Tale") -> AsyncGenerator[WatchEvent]:
        """What the painting here tells, for as long as the row need not be looked at: of those who share a painting,
        one may be canceled while it goes on."""
        is_claimed = generation.state is State.PROCESSING
        now_s = asyncio.get_running_loop().time
        until_s = now_s() + POLL_S
        while True:
            progress = self.board.find(generation.painting_id) if is_claimed else None
            if progress is not None:
                previews = await marked_previews(generation, onlooker.take_previews())
                for event in tale.of_painting(progress, previews):
                    yield event
            has_notifications = await onlooker.hears_within(until_s - now_s())
            if not has_notifications or progress is None or self.board.find(generation.painting_id) is None:
                return


class _Tale:
    """What one who watches has been told, and what that leaves to be told."""

    def __init__(self, *, pace: Pace, last: Mark) -> None:
        self._pace = pace
        self._last = last
        self._position: int | None = None
        self._progress: Progress | None = None

    def of_row(self, view: View) -> list[WatchEvent]:
        """What the row adds: its state, and its place in the queue."""
        generation = view.generation
        if generation.state.is_final:
            has_heard = self._last.stage is Stage.ENDED
            return [] if has_heard else [Ended(mark=self._mark(generation.attempt + 1, Stage.ENDED), view=view)]
        if generation.state is State.QUEUED:
            return self._queued(generation, view.position or 0)
        if (self._last.attempt, self._last.stage) >= (generation.attempt, Stage.STARTED):
            return []
        self._progress = None
        return [Started(mark=self._mark(generation.attempt, Stage.STARTED), generation=generation)]

    def of_painting(self, progress: Progress, previews: Mapping[int, bytes]) -> list[WatchEvent]:
        """One event for each new preview, else one if anything has changed."""
        has_changed, self._progress = progress != self._progress, progress
        if not previews:
            return [Progressed(mark=self._progress_mark(), progress=progress)] if has_changed else []
        return [
            Progressed(mark=self._progress_mark(), progress=progress, preview=preview, position=position)
            for position, preview in previews.items()
        ]

    def _queued(self, generation: Generation, position: int) -> list[WatchEvent]:
        attempt = generation.attempt + 1
        if position == self._position and self._last.attempt == attempt:
            return []
        self._position = position
        specs = msgspec.json.decode(generation.specs, type=tuple[GenerationSpec, ...])
        eta_ms = self._pace.estimate_ms(specs, ahead=position)
        return [Queued(mark=self._mark(attempt, Stage.QUEUED), position=position, eta_ms=eta_ms)]

    def _progress_mark(self) -> Mark:
        return self._mark(self._last.attempt, Stage.PROGRESS)

    def _mark(self, attempt: int, stage: Stage) -> Mark:
        self._last = self._last.following(attempt, stage)
        return self._last
