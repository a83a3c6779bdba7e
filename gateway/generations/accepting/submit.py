"""Accept a request: decide everything about it, then write it down in one transaction.

route -> safety -> plan -> { shared or painted, idempotency, quota, credit hold, generation } -> announce. What is accepted
is a committed row; the queue only hears of it afterwards, and may lose the message.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar

import msgspec

from gateway.access import Caller, Plans, check_open, check_plan, count_request, expiry
from gateway.clock import Clock
from gateway.generations.accepting.asking import Accepted, Ask, Quote
from gateway.generations.accepting.sharing import Sharing
from gateway.generations.inputs.canonical import canonical_sha256
from gateway.generations.inputs.source_images import SourceImages
from gateway.generations.painting.settle import Settle
from gateway.generations.showing.fetch import View
from gateway.generations.showing.pace import Pace
from gateway.identity import NewId
from gateway.queue import GenerationQueue
from models import GenerationRequest, GenerationSpec, Refused
from models.spec import work_of
from router import Router
from safety import PromptFilter
from storage import Database, Generation, State, Transaction
from storage.generations import accept, count_open, position_in_queue
from storage.idempotency import recall, remember
from storage.ledger import hold
from storage.sharing import find_earlier, show

IN_PROGRESS = "The first request with this Idempotency-Key is still running."


class QueueFull(Refused):
    """Too much work is waiting already."""

    code: ClassVar[str] = "queue_full"
    retry_after_s: ClassVar[int] = 5


class IdempotencyClash(Refused):
    """The same Idempotency-Key came with another body."""

    code: ClassVar[str] = "idempotency_key_reused"


class IdempotencyInProgress(Refused):
    """The first request with this Idempotency-Key has not ended yet."""

    code: ClassVar[str] = "idempotency_in_progress"
    retry_after_s: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """Checks, prices and accepts requests."""

    database: Database
    router: Router
    prompt_filter: PromptFilter
    plans: Plans
    source_images: SourceImages
    sharing: Sharing
    settle: Settle
    queue: GenerationQueue
    pace: Pace
    clock: Clock
    new_id: NewId
    new_seed: Callable[[], int]
    max_queued: int
    retry_within: timedelta

    def quote(self, caller: Caller, request: GenerationRequest) -> Quote:
        """Every check of a real request but balance and quota; makes nothing.

        Raises:
            Refused: unknown style or model, prompt blocked, plan too small.
            Failed: the style's model is not here.
        """
        route = self.router.route(request, seed=self.new_seed() if request.seed is None else request.seed)
        self.prompt_filter.check(
            request.prompt, negative_prompt=route.negative_prompt_used, final_prompt=route.revised_prompt
        )
        least = self.plans.get(route.min_plan)
        check_plan(caller.plan, request, target=route.size_plan.target, least=least)
        caller.must_be_allowed(model=route.model, style=route.style_resolved)
        credits = route.credits if caller.pays else 0
        return Quote(
            route=route,
            credits=credits,
            credits_max=credits,
            estimated_ms=self.pace.estimate_ms(route.specs, ahead=0),
        )

    async def look(self, caller: Caller, ask: Ask) -> Quote:
        """As `quote`, and whether it would be answered with what was painted before.

        Raises:
            Refused, Failed: as `quote`.
        """
        quote = self.quote(caller, ask.request)
        if not _may_share(ask):
            return quote
        generation = await self.sharing.revised(self._generation(caller, ask, quote), quote.route.specs)
        async with self.database.reading() as connection:
            is_painted = await self.sharing.is_painted(connection, generation)
        return replace(quote, credits=0, estimated_ms=0, is_painted=True) if is_painted else quote

    async def __call__(self, caller: Caller, ask: Ask) -> Accepted:
        """Accept, or answer with what the same Idempotency-Key made before.

        Raises:
            Refused: as `quote` and `accept`, and IdempotencyClash.
        """
        earlier = await self.earlier(caller, ask)
        if earlier is not None:
            return earlier
        quote = self.quote(caller, ask.request)
        return await self.accept(caller, ask, self._generation(caller, ask, quote), specs=quote.route.specs)

    async def accept(
        self, caller: Caller, ask: Ask, generation: Generation, *, specs: Sequence[GenerationSpec]
    ) -> Accepted:
        """Write down a generation about which everything is decided, and announce it.

        Raises:
            Refused: QuotaExceeded, TooManyOpen, CreditsShort, QueueFull, IdempotencyInProgress.
            BlobUnavailable: what it begins from could not be kept.
        """
        if _may_share(ask):
            generation = await self.sharing.revised(generation, specs)
        await self.source_images.keep(generation.id, ask.files)
        try:
            async with self.database.writing() as transaction:
                accepted = await self.enter(transaction, caller, ask, generation)
        except Refused:
            await self.source_images.forget(generation.id)
            raise
        await self._announce(accepted, ask, generation)
        if accepted.state.is_final:
            return accepted
        return replace(accepted, estimated_ms=self.pace.estimate_ms(specs, ahead=accepted.position))

    async def decided(self, caller: Caller, ask: Ask) -> Generation:
        """What `enter` may write down, later and in a transaction of somebody else. Raises as `quote`."""
        quote = self.quote(caller, ask.request)
        generation = self._generation(caller, ask, quote)
        return await self.sharing.revised(generation, quote.route.specs) if _may_share(ask) else generation

    async def _announce(self, accepted: Accepted, ask: Ask, generation: Generation) -> None:
        """After the commit: to who paints, or to who delivers news. What nobody will begin from is not kept."""
        if accepted.generation_id == generation.id and accepted.state is State.QUEUED:
            await self.queue.announce(generation.id)
        elif ask.files:
            await self.source_images.forget(generation.id)
        if accepted.has_notifications:
            self.settle.on_event()

    async def enter(self, transaction: Transaction, caller: Caller, ask: Ask, generation: Generation) -> Accepted:
        """The accepting transaction; any refusal must roll all of it back. Raises as `accept`."""
        if ask.is_retry and (first := await self._first_of(transaction, generation)):
            return first
        joined = await self.sharing.join(transaction, generation) if _may_share(ask) else None
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
        )

    async def _first_of(self, transaction: Transaction, generation: Generation) -> Accepted | None:
        """What the client made when it sent the same before, unless that came to nothing: then it may try anew."""
        since = generation.created_at - self.retry_within
        first = await find_earlier(transaction, generation, since=since)
        if first is None:
            return None
        return Accepted(
            generation_id=first.id,
            position=0,
            estimated_ms=0,
            created_at=first.created_at,
            is_replay=True,
            state=first.state,
        )

    async def earlier(self, caller: Caller, ask: Ask) -> Accepted | None:
        """What the same Idempotency-Key made before, None where it is new or absent.

        Raises:
            IdempotencyClash, IdempotencyInProgress.
        """
        if ask.idempotency_key is None:
            return None
        async with self.database.reading() as connection:
            known = await recall(connection, caller.account.id, ask.idempotency_key, now=self.clock())
        if known is None:
            return None
        if known.generation_id is None or known.state is None or known.body_sha256 != ask.body_sha256:
            raise IdempotencyClash("This Idempotency-Key was used with another body.")
        if not known.is_finished:
            raise IdempotencyInProgress(IN_PROGRESS)
        return Accepted(
            generation_id=known.generation_id,
            position=0,
            estimated_ms=0,
            created_at=known.created_at,
            is_replay=True,
            state=known.state,
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

    def _generation(self, caller: Caller, ask: Ask, quote: Quote) -> Generation:
        route, now, id = quote.route, self.clock(), self.new_id("gen")
        return Generation(
            id=id,
            painting_id=id,
            account_id=caller.account.id,
            key_id=caller.key.id,
            livemode=caller.is_live,
            state=State.QUEUED,
            price=route.credits,
            cost=quote.credits,
            prompt=ask.request.prompt,
            style=ask.request.style,
            request=msgspec.json.encode(ask.request),
            specs=msgspec.json.encode(route.specs),
            format=ask.request.format,
            webhook_url=ask.webhook_url,
            prediction_events=ask.prediction_events,
            created_at=now,
            expires_at=expiry(caller.plan, ask.ttl_s, now=now),
            priority=ask.priority,
            metadata=ask.metadata,
            model=route.model,
            revised_prompt=route.revised_prompt,
            negative_prompt_used=route.negative_prompt_used,
            style_resolved=route.style_resolved,
            style_reason=route.style_reason,
            quality=route.quality,
            width=route.size_plan.delivered.width,
            height=route.size_plan.delivered.height,
            seed=route.specs[0].seed,
            work=sum(map(work_of, route.specs)),
            picture_count=len(route.specs),
            canonical_sha256=canonical_sha256(ask.request, route, livemode=caller.is_live),
        )


def _may_share(ask: Ask) -> bool:
    """Without a seed everybody expects a picture of their own."""
    return ask.may_share and ask.request.seed is not None
