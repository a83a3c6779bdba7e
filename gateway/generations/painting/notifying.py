"""What webhooks tell of a generation: its end in our words, or its beginning and end in those of Replicate.

Endpoints of the account hear of the end in ours, whoever asked. The address that a request names hears it in the words of
the request: `prediction_events` says which parts of it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from gateway.clock import Clock
from gateway.generations.showing.fetch import View
from gateway.generations.showing.urls import PublicUrls
from gateway.webhooks import Happening, Outbox, written_moment
from models import notices
from storage import Generation, Picture, State, Transaction

START, COMPLETED = "start", "completed"

PredictionBody = Callable[[View], bytes]
"""Writes a generation as Replicate's prediction, in JSON."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notifications:
    """Puts events into the outbox, in the transaction of what they tell; wake the delivery loop after it."""

    outbox: Outbox
    urls: PublicUrls
    clock: Clock
    prediction: PredictionBody

    async def begun(self, transaction: Transaction, generation: Generation) -> bool:
        """It is accepted. Whether anybody is to be told."""
        return await self._predicted(transaction, View(generation=generation, pictures=()), START)

    async def ended(self, transaction: Transaction, generation: Generation, pictures: Sequence[Picture]) -> bool:
        """It is over, one way or another. Whether anybody is to be told."""
        own_url = generation.webhook_url if generation.prediction_events is None else None
        is_told = await self.outbox.publish(transaction, self._end_of(generation, pictures), own_url=own_url)
        view = View(generation=generation, pictures=tuple(pictures))
        return await self._predicted(transaction, view, COMPLETED) or is_told

    async def _predicted(self, transaction: Transaction, view: View, event: str) -> bool:
        generation = view.generation
        if generation.webhook_url is None or event not in (generation.prediction_events or ()):
            return False
        happening = Happening(
            account_id=generation.account_id,
            subject_id=generation.id,
            type=f"prediction.{event}",
            at=self.clock(),
            members={},
        )
        await self.outbox.publish_alone(transaction, happening, self.prediction(view), url=generation.webhook_url)
        return True

    def _end_of(self, generation: Generation, pictures: Sequence[Picture]) -> Happening:
        failed = generation.state is State.FAILED
        error = {"code": generation.error_code, "message": generation.error_message} if failed else None
        images = [
            {"url": self.urls.image(p.name), "pixel_sha256": p.pixel_sha256, "file_sha256": p.file_sha256}
            for p in pictures
        ]
        return Happening(
            account_id=generation.account_id,
            subject_id=generation.id,
            type=f"generation.{generation.state}",
            at=self.clock(),
            members={
                "generation_id": generation.id,
                "status": generation.state,
                "image_url": images[0]["url"] if images else None,
                "created_at": written_moment(generation.created_at),
            },
            details={
                "livemode": generation.livemode,
                "ai_generated": True,
                "images": images,
                "error": error,
                "metadata": generation.metadata,
                "warnings": [msgspec.to_builtins(notice) for notice in notices.read(generation.notices)],
            },
        )
