"""Delete a generation: its record, its pictures and whatever still works on it. The ledger keeps its rows."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.access import Caller
from gateway.generations.painting.settle import Settle
from gateway.generations.showing.fetch import Fetch
from storage import Blobs, Database, Generation
from storage.generations import remove
from storage.sharing import folder_of, leave


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove:
    """`let_go` returns when nothing in this process works any more on a painting that was halted."""

    database: Database
    blobs: Blobs
    fetch: Fetch
    settle: Settle
    let_go: Callable[[str], Awaitable[None]]

    async def __call__(self, caller: Caller, generation_id: str) -> None:
        """Raises GenerationUnknown; BlobUnavailable and StoreUnavailable: the record is still there, ask again."""
        view = await self.fetch.one(caller, generation_id)
        if not view.generation.state.is_final:
            await self.end(view.generation)
        await self.forget(view.generation)

    async def end(self, generation: Generation) -> None:
        """Cancel it, and return when nothing in this process works on its painting unless that goes on for others.

        Raises:
            StoreUnavailable.
        """
        await self.settle.canceled(generation)
        await self.let_go(generation.painting_id)

    async def forget(self, generation: Generation) -> None:
        """Remove one that has ended; files first, so that whoever fails may do it again.

        Files that another generation shows as well stay, until that goes too.

        Raises:
            BlobUnavailable, StoreUnavailable.
        """
        async with self.database.writing() as transaction:
            is_last = await leave(transaction, generation)
        if is_last:
            await self.blobs.delete(folder_of(generation.painting_id))
            async with self.database.writing() as transaction:
                await remove(transaction, generation.id)
