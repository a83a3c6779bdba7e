"""Finish the decoder at full size while the encoder, and so the latents, stay as they are.

    torchrun --standalone --nproc-per-node 2 -m models.training.decoder --world DIR --vae DIR --out DIR --minutes 8

First for a share of the time only the two layers of full size learn, then the whole decoder.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Final

import numpy as np
import torch
from diffusers import AutoencoderTiny
from rich import print as show

from models.training.autoencoder import NOISE, Crops, picture_loss, rate_at
from models.training.parallel import agreed, average, joined

BATCH: Final = 6
PEAK_RATE: Final = 5e-4
TOP_SHARE: Final = 0.15


def decoded(model: AutoencoderTiny, latents: torch.Tensor, *, is_top_only: bool) -> torch.Tensor:
    """(batch, 3, 16 h, 16 w) float32 pictures; gradients reach the last two layers only if asked."""
    layers = model.decoder.layers
    with torch.autocast("cpu", torch.bfloat16):
        with torch.set_grad_enabled(torch.is_grad_enabled() and not is_top_only):
            features = layers[:-3](torch.tanh(latents / 3) * 3)
        shown: torch.Tensor = layers[-3:](features)
    return shown.float().mul(2).sub(1)


def train(model: AutoencoderTiny, crops: Crops, args: argparse.Namespace, rank: int) -> None:
    """Train until the minutes are over."""
    generator = torch.Generator().manual_seed(1000 * args.seed + rank)
    weights = list(model.decoder.parameters())
    optimizer = torch.optim.AdamW(weights, lr=PEAK_RATE, betas=(0.9, 0.98), weight_decay=0.0, foreach=True)
    start, step, shown_at = time.monotonic(), 0, 0.0
    while (spent := agreed(time.monotonic() - start)) < args.minutes * 60:
        done, pictures = spent / (args.minutes * 60), crops.batch(BATCH)
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            latents = model.encode(pictures).latents.float()
        latents = latents + 0.7 * NOISE * torch.randn(latents.shape, generator=generator)
        loss = picture_loss(decoded(model, latents, is_top_only=done < args.top_share), pictures)
        optimizer.zero_grad(set_to_none=False)
        loss.backward()  # type: ignore[no-untyped-call]
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        average(gradients)
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        for group in optimizer.param_groups:
            group["lr"] = PEAK_RATE * rate_at(done)
        optimizer.step()
        step += 1
        if rank == 0 and spent - shown_at > 20:
            show(f"{spent:5.0f} s  step {step}  loss {loss.item():.4f}  psnr {psnr(model, crops):.2f}")
            shown_at = spent
    if rank == 0:
        model.save_pretrained(args.out)


@torch.no_grad()
def psnr(model: AutoencoderTiny, crops: Crops, count: int = 12) -> float:
    """Mean peak signal-to-noise ratio in dB over fresh crops at full size."""
    pictures = crops.batch(count)
    with torch.autocast("cpu", torch.bfloat16):
        latents = model.encode(pictures).latents
    error = (decoded(model, latents, is_top_only=False).clamp(-1, 1) - pictures).square().mean(dim=(1, 2, 3))
    return float((10.0 * torch.log10(4.0 / error.clamp_min(1e-8))).mean())


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", type=Path, required=True)
    parser.add_argument("--vae", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--top-share", type=float, default=TOP_SHARE)
    args = parser.parse_args()
    rank = joined()
    model = AutoencoderTiny.from_pretrained(args.vae).to(memory_format=torch.channels_last).train()
    train(model, Crops(args.world, np.random.default_rng((args.seed, rank, 7))), args, rank)


if __name__ == "__main__":
    main()
