"""The two contact sheets of the model card.

python -m models.training.gallery world --out models/starter/world.webp
python -m models.training.gallery model --out models/starter/outputs.webp
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import torch
from PIL import Image

from models.training.samples import SAMPLERS, contact_sheet, paint
from models.training.world.composition import painted
from models.training.world.scene import STYLES, drawn_scene

PROMPTS: Final = (
    "a red lighthouse by the sea at sunset",
    "a blue boat on a lake at night",
    "a green castle in a meadow",
    "a purple hot air balloon over the mountains at dawn",
    "a black cat in the snow",
    "a yellow car in the desert",
)
TEMPLATES: Final = {
    "digital-art": "digital illustration of {}, clear shapes, rich colour, considered composition",
    "watercolor": "watercolour painting of {}, loose wet washes, visible paper grain",
    "oil-painting": "oil painting of {}, visible brush strokes, thick impasto, canvas texture",
    "line-art": "line art drawing of {}, clean ink lines, white background",
    "pixel-art": "pixel art of {}, 16-bit game sprite style, limited palette, crisp blocks",
    "neon-punk": "neon-lit cyberpunk scene of {}, glowing magenta and cyan light, dark background",
    "photographic": "photograph of {}, natural light, true colours, fine detail",
}


def world_sheet(seed: int) -> Image.Image:
    """Six drawn scenes of each style, a row a style."""
    rng = np.random.default_rng(seed)
    scenes = [replace(drawn_scene(rng), style=style) for style in STYLES for _ in range(6)]
    return contact_sheet([Image.fromarray(painted(scene)) for scene in scenes], columns=6)


def model_sheet(args: argparse.Namespace) -> Image.Image:
    """PROMPTS in every style's template, a row a style; a column shares its seed."""
    rows = []
    for template in TEMPLATES.values():
        prompts = [template.format(prompt) for prompt in PROMPTS]
        rows += paint(
            args.model, prompts, sampler=args.sampler, steps=args.steps, guidance=args.guidance, first_seed=args.seed
        )
    return contact_sheet(rows, columns=len(PROMPTS))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sheet", choices=("world", "model"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=Path("models/starter"))
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--sampler", choices=sorted(SAMPLERS), default="dpmpp_2m")
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--guidance", type=float, default=5.0)
    parser.add_argument("--width", type=int, default=1000)
    args = parser.parse_args()
    torch.set_num_threads(2)
    sheet = world_sheet(args.seed) if args.sheet == "world" else model_sheet(args)
    height = round(sheet.height * args.width / sheet.width)
    sheet.resize((args.width, height), Image.Resampling.LANCZOS).save(args.out, quality=82)


if __name__ == "__main__":
    main()
