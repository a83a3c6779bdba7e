"""A CPU with one thread, and painting without a child process."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from plugins.tiny_specs import card_of

from models import GenerationSpec
from models.child_protocol import Beat, Paint
from models.diffusion.device import Device, choose_device
from models.diffusion.loading import Pipeline
from models.diffusion.painting import begin, strokes, take_step
from models.diffusion.residency import Residency
from models.engine import Painting

Load = Callable[[Path], Pipeline]
PaintAll = Callable[[GenerationSpec], tuple[Painting, list[Beat]]]


@pytest.fixture(scope="session")
def device() -> Device:
    return choose_device("cpu", threads=1)


@pytest.fixture(scope="session")
def load(device: Device) -> Load:
    """The pipeline of a folder, loaded once."""
    loaded: dict[Path, Pipeline] = {}

    def pipeline(folder: Path) -> Pipeline:
        if folder not in loaded:
            loaded[folder] = Residency({"tiny": card_of(folder)}, device).pipeline("tiny")
        return loaded[folder]

    return pipeline


@pytest.fixture
def denoise(load: Load, device: Device, tmp_path: Path) -> Callable[[Path, GenerationSpec], torch.Tensor]:
    """The finished latents of a spec."""

    def latents(folder: Path, spec: GenerationSpec) -> torch.Tensor:
        pipeline = load(folder)
        denoising = begin(Paint(number=1, spec=spec, workspace=tmp_path), pipeline, device)
        while not denoising.is_finished:
            take_step(pipeline, denoising)
        return denoising.latents()

    return latents


@pytest.fixture
def paint(sd1: Path, device: Device, tmp_path: Path) -> PaintAll:
    """A whole painting with the tiny SD 1 model, and the beats on the way."""
    residency = Residency({"tiny": card_of(sd1)}, device)

    def painted(spec: GenerationSpec) -> tuple[Painting, list[Beat]]:
        stroke, beats = strokes(Paint(number=1, spec=spec, workspace=tmp_path), residency=residency, device=device), []
        while True:
            try:
                beats.append(next(stroke))
            except StopIteration as finished:
                return finished.value, beats

    return painted
