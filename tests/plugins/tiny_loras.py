"""Random LoRAs for the tiny models, in the forms that are passed around."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import save_file
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from models import AdapterCard, Family

KINDS = {
    "unet": UNet2DConditionModel,
    "text_encoder": CLIPTextModel,
    "text_encoder_2": CLIPTextModelWithProjection,
}
CHANGED = (
    *("to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2", "proj_in", "proj_out", "time_emb_proj"),
    *("conv1", "conv2", "q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"),
)
KOHYA = {"unet": "lora_unet", "text_encoder": "lora_te", "text_encoder_2": "lora_te2"}


def write_lora(
    file: Path,
    model: Path,
    *,
    seed: int = 1,
    alpha: float | None = None,
    ranks: tuple[int, ...] = (2,),
    parts: tuple[str, ...] = tuple(KINDS),
) -> Path:
    """A LoRA that changes about every layer of `parts` of `model`. `ranks` take turns. With `alpha` it has kohya's form,
    else diffusers'."""
    generator = torch.Generator("cpu").manual_seed(seed)
    tensors: dict[str, torch.Tensor] = {}
    has_two = (model / "text_encoder_2").exists()
    for part, layer, shape, rank in _layers(model, ranks, parts):
        ones = (1,) * len(shape[2:])
        down = torch.randn((rank, *shape[1:]), generator=generator) * 0.3
        up = torch.randn((shape[0], rank, *ones), generator=generator) * 0.3
        if alpha is not None:
            prefix = "lora_te1" if has_two and part == "text_encoder" else KOHYA[part]
            stem = f"{prefix}_{layer.replace('.', '_')}"
            tensors |= {f"{stem}.lora_down.weight": down, f"{stem}.lora_up.weight": up}
            tensors[f"{stem}.alpha"] = torch.tensor(alpha)
        else:
            tensors |= {f"{part}.{layer}.lora_A.weight": down, f"{part}.{layer}.lora_B.weight": up}
    save_file(tensors, file)
    return file


def adapter_card(
    file: Path, *, id: str = "ink", family: Family = Family.SD1, trigger: str | None = None
) -> AdapterCard:
    return AdapterCard(id=id, family=family, path=file, licence="none", trigger=trigger)


def _layers(
    model: Path, ranks: tuple[int, ...], parts: tuple[str, ...]
) -> Iterator[tuple[str, str, tuple[int, ...], int]]:
    """(part, layer as files call it, shape of its weight, rank)."""
    for part in parts:
        if not (model / part).exists():
            continue
        network: Any = KINDS[part].from_pretrained(model / part)
        weights: Mapping[str, torch.Tensor] = network.state_dict()
        names = [name.removesuffix(".weight") for name in weights if name.endswith(".weight")]
        for place, name in enumerate(name for name in names if name.endswith(CHANGED)):
            layer = name if part == "unet" else f"text_model.{name.removeprefix('text_model.')}"
            yield part, layer, tuple(weights[f"{name}.weight"].shape), ranks[place % len(ranks)]
