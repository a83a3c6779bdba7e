"""What this engine is, for the recipe."""

import ctypes
import hashlib
import platform
from dataclasses import replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch

from models.diffusion.device import Device, kernel_policy
from models.diffusion.resident.placement import Placement
from models.manifest import Execution, Fingerprint

SOURCE = Path(__file__).resolve().parents[2]
DIGITS = 12
# What the engine's child never loads: it changes no picture, so that an edit of it measures nothing
# anew.
PAINTS_NOTHING = (
    "diffusion/originals/",
    "inspection.py",
    "notices.py",
    "process/child.py",
    "process/commissions.py",
    "process/conversion.py",
    "process/engine.py",
    "replay.py",
    "single_file/dimensions.py",
    "training/",
)


def fingerprint_of(model_sha256: str, device: Device, placement: Placement, execution: Execution) -> Fingerprint:
    """peft is named whether a LoRA acts or not: layers that held one once go on being called
    through it."""
    found = Fingerprint(
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
    )
    return _with_cuda(found, device.torch_device) if device.torch_device.type == "cuda" else found


def _with_cuda(found: Fingerprint, device: torch.device) -> Fingerprint:
    """What decides bits beside the GPU's name. Noise and schedules are made by the host's
    processor."""
    major, minor = torch.cuda.get_device_capability(device)
    return replace(
        found,
        cudnn=str(torch.backends.cudnn.version()),  # type: ignore[no-untyped-call]
        cublas=cublas_version(),
        compute_capability=f"{major}.{minor}",
        multiprocessors=str(torch.cuda.get_device_properties(device).multi_processor_count),
        kernels=kernel_policy(),
        host_cpu=host_cpu(),
    )


def host_cpu() -> str:
    """Its architecture, and the instructions that torch uses of it."""
    return f"{platform.machine()}, {torch.backends.cpu.get_cpu_capability()}"


def cublas_version() -> str:
    """Of the library that torch has loaded; where that does not say it, of the CUDA that torch was
    built with."""
    cuda = torch.version.cuda or "none"
    try:
        library = ctypes.CDLL(f"libcublas.so.{cuda.partition('.')[0]}")
    except OSError:
        return f"of CUDA {cuda}"
    numbers = [ctypes.c_int() for _ in range(3)]
    for kind, number in enumerate(numbers):
        library.cublasGetProperty(kind, ctypes.byref(number))
    return ".".join(str(number.value) for number in numbers)


@cache
def digest_of(source: Path) -> str:
    """The first digits of a SHA-256 over every Python file below `source` that has a hand in a
    picture, names included.

    A version alone would not do: a checkout keeps the one that it was installed with while its
    files change.
    """
    digest = hashlib.sha256()
    for file in sorted(source.rglob("*.py")):
        name = file.relative_to(source).as_posix()
        if name.startswith(PAINTS_NOTHING):
            continue
        content = file.read_bytes()
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:DIGITS]


def _own_version() -> str:
    try:
        return version("pinxit")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "source"
