"""From a folder that passed inspection to a pipeline of diffusers that paints as a whole."""

import importlib
from collections.abc import Generator, Mapping
from typing import Any

import torch

from models.catalogue import ModelCard
from models.diffusion.device import Device
from models.diffusion.loading.components import Loader
from models.diffusion.resident.adapters import Adapters
from models.diffusion.resident.fingerprint import fingerprint_of
from models.diffusion.resident.placement import notes_on
from models.diffusion.resident.placing import place, placement_of
from models.diffusion.resident.whole import WholePipeline
from models.diffusion.weights.folders import IGNORED, Weights
from models.diffusion.weights.hashing import Hashes
from models.diffusion.weights.reading import read_network, rejecting
from models.errors import WeightsRejected
from models.manifest import Execution
from models.vocabulary import Vocabulary


class WholeLoader(Loader):
    """Classes are called by library and name; networks are what has a configuration of its own. All
    compute in the device's dtype, and are laid out as diffusers lays them out."""

    @property
    def networks(self) -> list[str]:
        return [name for name in self.weights.classes if (self.weights.folder / name / "config.json").exists()]

    def network(self, name: str) -> torch.nn.Module:
        kind, folder = _class_of(self.weights.classes[name]), self.weights.folder / name
        return read_network(kind, folder, dtype=self.device.dtype, variant=self.weights.variant)


def loading_whole(
    weights: Weights, card: ModelCard, *, device: Device, model_sha256: str
) -> Generator[bool, None, WholePipeline]:
    """Load the components onto the device; yields True before each.

    Raises:
        WeightsRejected: the files are not what their configuration says, or the card adds what cannot be added.
    """
    if card.vae is not None or card.embeddings:
        raise WeightsRejected(
            f"{card.id} is painted by diffusers' {weights.pipeline} as a whole; its card may name neither another "
            "autoencoder (`vae`) nor `embeddings`."
        )
    with rejecting(card.id):
        placement = placement_of(weights, card, device)
        networks = yield from WholeLoader(weights=weights, device=device).loading(placement)
        pipeline = _assembled(weights, networks)
        place(networks, placement, device.torch_device)
    return WholePipeline(
        pipeline=pipeline,
        vocabulary=Vocabulary.read(card.vocabulary),
        fingerprint=fingerprint_of(model_sha256, device, placement, Execution.PIPELINE),
        size_bytes=placement.device_bytes,
        adapters=Adapters({}, family=card.family, networks={}, hashes=Hashes(), on_change=_nothing),
        notes=(
            f"painted by diffusers' {weights.pipeline}, one picture at a time",
            *notes_on(placement, largest_pixels=0),  # it decodes as it likes
        ),
    )


def _assembled(weights: Weights, networks: Mapping[str, Any]) -> Any:
    """diffusers reads tokenizers and scheduler itself; it knows which of them a folder may leave
    out."""
    kind = _class_of(f"diffusers.{weights.pipeline}")
    known = kind._get_signature_keys(kind)[0]  # noqa: SLF001 - diffusers offers no other way
    absent = {name: None for name in IGNORED if name in known}
    return kind.from_pretrained(weights.folder, local_files_only=True, use_safetensors=True, **networks, **absent)


def _class_of(kind: str) -> Any:
    """A class of diffusers or transformers by its full name. Raises AttributeError: there is none
    such."""
    library, _, name = kind.partition(".")
    found = getattr(importlib.import_module(library), name)
    if not isinstance(found, type):
        raise TypeError(f"{kind} is no class")
    return found


def _nothing() -> None:
    """No LoRA ever comes or goes here."""
