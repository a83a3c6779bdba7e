"""Cancel a batch: what waits ends at once, what is queued or being painted is stopped by the expander."""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.access import Caller
from gateway.batches.fetch import BatchView, FetchBatch
from gateway.generations import AlreadyFinished
from gateway.generations.painting.batch_end import BatchEnds
from storage import Database
from storage.batches import start_canceling


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelBatch:
    """Marks the batch; `on_canceling` wakes who carries it out, also after a crash."""

    database: Database
    fetch: FetchBatch
    ends: BatchEnds
    on_canceling: Callable[[], None]

    async def __call__(self, caller: Caller, batch_id: str) -> BatchView:
        """Doing it again changes nothing.

        Raises:
            BatchUnknown, AlreadyFinished.
        """
        batch_id = (await self.fetch.one(caller, batch_id)).batch.id
        async with self.database.writing() as transaction:
            batch = await start_canceling(transaction, batch_id, now=self.ends.clock())
            if batch is None or batch.state.is_final:
                raise AlreadyFinished(f"The batch {batch_id!r} has ended.")
            await self.ends.end_if_done(transaction, batch_id)
        self.on_canceling()
        return await self.fetch.one(caller, batch_id)
