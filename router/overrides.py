"""What a request decides itself about the denoising, instead of style and quality: within what its model can do."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from models import Adapter, Catalogue, Family, GenerationRequest, ModelCard, Quality, Refining, RequestInvalid, Sampler
from models.catalogue import refiner_of
from router.styles import FamilySettings

# As the engine knows them: `models/diffusion/schedule/flow.py`; a pipeline that runs as a whole keeps its own.
FLOW_SAMPLERS = frozenset({Sampler.EULER, Sampler.HEUN, Sampler.DPMPP_2M, Sampler.UNIPC})
SAMPLERS: Mapping[Family, frozenset[Sampler]] = {
    Family.SD3: FLOW_SAMPLERS,
    Family.FLUX: FLOW_SAMPLERS,
    Family.OTHER: frozenset(),
}
# Of the text encoders that these families are built with; 0 where a family is none of these.
MOST_LAYERS_SKIPPED: Mapping[Family, int] = {
    Family.STARTER: 3,
    Family.SD1: 11,
    Family.SD2: 11,
    Family.SDXL: 10,
    Family.SD3: 10,
}
BEGINS_FROM_PICTURES = frozenset({Family.STARTER, Family.SD1, Family.SD2, Family.SDXL})

Work: TypeAlias = Literal["refining", "choosing"]
"""What a quality may stand for beside its steps: the painting is refined; the best of several initial noises is chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Denoising:
    """How one picture's noise is removed: four members of its spec."""

    sampler: Sampler
    num_inference_steps: int
    guidance_scale: float
    clip_skip: int


def denoising_of(request: GenerationRequest, settings: FamilySettings, quality: Quality) -> Denoising:
    """What the request names, and the style's settings for the rest."""
    steps, scale, skip = request.num_inference_steps, request.guidance_scale, request.clip_skip
    return Denoising(
        sampler=request.sampler or settings.sampler,
        num_inference_steps=settings.steps.of(quality) if steps is None else steps,
        guidance_scale=settings.guidance.of(quality) if scale is None else scale,
        clip_skip=settings.clip_skip if skip is None else skip,
    )


def candidates_of(request: GenerationRequest, settings: FamilySettings, card: ModelCard, quality: Quality) -> int:
    """How many beginnings may be tried. What begins from a picture has but one; choosing needs a scorer, and that reads the
    last layer of the text encoder."""
    skip = settings.clip_skip if request.clip_skip is None else request.clip_skip
    is_chosen = card.scorer is not None and request.init_image is None and skip == 0
    return settings.candidates.of(quality) if is_chosen else 1


def refining_of(
    request: GenerationRequest, settings: FamilySettings, card: ModelCard, quality: Quality
) -> Refining | None:
    """How the painting is refined, if at all: not where it starts from a picture, nor where the request says steps or guidance itself."""
    rounds, refiner, adapter = settings.refine.of(quality), card.refiner, refiner_of(card)
    is_steered = request.num_inference_steps is not None or request.guidance_scale is not None
    if refiner is None or rounds == 0 or is_steered or request.init_image is not None:
        return None
    return Refining(
        rounds=rounds,
        strength=refiner.strength,
        num_inference_steps=refiner.steps,
        guidance_scale=refiner.guidance,
        adapters=(Adapter(id=adapter.id, weight=1.0),) if adapter else (),
    )


def switched_off(
    request: GenerationRequest, settings: FamilySettings, card: ModelCard, quality: Quality
) -> Mapping[Work, tuple[str, ...]]:
    """What the quality stands for beside steps and guidance, and the request switches off: with the members, by their
    public names, that do so. See `refining_of` and `candidates_of`."""
    is_image = ("image",) if request.init_image is not None else ()
    steps = ("num_inference_steps",) if request.num_inference_steps is not None else ()
    guidance = ("guidance_scale",) if request.guidance_scale is not None else ()
    skip = ("clip_skip",) if request.clip_skip else ()
    off: dict[Work, tuple[str, ...]] = {}
    if card.refiner is not None and settings.refine.of(quality):
        off["refining"] = (*is_image, *steps, *guidance)
    if card.scorer is not None and settings.candidates.of(quality) > 1:
        off["choosing"] = (*is_image, *skip)
    return {work: members for work, members in off.items() if members}


def check_fits(request: GenerationRequest, card: ModelCard) -> None:
    """Refuse now what the engine would refuse after waiting.

    Raises:
        RequestInvalid: the model has no such sampler, has not so many layers, or begins from noise alone.
    """
    possible = SAMPLERS.get(card.family, frozenset(Sampler))
    if request.sampler is not None and request.sampler not in possible:
        known = f"with {', '.join(sorted(possible))}" if possible else "with its own sampler alone"
        raise RequestInvalid(f"The model {card.id!r} is painted {known}, not with {request.sampler}.", field="sampler")
    most = MOST_LAYERS_SKIPPED.get(card.family, 0)
    if request.clip_skip is not None and request.clip_skip > most:
        raise RequestInvalid(f"The model {card.id!r} can leave out at most {most} layers.", field="clip_skip")
    if request.init_image is not None and card.family not in BEGINS_FROM_PICTURES:
        raise RequestInvalid(f"The model {card.id!r} begins from noise alone, not from a picture.", field="image")


def check_vae(request: GenerationRequest, card: ModelCard, catalogue: Catalogue) -> None:
    """Raises VaeUnknown; RequestInvalid: it is made for another family than the model's."""
    if request.vae is None:
        return
    if (made_for := catalogue.vae(request.vae).family) is not card.family:
        raise RequestInvalid(
            f"The VAE {request.vae!r} is made for {made_for} models, and {card.id!r} is of the family {card.family};"
            " name a `model` that fits.",
            field="vae",
        )
