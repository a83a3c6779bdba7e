"""What this engine is, for the recipe."""

from importlib.metadata import PackageNotFoundError, version

from models.diffusion.device import Device
from models.manifest import Fingerprint


def fingerprint_of(model_sha256: str, device: Device) -> Fingerprint:
    return Fingerprint(
        model_sha256=model_sha256,
        device=device.torch_device.type,
        device_name=device.name,
        dtype=str(device.dtype).removeprefix("torch."),
        threads=device.threads,
        torch=version("torch"),
        diffusers=version("diffusers"),
        transformers=version("transformers"),
        pinxit=_own_version(),
    )


def _own_version() -> str:
    try:
        return version("pinxit")
    except PackageNotFoundError:  # run from a checkout that was never installed
        return "source"
