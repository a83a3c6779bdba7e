"""Which models a LoRA was made for, known by the names and shapes in its file's header."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from models.catalogue import Family
from models.errors import WeightsRejected
from models.single_file.header import TensorForm, read_header

Tensor = TypeVar("Tensor")

# Names of what goes by "LoRA" too but changes weights by another formula than two narrow matrices.
OTHER_FORMULAS = (
    (r"\.hada_", "a LoHa"),
    (r"\.lokr_", "a LoKr"),
    (r"\.oft_", "an OFT"),
    (r"dora_scale|lora_magnitude_vector", "a DoRA"),
    (r"\.lora_mid\.", "a LoCon in Tucker form"),
    (r"\.diff(_b)?$", "a LoRA with whole weights in it"),
    (r"^bundle_emb\.", "a LoRA with textual inversions in it"),
)
NARROW = re.compile(
    r"lora_down|lora_A|lora\.down|lora_linear_layer\.down|lora_up|lora_B|lora\.up|lora_linear_layer\.up"
)
OTHER_FAMILIES = (
    (r"double_blocks|single_blocks|single_transformer_blocks", Family.FLUX),
    (r"joint_blocks|^transformer\..*\.attn\.add_k_proj", Family.SD3),
    (r"^lora_te2_|^text_encoder_2\.|^lora_unet_(input|output)_blocks|add_embedding", Family.SDXL),
)
HALVES = {"lora_down": "lora_up", "lora_A": "lora_B", "lora.down": "lora.up"}
HALVES["lora_linear_layer.down"] = "lora_linear_layer.up"
OTHER_HALF = HALVES | {up: down for down, up in HALVES.items()}
PEFTS_WRAPPER = "base_model.model."
OF_A_UNET = ("down_blocks.", "mid_block.", "up_blocks.", "conv_in.", "conv_out.", "time_embedding.", "add_embedding.")
READS_TEXT = re.compile(r"attn2[._](processor\.)?to_[kv]\b.*(down|lora_A)|attn2[._](processor\.)?to_[kv]_lora\.down")
FAMILY_BY_TEXT_WIDTH = {256: Family.STARTER, 768: Family.SD1, 1024: Family.SD2, 2048: Family.SDXL}


def inspect_lora(file: Path) -> Family | None:
    """The family that the file seems to be made for; None where neither a name nor a shape says it.

    Raises:
        WeightsRejected: no safetensors file, no LoRA of the plain kind, or one that lacks the half of a pair; the
            message names a tensor.
    """
    tensors = with_plain_names(file.name, read_header(file).tensors)
    for pattern, kind in OTHER_FORMULAS:
        if found := next(filter(re.compile(pattern).search, tensors), None):
            raise WeightsRejected(f"{file.name} is {kind} ({found}); plain LoRAs are applied.")
    if not any(map(NARROW.search, tensors)):
        example = next(iter(tensors), "no tensor at all")
        raise WeightsRejected(f"{file.name} is no LoRA: it holds {example}.")
    _check_halves(file.name, tensors)
    return _family_of(tensors)


def with_plain_names(file: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors under the names that diffusers or kohya's scripts give them, peft's wrappers taken off.

    Raises:
        WeightsRejected: two tensors of the file mean the same.
    """
    plain: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if (short := _plain(name)) in plain:
            raise WeightsRejected(f"{file} holds {short} twice, under names that mean the same.")
        plain[short] = tensor
    return plain


def _plain(name: str) -> str:
    """peft wraps a network as `base_model.model`, calls a LoRA `default`, and leaves out whose layer it is."""
    if not NARROW.search(name):
        return name
    short = name.replace(PEFTS_WRAPPER, "").replace(".default.weight", ".weight")
    if short.startswith(OF_A_UNET):
        return f"unet.{short}"
    return f"text_encoder.{short}" if short.startswith("text_model.") else short


def _check_halves(file: str, tensors: Mapping[str, TensorForm]) -> None:
    for name in tensors:
        if (found := NARROW.search(name)) is None:
            continue
        other = OTHER_HALF[found.group()]
        if name[: found.start()] + other + name[found.end() :] not in tensors:
            layer = name[: found.start()].rstrip("._")
            raise WeightsRejected(f"{file}: half of a pair is missing: the {other} of {layer}.")


def _family_of(tensors: Mapping[str, TensorForm]) -> Family | None:
    """The width of the text that the network reads is the surest sign."""
    for name, form in tensors.items():
        if READS_TEXT.search(name) and len(form.shape) > 1 and form.shape[1] in FAMILY_BY_TEXT_WIDTH:
            return FAMILY_BY_TEXT_WIDTH[form.shape[1]]
    for pattern, family in OTHER_FAMILIES:
        if any(map(re.compile(pattern).search, tensors)):
            return family
    return None
