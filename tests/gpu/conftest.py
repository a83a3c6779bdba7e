"""Each test here runs on a CUDA device, where there is one, and on the CPU, which proves the tests themselves."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch

# cuBLAS reads it when the first kernel runs; served, the engine's child has it from its parent.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

from models.diffusion.device import Device, choose_device


@pytest.fixture(scope="session", params=["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request: pytest.FixtureRequest) -> Device:
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    return choose_device(request.param, threads=1)


@pytest.fixture(scope="session")
def exact(device: Device) -> Device:
    """The same in float32 and the usual layout, as diffusers computes by itself."""
    return replace(device, dtype=torch.float32, channels_last=False)


@pytest.fixture(scope="session")
def sd1(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from plugins.tiny_models import build_sd1

    return build_sd1(tmp_path_factory.mktemp("models") / "sd1")


@pytest.fixture(scope="session")
def sdxl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from plugins.tiny_models import build_sdxl

    return build_sdxl(tmp_path_factory.mktemp("models") / "sdxl")


@pytest.fixture(scope="session")
def sd3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from plugins.tiny_transformers import build_sd3

    return build_sd3(tmp_path_factory.mktemp("models") / "sd3")
