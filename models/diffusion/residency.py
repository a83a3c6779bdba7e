"""Which models are loaded: the one place that decides what stays in the device's memory."""

from collections.abc import Mapping

import torch

from models.catalogue import ModelCard
from models.diffusion.device import Device
from models.diffusion.loading import Pipeline, load_pipeline
from models.diffusion.weights import Hashes, inspect
from models.errors import ModelUnavailable


class Residency:
    """Keeps pipelines as long as they fit into `device.memory_bytes`; the least recently used one goes first."""

    def __init__(self, cards: Mapping[str, ModelCard], device: Device) -> None:
        self._cards = cards
        self._device = device
        self._hashes = Hashes()
        self._pipelines: dict[str, Pipeline] = {}

    def models(self) -> tuple[str, ...]:
        return tuple(self._pipelines)

    def holds(self, model: str) -> bool:
        return model in self._pipelines

    def pipeline(self, model: str) -> Pipeline:
        """The model's pipeline, loaded if need be. The caller holds it no longer than one painting.

        Raises:
            ModelUnavailable: it is not in the catalogue the engine was started with.
            WeightsRejected: its files are not what they must be.
        """
        pipeline = self._pipelines.pop(model, None) or self._load(model)
        self._pipelines[model] = pipeline  # last is most recent
        return pipeline

    def _load(self, model: str) -> Pipeline:
        if model not in self._cards:
            raise ModelUnavailable(f"The engine was started without a model called {model!r}.")
        card = self._cards[model]
        weights = inspect(card.path)
        self._make_room(weights.size_bytes * 2)  # half-precision files grow to float32 on a CPU
        return load_pipeline(weights, card, device=self._device, model_sha256=self._hashes.of_model(weights))

    def _make_room(self, wanted_bytes: int) -> None:
        while self._pipelines and self._held_bytes() + wanted_bytes > self._device.memory_bytes:
            self._pipelines.pop(next(iter(self._pipelines)))
        if self._device.torch_device.type == "cuda":
            torch.cuda.empty_cache()

    def _held_bytes(self) -> int:
        return sum(pipeline.size_bytes for pipeline in self._pipelines.values())
