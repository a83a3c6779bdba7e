"""Delete a generation: its record, its pictures and whatever still works on it. The ledger keeps its rows."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from gateway.access import Caller
from gateway.generations.fetch import Fetch
from gateway.generations.settle import Settle
from storage import Blobs, Database, Generation
from storage.generations import remove


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove:
    """`stop` ends the painting of a generation that runs in this process, and returns when it has ended."""

    database: Database
    blobs: Blobs
    fetch: Fetch
    settle: Settle
    stop: Callable[[str], Awaitable[None]]

    async def __call__(self, caller: Caller, generation_id: str) -> None:
        """Raises GenerationUnknown; BlobUnavailable and StoreUnavailable: the record is still there, ask again."""
        view = await self.fetch.one(caller, generation_id)
        if not view.generation.state.is_final:
            await self.settle.canceled(view.generation)
            await self.stop(generation_id)
        await self.forget(view.generation)

    async def forget(self, generation: Generation) -> None:
        """Remove one that has ended; files first, so that whoever fails may do it again.

        Raises:
            BlobUnavailable, StoreUnavailable.
        """
        await self.blobs.delete(f"gen/{generation.id}/")
        async with self.database.writing() as transaction:
            await remove(transaction, generation.id)
