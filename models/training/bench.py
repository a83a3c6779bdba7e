"""Measure what the starter must show, print the table and write it as JSON and Markdown.

    python -m models.training.bench --model models/starter --judge build/judge --out build/bench-starter

Pictures come from the engine, as a style would have them painted at each quality. Captions are unseen and use no word
that the model's vocabulary lacks, so an older model is asked only what it was taught. The judge is trained first if there is none in `--judge`. A row counts only what it can: a model without pairs in
its vocabulary has none to bind.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from PIL import Image
from rich import print as show
from rich.table import Table

from models.training import judge as judging
from models.training.course import device_of
from models.training.gallery import model_sheet, vocabulary_of, write_sheet
from models.training.latents import opened_autoencoder
from models.training.rendering import rendered
from models.training.samples import Painter, Sampling, latents_of
from models.training.served import QUALITIES, Served, Serving
from models.training.world.captions import ABSENT, FIELDS, UNSAID, Caption, captioned, words_of
from models.training.world.scene import SUBJECTS, Scene, drawn_scene
from models.training.world.wording import SUBJECT_WORDS

BARS: Final = {"kind_0": 0.90, "colour_0": 0.90, "land": 0.90, "time": 0.95, "style": 0.90}
NAMES: Final = {"kind_0": "subject", "colour_0": "colour of the subject", "time": "time of day"}
SEED_FLOOR: Final = 0.05
"""Least mean distance of two seeds' pictures, as a share of the whole scale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measured line; `bar` and `judge` are empty where there is none. `value` is what is compared with the bar."""

    name: str
    value: float | None
    shown: str
    bar: str = ""
    judge: str = ""
    is_met: bool | None = None


def asked(known: set[str], count: int, seed: int, wants: Callable[[Scene], bool]) -> list[Caption]:
    """Unseen captions of scenes of one kind that use only known words."""
    rng = np.random.default_rng(seed)
    found: list[Caption] = []
    for _ in range(count * 2000):
        if len(found) == count:
            break
        scene = drawn_scene(rng)
        caption = captioned(scene, rng)
        if wants(scene) and words_of(caption.text.lower()) <= known:
            found.append(caption)
    return found


class Bench:
    """A model that is served, its judge and the judge's own accuracy; `painters` by quality."""

    def __init__(self, args: argparse.Namespace, served: Served) -> None:
        self.args, self.device = args, device_of(args.device)
        self.known = vocabulary_of(args.model)
        self.judge, self.accuracy = judging.opened(args.judge, self.device)
        ways = zip(QUALITIES, args.steps, args.candidates, args.refine, strict=True)
        self.painters = {
            quality: served.painter(Serving(steps=steps, guidance=args.guidance, candidates=candidates, refine=refine))
            for quality, steps, candidates, refine in ways
        }
        self.painter = self.painters["hd"]
        self._seen: dict[str, tuple[list[Caption], dict[str, torch.Tensor]]] = {}

    def rows(self) -> Iterator[Row]:
        """All lines, in the order of the table."""
        yield from self.adherence()
        yield from self.binding()
        yield self.counting()
        yield from self.removal()
        yield self.diversity()
        yield from self.comparison()
        yield self.fidelity()
        yield from self.latency()

    def adherence(self) -> Iterator[Row]:
        """Of captions of at most one thing, how many pictures show what is said, field by field."""
        captions, answers = self._single("hd")
        for name, bar in BARS.items():
            right, said = _counted(name, captions, answers)
            yield self._share(NAMES.get(name, name), right, said, bar=bar, field=name)

    def binding(self) -> Iterator[Row]:
        """Of captions of two coloured things, how many pictures show both with their colours; and in their relation."""
        captions = asked(self.known, self.args.pairs, self.args.seed + 1, _is_pair)
        captions = [
            caption for caption in captions if UNSAID not in (caption.said["colour_0"], caption.said["colour_1"])
        ]
        if not captions:
            return
        answers = self._read(self.painter.paint([caption.text for caption in captions]))
        fields = ("kind_0", "colour_0", "kind_1", "colour_1")
        right = [
            all(int(answers[name][k]) == FIELDS[name].index(caption.said[name]) for name in fields)
            for k, caption in enumerate(captions)
        ]
        yield self._share("two subjects with their colours", sum(right), len(right), bar=0.70, field="kind_1")
        placed = [
            int(answers["relation"][k]) == FIELDS["relation"].index(caption.said["relation"])
            for k, caption in enumerate(captions)
        ]
        yield self._share("their relation", sum(placed), len(placed), field="relation")

    def counting(self) -> Row:
        """Of captions that say two, three or four of a kind, how many pictures show so many."""
        captions = asked(self.known, self.args.pairs, self.args.seed + 4, _is_herd)
        answers = self._read(self.painter.paint([caption.text for caption in captions]))["count"]
        said = [FIELDS["count"].index(caption.said["count"]) for caption in captions]
        right = sum(int(answer) == wanted for answer, wanted in zip(answers, said, strict=True))
        return self._share("two to four of a kind", right, len(captions), field="count")

    def removal(self) -> Iterator[Row]:
        """Two things asked for, the second also forbidden: how often it is gone, of the times it was there without."""
        captions = asked(self.known, self.args.pairs, self.args.seed + 2, _is_pair)
        if not captions:
            return
        prompts = [caption.text for caption in captions]
        forbidden = [caption.said["kind_1"] for caption in captions]
        columns = torch.tensor([SUBJECTS.index(kind) for kind in forbidden])
        negatives = [SUBJECT_WORDS[kind][0] for kind in forbidden]
        rows = torch.arange(len(captions))
        before = self._read(self.painter.paint(prompts))["shows"][rows, columns]
        after = self._read(self.painter.paint(prompts, negatives=negatives))["shows"][rows, columns]
        gone, there = int((before & ~after).sum()), int(before.sum())
        yield self._share("negative prompt removes the thing named", gone, there, bar=0.90, field="shows")

    def diversity(self) -> Row:
        """How far apart pictures of one prompt and several seeds are."""
        pictures = self.painter.paint(["a red lighthouse by the sea at sunset"] * 8, first_seed=self.args.seed)
        stack = np.stack([np.asarray(picture, np.float32) / 255.0 for picture in pictures])
        gaps = [float(np.abs(a - b).mean()) for k, a in enumerate(stack) for b in stack[:k]]
        return Row(
            name="mean pixel distance of two seeds (smallest)",
            value=float(np.mean(gaps)),
            shown=f"{np.mean(gaps):.3f} ({min(gaps):.3f})",
            bar=f">= {SEED_FLOOR}, none equal",
            is_met=bool(np.mean(gaps) >= SEED_FLOOR and min(gaps) > 0.0),
        )

    def comparison(self) -> Iterator[Row]:
        """What a better quality buys: of the same captions and seeds, how much of what is said is shown."""
        for quality in QUALITIES:
            captions, answers = self._single(quality)
            captions = captions[: self.args.compared]
            for fields in (("kind_0",), tuple(BARS)):
                right, said = np.sum([_counted(name, captions, answers) for name in fields], axis=0)
                named = "subject" if len(fields) == 1 else "all five"
                yield self._share(f"{quality}: {named}, of {len(captions)} captions", right, said, field="kind_0")

    @torch.no_grad()
    def fidelity(self) -> Row:
        """PSNR of the autoencoder on scenes it never saw."""
        rng, vae = np.random.default_rng(self.args.seed + 3), opened_autoencoder(self.args.model / "vae").eval()
        pictures = rendered([drawn_scene(rng) for _ in range(self.args.scenes)], 1)
        found = []
        for lot in np.array_split(pictures, max(1, len(pictures) // 8)):
            latents = latents_of(vae, lot) / vae.config.scaling_factor
            shown = vae.decode(latents.to(vae.dtype)).sample.float().clamp(-1, 1).permute(0, 2, 3, 1).cpu().numpy()
            error = np.square(shown - (lot.astype(np.float32) / 127.5 - 1.0)).mean(axis=(1, 2, 3))
            found += (10.0 * np.log10(4.0 / error)).tolist()
        value = float(np.mean(found))
        name = f"autoencoder, PSNR on {len(found)} unseen scenes of the present world"
        return Row(name=name, value=value, shown=f"{value:.1f} dB", bar=">= 28 dB", is_met=value >= 28.0)

    def latency(self) -> Iterator[Row]:
        """Seconds to load, and to paint one picture warm: the best of three."""
        start = time.monotonic()
        Painter(self.args.model, Sampling(), self.device)
        yield self._seconds("load", time.monotonic() - start, 3.0)
        for quality, bar in (("standard", 1.5), ("hd", 4.0)):
            painter = self.painters[quality]
            painter.seconds("a boat")
            best = min(painter.seconds("a red boat on a lake") for _ in range(3))
            rounds = f", refined {painter.serving.refine} times" if painter.serving.refine else ""
            yield self._seconds(f"{quality}, 512 px, {painter.serving.steps} steps{rounds}", best, bar)

    def _single(self, quality: str) -> tuple[list[Caption], dict[str, torch.Tensor]]:
        """Captions of at most one thing, the same first ones for each quality, and what the judge sees; painted once."""
        if quality not in self._seen:
            count = self.args.count if quality == "hd" else min(self.args.compared, self.args.count)
            captions = asked(self.known, count, self.args.seed, lambda scene: len(scene.things) < 2)
            pictures = self.painters[quality].paint([caption.text for caption in captions])
            self._seen[quality] = captions, self._read(pictures)
        return self._seen[quality]

    def _read(self, pictures: list[Image.Image]) -> dict[str, torch.Tensor]:
        return judging.read(self.judge, np.stack([judging.as_seen(picture) for picture in pictures]))

    def _share(self, name: str, right: int, said: int, *, field: str, bar: float | None = None) -> Row:
        value = right / said if said else None
        return Row(
            name=name,
            value=value,
            shown=f"{right} of {said}" + (f" = {value:.1%}" if value is not None else ""),
            bar=f">= {bar:.0%}" if bar else "",
            judge=f"{self.accuracy[field]:.1%}",
            is_met=value >= bar if bar and value is not None else None,
        )

    def _seconds(self, name: str, value: float, bar: float) -> Row:
        threads = "" if self.device.type == "cuda" else f", {torch.get_num_threads()} threads"
        where = f"{name} ({self.device.type}{threads})"
        return Row(name=where, value=value, shown=f"{value:.2f} s", bar=f"<= {bar} s", is_met=value <= bar)


def _is_pair(scene: Scene) -> bool:
    return len(scene.things) == 2


def _is_herd(scene: Scene) -> bool:
    return len(scene.things) == 1 and scene.things[0].count > 1


def _counted(name: str, captions: Sequence[Caption], answers: dict[str, torch.Tensor]) -> tuple[int, int]:
    """How many pictures show what their caption says in a field, and how many captions say something in it."""
    values = FIELDS[name]
    told = [k for k, caption in enumerate(captions) if caption.said[name] not in (UNSAID, ABSENT)]
    return sum(int(answers[name][k]) == values.index(captions[k].said[name]) for k in told), len(told)


def as_markdown(rows: Sequence[Row]) -> str:
    """The table as it stands in the model card."""
    lines = ["| | measured | bar | met | the judge itself |", "|---|---|---|---|---|"]
    for row in rows:
        met = "" if row.is_met is None else "yes" if row.is_met else "no"
        lines.append(f"| {row.name} | {row.shown} | {row.bar} | {met} | {row.judge} |")
    return "\n".join(lines) + "\n"


def printed(rows: Sequence[Row]) -> Table:
    """The table for a terminal."""
    table = Table("", "measured", "bar", "met", "judge itself")
    for row in rows:
        met = "" if row.is_met is None else "yes" if row.is_met else "no"
        table.add_row(row.name, row.shown, row.bar, met, row.judge)
    return table


def main(argv: Sequence[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("models/starter"))
    parser.add_argument("--judge", type=Path, default=Path("build/judge"))
    parser.add_argument("--judge-minutes", type=float, default=9.0, help="to train the judge if there is none")
    parser.add_argument("--out", type=Path, default=Path("build/bench-starter"))
    parser.add_argument("--seed", type=int, default=77)
    parser.add_argument("--count", type=int, default=500, help="captions of at most one thing")
    parser.add_argument("--pairs", type=int, default=100, help="captions of two things")
    parser.add_argument("--scenes", type=int, default=40, help="scenes for the autoencoder")
    parser.add_argument("--compared", type=int, default=200, help="of these captions that each quality paints")
    parser.add_argument(
        "--steps",
        type=int,
        nargs=3,
        default=[way.steps for way in QUALITIES.values()],
        help="of standard, hd and ultra",
    )
    parser.add_argument("--candidates", type=int, nargs=3, default=[way.candidates for way in QUALITIES.values()])
    parser.add_argument("--refine", type=int, nargs=3, default=[way.refine for way in QUALITIES.values()])
    parser.add_argument("--guidance", type=float, default=3.0)
    parser.add_argument("--no-sheet", action="store_true", help="leave out the contact sheet")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    args = parser.parse_args(argv)
    if not (args.judge / "judge.safetensors").exists():
        judging.main(["--out", str(args.judge), "--minutes", str(args.judge_minutes), "--device", args.device])
    with Served(args.model, args.device) as served:
        bench = Bench(args, served)
        rows = list(bench.rows())
        args.out.mkdir(parents=True, exist_ok=True)
        (args.out / "bench.json").write_text(json.dumps([asdict(row) for row in rows], indent=1))
        (args.out / "bench.md").write_text(as_markdown(rows))
        if not args.no_sheet:
            write_sheet(model_sheet(bench.painter, bench.known, args.seed), args.out / "outputs.webp", 1000)
    show(printed(rows))


if __name__ == "__main__":
    main()
