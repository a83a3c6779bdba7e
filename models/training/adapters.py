"""Small adapters (LoRA, by peft) on the finished denoiser: how one is put on, trained on and written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict, set_peft_model_state_dict

TARGETS: Final = ("to_q", "to_k", "to_v", "to_out.0", "proj_in", "proj_out", "ff.net.0.proj", "ff.net.2")
ALL_TARGETS: Final = (*TARGETS, "conv1", "conv2", "conv_shortcut", "conv", "conv_in", "conv_out", "time_emb_proj")
"""Convolutions, too: every layer that turns features into others."""


def with_adapter(
    network: UNet2DConditionModel, rank: int, seed: int, targets: Sequence[str] = TARGETS
) -> list[torch.nn.Parameter]:
    """Freeze the network and put a fresh adapter on it.

    Returns:
        The adapter's weights, the only ones that learn.
    """
    network.requires_grad_(False)
    network.add_adapter(LoraConfig(r=rank, lora_alpha=rank, target_modules=list(targets), init_lora_weights=True))
    generator = torch.Generator().manual_seed(seed)
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    for name, weight in network.named_parameters():
        if ".lora_A." in name:
            drawn = torch.empty(weight.shape).normal_(0.0, weight[0].numel() ** -0.5, generator=generator)
            weight.data.copy_(drawn)
    return weights


class Adapter:
    """An adapter as a course keeps it."""

    def __init__(self, network: UNet2DConditionModel) -> None:
        self._network = network

    def state_dict(self) -> dict[str, object]:
        """The adapter's weights."""
        return dict(get_peft_model_state_dict(self._network))

    def load_state_dict(self, state: dict[str, object]) -> None:
        """Go on from kept weights."""
        set_peft_model_state_dict(self._network, state)


def write_adapter(network: UNet2DConditionModel, target: Path) -> None:
    """Write the adapter as safetensors in bfloat16, with the keys of peft, which diffusers reads whole."""
    layers = get_peft_model_state_dict(network)
    narrow = {name: weight.to(torch.bfloat16).cpu().contiguous() for name, weight in layers.items()}
    StableDiffusionPipeline.save_lora_weights(
        target.parent, unet_lora_layers=narrow, safe_serialization=True, weight_name=target.name
    )
