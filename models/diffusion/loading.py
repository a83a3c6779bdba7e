"""From a folder that passed inspection to a pipeline: a model loaded and ready."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

import torch

from models.catalogue import ModelCard
from models.diffusion.device import Device
from models.diffusion.families.clip_text import ClipText
from models.diffusion.families.conditioning import Conditioning
from models.diffusion.families.network import Network
from models.diffusion.families.sd1 import StableDiffusion1
from models.diffusion.families.sdxl import StableDiffusionXl
from models.diffusion.fingerprint import fingerprint_of
from models.diffusion.vocabulary import Vocabulary
from models.diffusion.weights import Weights
from models.errors import WeightsRejected
from models.manifest import Fingerprint
from models.spec import GenerationSpec

MODULES = {
    "AutoencoderKL": "diffusers.models.autoencoders.autoencoder_kl",
    "AutoencoderTiny": "diffusers.models.autoencoders.autoencoder_tiny",
    "UNet2DConditionModel": "diffusers.models.unets.unet_2d_condition",
    "CLIPTextModel": "transformers.models.clip.modeling_clip",
    "CLIPTextModelWithProjection": "transformers.models.clip.modeling_clip",
    "CLIPTokenizer": "transformers.models.clip.tokenization_clip",
    "CLIPTokenizerFast": "transformers.models.clip.tokenization_clip",
}


class Texts(Protocol):
    """A family's way to read a spec."""

    def prepare(self, spec: GenerationSpec) -> Conditioning: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pipeline:
    """Everything that paints with one model; holds nothing of any picture."""

    texts: Texts
    network: Network
    scheduler_config: Mapping[str, object]
    vocabulary: Vocabulary
    fingerprint: Fingerprint
    size_bytes: int


def load_pipeline(weights: Weights, card: ModelCard, *, device: Device, model_sha256: str) -> Pipeline:
    """Load the components onto the device.

    Raises:
        WeightsRejected: the files are not what their configuration says.
    """
    try:
        networks = {name: _load_network(weights, name, device) for name in weights.classes if _is_network(name)}
        texts = _texts(weights, networks)
        scheduler_config = json.loads((weights.folder / "scheduler" / "scheduler_config.json").read_bytes())
    except (OSError, ValueError, KeyError, TypeError) as wrong:
        raise WeightsRejected(f"{card.id} could not be loaded: {wrong}") from wrong
    return Pipeline(
        texts=texts,
        network=Network(networks["unet"], networks["vae"]),
        scheduler_config=scheduler_config,
        vocabulary=Vocabulary.read(card.vocabulary),
        fingerprint=fingerprint_of(model_sha256, device),
        size_bytes=sum(_size_bytes(network) for network in networks.values()),
    )


def _is_network(component: str) -> bool:
    return not component.startswith("tokenizer")


def _texts(weights: Weights, networks: Mapping[str, Any]) -> Texts:
    if weights.pipeline == "StableDiffusionXLPipeline":
        first = ClipText(_load_tokenizer(weights, "tokenizer"), networks["text_encoder"], layer=-2)
        second = ClipText(_load_tokenizer(weights, "tokenizer_2"), networks["text_encoder_2"], layer=-2)
        return StableDiffusionXl(first, second, forces_zeros=weights.forces_zeros)
    return StableDiffusion1(ClipText(_load_tokenizer(weights, "tokenizer"), networks["text_encoder"], layer=-1))


def _load_network(weights: Weights, component: str, device: Device) -> Any:
    """Every weight must be in the file: diffusers and transformers would fill a gap with chance."""
    kind = weights.classes[component]
    dtype = torch.float32 if component == "vae" else device.dtype
    dtype_name = "dtype" if component.startswith("text_encoder") else "torch_dtype"
    network, loaded = _class(kind).from_pretrained(
        weights.folder / component,
        use_safetensors=True,
        local_files_only=True,
        variant=weights.variant,
        output_loading_info=True,
        **{dtype_name: dtype},
    )
    if missing := loaded["missing_keys"]:
        raise WeightsRejected(f"{component} lacks {len(missing)} weights, such as {min(missing)}.")
    return network.to(device.torch_device).eval().requires_grad_(requires_grad=False)


def _load_tokenizer(weights: Weights, component: str) -> Any:
    return _class(weights.classes[component]).from_pretrained(weights.folder / component, local_files_only=True)


def _class(kind: str) -> Any:
    return getattr(import_module(MODULES[kind]), kind)


def _size_bytes(network: torch.nn.Module) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in network.parameters())
