"""Specs and cards for tiny models; needs no torch."""

from pathlib import Path

from models import Catalogue, Family, GenerationSpec, ImageSize, ModelCard, Resampling, Sampler, SizePlan


def card_of(folder: Path, *, name: str = "tiny", is_default: bool = True, vocabulary: Path | None = None) -> ModelCard:
    return ModelCard(
        id=name,
        family=Family.SD1,
        path=folder,
        licence="none",
        native_pixels=64 * 64,
        is_default=is_default,
        vocabulary=vocabulary,
    )


def catalogue_of(*cards: ModelCard) -> Catalogue:
    return Catalogue({card.id: card for card in cards})


def new_spec(**changes: object) -> GenerationSpec:
    """32 x 32, three steps of euler with guidance."""
    plain: dict[str, object] = {
        "model": "tiny",
        "prompt": "a red boat on a lake",
        "negative_prompt": "fog",
        "seed": 7,
        "size": plain_size(),
        "sampler": Sampler.EULER,
        "num_inference_steps": 3,
        "guidance_scale": 4.0,
    }
    return GenerationSpec(**(plain | changes))  # type: ignore[arg-type]


def plain_size(width: int = 32, height: int = 32) -> SizePlan:
    """Painted as asked, nothing enlarged."""
    size = ImageSize(width=width, height=height)
    return SizePlan(
        painted=size, target=size, resampling=Resampling.NONE, upscale=1, upscale_resampling=Resampling.NONE
    )
