"""Which models are loaded: the one place that decides what stays in the device's memory."""

import gc
from collections import Counter
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager

import torch

from models.catalogue import AdapterCard, ModelCard
from models.diffusion.device import Device
from models.diffusion.loading import Loaded, loading
from models.diffusion.weights import Hashes, inspect
from models.errors import ModelUnavailable


class Residency:
    """Keeps pipelines as long as they fit into `device.memory_bytes`; the least recently used one goes first, never one
    that is in use."""

    def __init__(
        self, cards: Mapping[str, ModelCard], device: Device, adapters: Mapping[str, AdapterCard] | None = None
    ) -> None:
        self._cards = cards
        self._device = device
        self._adapter_cards = dict(adapters or {})
        self._hashes = Hashes()
        self._pipelines: dict[str, Loaded] = {}
        self._being_loaded: str | None = None
        self._users: Counter[str] = Counter()

    def models(self) -> tuple[str, ...]:
        return tuple(self._pipelines)

    def notes(self) -> tuple[str, ...]:
        """How each resident model is held, a line for each about which there is something to say."""
        return tuple(f"{model}: {note}" for model, pipeline in self._pipelines.items() for note in pipeline.notes)

    def holds(self, model: str) -> bool:
        return model in self._pipelines

    @contextmanager
    def using(self, model: str) -> Iterator[None]:
        """Inside, a loaded `model` stays loaded."""
        self._users[model] += 1
        try:
            yield
        finally:
            self._users[model] -= 1

    def pipeline(self, model: str) -> Generator[bool, None, Loaded]:
        """The model's pipeline, loaded piece by piece if need be. Call it inside `using`.

        Yields True before each piece, and False where there is nothing to do but wait: another caller loads, or all that
        is loaded is in use and leaves no room.

        Raises:
            ModelUnavailable: it is not in the catalogue the engine was started with.
            WeightsRejected: its files are not what they must be.
        """
        while model not in self._pipelines:
            if self._being_loaded is not None:
                yield False
            else:
                yield from self._load(model)
        self._pipelines[model] = self._pipelines.pop(model)  # last is most recent
        return self._pipelines[model]

    def _load(self, model: str) -> Generator[bool, None, None]:
        if model not in self._cards:
            raise ModelUnavailable(f"The engine was started without a model called {model!r}.")
        card = self._cards[model]
        self._being_loaded = model
        try:
            yield True
            weights = inspect(card.path)
            while not self._make_room(weights.size_bytes * 2):  # half-precision files grow to float32 on a CPU
                yield False
            sha256 = self._hashes.of_model(weights, card)
            self._pipelines[model] = yield from loading(
                weights, card, device=self._device, model_sha256=sha256, adapters=self._adapter_cards
            )
        finally:
            self._being_loaded = None

    def _make_room(self, wanted_bytes: int) -> bool:
        """Let go of what nobody uses until there is room. True also if there never will be more of it."""
        while self._pipelines and self._held_bytes() + wanted_bytes > self._device.memory_bytes:
            idle = next((model for model in self._pipelines if not self._users[model]), None)
            if idle is None:
                return False
            del self._pipelines[idle]
            gc.collect()  # steadied layers and what steadies them hold each other
        if self._device.torch_device.type == "cuda":
            torch.cuda.empty_cache()
        return True

    def _held_bytes(self) -> int:
        return sum(pipeline.size_bytes + pipeline.adapters.size_bytes for pipeline in self._pipelines.values())
