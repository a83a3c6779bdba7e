"""A small classifier that looks at a picture and says what it shows.

    python -m models.training.judge --out DIR --seed 900 --minutes 1.5

It is trained on renders of its own seed, never on pictures of the model; its accuracy on unseen renders is written
beside it and printed beside every score. It is also asked what stands where: a picture then teaches it from each of
its places, not once.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from PIL import Image
from rich import print as show
from safetensors.torch import load_file, save_file
from torch.nn import functional

from models.scoring import Looker, LookerForm
from models.training.course import Course, arguments, device_of, narrow, rate_at, seeded
from models.training.descent import Descent
from models.training.focus import subject_numbers
from models.training.pictures import as_network_input
from models.training.rendering import JUDGED_SIDE, painted_small, rendered
from models.training.world.captions import ABSENT, FIELDS
from models.training.world.scene import SUBJECTS, Scene, drawn_scene

JUDGED: Final = ("kind_0", "colour_0", "kind_1", "colour_1", "relation", "count", "land", "time", "weather", "style")
BATCHES: Final = {"cuda": 256, "cpu": 48}
RENDERS: Final = {"cuda": 32_000, "cpu": 16_000}
LOCAL: Final = {"kind_at": "kind_0", "colour_at": "colour_0"}
"""What it says of each place, in whose values."""
LAYERS: Final = 5
GRID: Final = 8
"""Places a side."""
LOCAL_WEIGHT: Final = 2.0
CHECKS: Final = 1_000
"""Unseen renders its own accuracy is measured on."""
PEAK_RATE: Final = 3e-3
OUTERMOST: Final = ("near.0", "places", "heads", "shows")


class Judge(Looker):
    """A `Looker` that is asked for JUDGED and LOCAL. `channels` and the `strides` of its LAYERS are those for pictures of
    JUDGED_SIDE unless said."""

    def __init__(self, channels: int = 3, strides: tuple[int, ...] = (2,) * LAYERS) -> None:
        super().__init__(
            LookerForm(
                channels=channels,
                strides=strides,
                fields={name: len(FIELDS[name]) for name in JUDGED},
                places={name: len(FIELDS[field]) for name, field in LOCAL.items()},
                subjects=len(SUBJECTS),
            )
        )


def as_seen(picture: Image.Image) -> np.ndarray:
    """A picture as the judge looks at it: (JUDGED_SIDE, JUDGED_SIDE, 3) uint8."""
    return np.asarray(picture.convert("RGB").resize((JUDGED_SIDE, JUDGED_SIDE), Image.Resampling.BOX))


def truths(scenes: Sequence[Scene]) -> dict[str, torch.Tensor]:
    """What the scenes show, as indices into FIELDS; `shows` is (count, subjects) of 0 and 1, LOCAL (count, GRID, GRID)."""
    shown = [_shown(scene) for scene in scenes]
    found = {name: torch.tensor([FIELDS[name].index(row[name]) for row in shown]) for name in JUDGED}
    present = [[float(any(thing.kind == kind for thing in scene.things)) for kind in SUBJECTS] for scene in scenes]
    numbers = np.stack([subject_numbers(scene, (GRID, GRID)) for scene in scenes])
    return (
        found | {"shows": torch.tensor(present)} | {name: _at(numbers, shown, field) for name, field in LOCAL.items()}
    )


def _at(numbers: np.ndarray, shown: Sequence[dict[str, str]], field: str) -> torch.Tensor:
    """(count, GRID, GRID): the first thing's `field` where it stands, the second one's where that does."""
    values, other = FIELDS[field], field.replace("0", "1")
    table = np.array([[values.index(value) for value in (ABSENT, row[field], row[other])] for row in shown])
    return torch.from_numpy(np.take_along_axis(table, numbers.reshape(len(shown), -1), 1).reshape(numbers.shape))


def _shown(scene: Scene) -> dict[str, str]:
    row = {"land": scene.land, "time": scene.time, "weather": scene.weather, "style": scene.style}
    row |= {"relation": scene.relation, "count": str(scene.things[0].count) if len(scene.things) == 1 else ABSENT}
    for index in (0, 1):
        thing = scene.things[index] if index < len(scene.things) else None
        row |= {f"kind_{index}": thing.kind if thing else ABSENT, f"colour_{index}": thing.colour if thing else ABSENT}
    return row


def judge_loss(scores: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor]) -> torch.Tensor:
    """Cross entropy of all fields and of what stands where, and of each subject's presence."""
    losses = [functional.cross_entropy(scores[name].float(), wanted[name]) for name in JUDGED]
    local = [functional.cross_entropy(scores[name].float(), wanted[name]) for name in LOCAL]
    present = functional.binary_cross_entropy_with_logits(scores["shows"].float(), wanted["shows"])
    return torch.stack(losses).sum() + LOCAL_WEIGHT * torch.stack(local).sum() + 10.0 * present


def varied(batch: torch.Tensor, chance: torch.Generator) -> torch.Tensor:
    """The pictures moved a little, with noise."""
    side, device = batch.shape[-1], batch.device
    down, right = torch.randint(13, (2,), generator=chance, device=device).tolist()
    moved = functional.pad(batch, (6, 6, 6, 6), mode="replicate")[:, :, down : down + side, right : right + side]
    moved = moved + 0.06 * torch.randn(moved.shape, generator=chance, device=device)
    return moved.contiguous(memory_format=torch.channels_last)


def half_mirrored(
    batch: torch.Tensor, wanted: dict[str, torch.Tensor], chance: torch.Generator
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Half of the pictures mirrored, and what they show where; none of which a mirror would make a caption false."""
    is_one_sided = wanted["relation"] == FIELDS["relation"].index("left")
    turns = (torch.rand(len(batch), generator=chance, device=batch.device) < 0.5) & ~is_one_sided
    turned = {name: torch.where(turns[:, None, None], wanted[name].flip(2), wanted[name]) for name in LOCAL}
    return torch.where(turns[:, None, None, None], batch.flip(3), batch), wanted | turned


@torch.no_grad()
def read(judge: Judge, pictures: np.ndarray) -> dict[str, torch.Tensor]:
    """The judge's answers on the CPU: indices into FIELDS, and for `shows` (count, subjects) booleans."""
    device = next(judge.parameters()).device
    scores = [judge(as_network_input(rows.to(device))) for rows in torch.split(torch.from_numpy(pictures), 100)]
    whole = {name: torch.cat([score[name] for score in scores]).cpu() for name in (*JUDGED, "shows")}
    return {name: whole[name].argmax(dim=1) for name in JUDGED} | {"shows": whole["shows"] > 0.0}


def own_accuracy(judge: Judge, seed: int, count: int, processes: int) -> dict[str, float]:
    """Share of right answers on renders it has never seen: of pairs for what only pairs show, else of all others."""
    rng = np.random.default_rng(seed)
    scenes = [drawn_scene(rng) for _ in range(count)]
    answers, wanted = read(judge, rendered(scenes, processes, painted_small)), truths(scenes)
    are_pairs = torch.tensor([len(scene.things) == 2 for scene in scenes])
    right = {name: (answers[name] == wanted[name]).float() for name in (*JUDGED, "shows")}
    rows = {name: are_pairs if name in {"kind_1", "colour_1", "relation"} else ~are_pairs for name in right}
    return {name: float(hits[rows[name]].mean()) for name, hits in right.items()}


def opened(folder: Path, device: torch.device) -> tuple[Judge, dict[str, float]]:
    """The judge and its own accuracy."""
    judge = Judge()
    judge.load_state_dict(load_file(folder / "judge.safetensors"))
    return judge.eval().to(device), json.loads((folder / "accuracy.json").read_text())


def train(args: argparse.Namespace) -> bool:
    """Render, train, check, keep.

    Returns:
        Whether the whole budget is spent.
    """
    device = device_of(args.device)
    judge = Judge()
    seeded(judge, args.seed)
    judge = judge.to(device).train()
    descent = Descent(dict(judge.named_parameters()), PEAK_RATE, OUTERMOST)
    course = Course(args, {"judge": judge, "descent": descent})
    rng, chance = np.random.default_rng((args.seed, course.steps)), course.chance(args.seed, device)
    scenes = [drawn_scene(rng) for _ in range(args.renders or RENDERS[device.type])]
    pictures = torch.from_numpy(rendered(scenes, args.processes, painted_small)).to(device)
    wanted = {name: values.to(device) for name, values in truths(scenes).items()}
    for done in course:
        rows = torch.randint(len(pictures), (args.batch or BATCHES[device.type],), generator=chance, device=device)
        shown = {name: values[rows] for name, values in wanted.items()}
        batch, shown = half_mirrored(as_network_input(pictures[rows]), shown, chance)
        with narrow(device):
            scores = judge(varied(batch, chance))
        loss = judge_loss(scores, shown)
        judge.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        descent.step(PEAK_RATE * rate_at(done))
        course.say(loss)
    accuracy = own_accuracy(judge.eval(), args.seed + 1, min(CHECKS, len(scenes)), args.processes)
    save_file(
        {name: weight.contiguous() for name, weight in judge.state_dict().items()}, args.out / "judge.safetensors"
    )
    (args.out / "accuracy.json").write_text(json.dumps(accuracy, indent=1))
    show(accuracy)
    return course.is_over


def main(argv: Sequence[str] | None = None) -> bool:
    """Command line."""
    parser = arguments(__doc__, minutes=1.5, seed=900)
    parser.add_argument("--renders", type=int, default=0, help="pictures to learn from; 0 chooses for the device")
    parser.add_argument("--processes", type=int, default=multiprocessing.cpu_count())
    return train(parser.parse_args(argv))


if __name__ == "__main__":
    main()
