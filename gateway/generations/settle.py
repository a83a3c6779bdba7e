"""End a generation: state, ledger and webhook outbox move in one transaction, or not at all.

Everything is fenced by the attempt: a worker whose lease ran out finds zero rows and changes nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

from gateway.clock import Clock
from gateway.generations.progress import ProgressBoard
from gateway.generations.urls import PublicUrls
from gateway.identity import NewId
from gateway.webhooks import GenerationEnded, event_body
from storage import Completion, Database, Event, Generation, State, Transaction
from storage.accounts import account_by_id
from storage.deliveries import add_delivery, add_event
from storage.generations import cancel, complete, fail
from storage.ledger import capture, release


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """The three ways a generation ends. Each returns False when somebody else has ended it before."""

    database: Database
    board: ProgressBoard
    urls: PublicUrls
    clock: Clock
    new_id: NewId
    on_event: Callable[[], None]

    async def completed(self, generation: Generation, completion: Completion) -> bool:
        async with self.database.writing() as transaction:
            is_ours = await complete(transaction, generation.id, generation.attempt, completion, now=self.clock())
            if is_ours:
                await capture(transaction, generation.id, now=self.clock())
                image_url = self.urls.image(completion.pictures[0].name)
                await self._notify(transaction, generation, State.COMPLETED, image_url)
        self._tell(generation)
        return is_ours

    async def failed(self, generation: Generation, *, code: str, message: str) -> bool:
        async with self.database.writing() as transaction:
            is_ours = await fail(
                transaction, generation.id, generation.attempt, code=code, message=message, now=self.clock()
            )
            if is_ours:
                await release(transaction, generation.id, now=self.clock())
                await self._notify(transaction, generation, State.FAILED, None)
        self._tell(generation)
        return is_ours

    async def canceled(self, generation: Generation) -> bool:
        async with self.database.writing() as transaction:
            is_ours = await cancel(transaction, generation.id, now=self.clock())
            if is_ours:
                await release(transaction, generation.id, now=self.clock())
                await self._notify(transaction, generation, State.CANCELED, None)
        self._tell(generation)
        return is_ours

    def _tell(self, generation: Generation) -> None:
        """After the commit: wake those who wait for this generation, and the delivery loop."""
        self.board.ended(generation.id)
        self.on_event()

    async def _notify(
        self, transaction: Transaction, generation: Generation, state: State, image_url: str | None
    ) -> None:
        """Put the event, its signed body to be, into the outbox; the delivery loop takes it from there."""
        if generation.webhook_url is None:
            return
        now = self.clock()
        account = await account_by_id(transaction, generation.account_id)
        if account is None:
            return
        ended = GenerationEnded(
            generation_id=generation.id,
            status=state,
            image_url=image_url,
            created_at=generation.created_at,
            ended_at=now,
            details={"livemode": generation.livemode, "ai_generated": True},
        )
        event = Event(
            id=self.new_id("evt"),
            account_id=generation.account_id,
            generation_id=generation.id,
            type=ended.type,
            body=event_body(ended),
            created_at=now,
        )
        await add_event(transaction, event)
        await add_delivery(transaction, event.id, generation.webhook_url, account.webhook_secret, now=now)
