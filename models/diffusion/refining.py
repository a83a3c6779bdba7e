"""Going over what was painted, as large or enlarged: what came out wrong is put right.

Source: SDEdit, arXiv:2108.01073.
"""

from dataclasses import replace

import torch
from PIL import Image

from models.diffusion.families.building import Network
from models.diffusion.noise import generator_of, starting_latents
from models.diffusion.pictures import levels_of, picture_of
from models.diffusion.starting import Canvas
from models.errors import PaintingBroken
from models.request import MAX_SEED
from models.spec import GenerationSpec

NOISE_APART = 1 << 31
"""Between a painting's seed and that of what goes over it: the same noise twice would leave a pattern."""
CANNOT = "This model cannot go over its paintings; its card must name no `refiner`."


def check_refines(network: Network) -> None:
    """Raises PaintingBroken: the network cannot go over a painting, whatever the model's card says."""
    if network.encoder is None or network.reads_mask:
        raise PaintingBroken(CANNOT)


def second_pass(spec: GenerationSpec) -> GenerationSpec:
    """What goes over the painting, as a painting of its own."""
    refining = spec.refining
    if refining is None:
        return spec
    return replace(
        spec,
        seed=(spec.seed + NOISE_APART) % (MAX_SEED + 1),
        size=replace(spec.size, painted=spec.size.drawn, refined=None),
        num_inference_steps=refining.num_inference_steps,
        guidance_scale=refining.guidance_scale,
        adapters=spec.all_adapters,
        candidate=0,
        candidates=1,
        refining=None,
    )


def canvas_over(painted: torch.Tensor, spec: GenerationSpec, network: Network, device: torch.device) -> Canvas:
    """Begin at what was painted, (1, channels, height, width), with noise of its own."""
    generator = generator_of(second_pass(spec).seed)
    latents = _enlarged(painted, spec, network, generator).to(device)
    noise = starting_latents(network.latent_shape(spec.size.drawn), generator).to(device)
    strength = spec.refining.strength if spec.refining else None
    return Canvas(generator=generator, noise=noise, picture=latents, strength=strength)


def _enlarged(
    painted: torch.Tensor, spec: GenerationSpec, network: Network, generator: torch.Generator
) -> torch.Tensor:
    """As large as it is to be gone over; by a filter, for what a network would add is painted over."""
    size = spec.size.drawn
    if size == spec.size.painted:
        return painted
    if network.encoder is None:
        raise PaintingBroken(CANNOT)
    picture = picture_of(network.decode(painted)).resize((size.width, size.height), Image.Resampling.LANCZOS)
    return network.encoder.encode(2.0 * levels_of(picture).to(painted.device) - 1.0, generator=generator)
