"""Train the autoencoder on crops of the rendered world.

    python -m models.training.autoencoder --world DIR --out DIR --seed 1 --minutes 5
    python -m models.training.autoencoder --init models/starter --world DIR --out DIR --minutes 16
    python -m models.training.autoencoder --init models/starter --decoder-only --world DIR --out DIR --minutes 10

diffusers' AutoencoderKL with five levels: 16 pixels to one latent position of 16 channels. A model that is carried on
keeps the outer levels of its AutoencoderTiny, 8 pixels to a position. Latents are drawn towards zero mean and unit spread
per channel and are blurred by noise while training, so that the denoiser meets a smooth space; half-size latents must
decode to half-size pictures (EQ-VAE, arXiv:2502.09509). The shard 0000 is never trained on: PSNR is measured there.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import torch
from diffusers import AutoencoderKL, AutoencoderTiny
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_img2img import retrieve_latents
from rich import print as show
from torch.nn import functional

from models.training.course import Average, Course, arguments, device_of, narrow, rate_at, seeded, set_rate
from models.training.outer_levels import ENCODER_BLOCKS, without_innermost
from models.training.parallel import average, share
from models.training.pictures import Pictures

LATENT_CHANNELS: Final = 16
LEVELS: Final = (32, 64, 96, 128, 128)
CROP: Final = 128
CHECKS: Final = {"cuda": 128, "cpu": 8}
"""Unseen pictures that PSNR is measured on."""
BATCHES: Final = {"cuda": 64, "cpu": 8}
PEAK_RATE: Final = 1e-3
CARRIED_RATE: Final = 8e-4
"""Peak rate of a network without norms that knows something already."""
CARRIED_CHANNELS: Final = 6
"""Of a model that is carried on, at eight pixels to a latent position."""
NOISE: Final = 0.10
"""Standard deviation of the noise on latents of unit spread."""
SMALL_SHARE: Final = 0.25
"""Of the steps, how many also ask for half-size pictures from half-size latents."""


def new_autoencoder() -> AutoencoderKL:
    """An untrained autoencoder."""
    return AutoencoderKL(
        block_out_channels=LEVELS,
        down_block_types=("DownEncoderBlock2D",) * len(LEVELS),
        up_block_types=("UpDecoderBlock2D",) * len(LEVELS),
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=16,
        mid_block_add_attention=False,
        scaling_factor=1.0,
    )


def first_autoencoder(model: Path | None, seed: int) -> AutoencoderKL | AutoencoderTiny:
    """The autoencoder of a model that is carried on, with 8 pixels to a position, or a fresh one."""
    if model:
        known = AutoencoderTiny.from_pretrained(model / "vae", dtype=torch.float32)
        if len(known.config.encoder_block_out_channels) == len(ENCODER_BLOCKS):
            return known
        return without_innermost(known, CARRIED_CHANNELS, seed)
    network = new_autoencoder()
    seeded(network, seed)
    return network


def picture_loss(shown: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
    """L1 of pixels, of their differences to the neighbours (edges) and of quarter-size pictures (colour)."""
    if shown.requires_grad:  # gradients of differences come in rows first: the convolutions behind would be slow
        shown.register_hook(_channels_last)  # type: ignore[no-untyped-call]
    loss = (shown - wanted).abs().mean()
    for axis in (2, 3):
        loss = loss + (shown.diff(dim=axis) - wanted.diff(dim=axis)).abs().mean()
    coarse = functional.avg_pool2d(shown, 4) - functional.avg_pool2d(wanted, 4)
    return loss + coarse.abs().mean()


def _channels_last(slope: torch.Tensor) -> torch.Tensor:
    return slope.contiguous(memory_format=torch.channels_last)


def spread_loss(latents: torch.Tensor) -> torch.Tensor:
    """How far each channel is from zero mean and unit spread over the batch."""
    mean, spread = latents.mean(dim=(0, 2, 3)), latents.std(dim=(0, 2, 3))
    return (mean.square() + (spread - 1.0).square()).mean()


def step_loss(
    model: AutoencoderKL | AutoencoderTiny,
    pictures: torch.Tensor,
    chance: torch.Generator,
    *,
    wants_half: bool,
) -> torch.Tensor:
    """The loss of one batch: pictures from noisy latents, and half-size ones from half-size latents."""
    with narrow(pictures.device):
        latents = retrieve_latents(model.encode(pictures), sample_mode="argmax")
        noisy = latents + NOISE * torch.randn(latents.shape, generator=chance, device=latents.device)
        shown = model.decode(noisy).sample
        loss = picture_loss(shown.float(), pictures) + 0.05 * spread_loss(latents.float())
        if wants_half:
            half = model.decode(functional.avg_pool2d(noisy, 2)).sample
            loss = loss + 0.5 * picture_loss(half.float(), functional.avg_pool2d(pictures, 2))
    return loss


@torch.no_grad()
def psnr(model: AutoencoderKL | AutoencoderTiny, pictures: torch.Tensor, batch: int = 16) -> float:
    """Mean peak signal-to-noise ratio in dB over pictures of -1..1."""
    found = []
    for rows in torch.split(pictures, batch):
        with narrow(rows.device):
            latents = retrieve_latents(model.encode(rows), sample_mode="argmax")
            shown = model.decode(latents).sample.float().clamp(-1, 1)
        error = (shown - rows).square().mean(dim=(1, 2, 3))
        found.append(10.0 * torch.log10(4.0 / error.clamp_min(1e-8)))
    return float(torch.cat(found).mean())


def train(args: argparse.Namespace) -> bool:
    """Train until the minutes are over; the averaged autoencoder lies in `args.out` afterwards.

    Returns:
        Whether the whole budget is spent.
    """
    device = device_of(args.device)
    model = first_autoencoder(args.init, args.seed)
    peak = CARRIED_RATE if args.init else PEAK_RATE
    model = model.to(device, memory_format=torch.channels_last).train()
    model.encoder.requires_grad_(not args.decoder_only)
    weights = [weight for weight in model.parameters() if weight.requires_grad]
    share(weights)
    optimizer = torch.optim.AdamW(weights, lr=peak, betas=(0.9, 0.98), weight_decay=1e-4)
    mean = Average(weights, decay=0.998)
    course = Course(args, {"model": model, "optimizer": optimizer, "mean": mean})
    pictures = Pictures(args.world, device, seed=args.seed + 7919 * course.rank + course.steps)
    batch, chance = args.batch or BATCHES[device.type], course.chance(args.seed, device)
    for done in course:
        set_rate(optimizer, peak * rate_at(done))
        wants_half = course.steps % round(1 / SMALL_SHARE) == 0
        crops = pictures.crops(batch, CROP)
        loss = step_loss(model, crops, chance, wants_half=wants_half)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        average([weight.grad for weight in weights])
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        mean.update()
        course.say(loss, f"{course.steps * batch / max(course.spent, 1e-9):.0f} crops/s")
    if course.rank == 0:
        _keep(model, mean, args, device)
    return course.is_over


def _keep(
    model: AutoencoderKL | AutoencoderTiny, mean: Average, args: argparse.Namespace, device: torch.device
) -> None:
    learnt = (weight for weight in model.parameters() if weight.requires_grad)
    for weight, averaged in zip(learnt, mean.mean, strict=True):
        weight.data.copy_(averaged)
    model.save_pretrained(args.out)
    unseen = Pictures(args.world, device, seed=0, holds_out=True).whole(CHECKS[device.type])
    found = psnr(model.eval(), unseen)
    (args.out / "psnr.json").write_text(json.dumps({"psnr_db": found, "pictures": len(unseen)}))
    show(f"PSNR on {len(unseen)} pictures of the shard that is held out: {found:.2f} dB")


def main(argv: Sequence[str] | None = None) -> bool:
    """Command line."""
    parser = arguments(__doc__, minutes=5.0)
    parser.add_argument("--world", type=Path, required=True)
    parser.add_argument(
        "--decoder-only", action="store_true", help="leave the encoder, and so the latents, as they are"
    )
    parser.add_argument("--init", type=Path, help="a model folder to carry on from; without it the weights are fresh")
    return train(parser.parse_args(argv))


if __name__ == "__main__":
    main()
