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

from models.catalogue import Catalogue, Family, ModelCard, UpscalerCard, refiner_of
from models.engine import Painting
from models.process.engine import EngineProcess
from models.request import Adapter, ImageSize, Sampler
from models.sampling import Refiner
from models.spec import GenerationSpec, Refining, Resampling, SizePlan

MODEL: Final = "measured"
SCORER: Final = "scorer"
REFINER: Final = "refiner.safetensors"
UPSCALER: Final = "upscaler.safetensors"
ENLARGED: Final = 2
"""By what the sides of what is delivered are longer than those of what is painted."""
SLOTS: Final = 8
"""As many paintings at a time as a server takes in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """How to paint: the part of a style that is no wording."""

    steps: int = 20
    guidance: float = 3.0
    candidates: int = 1
    refine: int = 0


QUALITIES: Final = {
    "standard": Serving(steps=12),
    "hd": Serving(steps=20, refine=3),
    "ultra": Serving(steps=30, candidates=8, refine=3),
}
"""As the styles of the model in the box say it; those of its adapters paint at guidance 4."""

REFINER_FORM: Final = Refiner(steps=8, strength=0.75, guidance=3.0)
"""As the card of the model in the box says it."""


class Served:
    """An engine over one model folder; it ends with the block."""

    def __init__(self, model: Path, device: str = "auto") -> None:
        scorer, refiner, upscaler = model / SCORER, model / REFINER, model / UPSCALER
        card = ModelCard(
            id=MODEL,
            family=Family.STARTER,
            path=model.resolve(),
            licence="none",
            native_pixels=256 * 256,
            is_default=True,
            scorer=scorer.resolve() if scorer.exists() else None,
            refiner=replace(REFINER_FORM, path=refiner.resolve()) if refiner.exists() else None,
        )
        self.card, self.enlarges = card, upscaler.exists()
        network = UpscalerCard(id=MODEL, path=upscaler.resolve(), licence="none")
        catalogue = Catalogue({MODEL: card}, upscaler=network if self.enlarges else None)
        self._runner = asyncio.Runner()
        self._engine = EngineProcess(catalogue, environment={}, device=device, slots=SLOTS)

    def __enter__(self) -> Self:
        self._runner.run(self._engine.start())
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._engine.close())
        self._runner.close()

    def painter(self, serving: Serving) -> ServedPainter:
        """Who paints in this way, as far as the model has what that takes: a scorer to choose, a refiner to go over."""
        candidates = serving.candidates if self.card.scorer else 1
        refine = serving.refine if self.card.refiner else 0
        return ServedPainter(self, replace(serving, candidates=candidates, refine=refine))

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
        """One square picture for each prompt, painted at `side` and delivered at twice as much; picture i has the seed
        first_seed + i."""
        unwanted = list(negatives) or [""] * len(prompts)
        specs = [
            self._spec(prompt, negative, seed=first_seed + number, side=side)
            for number, (prompt, negative) in enumerate(zip(prompts, unwanted, strict=True))
        ]
        return [picture for picture, _ in self.served.painted(specs)]

    def seconds(self, prompt: str) -> float:
        """What one picture takes alone, from its texts to its pixels."""
        ((_, painting),) = self.served.painted([self._spec(prompt, "", seed=0, side=256)])
        return painting.render_ms / 1000

    def _spec(self, prompt: str, negative: str, *, seed: int, side: int) -> GenerationSpec:
        serving, refiner = self.serving, refiner_of(self.served.card)
        over = Refining(
            rounds=serving.refine,
            strength=REFINER_FORM.strength,
            num_inference_steps=REFINER_FORM.steps,
            guidance_scale=REFINER_FORM.guidance,
            adapters=(Adapter(id=refiner.id, weight=1.0),) if refiner else (),
        )
        return GenerationSpec(
            model=MODEL,
            prompt=prompt,
            negative_prompt=negative,
            seed=seed,
            size=self._size(side),
            sampler=Sampler.DPMPP_2M,
            num_inference_steps=serving.steps,
            guidance_scale=serving.guidance,
            candidates=serving.candidates,
            refining=over if serving.refine else None,
        )

    def _size(self, side: int) -> SizePlan:
        painted = ImageSize(width=side, height=side)
        enlarging = Resampling.NETWORK if self.served.enlarges else Resampling.LANCZOS
        return SizePlan(
            painted=painted,
            refined=painted if self.serving.refine else None,
            target=painted.times(ENLARGED),
            resampling=enlarging,
            upscale=1,
            upscale_resampling=Resampling.NONE,
        )


def _picture(painting: Painting) -> Image.Image:
    size = (painting.size.width, painting.size.height)
    return Image.frombytes("RGB", size, painting.pixels.read_bytes())
