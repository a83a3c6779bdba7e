"""Accept a request: decide everything about it, then write it down in one transaction.

route -> safety -> plan -> { shared or painted, idempotency, quota, credit hold, generation } -> announce. What is accepted
is a committed row; the queue only hears of it afterwards, and may lose the message.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from gateway.access import Caller
from gateway.generations.accepting.asking import Accepted, Ask
from gateway.generations.accepting.deciding import Decide, Decided
from gateway.generations.accepting.entering import Enter
from gateway.generations.inputs.source_images import SourceImages
from gateway.queue import GenerationQueue
from models import GenerationSpec, Refused
from safety import Decision
from storage import Database, Generation, State, Transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """Checks, prices and accepts requests."""

    database: Database
    decide: Decide
    enter: Enter
    source_images: SourceImages
    queue: GenerationQueue

    async def __call__(self, caller: Caller, ask: Ask) -> Accepted:
        """Accept, or answer with what the same Idempotency-Key made before.

        Raises:
            Refused: as `Decide.quote` and `accept`, and IdempotencyClash.
        """
        earlier = await self.enter.recall.earlier(caller, ask)
        if earlier is not None:
            return earlier
        quote = await self.decide.quote(caller, ask)
        decided = Decided(generation=self.decide.generation(caller, ask, quote), decision=quote.decision)
        return await self.accept(caller, ask, decided, specs=quote.route.specs)

    async def accept(self, caller: Caller, ask: Ask, decided: Decided, *, specs: Sequence[GenerationSpec]) -> Accepted:
        """Write down a generation about which everything is decided, and announce it.

        Raises:
            Refused: QuotaExceeded, TooManyOpen, CreditsShort, QueueFull, IdempotencyInProgress.
            BlobUnavailable: what it begins from could not be kept.
        """
        generation = decided.generation
        if ask.may_be_shared:
            generation = await self.decide.sharing.revised(generation, specs)
        await self.source_images.keep(generation.id, ask.files)
        try:
            async with self.database.writing() as transaction:
                accepted = await self.enter(transaction, caller, ask, generation)
                await self.note(transaction, caller, decided.decision, accepted)
        except Refused:
            await self.source_images.forget(generation.id)
            raise
        await self._announce(accepted, ask, generation)
        if accepted.state.is_final:
            return accepted
        return replace(accepted, estimated_ms=self.decide.pace.estimate_ms(specs, ahead=accepted.position))

    async def note(self, transaction: Transaction, caller: Caller, decision: Decision, accepted: Accepted) -> None:
        """Write down what the content policy says of a generation that was just written, if that is worth it."""
        if not accepted.is_replay:
            await self.decide.moderation.note(transaction, caller, [decision], generation_id=accepted.generation_id)

    async def _announce(self, accepted: Accepted, ask: Ask, generation: Generation) -> None:
        """After the commit: to who paints, or to who delivers news. What nobody will begin from is not kept."""
        if accepted.generation_id == generation.id and accepted.state is State.QUEUED:
            await self.queue.announce(generation.id)
        elif ask.files:
            await self.source_images.forget(generation.id)
        if accepted.has_notifications:
            self.enter.settle.on_event()
