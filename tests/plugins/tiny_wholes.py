"""Random-weight models of pipelines that have no adapter of ours."""

from pathlib import Path

import torch
from diffusers import (
    DPMSolverMultistepScheduler,
    LatentConsistencyModelPipeline,
    LCMScheduler,
    PixArtAlphaPipeline,
    PixArtTransformer2DModel,
    StableDiffusionPAGPipeline,
    UNet2DConditionModel,
)
from plugins.tiny_models import WIDTH, new_scheduler, text_config, tiny_unet, tiny_vae, tokenizer
from plugins.tiny_transformers import tiny_t5, tiny_t5_tokenizer
from transformers import CLIPTextModel


def build_pixart(folder: Path) -> Path:
    """An older pipeline: it calls back with step, time and latents."""
    with torch.random.fork_rng():
        torch.random.manual_seed(5)
        pipeline = PixArtAlphaPipeline(
            tokenizer=tiny_t5_tokenizer(),
            text_encoder=tiny_t5(),
            vae=tiny_vae(),
            transformer=PixArtTransformer2DModel(
                sample_size=8,
                num_layers=2,
                patch_size=2,
                attention_head_dim=8,
                num_attention_heads=3,
                caption_channels=2 * WIDTH,
                in_channels=4,
                out_channels=8,
                cross_attention_dim=24,
            ),
            scheduler=DPMSolverMultistepScheduler(),
        )
    pipeline.save_pretrained(folder, safe_serialization=True)
    return folder


def build_lcm(folder: Path) -> Path:
    """A newer pipeline: it hands itself over after each step; its UNet is told the guidance scale."""
    with torch.random.fork_rng():
        torch.random.manual_seed(6)
        pipeline = LatentConsistencyModelPipeline(
            vae=tiny_vae(),
            text_encoder=CLIPTextModel(text_config()),
            tokenizer=tokenizer(),
            unet=UNet2DConditionModel(**tiny_unet(), time_cond_proj_dim=32),
            scheduler=LCMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear"),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    pipeline.save_pretrained(folder, safe_serialization=True)
    return folder


def build_pag(folder: Path) -> Path:
    """It exchanges attention processors of its UNet for as long as it paints."""
    with torch.random.fork_rng():
        torch.random.manual_seed(7)
        pipeline = StableDiffusionPAGPipeline(
            vae=tiny_vae(),
            text_encoder=CLIPTextModel(text_config()),
            tokenizer=tokenizer(),
            unet=UNet2DConditionModel(**tiny_unet()),
            scheduler=new_scheduler(None),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    pipeline.save_pretrained(folder, safe_serialization=True)
    return folder
