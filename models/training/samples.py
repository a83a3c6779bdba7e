"""Paint captions with an exported model, and lay pictures out on a contact sheet.

python -m models.training.samples --model models/starter --out sheet.webp --prompts "a red cat" "a blue boat"
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    StableDiffusionPipeline,
    UniPCMultistepScheduler,
)
from PIL import Image
from rich import print as show

SAMPLERS = {
    "dpmpp_2m": lambda config: DPMSolverMultistepScheduler.from_config(config, final_sigmas_type="zero"),
    "dpmpp_2m_sde": lambda config: DPMSolverMultistepScheduler.from_config(config, algorithm_type="sde-dpmsolver++"),
    "ddim": DDIMScheduler.from_config,
    "euler": EulerDiscreteScheduler.from_config,
    "unipc": UniPCMultistepScheduler.from_config,
}
"""Samplers by their field names, each made from the model's own schedule."""


def opened(model: Path, sampler: str) -> StableDiffusionPipeline:
    """The pipeline with a sampler set, in bfloat16 where the processor multiplies it and else in float32: emulated, it is
    a hundred times slower."""
    has_bfloat16 = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()  # noqa: SLF001
    pipeline = StableDiffusionPipeline.from_pretrained(
        model, use_safetensors=True, local_files_only=True, dtype=torch.bfloat16 if has_bfloat16 else torch.float32
    )
    pipeline.scheduler = SAMPLERS[sampler](pipeline.scheduler.config)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def paint(
    model: Path, prompts: list[str], *, sampler: str, steps: int, guidance: float, first_seed: int = 0
) -> list[Image.Image]:
    """One 256 x 256 picture for each prompt; picture i is painted with seed first_seed + i."""
    pipeline, pictures = opened(model, sampler), []
    for first in range(0, len(prompts), 8):
        batch = prompts[first : first + 8]
        generators = [torch.Generator().manual_seed(first_seed + first + k) for k in range(len(batch))]
        pictures += pipeline(
            batch, num_inference_steps=steps, guidance_scale=guidance, generator=generators, height=256, width=256
        ).images
    return pictures


def contact_sheet(pictures: list[Image.Image], columns: int) -> Image.Image:
    """Pictures of one size in rows, with a thin gap."""
    width, height = pictures[0].size
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * (width + 4), rows * (height + 4)), "white")
    for index, picture in enumerate(pictures):
        sheet.paste(picture, (index % columns * (width + 4) + 2, index // columns * (height + 4) + 2))
    return sheet


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, default=Path("models/starter"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--prompts", nargs="+", required=True)
    parser.add_argument("--sampler", choices=sorted(SAMPLERS), default="dpmpp_2m")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--guidance", type=float, default=5.0)
    parser.add_argument("--columns", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(2)
    start = time.monotonic()
    pictures = paint(
        args.model, args.prompts, sampler=args.sampler, steps=args.steps, guidance=args.guidance, first_seed=args.seed
    )
    show(
        f"{len(pictures)} pictures in {time.monotonic() - start:.1f} s, spread {np.mean([np.asarray(p).std() for p in pictures]):.1f}"
    )
    contact_sheet(pictures, args.columns).save(args.out, quality=88)


if __name__ == "__main__":
    main()
