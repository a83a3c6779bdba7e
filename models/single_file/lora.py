"""Which models a LoRA was made for, known by the names and shapes in its file's header."""

import re
from collections.abc import Mapping
from pathlib import Path

from models.catalogue import Family
from models.errors import WeightsRejected
from models.single_file.header import TensorForm, read_header

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
READS_TEXT = re.compile(r"attn2[._](processor\.)?to_[kv]\b.*(down|lora_A)|attn2[._](processor\.)?to_[kv]_lora\.down")
FAMILY_BY_TEXT_WIDTH = {256: Family.STARTER, 768: Family.SD1, 1024: Family.SD2, 2048: Family.SDXL}


def inspect_lora(file: Path) -> Family | None:
    """The family that the file seems to be made for; None where neither a name nor a shape says it.

    Raises:
        WeightsRejected: no safetensors file, or no LoRA of the plain kind; the message names a tensor.
    """
    tensors = read_header(file).tensors
    for pattern, kind in OTHER_FORMULAS:
        if found := next(filter(re.compile(pattern).search, tensors), None):
            raise WeightsRejected(f"{file.name} is {kind} ({found}); plain LoRAs are applied.")
    if not any(map(NARROW.search, tensors)):
        example = next(iter(tensors), "no tensor at all")
        raise WeightsRejected(f"{file.name} is no LoRA: it holds {example}.")
    return _family_of(tensors)


def _family_of(tensors: Mapping[str, TensorForm]) -> Family | None:
    """The width of the text that the network reads is the surest sign."""
    for name, form in tensors.items():
        if READS_TEXT.search(name) and len(form.shape) > 1 and form.shape[1] in FAMILY_BY_TEXT_WIDTH:
            return FAMILY_BY_TEXT_WIDTH[form.shape[1]]
    for pattern, family in OTHER_FAMILIES:
        if any(map(re.compile(pattern).search, tensors)):
            return family
    return None
