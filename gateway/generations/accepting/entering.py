"""The accepting transaction: idempotency, quota, credit hold and generation become rows together, or none does."""

from dataclasses import dataclass
from typing import ClassVar

from gateway.access import Caller, check_open, count_request
from gateway.generations.accepting.asking import Accepted, Ask
from gateway.generations.accepting.recalling import IN_PROGRESS, IdempotencyInProgress, Recall
from gateway.generations.accepting.sharing import Sharing
from gateway.generations.painting.settle import Settle
from gateway.generations.showing.fetch import View
from models import Refused, notices
from storage import Generation, Transaction
from storage.generations import accept, count_open, position_in_queue
from storage.idempotency import remember
from storage.ledger import hold
from storage.sharing import show


class QueueFull(Refused):
    """Too much work is waiting already."""

    code: ClassVar[str] = "queue_full"
    retry_after_s: ClassVar[int] = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Enter:
    """Writes down what was decided, inside the caller's transaction."""

    recall: Recall
    sharing: Sharing
    settle: Settle
    max_queued: int

    async def __call__(self, transaction: Transaction, caller: Caller, ask: Ask, generation: Generation) -> Accepted:
        """The accepting transaction; any refusal must roll all of it back. Raises as `accept`."""
        if ask.is_retry and (first := await self.recall.first_of(transaction, generation)):
            return first
        joined = await self.sharing.join(transaction, generation) if ask.may_be_shared else None
        position, has_notifications = 0, False
        if joined is None:
            position = await self._queued(transaction, caller, ask, generation)
            has_notifications = await self.settle.notifications.begun(transaction, generation)
        else:
            generation = joined.generation
            has_notifications = await self._shared(transaction, caller, ask, joined)
        return Accepted(
            generation_id=generation.id,
            position=position,
            estimated_ms=0,
            created_at=generation.created_at,
            is_replay=False,
            state=generation.state,
            view=joined if generation.state.is_final else None,
            has_notifications=has_notifications,
            notices=notices.read(generation.notices),
        )

    async def _shared(self, transaction: Transaction, caller: Caller, ask: Ask, joined: View) -> bool:
        """Write down what needs no painting of its own: for that no queue is full. True: somebody is to be told."""
        await self._used_up(transaction, caller, ask, joined.generation)
        await show(transaction, joined.pictures)
        has_notifications = await self.settle.notifications.begun(transaction, joined.generation)
        if not joined.generation.state.is_final:
            return has_notifications
        return await self.settle.notify(transaction, joined.generation, pictures=joined.pictures) or has_notifications

    async def _queued(self, transaction: Transaction, caller: Caller, ask: Ask, generation: Generation) -> int:
        """Write down what must be painted. Returns how many are ahead in the queue; nobody asks that for a batch."""
        if generation.batch_id is not None:
            await self._used_up(transaction, caller, ask, generation)
            return 0
        if await count_open(transaction, besides_batches=True) >= self.max_queued:
            raise QueueFull("Too many generations are waiting; try again in a few seconds.")
        await self._used_up(transaction, caller, ask, generation)
        return await position_in_queue(transaction, generation.id)

    async def _used_up(self, transaction: Transaction, caller: Caller, ask: Ask, generation: Generation) -> None:
        """The row, and what it uses up. Who shares holds no credits, and may have to when it takes over."""
        now = generation.created_at
        await accept(transaction, generation)
        if ask.idempotency_key is not None:  # before quota and credits, which its own twin may have used up
            is_first = await remember(
                transaction, caller.account.id, ask.idempotency_key, ask.body_sha256, generation.id, now=now
            )
            if not is_first:
                raise IdempotencyInProgress(IN_PROGRESS)
        await count_request(transaction, caller, now=now)
        if not generation.state.is_final:
            await check_open(transaction, caller)
        if not generation.is_sharer:
            await hold(transaction, caller.account.id, generation.id, generation.cost, key_id=caller.key.id, now=now)
