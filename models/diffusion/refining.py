"""Going over what was painted, enlarged: shapes are put right that were too small to be painted well.

Source: SDEdit, arXiv:2108.01073.
"""

from dataclasses import replace

from PIL import Image

from models.diffusion.families.building import Network
from models.errors import PaintingBroken
from models.request import MAX_SEED, ImageSize
from models.spec import GenerationSpec

NOISE_APART = 1 << 31
"""Between a painting's seed and that of what goes over it: the same noise twice would leave a pattern."""


def check_refines(network: Network) -> None:
    """Raises PaintingBroken: the network cannot go over a painting, whatever the model's card says."""
    if network.encoder is None or network.reads_mask:
        raise PaintingBroken("This model cannot go over its paintings; its card must name no `refiner`.")


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


def enlarged(painting: Image.Image, size: ImageSize) -> Image.Image:
    """By a filter: what a network would add is painted over."""
    return painting.resize((size.width, size.height), Image.Resampling.LANCZOS)
