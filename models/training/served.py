"""Paint as the service does: through the engine in its own process, with all that it does beside the network.

What is measured and printed is what people are served: its sampler, its guidance, its candidates. `samples.Painter` is
for looking at weights while they are trained.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

from PIL import Image

from models.catalogue import Catalogue, Family, ModelCard
from models.engine import Painting
from models.engine_process import EngineProcess
from models.request import ImageSize, Sampler
from models.spec import GenerationSpec, Resampling, SizePlan

MODEL: Final = "measured"
SCORER: Final = "scorer"
SLOTS: Final = 8
"""As many paintings at a time as a server takes in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """How to paint: the part of a style that is no wording."""

    steps: int = 20
    guidance: float = 3.0
    candidates: int = 1


QUALITIES: Final = {
    "standard": Serving(steps=12),
    "hd": Serving(steps=20, candidates=4),
    "ultra": Serving(steps=30, candidates=8),
}
"""As the styles of the model in the box say it; those of its adapters paint at guidance 4."""


class Served:
    """An engine over one model folder; it ends with the block."""

    def __init__(self, model: Path, device: str = "auto") -> None:
        scorer = model / SCORER
        card = ModelCard(
            id=MODEL,
            family=Family.STARTER,
            path=model.resolve(),
            licence="none",
            native_pixels=256 * 256,
            is_default=True,
            scorer=scorer.resolve() if scorer.exists() else None,
        )
        self.chooses = card.scorer is not None
        self._runner = asyncio.Runner()
        self._engine = EngineProcess(Catalogue({MODEL: card}), environment={}, device=device, slots=SLOTS)

    def __enter__(self) -> Self:
        self._runner.run(self._engine.start())
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._engine.close())
        self._runner.close()

    def painter(self, serving: Serving) -> ServedPainter:
        """Who paints in this way. A model without a scorer has nothing to choose by."""
        return ServedPainter(self, serving if self.chooses else replace(serving, candidates=1))

    def painted(self, specs: Sequence[GenerationSpec]) -> list[tuple[Image.Image, Painting]]:
        """All at a time, as far as the engine has room."""
        with tempfile.TemporaryDirectory() as folder:
            paintings = self._runner.run(self._together(specs, Path(folder)))
            return [(_picture(painting), painting) for painting in paintings]

    async def _together(self, specs: Sequence[GenerationSpec], folder: Path) -> list[Painting]:
        paint = self._engine.paint
        return await asyncio.gather(*(paint(spec, workspace=folder, on_progress=lambda _: None) for spec in specs))


@dataclass(frozen=True, slots=True)
class ServedPainter:
    """Paints as `samples.Painter` does, only through the engine."""

    served: Served
    serving: Serving

    def paint(
        self, prompts: Sequence[str], *, negatives: Sequence[str] = (), first_seed: int = 0, side: int = 256
    ) -> list[Image.Image]:
        """One square picture for each prompt; picture i is painted with seed first_seed + i."""
        unwanted = list(negatives) or [""] * len(prompts)
        specs = [
            _spec(prompt, negative, self.serving, seed=first_seed + number, side=side)
            for number, (prompt, negative) in enumerate(zip(prompts, unwanted, strict=True))
        ]
        return [picture for picture, _ in self.served.painted(specs)]

    def seconds(self, prompt: str) -> float:
        """What one picture takes alone, from its texts to its pixels."""
        ((_, painting),) = self.served.painted([_spec(prompt, "", self.serving, seed=0, side=256)])
        return painting.render_ms / 1000


def _spec(prompt: str, negative: str, serving: Serving, *, seed: int, side: int) -> GenerationSpec:
    size = ImageSize(width=side, height=side)
    return GenerationSpec(
        model=MODEL,
        prompt=prompt,
        negative_prompt=negative,
        seed=seed,
        size=SizePlan(
            painted=size, target=size, resampling=Resampling.NONE, upscale=1, upscale_resampling=Resampling.NONE
        ),
        sampler=Sampler.DPMPP_2M,
        num_inference_steps=serving.steps,
        guidance_scale=serving.guidance,
        candidates=serving.candidates,
    )


def _picture(painting: Painting) -> Image.Image:
    size = (painting.size.width, painting.size.height)
    return Image.frombytes("RGB", size, painting.pixels.read_bytes())
