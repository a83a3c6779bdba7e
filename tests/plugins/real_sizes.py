"""Models of the real sizes of SD 1.5 and SDXL with random weights: speed does not depend on what a network has learned."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline, StableDiffusionXLPipeline, UNet2DConditionModel
from plugins.tiny_models import new_scheduler, text_config, tokenizer
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

SD15_UNET = {"sample_size": 64, "cross_attention_dim": 768, "attention_head_dim": 8}  # the rest is diffusers' default
SDXL_UNET = {
    "sample_size": 128,
    "block_out_channels": (320, 640, 1280),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "transformer_layers_per_block": (1, 2, 10),
    "attention_head_dim": (5, 10, 20),
    "cross_attention_dim": 2048,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}


def build_sd15(folder: Path, device: torch.device) -> Path:
    """860 million weights in the UNet; 2.1 GB."""
    with _born_on(device):
        pipeline = StableDiffusionPipeline(
            vae=_vae(0.18215),
            text_encoder=CLIPTextModel(_text(width=768, layers=12, heads=12)),
            tokenizer=tokenizer(),
            unet=UNet2DConditionModel(**SD15_UNET),
            scheduler=new_scheduler(None),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    pipeline.to(torch.bfloat16).save_pretrained(folder)
    return folder


def build_sdxl_base(folder: Path, device: torch.device) -> Path:
    """2.6 billion weights in the UNet; 7 GB."""
    with _born_on(device):
        pipeline = StableDiffusionXLPipeline(
            vae=_vae(0.13025),
            text_encoder=CLIPTextModel(_text(width=768, layers=12, heads=12)),
            text_encoder_2=CLIPTextModelWithProjection(_text(width=1280, layers=32, heads=20)),
            tokenizer=tokenizer(),
            tokenizer_2=tokenizer(pad="!"),
            unet=UNet2DConditionModel(**SDXL_UNET),
            scheduler=new_scheduler(None),
            add_watermarker=False,
        )
    pipeline.to(torch.bfloat16).save_pretrained(folder)
    return folder


@contextmanager
def _born_on(device: torch.device) -> Iterator[None]:
    """New networks lie there, with weights that are the same each time."""
    with torch.random.fork_rng(devices=[0] if device.type == "cuda" else []), device:
        torch.random.manual_seed(1)
        yield


def _vae(scaling_factor: float) -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(128, 256, 512, 512),
        layers_per_block=2,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        scaling_factor=scaling_factor,
    )


def _text(*, width: int, layers: int, heads: int) -> CLIPTextConfig:
    config = text_config()
    config.hidden_size = config.projection_dim = width
    config.intermediate_size = 4 * width
    config.num_hidden_layers, config.num_attention_heads = layers, heads
    return config
