"""Train the autoencoder on crops of the rendered world.

    torchrun --standalone --nproc-per-node 2 -m models.training.autoencoder --world DIR --out DIR --seed 1 --minutes 12

diffusers' AutoencoderTiny with five levels: 16 pixels to one latent position. Latents are drawn towards zero
mean and unit spread per channel and are blurred by noise while training, so that the denoiser meets a smooth,
low-dimensional space; half-size latents must decode to half-size pictures (EQ-VAE, arXiv:2502.09509).
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path
from typing import Final

import numpy as np
import torch
from diffusers import AutoencoderTiny
from rich import print as show
from torch import nn
from torch.nn import functional

from models.training.parallel import agreed, average, joined, share

LATENT_CHANNELS: Final = 12
LEVELS: Final = 5
CROP: Final = 128
BATCH: Final = 8
PEAK_RATE: Final = 6e-4
NOISE: Final = 0.10
"""Standard deviation of the noise on latents of unit spread."""


def new_autoencoder(generator: torch.Generator) -> AutoencoderTiny:
    """An untrained autoencoder; residual branches start small so that nothing explodes without norms."""
    model = AutoencoderTiny(
        encoder_block_out_channels=(64,) * LEVELS,
        decoder_block_out_channels=(64,) * LEVELS,
        num_encoder_blocks=(0, 0, 1, 2, 2),
        num_decoder_blocks=(3, 3, 2, 1, 0),
        latent_channels=LATENT_CHANNELS,
        act_fn="silu",
        scaling_factor=1.0,
    )
    for name, weight in model.named_parameters():
        if weight.ndim == 4:
            fan_in = weight[0].numel()
            gain = 0.3 if name.endswith("conv.4.weight") else 1.35
            weight.data.normal_(0.0, gain / math.sqrt(fan_in), generator=generator)
        else:
            weight.data.zero_()
    model.decoder.layers[-1].weight.data.mul_(0.3)
    model.decoder.layers[-1].bias.data.fill_(0.5)
    return model.to(memory_format=torch.channels_last)


class HalfHead(nn.Module):
    """Shows the decoder's features of half size as pictures of half size.

    Training asks for structure first: half-size pictures hold the shapes but not the grain of paper and paint,
    and leave out the dearest layers.
    """

    def __init__(self) -> None:
        super().__init__()
        self.show = nn.Conv2d(64, 3, 3, padding=1)
        nn.init.normal_(self.show.weight, std=0.02)
        nn.init.constant_(self.show.bias, 0.5)  # type: ignore[arg-type]

    def forward(self, model: AutoencoderTiny, latents: torch.Tensor) -> torch.Tensor:
        """(batch, channels, h, w) latents to (batch, 3, 8 h, 8 w) pictures in -1..1."""
        layers = model.decoder.layers
        last = max(index for index, layer in enumerate(layers) if isinstance(layer, nn.Upsample))
        shown: torch.Tensor = self.show(layers[:last](torch.tanh(latents / 3) * 3))
        return shown.mul(2).sub(1)


class Crops:
    """Random square crops of the rendered shards, mirrored half of the time."""

    def __init__(self, world: Path, rng: np.random.Generator) -> None:
        self._shards = [np.load(path, mmap_mode="r") for path in sorted(world.glob("*.npy"))]
        self._rng = rng

    def batch(self, count: int) -> torch.Tensor:
        """(count, 3, CROP, CROP) float32 in -1..1."""
        return torch.stack([self._crop() for _ in range(count)]).to(memory_format=torch.channels_last)

    def _crop(self) -> torch.Tensor:
        shard = self._shards[int(self._rng.integers(len(self._shards)))]
        picture = shard[int(self._rng.integers(len(shard)))]
        top = int(self._rng.integers(picture.shape[0] - CROP + 1))
        left = int(self._rng.integers(picture.shape[1] - CROP + 1))
        crop = picture[top : top + CROP, left : left + CROP]
        crop = crop[:, ::-1] if self._rng.random() < 0.5 else crop
        return torch.from_numpy(crop.copy()).permute(2, 0, 1).float() / 127.5 - 1.0


def _channels_last(slope: torch.Tensor) -> torch.Tensor:
    return slope.contiguous(memory_format=torch.channels_last)


def picture_loss(shown: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """L1 of pixels, of their differences to the neighbours (edges) and of quarter-size pictures (colour)."""
    if shown.requires_grad:
        shown.register_hook(_channels_last)  # type: ignore[no-untyped-call]
    loss = (shown - wanted).abs().mean()
    for axis in (2, 3):
        loss = loss + 1.0 * (shown.diff(dim=axis) - wanted.diff(dim=axis)).abs().mean()
    coarse = functional.avg_pool2d(shown, 4) - functional.avg_pool2d(wanted, 4)
    return loss + coarse.abs().mean()


def spread_loss(latents: torch.Tensor) -> torch.Tensor:
    """How far each channel is from zero mean and unit spread over the batch."""
    mean, spread = latents.mean(dim=(0, 2, 3)), latents.std(dim=(0, 2, 3))
    return (mean.square() + (spread - 1.0).square()).mean()


def step_loss(
    model: AutoencoderTiny, head: HalfHead, pictures: torch.Tensor, generator: torch.Generator
) -> torch.Tensor:
    """The loss of one batch on structure: half-size pictures from noisy latents."""
    with torch.autocast("cpu", torch.bfloat16):
        latents = model.encode(pictures).latents
        noise = NOISE * torch.randn(latents.shape, generator=generator)
        shown = head(model, latents + noise)
    return picture_loss(shown.float(), functional.avg_pool2d(pictures, 2)) + 0.05 * spread_loss(latents.float())


def rate_at(done: float, warm_up: float = 0.02) -> float:
    """Learning rate as a share of its peak after a share of the time: warm-up, then a cosine to 2 %."""
    if done < warm_up:
        return max(0.02, done / warm_up)
    return 0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * min(1.0, (done - warm_up) / (1.0 - warm_up))))


def train(
    model: AutoencoderTiny,
    head: HalfHead,
    crops: Crops,
    args: argparse.Namespace,
    generator: torch.Generator,
    rank: int,
) -> None:
    """Train until the minutes are over; the checkpoint is written every two minutes and at the end."""
    weights = [weight for weight in (*model.parameters(), *head.parameters()) if weight.requires_grad]
    share(weights)
    optimizer = torch.optim.AdamW(weights, lr=PEAK_RATE, betas=(0.9, 0.98), weight_decay=1e-4, foreach=True)
    start, step, shown_at, kept_at = time.monotonic(), 0, 0.0, 0.0
    while (spent := agreed(time.monotonic() - start)) < args.minutes * 60:
        for group in optimizer.param_groups:
            group["lr"] = PEAK_RATE * rate_at(spent / (args.minutes * 60))
        loss = step_loss(model, head, crops.batch(BATCH), generator)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        average([weight.grad for weight in weights])
        norm = torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        step += 1
        if rank == 0 and spent - shown_at > 15:
            show(
                f"{spent:6.0f} s  step {step}  loss {loss.item():.4f}  grad {norm.item():.2f}  psnr {psnr(model, head, crops):.2f}"
            )
            shown_at = spent
        if rank == 0 and spent - kept_at > 120:
            keep(model, head, args.out)
            kept_at = spent
    if rank == 0:
        keep(model, head, args.out)


def keep(model: AutoencoderTiny, head: HalfHead, out: Path) -> None:
    """Write the autoencoder as a diffusers folder, and the half-size head beside it."""
    model.save_pretrained(out)
    torch.save(head.state_dict(), out / "half_head.pt")


@torch.no_grad()
def psnr(model: AutoencoderTiny, head: HalfHead, crops: Crops, count: int = 16) -> float:
    """Mean peak signal-to-noise ratio in dB of half-size pictures over fresh crops."""
    pictures = crops.batch(count)
    with torch.autocast("cpu", torch.bfloat16):
        shown = head(model, model.encode(pictures).latents).float().clamp(-1, 1)
    pictures = functional.avg_pool2d(pictures, 2)
    error = (shown - pictures).square().mean(dim=(1, 2, 3))
    return float((10.0 * torch.log10(4.0 / error.clamp_min(1e-8))).mean())


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=12.0)
    args = parser.parse_args()
    rank = joined()
    generator = torch.Generator().manual_seed(args.seed)
    model = (
        AutoencoderTiny.from_pretrained(args.out) if (args.out / "config.json").exists() else new_autoencoder(generator)
    )
    model, head = model.to(memory_format=torch.channels_last).train(), HalfHead()
    if (args.out / "half_head.pt").exists():
        head.load_state_dict(torch.load(args.out / "half_head.pt", weights_only=True))
    for weight in model.decoder.layers[-2:].parameters():
        weight.requires_grad_(False)
    generator.manual_seed(1000 * args.seed + rank)
    train(model, head, Crops(args.world, np.random.default_rng((args.seed, rank))), args, generator, rank)


if __name__ == "__main__":
    main()
