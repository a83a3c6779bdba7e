"""One generation from spec to file, a stroke at a time, so that whoever drives it may stop it or drive others between."""

import time
from collections.abc import Generator
from functools import partial

import numpy as np
import torch
from PIL import Image

from models.child_protocol import Beat, Paint
from models.diffusion.denoising import Denoising
from models.diffusion.device import Device
from models.diffusion.enlarging import needs_enlarging, write_picture
from models.diffusion.loading import Pipeline
from models.diffusion.residency import Residency
from models.engine import Painting, Phase
from models.errors import ModelUnavailable
from models.manifest import Recipe


def strokes(order: Paint, *, residency: Residency, device: Device) -> Generator[Beat, None, Painting]:
    """Paint `order`. Each value says what comes next; taking the next one does it. Closing stops between two.

    Returns:
        The painting, its pixels in the order's workspace.
    """
    beat, spec = partial(Beat, number=order.number), order.spec
    if spec.adapters:
        raise ModelUnavailable("This engine applies no LoRA yet.")
    if not residency.holds(spec.model):
        yield beat(phase=Phase.LOADING)
    pipeline = residency.pipeline(spec.model)
    started = time.perf_counter()
    yield beat(phase=Phase.ENCODING)
    denoising = begin(order, pipeline, device)
    while not denoising.is_finished:
        yield beat(phase=Phase.DENOISING, step=denoising.passes_done, steps=denoising.passes)
        take_step(pipeline, denoising)
    yield beat(phase=Phase.DENOISING, step=denoising.passes, steps=denoising.passes)
    yield beat(phase=Phase.DECODING)
    image = picture_of(pipeline.network.decode(denoising.latents()))
    file = order.workspace / f"{order.number}.rgb"
    phase = Phase.UPSCALING if needs_enlarging(spec.size) else Phase.DECODING
    pixel_sha256 = yield from write_picture(image, spec.size, file, beat=beat(phase=phase))
    recipe = Recipe(
        spec=spec,
        fingerprint=pipeline.fingerprint,
        pixel_sha256=pixel_sha256,
        unknown_words=pipeline.vocabulary.unknown(spec.prompt),
    )
    render_ms = round((time.perf_counter() - started) * 1000)
    return Painting(pixels=file, size=spec.size.delivered, recipe=recipe, render_ms=render_ms)


def begin(order: Paint, pipeline: Pipeline, device: Device) -> Denoising:
    """Encode the texts and draw the noise."""
    return Denoising(
        order.spec,
        pipeline.texts.prepare(order.spec),
        shape=pipeline.network.latent_shape(order.spec.size.painted),
        scheduler_config=pipeline.scheduler_config,
        device=device.torch_device,
    )


def take_step(pipeline: Pipeline, denoising: Denoising) -> None:
    """One pass of the network for this picture alone."""
    rows = denoising.rows()
    denoising.advance(pipeline.network.predict(rows.latents, rows.timesteps, denoising.conditioning))


def picture_of(pixels: torch.Tensor) -> Image.Image:
    """(height, width, 3) in 0..1 to 8 bits a channel, rounded to nearest."""
    return Image.fromarray((pixels.numpy() * 255).round().astype(np.uint8), "RGB")
