"""From a spec to a picture at the size at which denoising ends: which noise, the painting, what
refines it, decoding."""

import time
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, replace

import msgspec
from PIL import Image

from models.diffusion.painting.candidates import choosing, draft_of, is_chosen
from models.diffusion.painting.progress import Stretch, first_stretch
from models.diffusion.painting.refining import check_refines, refining_canvas, round_of
from models.diffusion.painting.run import EngineContext, Run, Sent, Yielded, begin, denoising_of, pass_wanted
from models.diffusion.pixels.levels import picture_of
from models.diffusion.resident.pipeline import Pipeline
from models.diffusion.resident.whole import WholePipeline, drawing
from models.engine import Phase
from models.manifest import Fingerprint
from models.process.protocol import Beat, Paint
from models.spec import Refining, refining_passes


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A picture at the size at which denoising ends. `finishing` is when its last step was done, by
    the performance counter; `candidate` the number of its noise."""

    image: Image.Image
    fingerprint: Fingerprint
    timesteps: tuple[float, ...]
    finishing: float
    candidate: int = 0


def draw(order: Paint, pipeline: Pipeline, context: EngineContext) -> Generator[Yielded, Sent, Drawn]:
    """Paint step by step through the network, refine the painting where the spec says so, then
    decode."""
    refining = order.spec.refining
    if refining is not None:
        check_refines(pipeline.network)
    candidate = yield from _candidate(order, pipeline, context)
    run = _first(order, pipeline, context, candidate)
    fingerprint, timesteps = (yield from run.passes()), run.denoising.timesteps
    for number in range(0 if refining is None else refining.rounds):
        run = _refined(run, refining, number) if refining is not None else run
        over = yield from run.passes()
        # A class of 0 promises nothing, whichever of the runs it was.
        fingerprint = replace(over, batch_class=min(fingerprint.batch_class, over.batch_class))
        timesteps = (*timesteps, *run.denoising.timesteps)
    finishing = time.perf_counter()
    yield Beat(number=order.number, phase=Phase.DECODING)
    image = picture_of(pipeline.network.decode(run.denoising.latents()))
    return Drawn(image=image, fingerprint=fingerprint, timesteps=timesteps, finishing=finishing, candidate=candidate)


def draw_whole(order: Paint, whole: WholePipeline, context: EngineContext) -> Generator[Yielded, Sent, Drawn]:
    """Let diffusers paint, and stop after each step."""
    began = finishing = time.perf_counter()
    planned = order.spec.num_inference_steps
    yield Beat(number=order.number, phase=Phase.DENOISING, step=0, steps=planned)
    with closing(drawing(whole, order.spec, context.device)) as steps:
        while True:
            try:
                done = next(steps)
            except StopIteration as finished:
                pixels, timesteps = finished.value
                break
            finishing = time.perf_counter()
            left_ms = (finishing - began) * 1000 / done * (planned - done)
            eta_ms = round(max(left_ms, 0.0) + context.finishing_ms.get(order.spec.model, 0.0))
            phase = Phase.DENOISING if done < planned else Phase.DECODING
            yield Beat(number=order.number, phase=phase, step=done, steps=max(done, planned), eta_ms=eta_ms)
    return Drawn(image=picture_of(pixels), fingerprint=whole.fingerprint, timesteps=timesteps, finishing=finishing)


def _candidate(order: Paint, pipeline: Pipeline, context: EngineContext) -> Generator[Yielded, Sent, int]:
    """Which noise to begin with. Drafts are no steps of the picture: while they are made, none is
    done."""
    spec = order.spec
    if not is_chosen(spec, reads_mask=pipeline.network.reads_mask):
        return spec.candidate
    steps = begin(order, pipeline, context.device, candidate=spec.candidate).passes + refining_passes(spec)
    draft = msgspec.structs.replace(order, spec=draft_of(spec))
    beat = Beat(number=order.number, phase=Phase.DENOISING, step=0, steps=steps)
    return (
        yield from choosing(
            spec,
            pipeline.scorer,
            lambda number: begin(draft, pipeline, context.device, candidate=number),
            lambda drafted: pass_wanted(draft.spec, pipeline, drafted, beat),
        )
    )


def _first(order: Paint, pipeline: Pipeline, context: EngineContext, candidate: int) -> Run:
    """The painting itself."""
    denoising = begin(order, pipeline, context.device, candidate=candidate)
    return Run(
        order=order,
        spec=order.spec,
        pipeline=pipeline,
        denoising=denoising,
        stretch=first_stretch(order.spec, rows=denoising.conditioning.rows),
        context=context,
    )


def _refined(before: Run, refining: Refining, number: int) -> Run:
    """Round `number` of those that refine what the run before painted."""
    pipeline, device, painted = before.pipeline, before.context.device, before.denoising
    pass_ms = before.stretch.pass_ms_after(painted.passes)
    spec = round_of(before.order.spec, refining, number)
    canvas = refining_canvas(painted.latents(), spec, refining.strength, pipeline.network, device.torch_device)
    denoising = denoising_of(spec, pipeline, canvas, device)
    stretch = Stretch(
        before=before.stretch.before + painted.passes,
        after=before.stretch.after - denoising.passes,
        pass_ms=pass_ms,
    )
    return replace(before, spec=spec, denoising=denoising, stretch=stretch)
