"""Read generations back: one, a page, or one as soon as it has ended. Another account's generation does not exist."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import ClassVar

from gateway.access import Caller
from gateway.generations.showing.cursors import cursor_of, number_of
from gateway.generations.showing.progress import ProgressBoard
from models import Progress, Refused
from storage import Database, Filters, Generation, Picture, State
from storage.filters import EVERYTHING
from storage.generations import fetch, fetch_several, is_open, page, position_in_queue
from storage.sharing import open_together

POLL_S = 1.0


class GenerationUnknown(Refused):
    """There is no such generation in this account."""

    code: ClassVar[str] = "not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A generation as its owner may see it. `position` counts those ahead of a queued one."""

    generation: Generation
    pictures: tuple[Picture, ...]
    progress: Progress | None = None
    position: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Newest first; `cursor` fetches what follows, None when nothing does."""

    views: tuple[View, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetch:
    """Looks generations up for a caller."""

    database: Database
    board: ProgressBoard

    async def one(self, caller: Caller, generation_id: str) -> View:
        """Raises GenerationUnknown."""
        async with self.database.reading() as connection:
            found = await fetch(connection, caller.account.id, generation_id)
            if found is None:
                raise GenerationUnknown(f"There is no generation {generation_id!r}.")
            generation, pictures = found
            if generation.state is not State.QUEUED:
                return self._view(generation, pictures)
            position = await position_in_queue(connection, generation_id)
            return View(generation=generation, pictures=pictures, position=position)

    async def several(self, caller: Caller, generation_ids: Collection[str]) -> Mapping[str, View]:
        """Those that are still there, by id; where they stand in the queue is not told."""
        async with self.database.reading() as connection:
            found = await fetch_several(connection, caller.account.id, generation_ids)
        return {id: self._view(generation, pictures) for id, (generation, pictures) in found.items()}

    async def page(self, caller: Caller, *, limit: int, cursor: str | None, filters: Filters = EVERYTHING) -> Page:
        """Raises CursorInvalid."""
        before = None if cursor is None else number_of(cursor)
        async with self.database.reading() as connection:
            found = await page(connection, caller.account.id, limit=limit + 1, before=before, filters=filters)
        views = tuple(self._view(generation, pictures) for generation, pictures in found[:limit])
        return Page(views=views, cursor=cursor_of(views[-1].generation.number) if len(found) > limit else None)

    async def ended(self, caller: Caller, generation_id: str, *, wait_s: float) -> View:
        """The generation as it stands when it has ended, or after `wait_s`.

        The bell of this process rings at once; a worker in another process is noticed by asking the database.
        """
        deadline = asyncio.get_running_loop().time() + wait_s
        while await self._is_open(generation_id):
            left_s = deadline - asyncio.get_running_loop().time()
            if left_s <= 0:
                break
            await self.board.wait(generation_id, min(POLL_S, left_s))
        return await self.one(caller, generation_id)

    async def together(self, generation_id: str) -> frozenset[str]:
        """The open generations that wait for the same painting, itself among them while it is open."""
        async with self.database.reading() as connection:
            return await open_together(connection, generation_id)

    async def _is_open(self, generation_id: str) -> bool:
        """Asked over and over by everybody who waits, so it reads one word and not the whole row."""
        async with self.database.reading() as connection:
            return await is_open(connection, generation_id)

    def _view(self, generation: Generation, pictures: tuple[Picture, ...]) -> View:
        is_running = generation.state is State.PROCESSING
        progress = self.board.read(generation.painting_id) if is_running else None
        return View(generation=generation, pictures=pictures, progress=progress)
