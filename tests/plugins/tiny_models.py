"""Random-weight models of each family, a few hundred kilobytes, in the folder form of real ones."""

from collections.abc import Mapping
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DiffusionPipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLInpaintPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

WIDTH = 32
INPAINTING = {"in_channels": 9, "out_channels": 4}
ZERO_SNR = {
    "prediction_type": "v_prediction",
    "rescale_betas_zero_snr": True,
    "timestep_spacing": "trailing",
    "clip_sample": False,
}


def build_sd1(folder: Path, *, schedule: Mapping[str, object] | None = None) -> Path:
    """Four pixels a latent; `schedule` replaces members of the scheduler's configuration."""
    with torch.random.fork_rng():
        torch.random.manual_seed(1)
        pipeline = StableDiffusionPipeline(
            vae=tiny_vae(),
            text_encoder=CLIPTextModel(text_config()),
            tokenizer=tokenizer(),
            unet=UNet2DConditionModel(**tiny_unet()),
            scheduler=new_scheduler(schedule),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    pipeline.save_pretrained(folder, safe_serialization=True)
    return folder


def build_sd1_inpainting(folder: Path) -> Path:
    """Reads mask and masked picture beside the latents."""
    with torch.random.fork_rng():
        torch.random.manual_seed(3)
        pipeline = StableDiffusionInpaintPipeline(
            vae=tiny_vae(),
            text_encoder=CLIPTextModel(text_config()),
            tokenizer=tokenizer(),
            unet=UNet2DConditionModel(**tiny_unet(), **INPAINTING),
            scheduler=new_scheduler(None),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    pipeline.save_pretrained(folder, safe_serialization=True)
    return folder


def build_sd2(folder: Path, *, prediction_type: str) -> Path:
    """As SD 2 differs from SD 1: linear projections, heads by block, a text encoder exported without its last layer."""
    encoder = text_config()
    encoder.num_hidden_layers, encoder.hidden_act = 2, "gelu"
    with torch.random.fork_rng():
        torch.random.manual_seed(4)
        pipeline = StableDiffusionPipeline(
            vae=tiny_vae(),
            text_encoder=CLIPTextModel(encoder),
            tokenizer=tokenizer(pad="!"),
            unet=UNet2DConditionModel(
                **{**tiny_unet(), "attention_head_dim": (2, 4)}, use_linear_projection=True, upcast_attention=True
            ),
            scheduler=new_scheduler({"prediction_type": prediction_type}),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    pipeline.save_pretrained(folder, safe_serialization=True)
    return folder


def build_sdxl(folder: Path) -> Path:
    return _build_sdxl(StableDiffusionXLPipeline, folder, seed=2)


def build_sdxl_inpainting(folder: Path) -> Path:
    return _build_sdxl(StableDiffusionXLInpaintPipeline, folder, seed=5, **INPAINTING)


def _build_sdxl(kind: type[DiffusionPipeline], folder: Path, *, seed: int, **unet: object) -> Path:
    with torch.random.fork_rng():
        torch.random.manual_seed(seed)
        pipeline = kind(
            vae=tiny_vae(),
            text_encoder=CLIPTextModel(text_config()),
            text_encoder_2=CLIPTextModelWithProjection(text_config()),
            tokenizer=tokenizer(),
            tokenizer_2=tokenizer(pad="!"),
            unet=UNet2DConditionModel(
                **tiny_unet(cross_attention_dim=2 * WIDTH),
                addition_embed_type="text_time",
                addition_time_embed_dim=8,
                projection_class_embeddings_input_dim=6 * 8 + WIDTH,
                **unet,
            ),
            scheduler=new_scheduler(None),
            add_watermarker=False,
        )
    pipeline.save_pretrained(folder, safe_serialization=True)
    return folder


def tiny_unet(cross_attention_dim: int = WIDTH) -> dict[str, object]:
    return {
        "sample_size": 8,
        "block_out_channels": (16, 32),
        "layers_per_block": 1,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
        "cross_attention_dim": cross_attention_dim,
        "attention_head_dim": 8,
        "norm_num_groups": 8,
    }


def tiny_vae() -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(8, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        latent_channels=4,
        norm_num_groups=4,
    )


def text_config() -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=514,
        hidden_size=WIDTH,
        projection_dim=WIDTH,
        intermediate_size=WIDTH,
        num_hidden_layers=3,
        num_attention_heads=4,
        bos_token_id=512,
        eos_token_id=513,
        pad_token_id=1,
    )


def tokenizer(pad: str = "<|endoftext|>") -> CLIPTokenizer:
    """Every byte is a token, alone and at the end of a word."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [byte for byte in range(256) if byte not in printable]
    letters = [chr(byte) for byte in printable] + [chr(256 + place) for place in range(len(rest))]
    words = [*letters, *(letter + "</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    vocab = {word: number for number, word in enumerate(words)}
    return CLIPTokenizer(vocab=vocab, merges=[], pad_token=pad, model_max_length=77)


def new_scheduler(changes: Mapping[str, object] | None) -> DDIMScheduler:
    plain = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear", "clip_sample": False}
    return DDIMScheduler(**(plain | {"steps_offset": 1, "set_alpha_to_one": False} | dict(changes or {})))
