"""Paint a completed generation again, and say whether the same pixels came out.

The new generation follows the old one's specs to the letter: neither router nor enhancer is asked again, and nothing
is served from what is already there. What may change between the two is asked again: the policy on prompts, the
caller's plan and the one that the style asks for, whether the model is still here.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import msgspec

from gateway.access import Caller, check_plan, expiry
from gateway.clock import Clock
from gateway.generations.accepting.asking import Accepted, Ask
from gateway.generations.accepting.deciding import Decided
from gateway.generations.accepting.moderating import moderation_input, source_picture
from gateway.generations.accepting.submit import Submit
from gateway.generations.inputs.source_images import SourceImages
from gateway.generations.showing.fetch import Fetch, GenerationUnknown
from gateway.identity import NewId
from models import AdapterUnknown, Catalogue, GenerationRequest, GenerationSpec, ModelUnavailable, Recipe, Refused
from models.replay import Comparison, compare
from models.spec import work_of
from router import Style, Styles, StyleUnknown, price_of
from safety import Decision, Surface
from storage import Generation, State, afresh


class NotCompleted(Refused):
    """The generation has no pictures that could be painted again or compared."""

    code: ClassVar[str] = "not_completed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A generation that painted another one again, and one comparison for each picture."""

    generation_id: str
    replay_of: str
    pictures: tuple[Comparison, ...]

    @property
    def is_identical(self) -> bool:
        return all(picture.is_identical for picture in self.pictures)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Accepts replays like any other work, and compares them when they are done."""

    submit: Submit
    fetch: Fetch
    source_images: SourceImages
    styles: Styles
    catalogue: Catalogue
    clock: Clock
    new_id: NewId

    async def __call__(self, caller: Caller, generation_id: str, *, idempotency_key: str | None = None) -> Accepted:
        """Accept a new generation of the same specs, or answer with what the same Idempotency-Key made before.

        Raises:
            GenerationUnknown, NotCompleted.
            ModelUnavailable: a model or LoRA it was painted with is not here any more.
            Refused: prompt blocked, plan too small, and as `Submit`.
        """
        original = (await self.fetch.one(caller, generation_id)).generation
        ask = Ask(
            surface=Surface.NATIVE,
            request=_request_of(original),
            idempotency_key=idempotency_key,
            body_sha256=_body_of(original),
            may_share=False,
        )
        earlier = await self.submit.enter.recall.earlier(caller, ask)
        if earlier is not None:
            return earlier
        _must_have_recipes(original)
        style = self._style_of(original)
        decision = await self._checked(caller, original, style)
        specs = _painted_specs(original)
        ask = replace(
            ask, files=await self.source_images.kept(original.painting_id, specs[0])
        )  # all of them begin alike
        decided = Decided(generation=self._again(caller, original, style), decision=decision)
        return await self.submit.accept(caller, ask, decided, specs=specs)

    async def outcome(self, caller: Caller, generation_id: str) -> Replayed:
        """Hold a replay that has ended against what it painted again.

        Raises:
            GenerationUnknown: there is no such generation, it is no replay, or its original has been deleted.
            NotCompleted.
        """
        again = (await self.fetch.one(caller, generation_id)).generation
        if again.replay_of is None:
            raise GenerationUnknown(f"The generation {generation_id!r} painted nothing again.")
        _must_have_recipes(again)
        original = (await self.fetch.one(caller, again.replay_of)).generation
        _must_have_recipes(original)
        pairs = zip(_recipes_of(original), _recipes_of(again), strict=True)
        return Replayed(
            generation_id=again.id,
            replay_of=original.id,
            pictures=tuple(compare(recipe, followed) for recipe, followed in pairs),
        )

    async def _checked(self, caller: Caller, original: Generation, style: Style | None) -> Decision:
        request, specs = _request_of(original), _painted_specs(original)
        source = source_picture(specs[0].init_image)
        given = moderation_input(request, specs, surface=Surface.NATIVE, source=source, is_replay=True)
        decision = await self.submit.decide.moderation.check(caller, given)
        least = (
            self.submit.decide.plans.get(style.min_plan) if style else caller.plan
        )  # a style that is gone bars nobody
        check_plan(caller.plan, request, target=specs[0].size.target, least=least)
        caller.must_be_allowed(model=original.model, style=original.style_resolved)
        check_repaintable(specs, self.catalogue)
        return decision

    def _again(self, caller: Caller, original: Generation, style: Style | None) -> Generation:
        """A fresh generation of the same words and specs, in this caller's name and at the same price."""
        price, specs, now = _price_of(original, style), _painted_specs(original), self.clock()
        return replace(
            afresh(original, id=self.new_id("gen")),
            account_id=caller.account.id,
            key_id=caller.key.id,
            livemode=caller.is_live,
            price=price,
            cost=price if caller.pays else 0,
            created_at=now,
            expires_at=expiry(caller.plan, None, now=now),
            replay_of=original.id,
            specs=msgspec.json.encode(specs),
            work=sum(map(work_of, specs)),
            picture_count=len(specs),
        )

    def _style_of(self, original: Generation) -> Style | None:
        """As it is today; None: the operator has thrown it out."""
        try:
            return self.styles.get(original.style_resolved)
        except StyleUnknown:
            return None


def check_repaintable(specs: Sequence[GenerationSpec], catalogue: Catalogue) -> None:
    """Raises ModelUnavailable: a model, LoRA, VAE or the upscaler that these specs name has left the catalogue."""
    models = {card.id for card in catalogue.cards()}
    vaes = {None, *(card.id for card in catalogue.vaes())}
    for spec in specs:
        if spec.model not in models:
            raise ModelUnavailable(f"The model {spec.model!r} is not here any more.")
        if spec.vae not in vaes:
            raise ModelUnavailable(f"The VAE {spec.vae!r} is not here any more.")
        if spec.size.wants_network and catalogue.upscaler is None:
            raise ModelUnavailable("The picture was enlarged by an upscaler that is not installed any more.")
        for adapter in spec.all_adapters:
            try:
                catalogue.acting(adapter.id)
            except AdapterUnknown:
                raise ModelUnavailable(f"The LoRA {adapter.id!r} is not here any more.") from None


def _must_have_recipes(generation: Generation) -> None:
    """Raises NotCompleted."""
    if generation.state is not State.COMPLETED:
        raise NotCompleted(f"The generation {generation.id!r} is {generation.state}; this needs a completed one.")
    if len(_recipes_of(generation)) != len(_specs_of(generation)):
        raise NotCompleted(f"The generation {generation.id!r} has no recipe for each of its pictures.")


def _price_of(original: Generation, style: Style | None) -> int:
    """What it cost before anybody's plan was looked at. Releases that did not write that down left 0 where the caller
    paid nothing: then it is what its style asks today, and 0 where that is gone."""
    if original.price or style is None:
        return original.price
    return price_of(style, _request_of(original), original.quality)


def _request_of(generation: Generation) -> GenerationRequest:
    return msgspec.json.decode(generation.request, type=GenerationRequest)


def _specs_of(generation: Generation) -> tuple[GenerationSpec, ...]:
    return msgspec.json.decode(generation.specs, type=tuple[GenerationSpec, ...])


def _painted_specs(generation: Generation) -> tuple[GenerationSpec, ...]:
    """As its recipes say: what was chosen while it was painted is not chosen again."""
    return tuple(recipe.spec for recipe in _recipes_of(generation))


def _recipes_of(generation: Generation) -> tuple[Recipe, ...]:
    return msgspec.json.decode(generation.recipes or b"[]", type=tuple[Recipe, ...])


def _body_of(original: Generation) -> str:
    """What stands for the body that a replay has not, so that one Idempotency-Key means one generation painted again."""
    return hashlib.sha256(f"replay {original.id}".encode()).hexdigest()
