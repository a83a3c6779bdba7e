"""Accept a request: decide everything about it, then write it down in one transaction.

route -> safety -> plan -> { idempotency, quota, credit hold, generation } -> announce. What is accepted is a committed
row; the queue only hears of it afterwards, and may lose the message.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

import msgspec

from gateway.access import Caller, Plans, check_open, check_plan, count_request, expiry
from gateway.clock import Clock
from gateway.generations.beginnings import Beginnings
from gateway.generations.pace import Pace, work_of
from gateway.identity import NewId
from gateway.queue import GenerationQueue
from models import GenerationRequest, GenerationSpec, Refused
from router import Route, Router
from safety import PromptFilter
from storage import Database, Generation, Priority, State, Transaction
from storage.generations import accept, count_open, position_in_queue
from storage.idempotency import recall, remember
from storage.ledger import hold

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
class Ask:
    """One call as the edge understood it. `body_sha256` tells equal bodies under one Idempotency-Key; `files` are those
    that `request.init_image` names, by their SHA-256. `ttl_s` is how long it is kept; None leaves that to the plan."""

    request: GenerationRequest
    webhook_url: str | None = None
    idempotency_key: str | None = None
    body_sha256: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    priority: Priority = Priority.INTERACTIVE
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])
    ttl_s: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A generation that is written down. `is_replay` when an earlier call with the same Idempotency-Key made it."""

    generation_id: str
    position: int
    estimated_ms: int
    created_at: datetime
    is_replay: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a request would become, and cost this caller."""

    route: Route
    credits: int
    estimated_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """Checks, prices and accepts requests."""

    database: Database
    router: Router
    prompt_filter: PromptFilter
    plans: Plans
    beginnings: Beginnings
    queue: GenerationQueue
    pace: Pace
    clock: Clock
    new_id: NewId
    new_seed: Callable[[], int]
    max_queued: int

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
        return Quote(
            route=route,
            credits=route.credits if caller.pays else 0,
            estimated_ms=self.pace.estimate_ms(route.specs, ahead=0),
        )

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
        await self.beginnings.keep(generation.id, ask.files)
        try:
            async with self.database.writing() as transaction:
                position = await self._write(transaction, caller, ask, generation)
        except Refused:
            await self.beginnings.forget(generation.id)
            raise
        await self.queue.announce(generation.id)
        return Accepted(
            generation_id=generation.id,
            position=position,
            estimated_ms=self.pace.estimate_ms(specs, ahead=position),
            created_at=generation.created_at,
            is_replay=False,
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
        if known.body_sha256 != ask.body_sha256:
            raise IdempotencyClash("This Idempotency-Key was used with another body.")
        if not known.is_finished:
            raise IdempotencyInProgress(IN_PROGRESS)
        return Accepted(
            generation_id=known.generation_id,
            position=0,
            estimated_ms=0,
            created_at=known.created_at,
            is_replay=True,
        )

    async def _write(self, transaction: Transaction, caller: Caller, ask: Ask, generation: Generation) -> int:
        """The accepting transaction; any refusal rolls all of it back. Returns how many are ahead in the queue."""
        now = generation.created_at
        if await count_open(transaction) >= self.max_queued:
            raise QueueFull("Too many generations are waiting; try again in a few seconds.")
        await accept(transaction, generation)
        if ask.idempotency_key is not None:  # before quota and credits, which its own twin may have used up
            is_first = await remember(
                transaction, caller.account.id, ask.idempotency_key, ask.body_sha256, generation.id, now=now
            )
            if not is_first:
                raise IdempotencyInProgress(IN_PROGRESS)
        await count_request(transaction, caller, now=now)
        await check_open(transaction, caller)
        await hold(transaction, caller.account.id, generation.id, generation.cost, key_id=caller.key.id, now=now)
        return await position_in_queue(transaction, generation.id)

    def _generation(self, caller: Caller, ask: Ask, quote: Quote) -> Generation:
        route, now = quote.route, self.clock()
        return Generation(
            id=self.new_id("gen"),
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
        )
