"""End a generation: state, ledger and webhook outbox move in one transaction, or not at all.

Everything is fenced by the attempt: a worker whose lease ran out finds zero rows and changes nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from gateway.clock import Clock
from gateway.generations.progress import ProgressBoard
from gateway.generations.urls import PublicUrls
from gateway.webhooks import Happening, Outbox, written_moment
from storage import Completion, Database, Generation, Picture, State, Transaction
from storage.generations import cancel, complete, fail
from storage.ledger import capture, release


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """The three ways a generation ends. Each returns False when somebody else has ended it before."""

    database: Database
    board: ProgressBoard
    urls: PublicUrls
    clock: Clock
    outbox: Outbox
    on_event: Callable[[], None]

    async def completed(self, generation: Generation, completion: Completion) -> bool:
        async with self.database.writing() as transaction:
            is_ours = await complete(transaction, generation.id, generation.attempt, completion, now=self.clock())
            if is_ours:
                await capture(transaction, generation.id, now=self.clock())
                await self._notify(transaction, generation, State.COMPLETED, pictures=completion.pictures)
        self._tell(generation)
        return is_ours

    async def failed(self, generation: Generation, *, code: str, message: str) -> bool:
        async with self.database.writing() as transaction:
            is_ours = await fail(
                transaction, generation.id, generation.attempt, code=code, message=message, now=self.clock()
            )
            if is_ours:
                await release(transaction, generation.id, now=self.clock())
                await self._notify(transaction, generation, State.FAILED, error={"code": code, "message": message})
        self._tell(generation)
        return is_ours

    async def canceled(self, generation: Generation) -> bool:
        async with self.database.writing() as transaction:
            is_ours = await cancel(transaction, generation.id, now=self.clock())
            if is_ours:
                await release(transaction, generation.id, now=self.clock())
                await self._notify(transaction, generation, State.CANCELED)
        self._tell(generation)
        return is_ours

    def _tell(self, generation: Generation) -> None:
        """After the commit: wake those who wait for this generation, and the delivery loop."""
        self.board.ended(generation.id)
        self.on_event()

    async def _notify(
        self,
        transaction: Transaction,
        generation: Generation,
        state: State,
        *,
        pictures: Sequence[Picture] = (),
        error: Mapping[str, str] | None = None,
    ) -> None:
        """Put the event into the outbox; the delivery loop takes it from there."""
        images = [
            {"url": self.urls.image(p.name), "pixel_sha256": p.pixel_sha256, "file_sha256": p.file_sha256}
            for p in pictures
        ]
        happening = Happening(
            account_id=generation.account_id,
            subject_id=generation.id,
            type=f"generation.{state}",
            at=self.clock(),
            members={
                "generation_id": generation.id,
                "status": state,
                "image_url": images[0]["url"] if images else None,
                "created_at": written_moment(generation.created_at),
            },
            details={
                "livemode": generation.livemode,
                "ai_generated": True,
                "images": images,
                "error": error,
                "metadata": generation.metadata,
            },
        )
        await self.outbox.publish(transaction, happening, own_url=generation.webhook_url)
