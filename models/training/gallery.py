"""The two contact sheets of the model card.

python -m models.training.gallery world --out models/training/world.webp
python -m models.training.gallery model --out models/starter/outputs.webp
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Final

import numpy as np
import torch
from PIL import Image

from models.training.samples import SAMPLERS, contact_sheet, paint
from models.training.world.captions import words_of
from models.training.world.composition import painted
from models.training.world.scene import STYLES, Scene, drawn_scene
from models.training.world.settings import STYLE_FRAMES

PROMPTS: Final = (
    "a red lighthouse by the sea at sunset",
    "a blue boat on a lake at night",
    "a green castle in a meadow",
    "a purple hot air balloon over the mountains at dawn",
    "a black cat in the snow",
    "a yellow car in the desert",
)


def world_sheet(seed: int) -> Image.Image:
    """Six drawn scenes of each style, a row a style."""
    rng = np.random.default_rng(seed)
    scenes = [_scene_in(style, rng) for style in STYLES for _ in range(6)]
    return contact_sheet([Image.fromarray(painted(scene)) for scene in scenes], columns=6)


def _scene_in(style: str, rng: np.random.Generator) -> Scene:
    while (scene := drawn_scene(rng)).style != style or not scene.things:
        pass
    return scene


def model_sheet(args: argparse.Namespace) -> Image.Image:
    """PROMPTS in every style's template, a row a style; a column shares its seed."""
    known, rows = set(json.loads((args.model / "vocabulary.json").read_text())["words"]), []
    for style in STYLES:
        template = STYLE_FRAMES[style][0]
        if not words_of(template.replace("{}", "")) <= known:
            continue
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
