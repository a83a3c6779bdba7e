"""Paint captions with an exported model, and lay pictures out on a contact sheet.

python -m models.training.samples --model models/starter --out sheet.webp --prompts "a red cat" "a blue boat"
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderTiny,
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    LCMScheduler,
    StableDiffusionPipeline,
    UniPCMultistepScheduler,
)
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_img2img import retrieve_latents
from PIL import Image

from models.training.course import device_of, narrow_dtype
from models.training.pictures import as_network_input

SAMPLERS = {
    "dpmpp_2m": lambda config: DPMSolverMultistepScheduler.from_config(config, final_sigmas_type="zero"),
    "dpmpp_2m_sde": lambda config: DPMSolverMultistepScheduler.from_config(config, algorithm_type="sde-dpmsolver++"),
    "ddim": DDIMScheduler.from_config,
    "euler": EulerDiscreteScheduler.from_config,
    "unipc": UniPCMultistepScheduler.from_config,
    "lcm": LCMScheduler.from_config,
}
"""Samplers by their field names, each made from the model's own schedule."""
LOT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How to paint: sampler, steps, guidance, and an adapter's file if any."""

    sampler: str = "dpmpp_2m"
    steps: int = 20
    guidance: float = 3.0
    adapter: Path | None = None


class Paints(Protocol):
    """Whoever paints captions in one way."""

    def paint(
        self, prompts: Sequence[str], *, negatives: Sequence[str] = (), first_seed: int = 0, side: int = 256
    ) -> list[Image.Image]: ...


class Painter:
    """An exported model, ready to paint in one way."""

    def __init__(self, model: Path, sampling: Sampling, device: torch.device) -> None:
        self.sampling, self.device = sampling, device
        self.pipeline = StableDiffusionPipeline.from_pretrained(
            model, use_safetensors=True, local_files_only=True, dtype=narrow_dtype(device)
        ).to(device)
        self.pipeline.scheduler = SAMPLERS[sampling.sampler](self.pipeline.scheduler.config)
        if sampling.adapter:
            self.pipeline.load_lora_weights(sampling.adapter.parent, weight_name=sampling.adapter.name)
        self.pipeline.set_progress_bar_config(disable=True)

    def paint(
        self, prompts: Sequence[str], *, negatives: Sequence[str] = (), first_seed: int = 0, side: int = 256
    ) -> list[Image.Image]:
        """One square picture for each prompt; picture i is painted with seed first_seed + i."""
        pictures: list[Image.Image] = []
        lot = LOT if self.device.type == "cpu" else 16 * LOT
        for first in range(0, len(prompts), lot):
            batch = list(prompts[first : first + lot])
            seeds = [torch.Generator().manual_seed(first_seed + first + k) for k in range(len(batch))]
            pictures += self.pipeline(
                batch,
                negative_prompt=list(negatives[first : first + lot]) or None,
                num_inference_steps=self.sampling.steps,
                guidance_scale=self.sampling.guidance,
                generator=seeds,
                height=side,
                width=side,
            ).images
        return pictures


@torch.no_grad()
def latents_of(autoencoder: AutoencoderKL | AutoencoderTiny, pictures: np.ndarray) -> torch.Tensor:
    """(count, height, width, 3) uint8 pictures to (count, channels, h, w) float32 scaled latents on its device."""
    weight = next(autoencoder.parameters())
    lots = torch.split(torch.from_numpy(pictures), 16 * LOT if weight.is_cuda else LOT)
    rows = (as_network_input(lot.to(weight.device)).to(weight.dtype) for lot in lots)
    found = [retrieve_latents(autoencoder.encode(lot), sample_mode="argmax").float() for lot in rows]
    return torch.cat(found) * float(autoencoder.config.scaling_factor)


def contact_sheet(pictures: list[Image.Image], columns: int) -> Image.Image:
    """Pictures of one size in rows, with a thin gap."""
    width, height = pictures[0].size
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * (width + 4), rows * (height + 4)), "white")
    for index, picture in enumerate(pictures):
        sheet.paste(picture, (index % columns * (width + 4) + 2, index // columns * (height + 4) + 2))
    return sheet


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("models/starter"))
    parser.add_argument("--sampler", choices=sorted(SAMPLERS), default="dpmpp_2m")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--guidance", type=float, default=3.0)
    parser.add_argument("--adapter", type=Path, help="a LoRA's safetensors")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--prompts", nargs="+", required=True)
    parser.add_argument("--columns", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)
    sampling = Sampling(sampler=args.sampler, steps=args.steps, guidance=args.guidance, adapter=args.adapter)
    pictures = Painter(args.model, sampling, device_of(args.device)).paint(args.prompts, first_seed=args.seed)
    contact_sheet(pictures, args.columns).save(args.out, quality=88)


if __name__ == "__main__":
    main()
