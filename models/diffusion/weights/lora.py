"""A LoRA's file as peft takes it: two narrow matrices for each layer of a network that it changes.

Written by diffusers, peft, kohya's scripts or A1111's tools: names are brought to the network's own,
everything is checked against the network, and nothing is put into it here.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from diffusers.loaders.lora_pipeline import StableDiffusionLoraLoaderMixin
from diffusers.utils.state_dict_utils import (
    DIFFUSERS_OLD_TO_PEFT,
    DIFFUSERS_TO_PEFT,
    UNET_TO_DIFFUSERS,
    convert_state_dict,
)
from peft.utils.other import get_pattern_key
from safetensors import SafetensorError, safe_open
from torch import nn

from models.errors import WeightsRejected
from models.single_file.lora import inspect_lora, with_plain_names

DOWN, UP = ".lora_A.weight", ".lora_B.weight"
OLD_PREFIX = "text_model."  # transformers 5 has left it out where it says nothing

Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True, slots=True)
class Layers:
    """What a LoRA changes in one network. `tensors` has the pairs, `<layer>.lora_A.weight` and
    `<layer>.lora_B.weight`; `alphas` has a layer's alpha, whose share of the rank is how strongly
    it acts at weight 1."""

    tensors: Tensors = field(default_factory=Tensors)
    alphas: dict[str, float] = field(default_factory=dict[str, float])

    @property
    def ranks(self) -> dict[str, int]:
        return {name.removesuffix(DOWN): down.shape[0] for name, down in self.tensors.items() if name.endswith(DOWN)}


def read_lora(file: Path, networks: Mapping[str, nn.Module]) -> dict[str, Layers]:
    """What the file changes in each of `networks`, in their dtype and on their device.

    Raises:
        WeightsRejected: it is no LoRA, holds something that is no number, or does not fit; the message names the file
            and one of its tensors.
    """
    try:
        made_for = inspect_lora(file)
        read, metadata = _tensors(file)
        named, alphas = StableDiffusionLoraLoaderMixin.lora_state_dict(
            with_plain_names(file.name, read), unet_config=networks["unet"].config
        )
        layers = _by_network(named, alphas or {}, networks)
        for component, theirs in layers.items():
            _add_alphas(theirs, component, metadata)
        return {component: _fitted(theirs, networks[component], component) for component, theirs in layers.items()}
    except (SafetensorError, OSError, ValueError, KeyError, IndexError, re.error) as wrong:
        raise WeightsRejected(f"The LoRA {file.name} cannot be applied: {wrong}") from wrong
    except _Unfit as wrong:
        seems = f" It seems to be made for {made_for}." if made_for else ""
        raise WeightsRejected(f"The LoRA {file.name} does not fit the model: {wrong}{seems}") from None


class _Unfit(Exception):
    """A tensor has no place in the network."""


def _tensors(file: Path) -> tuple[Tensors, Mapping[str, object]]:
    """Everything in the file, and what diffusers wrote about how it was trained. Raises
    ValueError."""
    with safe_open(file, framework="pt") as content:
        tensors = {name: content.get_tensor(name) for name in content.keys()}  # noqa: SIM118 - it is no mapping
        said = (content.metadata() or {}).get("lora_adapter_metadata", "{}")
    for name, tensor in tensors.items():
        if not bool(torch.isfinite(tensor.float()).all()):
            raise ValueError(f"{name} holds values that are not numbers (NaN or infinity).")
    metadata = json.loads(said)
    if not isinstance(metadata, dict):
        raise ValueError("its metadata is no object.")  # noqa: TRY004 - the file's fault, not the code's
    return tensors, metadata


def _by_network(named: Tensors, alphas: Mapping[str, float], networks: Mapping[str, nn.Module]) -> dict[str, Layers]:
    """Names as diffusers has them, `<component>.<layer>...`, to the network's own layers."""
    layers: dict[str, Layers] = {}
    for name, tensor in named.items():
        component, key = _split(name, networks)
        layers.setdefault(component, Layers()).tensors[key] = tensor
    for name, alpha in alphas.items():
        stem = name.removesuffix(".alpha")
        component, key = _split(stem if stem.endswith(".down.weight") else f"{stem}.lora.down.weight", networks)
        layers[component].alphas[key.removesuffix(DOWN)] = alpha
    return layers


def _split(name: str, networks: Mapping[str, nn.Module]) -> tuple[str, str]:
    """(component, peft's name). Raises _Unfit."""
    component, _, rest = name.partition(".")
    if component not in networks:
        raise _Unfit(f"{name} belongs to none of its networks ({', '.join(networks)}).")
    mappings = (UNET_TO_DIFFUSERS,) if component == "unet" else (DIFFUSERS_OLD_TO_PEFT, DIFFUSERS_TO_PEFT)
    for mapping in mappings:
        (rest,) = convert_state_dict({rest: None}, mapping)
    if not rest.endswith((DOWN, UP)):
        raise _Unfit(f"{name} is no half of a pair of narrow matrices.")
    if component != "unet" and not hasattr(networks[component], "text_model"):
        rest = rest.removeprefix(OLD_PREFIX)
    return component, rest


def _add_alphas(layers: Layers, component: str, metadata: Mapping[str, Any]) -> None:
    """What the file's metadata says; without any, alpha is the rank."""
    said = {key.removeprefix(f"{component}."): value for key, value in metadata.items() if key.startswith(component)}
    if said.get("use_dora") or said.get("lora_bias"):
        raise ValueError("its metadata asks for DoRA or for biases; plain LoRAs are applied.")
    patterns = said.get("alpha_pattern") or {}
    for layer, rank in layers.ranks.items():
        alpha = float(patterns.get(get_pattern_key(patterns, layer), said.get("lora_alpha", rank)))
        layers.alphas.setdefault(layer, alpha * rank**0.5 if said.get("use_rslora") else alpha)


def _fitted(layers: Layers, network: nn.Module, component: str) -> Layers:
    """Every pair is whole and has the shape that its layer needs. Raises _Unfit."""
    fitted: Tensors = {}
    for name in layers.tensors:
        layer = name.removesuffix(DOWN).removesuffix(UP)
        down, up = layers.tensors.get(layer + DOWN), layers.tensors.get(layer + UP)
        weight = _weight_of(network, layer)
        if weight is None or down is None or up is None:
            lack = "no such layer" if weight is None else "no other half"
            raise _Unfit(f"there is {lack} for {component}.{name}.")
        rank, rest = down.shape[0], weight.shape[1:]
        needed = (rank, *rest) if name.endswith(DOWN) else (weight.shape[0], rank, *(1 for _ in rest[1:]))
        if _without_ones(layers.tensors[name].shape) != _without_ones(needed):
            raise _Unfit(f"{component}.{name} has the shape {tuple(layers.tensors[name].shape)}, not {needed}.")
        fitted[name] = layers.tensors[name].reshape(needed).to(weight)
    return Layers(fitted, layers.alphas)


def _weight_of(network: nn.Module, layer: str) -> torch.Tensor | None:
    """The weight of a layer that can be changed, wrapped by peft already or not."""
    try:
        found = network.get_submodule(layer)
    except AttributeError:
        return None
    found = getattr(found, "base_layer", found)
    return found.weight if isinstance(found, nn.Linear | nn.Conv2d) else None


def _without_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Tools disagree on whether a matrix of a linear or 1 x 1 layer ends in axes of length one."""
    sides = list(shape)
    while sides and sides[-1] == 1:
        sides.pop()
    return tuple(sides)
