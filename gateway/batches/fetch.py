"""Read batches back: one, a page, its items with what became of them. Another account's batch does not exist."""

from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from typing import ClassVar

from gateway.access import Caller
from gateway.generations import Fetch, View
from gateway.generations.showing.cursors import cursor_of, number_of
from models import Refused
from storage import Batch, BatchItem, Counts, Database, ItemState
from storage.batches import batch_by_id, count_items, page_of_batches, page_of_items

RESULTS_AT_ONCE = 200


class BatchUnknown(Refused):
    """There is no such batch in this account."""

    code: ClassVar[str] = "not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchView:
    """A batch as its owner may see it."""

    batch: Batch
    counts: Counts


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPage:
    """Newest first; `cursor` fetches what follows, None when nothing does."""

    views: tuple[BatchView, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemView:
    """An item and its generation, None while it has none and after that was deleted."""

    item: BatchItem
    generation: View | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemPage:
    """In the order in which they were sent; `cursor` fetches what follows."""

    views: tuple[ItemView, ...]
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchBatch:
    """Looks batches up for a caller."""

    database: Database
    generations: Fetch

    async def one(self, caller: Caller, batch_id: str) -> BatchView:
        """Raises BatchUnknown."""
        async with self.database.reading() as connection:
            batch = await batch_by_id(connection, caller.account.id, batch_id)
            if batch is None:
                raise BatchUnknown(f"There is no batch {batch_id!r}.")
            counts = await count_items(connection, [batch.id])
        return BatchView(batch=batch, counts=counts[batch.id])

    async def page(self, caller: Caller, *, limit: int, cursor: str | None) -> BatchPage:
        """Raises CursorInvalid."""
        before = None if cursor is None else number_of(cursor)
        async with self.database.reading() as connection:
            found = await page_of_batches(connection, caller.account.id, limit=limit + 1, before=before)
            counts = await count_items(connection, [batch.id for batch in found])
        views = tuple(BatchView(batch=batch, counts=counts[batch.id]) for batch in found[:limit])
        return BatchPage(views=views, cursor=cursor_of(views[-1].batch.number) if len(found) > limit else None)

    async def items(
        self, caller: Caller, batch_id: str, *, limit: int, cursor: str | None, states: Collection[ItemState] = ()
    ) -> ItemPage:
        """Raises BatchUnknown, CursorInvalid."""
        await self.one(caller, batch_id)
        after = -1 if cursor is None else number_of(cursor) - 1
        found = await self._items(caller, batch_id, limit=limit + 1, after=after, states=states)
        views = tuple(found[:limit])
        last = views[-1].item.position if views else 0
        return ItemPage(views=views, cursor=cursor_of(last + 1) if len(found) > limit else None)

    async def results(self, caller: Caller, batch_id: str) -> AsyncIterator[ItemView]:
        """Every item as it stands when it is reached, a page of them in memory at a time."""
        after = -1
        while found := await self._items(caller, batch_id, limit=RESULTS_AT_ONCE, after=after):
            for view in found:
                yield view
            after = found[-1].item.position

    async def _items(
        self, caller: Caller, batch_id: str, *, limit: int, after: int, states: Collection[ItemState] = ()
    ) -> list[ItemView]:
        async with self.database.reading() as connection:
            items = await page_of_items(connection, batch_id, limit=limit, after=after, states=states)
        ids = [item.generation_id for item in items if item.generation_id is not None]
        views = await self.generations.several(caller, ids)
        return [ItemView(item=item, generation=views.get(item.generation_id or "")) for item in items]
