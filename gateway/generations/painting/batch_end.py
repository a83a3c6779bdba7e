"""What the end of a generation means for the batch it came in: its item ends, and with the last one the batch.

Both happen in the transaction that ends the generation, so a batch ends once and its one event is written with it.
"""

from dataclasses import asdict, dataclass

from gateway.clock import Clock
from gateway.generations.showing.urls import PublicUrls
from gateway.webhooks import Happening, Outbox, written_moment
from storage import Batch, Generation, Transaction
from storage.batches import count_items, end_if_done, end_item


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchEnds:
    """Ends batches, and tells of it."""

    outbox: Outbox
    urls: PublicUrls
    clock: Clock

    async def item_ended(self, transaction: Transaction, generation: Generation) -> None:
        """To be called in the transaction that ends a generation, with its last state. One that came alone has no item."""
        if generation.batch_id is None:
            return
        await end_item(transaction, generation)
        await self.end_if_done(transaction, generation.batch_id)

    async def end_if_done(self, transaction: Transaction, batch_id: str) -> None:
        """End the batch if no item of it is open any more."""
        ended = await end_if_done(transaction, batch_id, now=self.clock())
        if ended is not None:
            await self._tell(transaction, ended)

    async def _tell(self, transaction: Transaction, batch: Batch) -> None:
        """Whichever way it ended: `status` says whether it was cancelled."""
        counts = (await count_items(transaction, [batch.id]))[batch.id]
        happening = Happening(
            account_id=batch.account_id,
            subject_id=batch.id,
            type="batch.completed",
            at=self.clock(),
            members={
                "batch_id": batch.id,
                "status": batch.state,
                "results_url": f"{self.urls.batch(batch.id)}/results",
                "created_at": written_moment(batch.created_at),
            },
            details={"livemode": batch.livemode, "counts": asdict(counts), "metadata": batch.metadata},
        )
        await self.outbox.publish(transaction, happening, own_url=batch.webhook_url)
