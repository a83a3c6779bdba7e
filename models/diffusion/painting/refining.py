"""Refining what was painted, as large or enlarged: noise is added to it and it is denoised again.

Source: SDEdit, arXiv:2108.01073.
"""

from dataclasses import replace

import torch
from PIL import Image

from models.diffusion.families.building import Network
from models.diffusion.pixels.levels import levels_of, picture_of
from models.diffusion.schedule.noise import generator_of, starting_latents
from models.diffusion.steps.canvas import Canvas
from models.errors import PaintingBroken
from models.request import MAX_SEED, ImageSize
from models.spec import GenerationSpec, Refining

SEED_STRIDE = 0x9E3779B1
"""Between the seeds of a painting and of the rounds that refine it: the same noise twice would
leave a pattern. Odd, so that no two rounds meet."""
CANNOT = "This model cannot refine its paintings; its card must name no `refiner`."


def check_refines(network: Network) -> None:
    """Raises PaintingBroken: the network cannot refine a painting, whatever the model's card
    says."""
    if network.encoder is None or network.reads_mask:
        raise PaintingBroken(CANNOT)


def round_of(spec: GenerationSpec, refining: Refining, number: int) -> GenerationSpec:
    """What refines the painting in round `number`, from 0, as a painting of its own."""
    return replace(
        spec,
        seed=(spec.seed + (number + 1) * SEED_STRIDE) % (MAX_SEED + 1),
        size=replace(spec.size, painted=spec.size.drawn, refined=None),
        num_inference_steps=refining.num_inference_steps,
        guidance_scale=refining.guidance_scale,
        adapters=spec.all_adapters,
        candidate=0,
        candidates=1,
        refining=None,
    )


def refining_canvas(
    painted: torch.Tensor, again: GenerationSpec, strength: float, network: Network, device: torch.device
) -> Canvas:
    """Begin at what was painted, (1, channels, height, width), with the noise of a round."""
    generator, size = generator_of(again.seed), again.size.painted
    shape = network.latent_shape(size)
    latents = painted if painted.shape[1:] == shape else _enlarged(painted, size, network, generator)
    noise = starting_latents(shape, generator).to(device)
    return Canvas(generator=generator, noise=noise, picture=latents.to(device), strength=strength)


def _enlarged(painted: torch.Tensor, size: ImageSize, network: Network, generator: torch.Generator) -> torch.Tensor:
    """By a filter: what a network would add is denoised again."""
    if network.encoder is None:
        raise PaintingBroken(CANNOT)
    picture = picture_of(network.decode(painted)).resize((size.width, size.height), Image.Resampling.LANCZOS)
    return network.encoder.encode(2.0 * levels_of(picture).to(painted.device) - 1.0, generator=generator)
