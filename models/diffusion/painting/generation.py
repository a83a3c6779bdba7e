"""One generation from spec to file, piece by piece, so that whoever drives it may stop it or drive
others between."""

import time
from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from models.diffusion.painting.drawing import draw, draw_whole
from models.diffusion.painting.run import EngineContext, Sent, Yielded
from models.diffusion.pixels.enlarging import needs_enlarging, write_picture
from models.diffusion.pixels.keeping import Keeping
from models.diffusion.resident.pipeline import Loaded
from models.diffusion.resident.whole import WholePipeline
from models.engine import Painting, Phase
from models.manifest import Recipe
from models.process.protocol import Beat, Paint

Work: TypeAlias = Generator[Yielded, Sent, Painting]


def generate(order: Paint, context: EngineContext) -> Work:
    """Paint `order`. Closing it stops where it stands.

    Returns:
        The painting, its pixels in the order's workspace.
    """
    beat, spec = partial(Beat, number=order.number), order.spec
    with ExitStack() as held:
        held.enter_context(context.residency.using(spec.model))
        pipeline = yield from _loaded(order, context)
        if isinstance(pipeline, WholePipeline):
            yield from _turn(pipeline, held)
        else:
            held.enter_context(pipeline.autoencoders.using(spec.vae))
            pipeline = pipeline.with_vae(spec.vae)
        held.enter_context(pipeline.adapters.using(spec.all_adapters))
        started = time.perf_counter()
        yield beat(phase=Phase.ENCODING)
        if isinstance(pipeline, WholePipeline):
            drawn = yield from draw_whole(order, pipeline, context)
        else:
            drawn = yield from draw(order, pipeline, context)
        file = order.workspace / f"{order.number}.rgb"
        upscaler = context.upscaler.upscaler() if spec.size.wants_network else None
        pixel_sha256 = yield from write_picture(
            drawn.image,
            spec.size,
            file,
            beat=beat(phase=Phase.UPSCALING if needs_enlarging(spec.size) else Phase.DECODING),
            upscaler=upscaler,
            keeping=Keeping.of(spec.init_image, spec.size, order.workspace),
        )
    ended = time.perf_counter()
    context.finishing_ms[spec.model] = (ended - drawn.finishing) * 1000
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


def _loaded(order: Paint, context: EngineContext) -> Generator[Yielded, Sent, Loaded]:
    """The model; where the spec names adapters or a VAE, these are next to be loaded."""
    beat = Beat(number=order.number, phase=Phase.LOADING)
    pieces = context.residency.pipeline(order.spec.model)
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


def _turn(whole: WholePipeline, held: ExitStack) -> Generator[Yielded, Sent, None]:
    """Wait until no other picture is painted with these networks; the turn ends with `held`."""
    while not whole.turn.acquire(blocking=False):
        yield None
    held.callback(whole.turn.release)
