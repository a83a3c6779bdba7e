"""The contact sheets of the model card.

python -m models.training.gallery world --out models/training/world.webp
python -m models.training.gallery model --out models/starter/outputs.webp
python -m models.training.gallery qualities --out models/starter/qualities.webp
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from models.training.samples import Paints, contact_sheet
from models.training.served import QUALITIES, Served
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
HARD: Final = (
    "a yellow car in the desert",
    "a green castle in a meadow",
    "a red train in a forest",
    "a white robot in the city",
    "two brown horses in a meadow",
    "a red tent left of a blue house",
    "an orange fish in the sea",
    "a purple flower on a table",
)
"""What the model does not always show at the first try."""


def world_sheet(seed: int) -> Image.Image:
    """Six drawn scenes of each style, a row a style."""
    rng = np.random.default_rng(seed)
    scenes = [_scene_in(style, rng) for style in STYLES for _ in range(6)]
    return contact_sheet([Image.fromarray(painted(scene)) for scene in scenes], columns=6)


def _scene_in(style: str, rng: np.random.Generator) -> Scene:
    while (scene := drawn_scene(rng)).style != style or not scene.things:
        pass
    return scene


def model_sheet(painter: Paints, known: set[str], seed: int) -> Image.Image:
    """PROMPTS in the template of every style whose words are known, a row a style; a column shares its seed."""
    pictures: list[Image.Image] = []
    for style in STYLES:
        template = STYLE_FRAMES[style][0]
        if words_of(template.replace("{}", "")) <= known:
            pictures += painter.paint([template.format(prompt) for prompt in PROMPTS], first_seed=seed)
    return contact_sheet(pictures, columns=len(PROMPTS))


def quality_sheet(served: Served, seed: int) -> Image.Image:
    """HARD prompts, a row a quality; a column shares its seed."""
    rows = [served.painter(serving).paint(HARD, first_seed=seed) for serving in QUALITIES.values()]
    return contact_sheet([picture for row in rows for picture in row], columns=len(HARD))


def vocabulary_of(model: Path) -> set[str]:
    """The words a model has learnt."""
    return set(json.loads((model / "vocabulary.json").read_text())["words"])


def write_sheet(sheet: Image.Image, out: Path, width: int) -> None:
    """A small WebP."""
    height = round(sheet.height * width / sheet.width)
    sheet.resize((width, height), Image.Resampling.LANCZOS).save(out, quality=82)


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sheet", choices=("world", "model", "qualities"))
    parser.add_argument("--model", type=Path, default=Path("models/starter"))
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--width", type=int, default=1000)
    args = parser.parse_args(argv)
    write_sheet(_sheet(args), args.out, args.width)


def _sheet(args: argparse.Namespace) -> Image.Image:
    if args.sheet == "world":
        return world_sheet(args.seed)
    with Served(args.model, args.device) as served:
        if args.sheet == "qualities":
            return quality_sheet(served, args.seed)
        return model_sheet(served.painter(QUALITIES["hd"]), vocabulary_of(args.model), args.seed)


if __name__ == "__main__":
    main()
