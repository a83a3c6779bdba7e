"""Paint `docs/gallery.md` anew: `.venv/bin/python docs/gallery.py` after a change of the model in the box or its styles.

Each picture is what the command under it paints; the page says which engine painted it and the pixels' SHA-256.
"""

import asyncio
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.cli.painting import write
from gateway.settings import load_settings
from gateway.wiring.server import Installation
from models import GenerationRequest, Progress, Quality, Recipe
from models.manifest import Fingerprint

PAGE = Path(__file__).parent / "gallery.md"
PICTURES = PAGE.parent / "pictures" / "gallery"
SIDE = 256
INTRODUCTION = """# Gallery

What the model in the box paints, in its own size. The pictures are the better ones of a few prompts
and seeds. [Its card](../models/starter/README.md) says what it does badly. The command under a
picture paints it again. With the same engine and weights, the pixels are the same: the SHA-256 is
of the RGB bytes, and is `pixel_sha256` in the recipe that `--recipe FILE` writes. Another processor
may round differently.

`.venv/bin/python docs/gallery.py` paints this page.
Painted under: {engine}.
"""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One picture: what was asked."""

    style: str
    prompt: str
    seed: int
    quality: Quality = Quality.STANDARD

    @property
    def file(self) -> str:
        better = "" if self.quality is Quality.STANDARD else f"-{self.quality}"
        return f"{self.style}-{self.seed}{better}.webp"

    @property
    def command(self) -> str:
        return (
            f'pinxit generate "{self.prompt}" --style {self.style} --seed {self.seed} --quality {self.quality}'
            f" --width {SIDE} --height {SIDE} -o {self.file}"
        )

    def request(self) -> GenerationRequest:
        return GenerationRequest(
            prompt=self.prompt, style=self.style, seed=self.seed, quality=self.quality, width=SIDE, height=SIDE
        )


ENTRIES = (
    Entry(style="digital-art", prompt="a red lighthouse by the sea at sunset", seed=8),
    Entry(style="digital-art", prompt="a purple hot air balloon over mountains", seed=45),
    Entry(style="digital-art", prompt="an orange cat in the snow", seed=5),
    Entry(style="digital-art", prompt="a white castle on hills", seed=48),
    Entry(style="anime", prompt="a brown horse in a meadow", seed=48),
    Entry(style="cinematic", prompt="a red lighthouse by the sea at sunset", seed=5),
    Entry(style="comic-book", prompt="a yellow balloon over hills", seed=45),
    Entry(style="isometric", prompt="a red tent in the desert", seed=45),
    Entry(style="3d-render", prompt="a red apple on a table", seed=14),
    Entry(style="photographic", prompt="a mountain lake at sunset", seed=4),
    Entry(style="low-poly", prompt="a purple rocket over hills", seed=9),
    Entry(style="pixel-art", prompt="a blue boat on the sea", seed=4),
    Entry(style="blueprint", prompt="a red lighthouse by the sea at sunset", seed=48),
    Entry(style="stained-glass", prompt="a red lighthouse by the sea at sunset", seed=3),
    Entry(style="risograph", prompt="a red tent in the desert", seed=7),
    Entry(style="digital-art", prompt="a blue house in a meadow", seed=5, quality=Quality.HD),
    Entry(style="digital-art", prompt="a red rocket over hills at night", seed=4, quality=Quality.HD),
    Entry(style="digital-art", prompt="a green castle in a meadow", seed=7, quality=Quality.ULTRA),
)


async def painted(entries: tuple[Entry, ...]) -> list[Recipe]:
    """Paint each into its file, on one engine."""
    installation = Installation(settings=load_settings())
    engine, recipes = installation.engine(), []
    await engine.start()
    try:
        for entry in entries:
            route = installation.router.route(entry.request(), seed=entry.seed)
            with tempfile.TemporaryDirectory(prefix="pinxit-") as workspace:
                painting = await engine.paint(route.specs[0], workspace=Path(workspace), on_progress=_ignore)
                write(painting, PICTURES / entry.file)
            recipes.append(painting.recipe)
    finally:
        await engine.close()
    return recipes


def page(entries: tuple[Entry, ...], recipes: list[Recipe]) -> str:
    """The whole page."""
    parts = [INTRODUCTION.format(engine=engine_of(recipes[0].fingerprint))]
    parts += [block for entry, recipe in zip(entries, recipes, strict=True) for block in _blocks(entry, recipe)]
    return "\n".join(parts)


def engine_of(fingerprint: Fingerprint) -> str:
    """What beside the picture's own adapters decides its pixels; our own source is left out, it changes daily."""
    return (
        f"{fingerprint.device_name}, {fingerprint.dtype}, {fingerprint.threads} threads, torch {fingerprint.torch},"
        f" diffusers {fingerprint.diffusers}, model `{fingerprint.model_sha256[:16]}`"
    )


def _blocks(entry: Entry, recipe: Recipe) -> Iterator[str]:
    yield f"## {entry.prompt}, {entry.style}, {entry.quality}, seed {entry.seed}\n"
    yield f"![{entry.prompt}, {entry.style}](pictures/gallery/{entry.file})\n"
    yield f"```sh\n{entry.command}\n```\n"
    yield f"`{recipe.pixel_sha256}`\n"


def _ignore(_: Progress) -> None:
    """Nobody watches."""


if __name__ == "__main__":
    PICTURES.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(ENTRIES, asyncio.run(painted(ENTRIES))))
