"""One component after the other of an inspected folder, each of its class and dtype, where it is
held."""

from collections.abc import Generator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import torch

from models.catalogue import Placing
from models.diffusion.device import Device
from models.diffusion.resident.placement import Placement
from models.diffusion.resident.placing import HOME
from models.diffusion.weights.folders import VAES, Weights, inspect_autoencoder
from models.diffusion.weights.reading import read_network

MODULES = {
    "AutoencoderKL": "diffusers.models.autoencoders.autoencoder_kl",
    "AutoencoderTiny": "diffusers.models.autoencoders.autoencoder_tiny",
    "UNet2DConditionModel": "diffusers.models.unets.unet_2d_condition",
    "SD3Transformer2DModel": "diffusers.models.transformers.transformer_sd3",
    "FluxTransformer2DModel": "diffusers.models.transformers.transformer_flux",
    "CLIPTextModel": "transformers.models.clip.modeling_clip",
    "CLIPTextModelWithProjection": "transformers.models.clip.modeling_clip",
    "T5EncoderModel": "transformers.models.t5.modeling_t5",
    "CLIPTokenizer": "transformers.models.clip.tokenization_clip",
    "CLIPTokenizerFast": "transformers.models.clip.tokenization_clip",
    "T5Tokenizer": "transformers.models.t5.tokenization_t5",
    "T5TokenizerFast": "transformers.models.t5",
}
CONVOLUTIONAL = ("AutoencoderKL", "AutoencoderTiny", "UNet2DConditionModel")


@dataclass(frozen=True, kw_only=True)
class Loader:
    """For models that we drive in parts, and for autoencoders that stand alone."""

    weights: Weights
    device: Device

    @property
    def networks(self) -> list[str]:
        """The components that compute."""
        return [name for name in self.weights.classes if not name.startswith("tokenizer")]

    def loading(self, placement: Placement) -> Generator[bool, None, dict[str, torch.nn.Module]]:
        """All networks, on the device or, where they do not stay there, in the machine's memory;
        yields True before each."""
        home = self.device.torch_device if placement.placing is Placing.WHOLE else HOME
        networks: dict[str, torch.nn.Module] = {}
        for name in self.networks:
            yield True
            networks[name] = self.network(name).to(home)
        return networks

    def network(self, name: str) -> torch.nn.Module:
        """On the CPU. Raises WeightsRejected: a weight is missing."""
        kind = self.weights.classes[name]
        dtype = self.device.decode_dtype if kind in VAES else self.device.dtype
        folder = self.weights.folder / name
        network: Any = read_network(_class_of(kind), folder, dtype=dtype, variant=self.weights.variant)
        if self.device.channels_last and kind in CONVOLUTIONAL:
            network = network.to(memory_format=torch.channels_last)
        ready: torch.nn.Module = network
        return ready

    def tokenizers(self) -> dict[str, object]:
        names = [name for name in self.weights.classes if name not in self.networks]
        return {
            name: _class_of(self.weights.classes[name]).from_pretrained(
                self.weights.folder / name, local_files_only=True
            )
            for name in names
        }


def load_autoencoder(folder: Path, device: Device) -> torch.nn.Module:
    """Raises WeightsRejected: it may not be loaded."""
    return Loader(weights=inspect_autoencoder(folder), device=device).network(folder.name)


def _class_of(kind: str) -> Any:
    return getattr(import_module(MODULES[kind]), kind)
