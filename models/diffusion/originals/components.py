"""The parts of a checkpoint as diffusers and transformers have them: configuration, and names
turned by diffusers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import torch
from diffusers.loaders.single_file_utils import (
    convert_ldm_clip_checkpoint,
    convert_ldm_unet_checkpoint,
    convert_ldm_vae_checkpoint,
    convert_open_clip_checkpoint,
)
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from transformers.models.clip.configuration_clip import CLIPTextConfig
from transformers.models.clip.modeling_clip import CLIPTextModel, CLIPTextModelWithProjection

from models.catalogue import Family
from models.diffusion.originals.vocabulary import TOKENS
from models.errors import WeightsRejected
from models.single_file import Checkpoint
from models.single_file.dimensions import (
    SD2_TEXT_LAYERS,
    Config,
    Shapes,
    clip_config,
    open_clip_config,
    size_conditioning,
    unet_config,
    vae_config,
)
from models.single_file.naming import CLIP, CLIP_XL, OPEN_CLIP, OPEN_CLIP_XL, UNET, VAE, is_clutter

Tensors = Mapping[str, torch.Tensor]


class FixedConfiguration(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What all checkpoints of a family have in common, in diffusers' and transformers' own words.

    `pipelines` are the classes for painting and for inpainting; the others go by component.
    """

    pipelines: tuple[str, str]
    index: Config
    scheduler: Config
    tokenizers: Mapping[str, Mapping[str, str]]
    text_encoders: Mapping[str, Config]
    unet: Config
    vae: Config


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One network. `network` has no weights yet: all its tensors are on torch's meta device.

    `names` are the plain names of its tensors in the checkpoint; `convert` gives them the network's
    names.
    """

    name: str
    network: Any
    names: tuple[str, ...]
    convert: Callable[[Tensors], dict[str, torch.Tensor]]

    @property
    def kind(self) -> str:
        return type(self.network).__name__


@dataclass(frozen=True, slots=True, kw_only=True)
class _Text:
    """How one text encoder is built: `is_projected` where its pooled output is used too."""

    prefix: str
    is_open_clip: bool = False
    is_projected: bool = False


TEXTS: Mapping[Family, Mapping[str, _Text]] = {
    Family.SD1: {"text_encoder": _Text(prefix=CLIP)},
    Family.SD2: {"text_encoder": _Text(prefix=OPEN_CLIP, is_open_clip=True)},
    Family.SDXL: {
        "text_encoder": _Text(prefix=CLIP_XL),
        "text_encoder_2": _Text(prefix=OPEN_CLIP_XL, is_open_clip=True, is_projected=True),
    },
}


def fixed_configuration(family: Family) -> FixedConfiguration:
    return msgspec.json.decode(Path(__file__).with_name(f"{family}.json").read_bytes(), type=FixedConfiguration)


def components_of(checkpoint: Checkpoint) -> tuple[Component, ...]:
    """Every network of the checkpoint, the small ones first.

    Raises:
        WeightsRejected: a part is missing, or its dimensions make no network.
    """
    shapes, fixed = Shapes(checkpoint.tensors), fixed_configuration(checkpoint.family)
    try:
        with torch.device("meta"):
            texts = [_text(checkpoint, shapes, name, fixed) for name in TEXTS[checkpoint.family]]
            pooled = getattr(texts[-1].network.config, "projection_dim", 0)
            vae = _vae(checkpoint, fixed.vae | vae_config(checkpoint, shapes))
            unet = fixed.unet | unet_config(checkpoint, shapes)
            if checkpoint.family is Family.SDXL:
                unet |= size_conditioning(shapes, pooled)
            _check_context(unet, [text.network.config.hidden_size for text in texts])
            return *texts, vae, _unet(checkpoint, unet)
    except ValueError as wrong:
        raise WeightsRejected(f"Its dimensions make no {checkpoint.family} network: {wrong}") from wrong


def _check_context(unet: Config, text_widths: list[int]) -> None:
    if unet["cross_attention_dim"] != sum(text_widths):
        given = " + ".join(map(str, text_widths))
        raise WeightsRejected(
            f"The U-Net reads texts {unet['cross_attention_dim']} wide, and the text encoders give {given}: "
            "the parts of this file do not belong together."
        )


def _unet(checkpoint: Checkpoint, config: Config) -> Component:
    network = UNet2DConditionModel(**config)
    names = _names(checkpoint, UNET)
    convert = partial(convert_ldm_unet_checkpoint, config=config)
    return Component(name="unet", network=network, names=names, convert=convert)


def _vae(checkpoint: Checkpoint, config: Config) -> Component:
    network = AutoencoderKL(**config)
    convert = partial(convert_ldm_vae_checkpoint, config=config)
    return Component(name="vae", network=network, names=_names(checkpoint, VAE), convert=convert)


def _text(checkpoint: Checkpoint, shapes: Shapes, name: str, fixed: FixedConfiguration) -> Component:
    build, given = TEXTS[checkpoint.family][name], fixed.text_encoders[name]
    config = given | (open_clip_config if build.is_open_clip else clip_config)(shapes, build.prefix)
    if config["vocab_size"] != TOKENS:
        raise WeightsRejected(f"{name} knows {config['vocab_size']} tokens; CLIP's vocabulary has {TOKENS}.")
    names = _names(checkpoint, build.prefix)
    if checkpoint.family is Family.SD2:
        config["num_hidden_layers"] = min(shapes.count(f"{OPEN_CLIP}transformer.resblocks"), SD2_TEXT_LAYERS)
        unused = f"{OPEN_CLIP}transformer.resblocks.{SD2_TEXT_LAYERS}."
        names = tuple(one for one in names if not one.startswith(unused) and one != f"{OPEN_CLIP}text_projection")
    network = (CLIPTextModelWithProjection if build.is_projected else CLIPTextModel)(CLIPTextConfig(**config))
    convert = partial(_convert_text, network=network, build=build)
    return Component(name=name, network=network, names=names, convert=convert)


def _convert_text(tensors: Tensors, *, network: Any, build: _Text) -> dict[str, torch.Tensor]:
    """Without a projection around it, transformers' encoder has no `text_model.` before its
    names."""
    if build.is_open_clip:
        converted = convert_open_clip_checkpoint(network, tensors, prefix=build.prefix)
    else:
        converted = convert_ldm_clip_checkpoint(tensors)
    prefix = "" if build.is_projected else "text_model."
    return {name.removeprefix(prefix): tensor for name, tensor in converted.items()}


def _names(checkpoint: Checkpoint, prefix: str) -> tuple[str, ...]:
    return tuple(name for name in checkpoint.tensors if name.startswith(prefix) and not is_clutter(name))
