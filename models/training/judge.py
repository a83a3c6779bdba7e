"""A small classifier that looks at a picture and says what it shows.

    python -m models.training.judge train --out DIR --seed 900 --minutes 4
    python -m models.training.judge score --out DIR --model models/starter --seed 77 --count 200

It is trained on renders of its own seed, never on pictures of the model; its accuracy on unseen renders is printed
beside every score. Scores count unseen captions of one thing whose field the caption says.
"""

from __future__ import annotations

import argparse
import json
import time
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import torch
from PIL import Image
from rich import print as show
from torch import nn
from torch.nn import functional

from models.training.autoencoder import rate_at
from models.training.samples import paint
from models.training.world.captions import ABSENT, FIELDS, UNSAID, Caption, captioned
from models.training.world.composition import painted
from models.training.world.scene import Scene, drawn_scene

SIDE: Final = 96
JUDGED: Final = ("kind_0", "colour_0", "land", "time", "style")
BATCH: Final = 64
RENDERS: Final = 5000
CHECKS: Final = 500


class Judge(nn.Module):
    """Five strided convolutions and one linear head per field."""

    def __init__(self) -> None:
        super().__init__()
        widths, layers = (3, 32, 64, 128, 192, 256), []
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.GroupNorm(8, after), nn.SiLU()]
            if after >= 128:
                layers += [nn.Conv2d(after, after, 3, padding=1), nn.GroupNorm(8, after), nn.SiLU()]
        self.body = nn.Sequential(*layers)
        self.heads = nn.ModuleDict({name: nn.Linear(2 * widths[-1], len(FIELDS[name])) for name in JUDGED})

    def forward(self, pictures: torch.Tensor) -> dict[str, torch.Tensor]:
        """(batch, 3, SIDE, SIDE) in -1..1 to (batch, values) scores for each judged field."""
        seen = self.body(pictures)
        pooled = torch.cat([seen.mean(dim=(2, 3)), seen.amax(dim=(2, 3))], dim=1)
        return {name: head(pooled) for name, head in self.heads.items()}


def as_input(picture: Image.Image) -> np.ndarray:
    """(SIDE, SIDE, 3) uint8."""
    return np.asarray(picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX))


def as_batch(pictures: np.ndarray) -> torch.Tensor:
    """(count, SIDE, SIDE, 3) uint8 to (count, 3, SIDE, SIDE) float32 in -1..1."""
    return (torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1.0).contiguous(
        memory_format=torch.channels_last
    )


def single_scene(rng: np.random.Generator) -> Scene:
    """A scene with at most one thing."""
    while len((scene := drawn_scene(rng)).things) > 1:
        pass
    return scene


def truths(scenes: list[Scene]) -> dict[str, torch.Tensor]:
    """What the scenes show, as indices into FIELDS."""
    rows: dict[str, list[int]] = {name: [] for name in JUDGED}
    for scene in scenes:
        thing = scene.things[0] if scene.things else None
        shown = {"land": scene.land, "time": scene.time, "style": scene.style}
        shown["kind_0"], shown["colour_0"] = (thing.kind, thing.colour) if thing else (ABSENT, ABSENT)
        for name in JUDGED:
            rows[name].append(FIELDS[name].index(shown[name]))
    return {name: torch.tensor(row) for name, row in rows.items()}


def rendered(count: int, rng: np.random.Generator) -> tuple[np.ndarray, list[Scene]]:
    """Fresh renders at the judge's size, and their scenes."""
    scenes = [single_scene(rng) for _ in range(count)]
    return np.stack([as_input(Image.fromarray(painted(scene))) for scene in scenes]), scenes


def train(
    judge: Judge, pictures: np.ndarray, wanted: dict[str, torch.Tensor], minutes: float, rng: np.random.Generator
) -> None:
    """Train until the minutes are over."""
    optimizer = torch.optim.AdamW(judge.parameters(), lr=1.5e-3, weight_decay=0.02)
    start, step = time.monotonic(), 0
    while (spent := time.monotonic() - start) < minutes * 60:
        for group in optimizer.param_groups:
            group["lr"] = 1.5e-3 * rate_at(spent / (minutes * 60))
        rows = rng.integers(len(pictures), size=BATCH)
        batch = pictures[rows][:, :, :: int(rng.choice((-1, 1)))].copy()
        noise = rng.normal(size=batch.shape) * rng.uniform(0, 10)
        batch = np.clip(batch + noise, 0, 255).astype(np.uint8)
        with torch.autocast("cpu", torch.bfloat16):
            scores = judge(as_batch(batch))
        loss = torch.stack(
            [functional.cross_entropy(scores[name].float(), wanted[name][rows]) for name in JUDGED]
        ).sum()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        step += 1
        if step % 100 == 0:
            show(f"{spent:5.0f} s  step {step}  loss {loss.item():.3f}")


@torch.no_grad()
def read(judge: Judge, pictures: np.ndarray) -> dict[str, torch.Tensor]:
    """The judge's answers as indices into FIELDS."""
    scores = [judge(as_batch(pictures[first : first + 100])) for first in range(0, len(pictures), 100)]
    return {name: torch.cat([score[name] for score in scores]).argmax(dim=1) for name in JUDGED}


def own_accuracy(judge: Judge, rng: np.random.Generator) -> dict[str, float]:
    """Share of right answers on renders it has never seen."""
    pictures, scenes = rendered(CHECKS, rng)
    answers, wanted = read(judge, pictures), truths(scenes)
    return {name: float((answers[name] == wanted[name]).float().mean()) for name in JUDGED}


def adherence(judge: Judge, pictures: np.ndarray, captions: list[Caption]) -> dict[str, tuple[int, int]]:
    """For each field: how many pictures show what their caption says, of how many that say it."""
    answers, result = read(judge, pictures), {}
    for name in JUDGED:
        said = [caption.said[name] for caption in captions]
        pairs = [
            (FIELDS[name][int(a)], word)
            for a, word in zip(answers[name], said, strict=True)
            if word not in (UNSAID, ABSENT)
        ]
        result[name] = (sum(seen == word for seen, word in pairs), len(pairs))
    return result


def run_training(args: argparse.Namespace) -> None:
    """Render, train, check, keep."""
    rng = np.random.default_rng(args.seed)
    pictures, scenes = rendered(RENDERS, rng)
    judge = Judge()
    train(judge, pictures, truths(scenes), args.minutes, rng)
    accuracy = own_accuracy(judge.eval(), np.random.default_rng(args.seed + 1))
    show(accuracy)
    args.out.mkdir(parents=True, exist_ok=True)
    torch.save(judge.state_dict(), args.out / "judge.pt")
    (args.out / "accuracy.json").write_text(json.dumps(accuracy))


def run_scoring(args: argparse.Namespace) -> None:
    """Paint unseen captions with the model and let the judge read the pictures."""
    judge = Judge().eval()
    judge.load_state_dict(torch.load(args.out / "judge.pt", weights_only=True))
    rng = np.random.default_rng(args.seed)
    captions = [captioned(single_scene(rng), rng) for _ in range(args.count)]
    pictures = paint(
        args.model,
        [caption.text for caption in captions],
        sampler=args.sampler,
        steps=args.steps,
        guidance=args.guidance,
    )
    scores = adherence(judge, np.stack([as_input(picture) for picture in pictures]), captions)
    accuracy = json.loads((args.out / "accuracy.json").read_text())
    for name, (right, said) in scores.items():
        show(f"{name:9} {right}/{said} = {right / said:.3f}   (judge itself {accuracy[name]:.3f})")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("step", choices=("train", "score"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=Path("models/starter"))
    parser.add_argument("--seed", type=int, default=900)
    parser.add_argument("--minutes", type=float, default=4.0)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--sampler", default="dpmpp_2m")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--guidance", type=float, default=5.0)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    (run_training if args.step == "train" else run_scoring)(args)


if __name__ == "__main__":
    main()
