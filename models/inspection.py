"""What a diffusers folder says of itself, read from its JSON files alone: nothing is loaded or run."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from models.catalogue import Family
from models.errors import WeightsRejected
from models.request import ImageSize

Form = TypeVar("Form", bound=msgspec.Struct)

FAMILIES = {"StableDiffusionPipeline": Family.SD1, "StableDiffusionXLPipeline": Family.SDXL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """`native` is the size the network was trained on."""

    family: Family
    native: ImageSize


class _Index(msgspec.Struct):
    pipeline: object = msgspec.field(name="_class_name")


class _Unet(msgspec.Struct):
    sample_size: int = 64


class _Vae(msgspec.Struct):
    block_out_channels: tuple[int, ...] = (1, 1, 1, 1)


def inspect_folder(folder: Path) -> Inspection:
    """Raises WeightsRejected: no diffusers folder, or one of a build that we cannot paint with."""
    pipeline = _read(folder / "model_index.json", _Index).pipeline
    if pipeline not in FAMILIES:
        known = ", ".join(FAMILIES)
        raise WeightsRejected(f"{folder.name}: model_index.json says {pipeline!r}; we paint with {known}.")
    unet, vae = _read(folder / "unet" / "config.json", _Unet), _read(folder / "vae" / "config.json", _Vae)
    side = unet.sample_size * 2 ** (len(vae.block_out_channels) - 1)
    return Inspection(family=FAMILIES[str(pipeline)], native=ImageSize(width=side, height=side))


def _read(file: Path, form: type[Form]) -> Form:
    try:
        return msgspec.json.decode(file.read_bytes(), type=form)
    except (OSError, msgspec.DecodeError) as wrong:
        raise WeightsRejected(f"{file.resolve().parent.name}/{file.name}: {_reason(wrong)}") from None


def _reason(wrong: Exception) -> str:
    return "no such file" if isinstance(wrong, FileNotFoundError) else str(wrong)
