"""What a diffusers folder says of itself, read from its JSON files alone: nothing is loaded or
run."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from models.catalogue import Family
from models.errors import WeightsRejected
from models.request import ImageSize
from models.sampling import FLUX_DISTILLED_GUIDANCE, FLUX_FEW_STEPS, SD3, Sampling, sampling_of_whole
from models.whole_pipelines import WHOLE_PIPELINES

Form = TypeVar("Form", bound=msgspec.Struct)

# SD 1.x and SD 2.x come in the same pipelines; their networks tell them apart.
FAMILIES = {
    "StableDiffusionPipeline": Family.SD1,
    "StableDiffusionImg2ImgPipeline": Family.SD1,
    "StableDiffusionInpaintPipeline": Family.SD1,
    "StableDiffusionXLPipeline": Family.SDXL,
    "StableDiffusionXLImg2ImgPipeline": Family.SDXL,
    "StableDiffusionXLInpaintPipeline": Family.SDXL,
}
LATENTS_ASIDE = 128  # 1024 pixels with the usual autoencoder
PREDICTING = ("transformer", "unet")
SD2_TEXT_WIDTH = 1024  # OpenCLIP-H; SD 1.x reads CLIP-L, 768 wide


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """`native` is the size the network was trained on; `sampling` a default where styles know no
    such family."""

    family: Family
    native: ImageSize
    size_multiple: int = 8
    sampling: Sampling | None = None


class _Index(msgspec.Struct):
    pipeline: object = msgspec.field(name="_class_name")


class _Unet(msgspec.Struct):
    sample_size: int = 64
    use_linear_projection: bool = False
    cross_attention_dim: object = None

    @property
    def is_sd2(self) -> bool:
        """SD 2.x leads into its transformers with linear layers, SD 1.x with convolutions."""
        return self.use_linear_projection or self.cross_attention_dim == SD2_TEXT_WIDTH


class _Transformer(msgspec.Struct):
    sample_size: object = None
    patch_size: int = 2
    guidance_embeds: bool = False


class _Scheduler(msgspec.Struct):
    kind: str = msgspec.field(name="_class_name", default="")


class _Vae(msgspec.Struct):
    block_out_channels: tuple[int, ...] = (1, 1, 1, 1)
    encoder_block_out_channels: tuple[int, ...] = ()

    @property
    def pixels_per_latent(self) -> int:
        """Deep-compression autoencoders name their encoder's blocks apart."""
        return 1 << (len(self.encoder_block_out_channels or self.block_out_channels) - 1)


def inspect_folder(folder: Path) -> Inspection:
    """Raises WeightsRejected: no diffusers folder, or one of a build that we cannot paint with."""
    pipeline = str(_read(folder / "model_index.json", _Index).pipeline)
    if pipeline in FAMILIES:
        return _of_unet(folder, FAMILIES[pipeline])
    if pipeline == "StableDiffusion3Pipeline":
        return _of_sd3(folder)
    if pipeline == "FluxPipeline":
        return _of_flux(folder)
    if pipeline in WHOLE_PIPELINES:
        return _of_whole(folder)
    known = ", ".join((*FAMILIES, "StableDiffusion3Pipeline", "FluxPipeline"))
    raise WeightsRejected(
        f"{folder.name}: model_index.json says {pipeline!r}; we paint with {known} and {len(WHOLE_PIPELINES)} others."
    )


def _of_unet(folder: Path, family: Family) -> Inspection:
    unet, vae = _read(folder / "unet" / "config.json", _Unet), _read(folder / "vae" / "config.json", _Vae)
    if family is Family.SD1 and unet.is_sd2:
        family = Family.SD2
    return Inspection(family=family, native=_square(unet.sample_size * vae.pixels_per_latent))


def _of_sd3(folder: Path) -> Inspection:
    transformer, vae = _read(folder / "transformer" / "config.json", _Transformer), _vae(folder)
    side = transformer.sample_size if isinstance(transformer.sample_size, int) else LATENTS_ASIDE
    return Inspection(
        family=Family.SD3,
        native=_square(side * vae.pixels_per_latent),
        size_multiple=vae.pixels_per_latent * transformer.patch_size,
        sampling=SD3,
    )


def _of_flux(folder: Path) -> Inspection:
    transformer, vae = _read(folder / "transformer" / "config.json", _Transformer), _vae(folder)
    return Inspection(
        family=Family.FLUX,
        native=_square(LATENTS_ASIDE * vae.pixels_per_latent),
        size_multiple=vae.pixels_per_latent * 2,
        sampling=FLUX_DISTILLED_GUIDANCE if transformer.guidance_embeds else FLUX_FEW_STEPS,
    )


def _of_whole(folder: Path) -> Inspection:
    """What predicts has one of two names; few of these models say their native size."""
    config = next((file for file in (folder / name / "config.json" for name in PREDICTING) if file.exists()), None)
    said = _read(config, _Transformer).sample_size if config else None
    factor = _vae(folder).pixels_per_latent if (folder / "vae" / "config.json").exists() else 1
    scheduler = folder / "scheduler" / "scheduler_config.json"
    return Inspection(
        family=Family.OTHER,
        native=_square(said * factor if isinstance(said, int) else LATENTS_ASIDE * 8),
        size_multiple=max(16, factor),
        sampling=sampling_of_whole(_kind_of(scheduler) if scheduler.exists() else ""),
    )


def _vae(folder: Path) -> _Vae:
    return _read(folder / "vae" / "config.json", _Vae)


def _square(side: int) -> ImageSize:
    return ImageSize(width=side, height=side)


def _kind_of(scheduler: Path) -> str:
    """Its class. Python's own reader: diffusers writes -Infinity into these files, which is no
    JSON."""
    try:
        return msgspec.convert(json.loads(scheduler.read_bytes()), _Scheduler).kind
    except (OSError, ValueError, msgspec.ValidationError) as wrong:
        raise WeightsRejected(f"scheduler/{scheduler.name}: {_reason(wrong)}") from None


def _read(file: Path, form: type[Form]) -> Form:
    try:
        return msgspec.json.decode(file.read_bytes(), type=form)
    except (OSError, msgspec.DecodeError) as wrong:
        raise WeightsRejected(f"{file.resolve().parent.name}/{file.name}: {_reason(wrong)}") from None


def _reason(wrong: Exception) -> str:
    """An OSError's own text holds the whole path."""
    if isinstance(wrong, FileNotFoundError):
        return "no such file"
    return (wrong.strerror or "cannot be read") if isinstance(wrong, OSError) else str(wrong)
