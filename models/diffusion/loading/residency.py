"""Which models are loaded: the one place that decides what stays in the device's memory."""

import gc
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import count

import torch

from models.catalogue import AdapterCard, ModelCard, VaeCard, refiner_of
from models.diffusion.device import Device
from models.diffusion.loading.pipelines import Additions, loading
from models.diffusion.loading.queue import Caller, Queue
from models.diffusion.resident.pipeline import Loaded, Pipeline
from models.diffusion.resident.placing import placement_of
from models.diffusion.weights.folders import Weights, inspect
from models.errors import ModelUnavailable
from models.manifest import Fingerprint


class Residency:
    """Keeps pipelines as long as they fit into `device.memory_bytes`; the least recently used one
    goes first, never one that is in use. Who is served next, `Queue` decides."""

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
        self._callers: tuple[Caller, ...] = ()
        self._numbers = count()
        self._coming: Caller | None = None
        self._users: Counter[str] = Counter()

    def models(self) -> tuple[str, ...]:
        return tuple(self._pipelines)

    def notes(self) -> tuple[str, ...]:
        """How each resident model is held, a line for each about which there is something to
        say."""
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
        """The model's pipeline, loaded piece by piece if need be. Call it once inside each `using`;
        closing it gives the place in the queue up.

        Yields True before each piece of work, and False where there is nothing to do but wait. A
        component is loaded in one piece, however large.

        Raises:
            ModelUnavailable: it is not in the catalogue the engine was started with.
            WeightsRejected: its files are not what they must be.
        """
        caller, weights = Caller(number=next(self._numbers), model=model), None
        self._callers = (*self._callers, caller)
        try:
            while not self._queue().is_served(caller):
                if weights is None and model not in self._pipelines:
                    yield True
                    caller, weights = self._found(caller)
                elif weights is not None and self._queue().may_load(caller):
                    yield from self._load(caller, weights)
                else:
                    yield False
        finally:
            self._callers = tuple(one for one in self._callers if one.number != caller.number)
        self._pipelines[model] = self._pipelines.pop(model)  # last is most recent
        return self._pipelines[model]

    def _found(self, caller: Caller) -> tuple[Caller, Weights]:
        """The caller, who now knows how much room the model takes, and its files."""
        if caller.model not in self._cards:
            raise ModelUnavailable(f"The engine was started without a model called {caller.model!r}.")
        card = self._cards[caller.model]
        weights = inspect(card.path)
        known = replace(caller, size_bytes=placement_of(weights, card, self._device).device_bytes)
        self._callers = tuple(known if one.number == caller.number else one for one in self._callers)
        return known, weights

    def _load(self, caller: Caller, weights: Weights) -> Generator[bool, None, None]:
        card = self._cards[caller.model]
        self._evict(self._queue().leaving(caller))
        self._coming = caller
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
            self._coming = None
        self._callers = self._queue().after(caller.model)

    def _queue(self) -> Queue:
        return Queue(
            callers=self._callers,
            loaded={model: _size_of(pipeline) for model, pipeline in self._pipelines.items()},
            users=self._users,
            coming=self._coming,
            room_bytes=self._device.memory_bytes,
        )

    def _evict(self, models: Iterable[str]) -> None:
        for model in models:
            del self._pipelines[model]
        gc.collect()  # steadied layers and what steadies them hold each other
        if self._device.torch_device.type == "cuda":
            torch.cuda.empty_cache()


def _size_of(pipeline: Loaded) -> int:
    """With its LoRAs and other autoencoders."""
    others = pipeline.autoencoders.size_bytes if isinstance(pipeline, Pipeline) else 0
    return pipeline.size_bytes + pipeline.adapters.size_bytes + others
