"""One run of a painting through the network, from noise or a picture to finished latents, a pass at
a time."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import torch

from models.diffusion.device import Device
from models.diffusion.loading.residency import Residency
from models.diffusion.painting.progress import Stretch
from models.diffusion.painting.starting import canvas_of
from models.diffusion.pixels.upscaling import UpscalerStand
from models.diffusion.resident.pipeline import Pipeline
from models.diffusion.steps.canvas import Canvas
from models.diffusion.steps.denoising import Denoising
from models.diffusion.steps.passes import PassWanted, predicted
from models.engine import Phase
from models.manifest import Fingerprint
from models.process.protocol import Beat, Paint
from models.spec import GenerationSpec

# What a painting yields: a beat before work that it does alone, None while it waits for somebody
# else, and where it wants the network; there it must be sent the prediction.
Yielded: TypeAlias = Beat | PassWanted | None
Sent: TypeAlias = torch.Tensor | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineContext:
    """What every painting of this device is given. `batch_class` says under which class of batch
    sizes a pass runs; `finishing_ms` remembers how long the last picture of a model took after its
    last step; `preview_every` how often a painting, by its number, shall be shown where that has
    changed since it was ordered; `upscaler` enlarges."""

    residency: Residency
    device: Device
    batch_class: Callable[[PassWanted], int]
    upscaler: UpscalerStand
    finishing_ms: dict[str, float] = field(default_factory=dict[str, float])
    preview_every: dict[int, int] = field(default_factory=dict[int, int])


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """`spec` is of this run: that of `order`, or of a round that refines its painting."""

    order: Paint
    spec: GenerationSpec
    pipeline: Pipeline
    denoising: Denoising
    stretch: Stretch
    context: EngineContext

    def passes(self) -> Generator[Yielded, Sent, Fingerprint]:
        """All of them. Returns the fingerprint under which they ran."""
        batch_class = 1
        while not self.denoising.is_finished:
            wanted = pass_wanted(self.spec, self.pipeline, self.denoising, self.beat())
            self.denoising.advance((yield from predicted(wanted)))
            batch_class = self.context.batch_class(wanted)
        yield self.beat()
        return self._fingerprint(batch_class)

    def beat(self) -> Beat:
        """Where the painting stands; the steps so far tell how long the others will take."""
        done, passes, stretch = self.denoising.passes_done, self.denoising.passes, self.stretch
        left_ms = stretch.left_ms(done, passes)
        finishing_ms = self.context.finishing_ms.get(self.spec.model, 0.0)
        return Beat(
            number=self.order.number,
            phase=Phase.DENOISING,
            step=stretch.before + done,
            steps=stretch.before + passes + stretch.after,
            eta_ms=None if left_ms is None else round(left_ms + finishing_ms),
            preview=self._preview(stretch.before + done),
        )

    def _preview(self, step: int) -> bytes | None:
        """A small JPEG at the steps it was asked for."""
        every = self.context.preview_every.get(self.order.number, self.order.preview_every)
        is_asked = every > 0 and step % every == 0
        return self.pipeline.previews.attempt(self.denoising.estimate, self.spec.size.painted) if is_asked else None

    def _fingerprint(self, batch_class: int) -> Fingerprint:
        pipeline, spec = self.pipeline, self.spec
        hashes = pipeline.adapters.hashes
        return replace(
            pipeline.fingerprint,
            batch_class=batch_class,
            adapters={adapter.id: hashes[adapter.id] for adapter in spec.adapters},
            decoding=pipeline.network.decoder.manner(spec.size.painted),
            vae_sha256="" if spec.vae is None else pipeline.autoencoders.get(spec.vae).sha256,
        )


def begin(order: Paint, pipeline: Pipeline, device: Device, *, candidate: int = 0) -> Denoising:
    """Encode the texts and the picture to start from, and draw the noise."""
    canvas = canvas_of(order.spec, pipeline.network, order.workspace, device.torch_device, candidate=candidate)
    return denoising_of(order.spec, pipeline, canvas, device)


def denoising_of(spec: GenerationSpec, pipeline: Pipeline, canvas: Canvas, device: Device) -> Denoising:
    pipeline.adapters.activate(spec.adapters)
    return Denoising(
        spec,
        pipeline.texts.prepare(spec),
        canvas=canvas,
        scheduler_config=pipeline.scheduler_config,
        device=device.torch_device,
        flow=pipeline.network.flow,
    )


def pass_wanted(spec: GenerationSpec, pipeline: Pipeline, denoising: Denoising, beat: Beat) -> PassWanted:
    return PassWanted(
        beat=beat,
        model=spec.model,
        pipeline=pipeline,
        adapters=spec.adapters,
        rows=denoising.rows(),
        conditioning=denoising.conditioning,
    )
