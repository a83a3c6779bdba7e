"""Single-file checkpoints of tiny width under the original (LDM) names, with every block of the real ones.

A tiny diffusers pipeline of the architecture is made first; its weights are then given the names they would have in a
file from Civitai. The mapping here goes the other way round than the product's and shares nothing with it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    EulerDiscreteScheduler,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from safetensors.torch import save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from models.diffusion.originals.vocabulary import new_tokenizer

Tensors = dict[str, torch.Tensor]
BETAS = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "steps_offset": 1}
LAYERS = 2
RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "time_emb_proj": "emb_layers.1",
    "conv_shortcut": "skip_connection",
}
UNET_ENDS = {
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_in": "input_blocks.0.0",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
OPEN_CLIP = {
    "embeddings.token_embedding.weight": "token_embedding.weight",
    "embeddings.position_embedding.weight": "positional_embedding",
    "final_layer_norm": "ln_final",
    "encoder.layers": "transformer.resblocks",
    "layer_norm": "ln_",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
    "self_attn.out_proj": "attn.out_proj",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """The same weights twice: as a single file and in a pipeline of diffusers."""

    file: Path
    pipeline: Any


def original_sd1(file: Path, *, in_channels: int = 4) -> Original:
    """The layout of SD 1.5."""
    with seeded(1):
        text = CLIPTextModel(_text(width=64, layers=12, act="quick_gelu"))
        unet = UNet2DConditionModel(
            **_unet(in_channels=in_channels, widths=(32, 64, 96, 96), cross_attention_dim=64),
            attention_head_dim=8,
        )
        pipeline = _sd_pipeline(text, unet, sample_size=512, prediction="epsilon")
    tensors = _whole(pipeline) | _named("cond_stage_model.transformer.text_model.", text.state_dict())
    return _saved(file, tensors, pipeline)


def original_sd2(file: Path, *, in_channels: int = 4, prediction: str = "v_prediction") -> Original:
    """The layout of SD 2.1: 24 text layers in the file, of which 23 are used."""
    with seeded(2):
        text = CLIPTextModel(_text(width=128, layers=23, act="gelu"))
        unet = UNet2DConditionModel(
            **_unet(in_channels=in_channels, widths=(64, 64, 128, 128), cross_attention_dim=128),
            attention_head_dim=[1, 1, 2, 2],
            use_linear_projection=True,
        )
        pipeline = _sd_pipeline(text, unet, sample_size=768, prediction=prediction, pad="!")
    encoder = _open_clip(text.state_dict())
    last = {name.replace(".22.", ".23."): torch.ones_like(weight) for name, weight in encoder.items() if ".22." in name}
    unused = last | {"text_projection": torch.ones(128, 128), "logit_scale": torch.ones(())}
    return _saved(file, _whole(pipeline) | _named("cond_stage_model.model.", encoder | unused), pipeline)


def original_sdxl(file: Path, *, in_channels: int = 4, markers: tuple[str, ...] = ()) -> Original:
    """The layout of SDXL base: two text encoders, transformers 2 and 10 layers deep, size conditioning."""
    with seeded(3):
        first = CLIPTextModel(_text(width=64, layers=12, act="quick_gelu"))
        second = CLIPTextModelWithProjection(_text(width=128, layers=32, act="gelu", projection=128))
        unet = UNet2DConditionModel(**_sdxl_unet(in_channels))
        pipeline = StableDiffusionXLPipeline(
            vae=_vae(0.13025, sample_size=1024),
            text_encoder=first,
            text_encoder_2=second,
            tokenizer=new_tokenizer("<|endoftext|>"),
            tokenizer_2=new_tokenizer("!"),
            unet=unet,
            scheduler=EulerDiscreteScheduler(**_sdxl_schedule(markers)),
            add_watermarker=False,
        )
    encoder = {name.removeprefix("text_model."): weight for name, weight in second.state_dict().items()}
    projection = {"text_projection": encoder.pop("text_projection.weight").T.contiguous()}
    tensors = _whole(pipeline) | _named("conditioner.embedders.0.transformer.text_model.", first.state_dict())
    tensors |= _named("conditioner.embedders.1.model.", _open_clip(encoder) | projection)
    return _saved(file, tensors | {marker: torch.zeros(0) for marker in markers}, pipeline)


class seeded:  # noqa: N801 - reads as a word in a with statement
    """Random weights from `seed`; the caller's own chance is left as it was."""

    def __init__(self, seed: int) -> None:
        self._seed, self._fork = seed, torch.random.fork_rng(devices=[])

    def __enter__(self) -> None:
        self._fork.__enter__()
        torch.random.manual_seed(self._seed)

    def __exit__(self, *raised: object) -> None:
        self._fork.__exit__(*raised)


def _saved(file: Path, tensors: Tensors, pipeline: Any) -> Original:
    """Beside the weights lies what real files have and nobody needs."""
    clutter = {
        "alphas_cumprod": torch.ones(1000),
        "model_ema.decay": torch.tensor(0.9999),
        "model_ema.diffusion_modelinput_blocks00weight": torch.full((4, 4), torch.nan),
        "cond_stage_model.transformer.text_model.embeddings.position_ids": torch.arange(77)[None],
    }
    save_file({name: tensor.contiguous() for name, tensor in (clutter | tensors).items()}, file)
    pipeline.set_progress_bar_config(disable=True)
    return Original(file=file, pipeline=pipeline)


def _sd_pipeline(
    text: CLIPTextModel, unet: UNet2DConditionModel, *, sample_size: int, prediction: str, pad: str = "<|endoftext|>"
) -> StableDiffusionPipeline:
    schedule = BETAS | {"clip_sample": False, "set_alpha_to_one": False, "prediction_type": prediction}
    return StableDiffusionPipeline(
        vae=_vae(0.18215, sample_size=sample_size),
        text_encoder=text,
        tokenizer=new_tokenizer(pad),
        unet=unet,
        scheduler=DDIMScheduler(**schedule),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def _sdxl_schedule(markers: tuple[str, ...]) -> dict[str, object]:
    plain = BETAS | {"prediction_type": "v_prediction" if "v_pred" in markers else "epsilon"}
    zero_snr = {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    return plain | (zero_snr if "ztsnr" in markers else {"timestep_spacing": "leading"})


def _unet(*, in_channels: int, widths: tuple[int, ...], cross_attention_dim: int) -> dict[str, object]:
    return {
        "sample_size": 64,
        "in_channels": in_channels,
        "block_out_channels": widths,
        "layers_per_block": LAYERS,
        "down_block_types": (*("CrossAttnDownBlock2D",) * 3, "DownBlock2D"),
        "up_block_types": ("UpBlock2D", *("CrossAttnUpBlock2D",) * 3),
        "cross_attention_dim": cross_attention_dim,
    }


def _sdxl_unet(in_channels: int) -> dict[str, object]:
    return {
        "sample_size": 128,
        "in_channels": in_channels,
        "block_out_channels": (32, 64, 128),
        "layers_per_block": LAYERS,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        "transformer_layers_per_block": [1, 2, 10],
        "attention_head_dim": [1, 1, 2],
        "cross_attention_dim": 64 + 128,
        "use_linear_projection": True,
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 32,
        "projection_class_embeddings_input_dim": 128 + 6 * 32,
    }


def _vae(scaling_factor: float, *, sample_size: int) -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(32, 32, 64, 64),
        layers_per_block=LAYERS,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        scaling_factor=scaling_factor,
        sample_size=sample_size,
    )


def _text(*, width: int, layers: int, act: str, projection: int = 64) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=49408,
        hidden_size=width,
        projection_dim=projection,
        intermediate_size=2 * width,
        num_hidden_layers=layers,
        num_attention_heads=width // 64,
        hidden_act=act,
        bos_token_id=49406,
        eos_token_id=49407,
        pad_token_id=1,
    )


# --- the names ---------------------------------------------------------------------------------------------------------


def _whole(pipeline: Any) -> Tensors:
    """U-Net and VAE."""
    unet = pipeline.unet.state_dict()
    attends = {match[1] for name in unet if (match := re.match(r"up_blocks\.(\d+)\.attentions", name))}
    names = {name: _unet_name(name, attends) for name in unet}
    network = {f"model.diffusion_model.{names[name]}": weight for name, weight in unet.items()}
    return network | dict(_vae_weights(pipeline.vae.state_dict(), levels=4))


def _unet_name(name: str, attends: set[str]) -> str:
    for ours, original in UNET_ENDS.items():
        if name.startswith(f"{ours}."):
            return name.replace(ours, original, 1)
    places: dict[str, Callable[[int, int], str]] = {
        r"down_blocks\.(\d+)\.resnets\.(\d+)": lambda block, layer: f"input_blocks.{block * 3 + layer + 1}.0",
        r"down_blocks\.(\d+)\.attentions\.(\d+)": lambda block, layer: f"input_blocks.{block * 3 + layer + 1}.1",
        r"down_blocks\.(\d+)\.downsamplers\.(\d+)\.conv": lambda block, _: f"input_blocks.{block * 3 + 3}.0.op",
        r"up_blocks\.(\d+)\.resnets\.(\d+)": lambda block, layer: f"output_blocks.{block * 3 + layer}.0",
        r"up_blocks\.(\d+)\.attentions\.(\d+)": lambda block, layer: f"output_blocks.{block * 3 + layer}.1",
        r"up_blocks\.(\d+)\.upsamplers\.(\d+)\.conv": lambda block, _: (
            f"output_blocks.{block * 3 + 2}.{2 if str(block) in attends else 1}.conv"
        ),
        r"(mid)_block\.resnets\.(\d+)": lambda _, layer: f"middle_block.{2 * layer}",
        r"(mid)_block\.attentions\.(\d+)": lambda _, layer: f"middle_block.{2 * layer + 1}",
    }
    for pattern, place in places.items():
        if match := re.match(pattern, name):
            block, layer = (int(part) if part.isdigit() else 0 for part in match.groups())
            inner = name[match.end() :]
            return place(block, layer) + (_replaced(inner, RESNET) if ".resnets." in name else inner)
    raise AssertionError(f"no original name for {name}")


def _vae_weights(weights: Mapping[str, torch.Tensor], *, levels: int) -> Iterator[tuple[str, torch.Tensor]]:
    for name, weight in weights.items():
        original = re.sub(r"up_blocks\.(\d+)", lambda found: f"up.{levels - 1 - int(found[1])}", name)
        original = re.sub(r"mid_block\.resnets\.(\d+)", lambda found: f"mid.block_{int(found[1]) + 1}", original)
        original = original.replace("down_blocks.", "down.").replace(".resnets.", ".block.")
        original = original.replace("samplers.0.", "sample.").replace("conv_shortcut", "nin_shortcut")
        original = original.replace("conv_norm_out", "norm_out").replace("mid_block.attentions.0", "mid.attn_1")
        original = original.replace("group_norm", "norm").replace("to_out.0", "proj_out")
        original = re.sub(r"attn_1\.to_([qkv])", r"attn_1.\1", original)
        is_projection = ".attn_1." in original and weight.ndim == 2
        yield f"first_stage_model.{original}", weight[:, :, None, None] if is_projection else weight


def _open_clip(weights: Mapping[str, torch.Tensor]) -> Tensors:
    """Queries, keys and values are one matrix there."""
    split = re.compile(r"encoder\.layers\.(\d+)\.self_attn\.([qkv])_proj\.(weight|bias)")
    whole = {_replaced(name, OPEN_CLIP): weight for name, weight in weights.items() if not split.fullmatch(name)}
    for layer, part in sorted({(found[1], found[3]) for name in weights if (found := split.fullmatch(name))}):
        stem = f"encoder.layers.{layer}.self_attn"
        whole[f"transformer.resblocks.{layer}.attn.in_proj_{part}"] = torch.cat(
            [weights[f"{stem}.{letter}_proj.{part}"] for letter in "qkv"]
        )
    return whole


def _named(prefix: str, weights: Mapping[str, torch.Tensor]) -> Tensors:
    return {prefix + name: weight for name, weight in weights.items()}


def _replaced(text: str, words: Mapping[str, str]) -> str:
    for old, new in words.items():
        text = text.replace(old, new)
    return text
