"""What a request becomes: routed, judged, priced, and written as a generation that may be entered."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import msgspec

from gateway.access import Caller, Plans, check_plan, expiry
from gateway.clock import Clock
from gateway.generations.accepting.asking import Ask, Quote
from gateway.generations.accepting.moderating import Moderation, moderation_input
from gateway.generations.accepting.sharing import Sharing
from gateway.generations.inputs.canonical import canonical_sha256
from gateway.generations.showing.pace import Pace
from gateway.identity import NewId
from models import GenerationRequest, Sampler, notices
from models.spec import work_of
from router import Router
from safety import Decision, PromptBlocked
from storage import Database, Generation, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A generation that `Enter` may write down, and what the content policy says of it."""

    generation: Generation
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide:
    """Decides everything about a request. Of what it refuses it writes down what the content policy refused."""

    database: Database
    router: Router
    moderation: Moderation
    plans: Plans
    sharing: Sharing
    pace: Pace
    clock: Clock
    new_id: NewId
    new_seed: Callable[[], int]

    async def quote(self, caller: Caller, ask: Ask) -> Quote:
        """Every check of a real request but balance and quota; makes nothing.

        Raises:
            Refused: unknown style or model, prompt blocked, plan too small.
            Failed: the style's model is not here; StoreUnavailable.
        """
        try:
            return self.judged(caller, ask)
        except PromptBlocked as blocked:
            await self.moderation.note_refusal(caller, blocked)
            raise

    def judged(self, caller: Caller, ask: Ask) -> Quote:
        """As `quote`, but a refusal of the content policy is the caller's to write down.

        Raises:
            Refused, Failed: as `quote`.
        """
        request = ask.request
        route = self.router.route(request, seed=self.new_seed() if request.seed is None else request.seed)
        given = moderation_input(request, route.specs, surface=ask.surface, source=ask.source)
        decision = self.moderation.judge(caller, given)
        least = self.plans.get(route.min_plan)
        check_plan(caller.plan, request, target=route.size_plan.target, least=least)
        caller.must_be_allowed(model=route.model, style=route.style_resolved)
        credits = route.credits if caller.pays else 0
        return Quote(
            route=route,
            decision=decision,
            credits=credits,
            credits_max=credits,
            estimated_ms=self.pace.estimate_ms(route.specs, ahead=0),
        )

    def sampler_of(self, request: GenerationRequest) -> Sampler:
        """The sampler that would be taken; nothing is judged, nothing is made.

        Raises:
            Refused, Failed: as the router.
        """
        return self.router.route(request, seed=request.seed or 0).specs[0].sampler

    async def look(self, caller: Caller, ask: Ask) -> Quote:
        """As `quote`, and whether it would be answered with what was painted before.

        Raises:
            Refused, Failed: as `quote`.
        """
        quote = await self.quote(caller, ask)
        quote = replace(quote, notices=ask.notices_with(quote.route))
        if not ask.may_be_shared:
            return quote
        generation = await self.sharing.revised(self.generation(caller, ask, quote), quote.route.specs)
        async with self.database.reading() as connection:
            is_painted = await self.sharing.is_painted(connection, generation)
        return replace(quote, credits=0, estimated_ms=0, is_painted=True) if is_painted else quote

    async def decided(self, caller: Caller, ask: Ask) -> Decided:
        """What `Enter` may write down, later and in a transaction of somebody else. Raises as `quote`."""
        quote = await self.quote(caller, ask)
        generation = self.generation(caller, ask, quote)
        if ask.may_be_shared:
            generation = await self.sharing.revised(generation, quote.route.specs)
        return Decided(generation=generation, decision=quote.decision)

    def generation(self, caller: Caller, ask: Ask, quote: Quote) -> Generation:
        """The row of an ask that was quoted."""
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
            style=ask.request.style.casefold(),
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
            notices=notices.written(ask.notices_with(route)),
            canonical_sha256=canonical_sha256(ask.request, route, livemode=caller.is_live),
        )
