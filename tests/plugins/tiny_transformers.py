"""Random-weight transformers of the newer families, a few hundred kilobytes, in the folder form of real ones."""

from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
)
from plugins.tiny_models import WIDTH, text_config, tokenizer
from transformers import CLIPTextModel, CLIPTextModelWithProjection, T5Config, T5EncoderModel, T5TokenizerFast

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def build_sd3(folder: Path, *, has_t5: bool = True) -> Path:
    """Four pixels a latent, two latents a patch."""
    with torch.random.fork_rng():
        torch.random.manual_seed(3)
        pipeline = StableDiffusion3Pipeline(
            vae=_vae(),
            text_encoder=CLIPTextModelWithProjection(text_config()),
            text_encoder_2=CLIPTextModelWithProjection(text_config()),
            text_encoder_3=tiny_t5() if has_t5 else None,
            tokenizer=tokenizer(),
            tokenizer_2=tokenizer(pad="!"),
            tokenizer_3=tiny_t5_tokenizer() if has_t5 else None,
            transformer=_moved(
                SD3Transformer2DModel(
                    sample_size=16,
                    patch_size=2,
                    in_channels=4,
                    out_channels=4,
                    num_layers=2,
                    attention_head_dim=8,
                    num_attention_heads=4,
                    joint_attention_dim=2 * WIDTH,
                    caption_projection_dim=32,
                    pooled_projection_dim=2 * WIDTH,
                    pos_embed_max_size=32,
                )
            ),
            scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        )
    pipeline.save_pretrained(folder, safe_serialization=True)
    return folder


def build_flux(folder: Path, *, takes_guidance: bool) -> Path:
    """Like the distilled model (with dynamic shifting) if it is told guidance, else like one that is guided by rows."""
    with torch.random.fork_rng():
        torch.random.manual_seed(4)
        pipeline = FluxPipeline(
            vae=_vae(),
            text_encoder=CLIPTextModel(text_config()),
            text_encoder_2=tiny_t5(),
            tokenizer=tokenizer(),
            tokenizer_2=tiny_t5_tokenizer(),
            transformer=_moved(
                FluxTransformer2DModel(
                    in_channels=16,
                    num_layers=1,
                    num_single_layers=1,
                    attention_head_dim=16,
                    num_attention_heads=2,
                    joint_attention_dim=2 * WIDTH,
                    pooled_projection_dim=WIDTH,
                    axes_dims_rope=(4, 4, 8),
                    guidance_embeds=takes_guidance,
                )
            ),
            scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=takes_guidance, shift=1.0),
        )
    pipeline.save_pretrained(folder, safe_serialization=True)
    return folder


def _moved(network: Any) -> Any:
    """Fresh transformers of these kinds answer zero to everything: their last layers start there."""
    for weights in network.parameters():
        if not weights.any():
            torch.nn.init.normal_(weights, std=0.1)
    return network


def _vae() -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(8, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        latent_channels=4,
        norm_num_groups=4,
        scaling_factor=1.5,
        shift_factor=0.06,
        use_quant_conv=False,
        use_post_quant_conv=False,
    )


def tiny_t5() -> T5EncoderModel:
    return T5EncoderModel(T5Config(vocab_size=64, d_model=2 * WIDTH, d_kv=8, d_ff=2 * WIDTH, num_layers=2, num_heads=4))


def tiny_t5_tokenizer() -> T5TokenizerFast:
    """A token for each letter, and for the gap before a word."""
    words = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("\u2581", -2.0), *((letter, -3.0) for letter in LETTERS)]
    return T5TokenizerFast(vocab=words, extra_ids=0, model_max_length=512)
