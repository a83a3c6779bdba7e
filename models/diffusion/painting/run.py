"""One generation from spec to file, a stroke at a time, so that whoever drives it may stop it or drive others between."""

import time
from collections.abc import Callable, Generator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import partial

import msgspec
import torch
from PIL import Image

from models.diffusion.device import Device
from models.diffusion.loading.residency import Residency
from models.diffusion.painting.candidates import choosing, draft_of, is_chosen
from models.diffusion.painting.enlarging import needs_enlarging, write_picture
from models.diffusion.painting.progress import Stretch, first_stretch
from models.diffusion.painting.refining import canvas_over, check_refines, round_of
from models.diffusion.painting.starting import canvas_of
from models.diffusion.painting.upscaling import UpscalerStand
from models.diffusion.resident.pipeline import Loaded, Pipeline
from models.diffusion.resident.whole import WholePipeline, drawing
from models.diffusion.schedule.pictures import picture_of
from models.diffusion.steps.canvas import Canvas
from models.diffusion.steps.denoising import Denoising
from models.diffusion.steps.passes import PassWanted, predicted
from models.engine import Painting, Phase
from models.manifest import Fingerprint, Recipe
from models.process.protocol import Beat, Paint
from models.spec import GenerationSpec, Refining, refining_passes

# What a painting says of itself: a beat before work that it does alone, None while it waits for somebody else, and
# where it wants the network; there it must be sent the prediction.
Stroke = Beat | PassWanted | None
Work = Generator[Stroke, torch.Tensor | None, Painting]


@dataclass(frozen=True, slots=True, kw_only=True)
class Easel:
    """What every painting of this device is given. `batch_class` tells under which class of batch sizes a pass runs;
    `finishing_ms` remembers how long the last picture of a model took after its last step; `preview_every` how often a
    painting, by its number, shall be shown where that has changed since it was ordered; `upscaler` enlarges."""

    residency: Residency
    device: Device
    batch_class: Callable[[PassWanted], int]
    upscaler: UpscalerStand
    finishing_ms: dict[str, float] = field(default_factory=dict[str, float])
    preview_every: dict[int, int] = field(default_factory=dict[int, int])


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """A picture at the size at which denoising ends. `finishing` is when its last step was done, by the performance counter;
    `candidate` the number of its noise."""

    image: Image.Image
    fingerprint: Fingerprint
    timesteps: tuple[float, ...]
    finishing: float
    candidate: int = 0


def strokes(order: Paint, easel: Easel) -> Work:
    """Paint `order`. Closing it stops between two strokes.

    Returns:
        The painting, its pixels in the order's workspace.
    """
    beat, spec = partial(Beat, number=order.number), order.spec
    with ExitStack() as held:
        held.enter_context(easel.residency.using(spec.model))
        pipeline = yield from _loaded(order, easel)
        if isinstance(pipeline, WholePipeline):
            yield from _turn(pipeline, held)
        else:
            held.enter_context(pipeline.autoencoders.using(spec.vae))
            pipeline = pipeline.with_vae(spec.vae)
        held.enter_context(pipeline.adapters.using(spec.all_adapters))
        started = time.perf_counter()
        yield beat(phase=Phase.ENCODING)
        if isinstance(pipeline, WholePipeline):
            drawn = yield from _draw_whole(order, pipeline, easel)
        else:
            drawn = yield from _draw(order, pipeline, easel)
        file = order.workspace / f"{order.number}.rgb"
        phase = Phase.UPSCALING if needs_enlarging(spec.size) else Phase.DECODING
        upscaler = easel.upscaler.upscaler() if spec.size.wants_network else None
        pixel_sha256 = yield from write_picture(drawn.image, spec.size, file, beat=beat(phase=phase), upscaler=upscaler)
    ended = time.perf_counter()
    easel.finishing_ms[spec.model] = (ended - drawn.finishing) * 1000
    recipe = Recipe(
        spec=replace(spec, candidate=drawn.candidate, candidates=1),
        fingerprint=drawn.fingerprint,
        pixel_sha256=pixel_sha256,
        unknown_words=pipeline.vocabulary.unknown(spec.prompt),
        timesteps=drawn.timesteps,
        upscaler_sha256=upscaler.sha256 if upscaler else None,
    )
    render_ms = round((ended - started) * 1000)
    return Painting(pixels=file, size=spec.size.delivered, recipe=recipe, render_ms=render_ms)


def _draw(order: Paint, pipeline: Pipeline, easel: Easel) -> Generator[Stroke, torch.Tensor | None, Drawn]:
    """Paint step by step through the network, go over it where the spec says so, then decode."""
    refining = order.spec.refining
    if refining is not None:
        check_refines(pipeline.network)
    candidate = yield from _candidate(order, pipeline, easel)
    denoising = begin(order, pipeline, easel.device, candidate=candidate)
    stretch = first_stretch(order.spec, rows=denoising.conditioning.rows)
    fingerprint = yield from _denoise(order, pipeline, denoising, stretch, easel)
    timesteps = denoising.timesteps
    number = 0
    while refining is not None and number < refining.rounds:
        pass_ms = stretch.pass_ms_after(denoising.passes)
        again, denoising = _begun_again(order, refining, pipeline, denoising, easel.device, number=number)
        stretch = Stretch(before=len(timesteps), after=stretch.after - denoising.passes, pass_ms=pass_ms)
        over = yield from _denoise(again, pipeline, denoising, stretch, easel)
        # A class of 0 promises nothing, whichever of the runs it was.
        fingerprint = replace(over, batch_class=min(fingerprint.batch_class, over.batch_class))
        timesteps = (*timesteps, *denoising.timesteps)
        number += 1
    finishing = time.perf_counter()
    yield Beat(number=order.number, phase=Phase.DECODING)
    image = denoising.canvas.restored(picture_of(pipeline.network.decode(denoising.latents())))
    return Drawn(image=image, fingerprint=fingerprint, timesteps=timesteps, finishing=finishing, candidate=candidate)


def _begun_again(
    order: Paint, refining: Refining, pipeline: Pipeline, painted: Denoising, device: Device, *, number: int
) -> tuple[Paint, Denoising]:
    """The run that goes over what was painted, and its order."""
    again = msgspec.structs.replace(order, spec=round_of(order.spec, refining, number))
    canvas = canvas_over(painted.latents(), again.spec, refining.strength, pipeline.network, device.torch_device)
    return again, _denoising(again, pipeline, canvas, device)


def _draw_whole(order: Paint, whole: WholePipeline, easel: Easel) -> Generator[Stroke, torch.Tensor | None, Drawn]:
    """Let diffusers paint, and stop after each step."""
    began = finishing = time.perf_counter()
    planned = order.spec.num_inference_steps
    yield Beat(number=order.number, phase=Phase.DENOISING, step=0, steps=planned)
    with closing(drawing(whole, order.spec, easel.device)) as steps:
        while True:
            try:
                done = next(steps)
            except StopIteration as finished:
                pixels, timesteps = finished.value
                break
            finishing = time.perf_counter()
            left_ms = (finishing - began) * 1000 / done * (planned - done)
            eta_ms = round(max(left_ms, 0.0) + easel.finishing_ms.get(order.spec.model, 0.0))
            phase = Phase.DENOISING if done < planned else Phase.DECODING
            yield Beat(number=order.number, phase=phase, step=done, steps=max(done, planned), eta_ms=eta_ms)
    return Drawn(image=picture_of(pixels), fingerprint=whole.fingerprint, timesteps=timesteps, finishing=finishing)


def _loaded(order: Paint, easel: Easel) -> Generator[Stroke, torch.Tensor | None, Loaded]:
    """The model; where the spec names adapters or a VAE, these are next to be loaded."""
    beat = Beat(number=order.number, phase=Phase.LOADING)
    pieces = easel.residency.pipeline(order.spec.model)
    while True:
        try:
            is_work = next(pieces)
        except StopIteration as finished:
            pipeline: Loaded = finished.value
            break
        yield beat if is_work else None
    if order.spec.all_adapters or order.spec.vae is not None:
        yield beat
    return pipeline


def _turn(whole: WholePipeline, held: ExitStack) -> Generator[Stroke, torch.Tensor | None, None]:
    """Wait until no other picture is painted with these networks; the turn ends with `held`."""
    while not whole.turn.acquire(blocking=False):
        yield None
    held.callback(whole.turn.release)


def _candidate(order: Paint, pipeline: Pipeline, easel: Easel) -> Generator[Stroke, torch.Tensor | None, int]:
    """Which noise to begin with. Drafts are no steps of the picture: while they are made, none is done."""
    spec = order.spec
    if not is_chosen(spec, reads_mask=pipeline.network.reads_mask):
        return spec.candidate
    steps = begin(order, pipeline, easel.device, candidate=spec.candidate).passes + refining_passes(spec)
    draft = msgspec.structs.replace(order, spec=draft_of(spec))
    beat = Beat(number=order.number, phase=Phase.DENOISING, step=0, steps=steps)
    return (
        yield from choosing(
            spec,
            pipeline.scorer,
            lambda number: begin(draft, pipeline, easel.device, candidate=number),
            lambda drafted: pass_wanted(draft.spec, pipeline, drafted, beat),
        )
    )


def begin(order: Paint, pipeline: Pipeline, device: Device, *, candidate: int = 0) -> Denoising:
    """Encode the texts and the picture to start from, and draw the noise."""
    canvas = canvas_of(order.spec, pipeline.network, order.workspace, device.torch_device, candidate=candidate)
    return _denoising(order, pipeline, canvas, device)


def _denoising(order: Paint, pipeline: Pipeline, canvas: Canvas, device: Device) -> Denoising:
    pipeline.adapters.activate(order.spec.adapters)
    return Denoising(
        order.spec,
        pipeline.texts.prepare(order.spec),
        canvas=canvas,
        scheduler_config=pipeline.scheduler_config,
        device=device.torch_device,
        flow=pipeline.network.flow,
    )


def _denoise(
    order: Paint, pipeline: Pipeline, denoising: Denoising, stretch: Stretch, easel: Easel
) -> Generator[Stroke, torch.Tensor | None, Fingerprint]:
    """All passes. Returns the fingerprint under which they ran."""
    batch_class = 1
    while not denoising.is_finished:
        beat = _beat(order, pipeline, denoising, stretch, easel)
        wanted = pass_wanted(order.spec, pipeline, denoising, beat)
        denoising.advance((yield from predicted(wanted)))
        batch_class = easel.batch_class(wanted)
    yield _beat(order, pipeline, denoising, stretch, easel)
    hashes = pipeline.adapters.hashes
    used = {adapter.id: hashes[adapter.id] for adapter in order.spec.adapters}
    decoding = pipeline.network.decoder.manner(order.spec.size.painted)
    vae = order.spec.vae
    return replace(
        pipeline.fingerprint,
        batch_class=batch_class,
        adapters=used,
        decoding=decoding,
        vae_sha256="" if vae is None else pipeline.autoencoders.get(vae).sha256,
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


def _beat(order: Paint, pipeline: Pipeline, denoising: Denoising, stretch: Stretch, easel: Easel) -> Beat:
    """Where the painting stands; the steps so far tell how long the others will take."""
    done = denoising.passes_done
    left_ms = stretch.left_ms(done, denoising.passes)
    return Beat(
        number=order.number,
        phase=Phase.DENOISING,
        step=stretch.before + done,
        steps=stretch.before + denoising.passes + stretch.after,
        eta_ms=None if left_ms is None else round(left_ms + easel.finishing_ms.get(order.spec.model, 0.0)),
        preview=_preview(order, pipeline, denoising, easel, step=stretch.before + done),
    )


def _preview(order: Paint, pipeline: Pipeline, denoising: Denoising, easel: Easel, *, step: int) -> bytes | None:
    """A small JPEG at the steps it was asked for."""
    every = easel.preview_every.get(order.number, order.preview_every)
    is_asked = every > 0 and step % every == 0
    return pipeline.previews.attempt(denoising.estimate, order.spec.size.painted) if is_asked else None
