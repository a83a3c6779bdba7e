"""Which models are loaded: the one place that decides what stays in the device's memory."""

import gc
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from models.catalogue import AdapterCard, ModelCard, VaeCard, refiner_of
from models.diffusion.device import Device
from models.diffusion.loading.pipelines import Additions, loading
from models.diffusion.resident.pipeline import Loaded, Pipeline
from models.diffusion.resident.placing import placement_of
from models.diffusion.weights.folders import Weights, inspect
from models.errors import ModelUnavailable
from models.manifest import Fingerprint


@dataclass(kw_only=True, eq=False)
class Caller:
    """Somebody who asked for a model and has not got it yet. `weights` and the bytes they will take on the device are
    known once the model was found not to be loaded."""

    model: str
    weights: Weights | None = None
    size_bytes: int = 0


class Residency:
    """Keeps pipelines as long as they fit into `device.memory_bytes`; the least recently used one goes first, never one
    that is in use.

    Callers stand in a queue, in order of arrival. The first whose model is not loaded is served next: the models that
    must go for it take nobody new who came after it, so that they come free. When a model is loaded, all who wait for it
    by then get it. So a caller waits for at most as many rounds as there are other models asked for before it, and then
    its own. A round is one load, and before it the paintings begun with the models that must go.

    A model that needs no room may be loaded out of turn, if it fits beside all that is loaded and beside the one that is
    next. A model that is larger than the memory is loaded once nothing else is in use, and may fail there.
    """

    def __init__(
        self,
        cards: Mapping[str, ModelCard],
        device: Device,
        adapters: Mapping[str, AdapterCard] | None = None,
        vaes: Mapping[str, VaeCard] | None = None,
    ) -> None:
        self._cards = cards
        self._device = device
        refiners = [refiner for card in cards.values() if (refiner := refiner_of(card)) is not None]
        theirs = {refiner.id: refiner for refiner in refiners}
        self._additions = Additions(adapters={**(adapters or {}), **theirs}, vaes=dict(vaes or {}))
        self._pipelines: dict[str, Loaded] = {}
        self._queue: list[Caller] = []
        self._loading: Caller | None = None
        self._users: Counter[str] = Counter()

    def models(self) -> tuple[str, ...]:
        return tuple(self._pipelines)

    def notes(self) -> tuple[str, ...]:
        """How each resident model is held, a line for each about which there is something to say."""
        return tuple(f"{model}: {note}" for model, pipeline in self._pipelines.items() for note in pipeline.notes)

    def fingerprints(self) -> Mapping[str, Fingerprint]:
        """Under what each resident model paints, as far as no picture decides it."""
        return {model: pipeline.fingerprint for model, pipeline in self._pipelines.items()}

    def holds(self, model: str) -> bool:
        return model in self._pipelines

    @contextmanager
    def using(self, model: str) -> Iterator[None]:
        """Inside, a loaded `model` stays loaded, once `pipeline` gave it."""
        self._users[model] += 1
        try:
            yield
        finally:
            self._users[model] -= 1

    def pipeline(self, model: str) -> Generator[bool, None, Loaded]:
        """The model's pipeline, loaded piece by piece if need be. Call it once inside each `using`; closing it gives the
        place in the queue up.

        Yields True before each piece of work, and False where there is nothing to do but wait. A component is loaded in
        one piece, however large.

        Raises:
            ModelUnavailable: it is not in the catalogue the engine was started with.
            WeightsRejected: its files are not what they must be.
        """
        caller = Caller(model=model)
        self._queue.append(caller)
        try:
            while not self._is_served(caller):
                if (weights := caller.weights) is None and model not in self._pipelines:
                    yield True
                    self._look_at(caller)
                elif weights is not None and self._may_load(caller):
                    yield from self._load(caller, weights)
                else:
                    yield False
        finally:
            self._queue.remove(caller)
        self._pipelines[model] = self._pipelines.pop(model)  # last is most recent
        return self._pipelines[model]

    def _look_at(self, caller: Caller) -> None:
        if caller.model not in self._cards:
            raise ModelUnavailable(f"The engine was started without a model called {caller.model!r}.")
        card = self._cards[caller.model]
        weights = inspect(card.path)
        caller.size_bytes = placement_of(weights, card, self._device).device_bytes
        caller.weights = weights

    def _load(self, caller: Caller, weights: Weights) -> Generator[bool, None, None]:
        card = self._cards[caller.model]
        self._let_go(self._leaving(caller))
        self._loading = caller
        try:
            sha256 = yield from self._additions.hashes.hashing(weights, card)
            self._pipelines[caller.model] = yield from loading(
                weights,
                card,
                device=self._device,
                model_sha256=sha256,
                additions=self._additions,
            )
        finally:
            self._loading = None
        self._queue.sort(key=lambda one: one.model != caller.model)  # the others who wait for it come along

    def _is_served(self, caller: Caller) -> bool:
        """The model is there, and nobody who came earlier waits for its room."""
        if caller.model not in self._pipelines:
            return False
        first = self._first()
        return first is None or not self._is_before(first, caller) or caller.model not in self._leaving(first)

    def _may_load(self, caller: Caller) -> bool:
        """It is its turn and its room is free, or it takes nobody's. One model is loaded at a time."""
        if self._loading is not None or caller.model in self._pipelines:
            return False
        first = self._first()
        if first is None or first is caller:
            return not any(self._is_busy(model, caller) for model in self._leaving(caller))
        freed = sum(_size_of(self._pipelines[model]) for model in self._leaving(first))
        needed = self._held_bytes() + caller.size_bytes + max(0, first.size_bytes - freed)
        return first.weights is not None and first.model != caller.model and needed <= self._device.memory_bytes

    def _first(self) -> Caller | None:
        """Whose turn it is: the model is neither loaded nor being loaded."""
        coming = None if self._loading is None else self._loading.model
        return next((one for one in self._queue if one.model != coming and one.model not in self._pipelines), None)

    def _leaving(self, caller: Caller) -> list[str]:
        """Which models must go for the caller's: idle ones first, then the least recently used. All of them if even that
        is too little."""
        excess = self._held_bytes() + caller.size_bytes - self._device.memory_bytes
        leaving: list[str] = []
        for model in sorted(self._pipelines, key=lambda model: self._is_busy(model, caller)):
            if excess <= 0:
                break
            leaving.append(model)
            excess -= _size_of(self._pipelines[model])
        return leaving

    def _is_busy(self, model: str, caller: Caller) -> bool:
        """Somebody uses the model, or came before the caller and is about to. Those behind the caller do not count."""
        behind = self._queue[self._queue.index(caller) :]
        return self._users[model] > sum(one.model == model for one in behind)

    def _is_before(self, one: Caller, other: Caller) -> bool:
        return self._queue.index(one) < self._queue.index(other)

    def _let_go(self, models: list[str]) -> None:
        for model in models:
            del self._pipelines[model]
        gc.collect()  # steadied layers and what steadies them hold each other
        if self._device.torch_device.type == "cuda":
            torch.cuda.empty_cache()

    def _held_bytes(self) -> int:
        """What is loaded, and what is being loaded as if it were there."""
        coming = 0 if self._loading is None else self._loading.size_bytes
        return coming + sum(map(_size_of, self._pipelines.values()))


def _size_of(pipeline: Loaded) -> int:
    """With its LoRAs and other autoencoders."""
    others = pipeline.autoencoders.size_bytes if isinstance(pipeline, Pipeline) else 0
    return pipeline.size_bytes + pipeline.adapters.size_bytes + others
