"""What this engine is, for the recipe."""

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from models.diffusion.device import Device
from models.diffusion.resident.placement import Placement
from models.manifest import Execution, Fingerprint

SOURCE = Path(__file__).resolve().parents[1]
DIGITS = 12


def fingerprint_of(model_sha256: str, device: Device, placement: Placement, execution: Execution) -> Fingerprint:
    """peft is named whether a LoRA acts or not: layers that held one once go on being called through it."""
    is_cuda = device.torch_device.type == "cuda"
    return Fingerprint(
        model_sha256=model_sha256,
        device=device.torch_device.type,
        device_name=device.name,
        dtype=str(device.dtype).removeprefix("torch."),
        threads=device.threads,
        torch=version("torch"),
        diffusers=version("diffusers"),
        transformers=version("transformers"),
        pinxit=f"{_own_version()}+{digest_of(SOURCE)}",
        execution=execution,
        placement=placement.manner,
        peft=version("peft"),
        pillow=version("pillow"),
        cudnn=str(torch.backends.cudnn.version()) if is_cuda else "",  # type: ignore[no-untyped-call]
        compute_capability=_compute_capability(device.torch_device) if is_cuda else "",
    )


@cache
def digest_of(source: Path) -> str:
    """The first digits of a SHA-256 over every Python file below `source`, names included.

    A version alone would not do: a checkout keeps the one that it was installed with while its files change.
    """
    digest = hashlib.sha256()
    for file in sorted(source.rglob("*.py")):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(source).as_posix()} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:DIGITS]


def _compute_capability(device: torch.device) -> str:
    major, minor = torch.cuda.get_device_capability(device)
    return f"{major}.{minor}"


def _own_version() -> str:
    try:
        return version("pinxit")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "source"
