"""Which LoRAs act on a picture: the style's own, then those that the request names."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from models import MAX_ADAPTER_WEIGHT, Adapter, Catalogue, ModelCard, RequestInvalid


class StyleAdapter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A LoRA that a style paints with. `trigger` replaces the one of the LoRA's own card; "" means none."""

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    weight: Annotated[float, Meta(ge=-MAX_ADAPTER_WEIGHT, le=MAX_ADAPTER_WEIGHT)] = 1.0
    trigger: Annotated[str, Meta(max_length=100)] | None = None


@dataclass(frozen=True, slots=True)
class Acting:
    """What acts, in this order, and the words that must stand in the prompt for it. `switched_off` are ids of the style's
    own that the request gave the weight 0."""

    adapters: tuple[Adapter, ...]
    triggers: tuple[str, ...]
    switched_off: frozenset[str] = frozenset()


def first_missing(listed: Iterable[StyleAdapter], card: ModelCard, catalogue: Catalogue) -> str | None:
    """The first that the catalogue does not have for the model's family; None: all are there."""
    there = {adapter.id for adapter in catalogue.adapters() if adapter.family is card.family}
    return next((adapter.id for adapter in listed if adapter.id not in there), None)


def acting(listed: Sequence[StyleAdapter], asked: Sequence[Adapter], card: ModelCard, catalogue: Catalogue) -> Acting:
    """Where both name one, the request's weight counts; what weighs 0 does not act, nor does its trigger. None of
    `listed` is missing.

    Raises:
        AdapterUnknown: a LoRA that was asked for is not in the catalogue.
        RequestInvalid: it is made for another family than the model's.
    """
    for adapter in asked:
        if (made_for := catalogue.adapter(adapter.id).family) is not card.family:
            raise RequestInvalid(
                f"The LoRA {adapter.id!r} is made for {made_for} models, and {card.id!r} is of the family {card.family};"
                " name a `model` that fits.",
                field="loras",
            )
    weights = {adapter.id: adapter.weight for adapter in listed} | {adapter.id: adapter.weight for adapter in asked}
    own = {adapter.id: adapter.trigger for adapter in listed if adapter.trigger is not None}
    heavy = {id: weight for id, weight in weights.items() if weight != 0}
    words = (own.get(id, catalogue.adapter(id).trigger) for id in heavy)
    return Acting(
        adapters=tuple(Adapter(id=id, weight=weight) for id, weight in heavy.items()),
        triggers=tuple(word for word in words if word),
        switched_off=frozenset(adapter.id for adapter in listed if adapter.weight != 0 and adapter.id not in heavy),
    )


def with_triggers(prompt: str, triggers: Iterable[str]) -> str:
    """The prompt, and behind it each word that it does not say already."""
    for trigger in triggers:
        if not re.search(rf"(?<!\w){re.escape(trigger)}(?!\w)", prompt, re.IGNORECASE):
            prompt = f"{prompt}, {trigger}"
    return prompt
