"""A CPU with one thread, and painting without a child process."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from plugins.at_once import at_once
from plugins.tiny_specs import card_of

from models import GenerationSpec
from models.diffusion.device import Device, choose_device
from models.diffusion.loading.residency import Residency
from models.diffusion.painting.generation import generate
from models.diffusion.painting.run import EngineContext, begin, pass_wanted
from models.diffusion.pixels.upscaling import UpscalerStand
from models.diffusion.resident.pipeline import Pipeline
from models.diffusion.steps.passes import PassWanted, run_pass
from models.engine import Painting, Phase
from models.process.protocol import Beat, Paint

Load = Callable[[Path], Pipeline]
PaintAll = Callable[[GenerationSpec], tuple[Painting, list[Beat]]]
PaintWith = Callable[[Path, GenerationSpec], tuple[Painting, list[Beat]]]


@pytest.fixture(scope="session")
def device() -> Device:
    """Laid out as diffusers does by itself, so that bits can be compared."""
    return replace(choose_device("cpu", threads=1, dtype="float32"), channels_last=False)


@pytest.fixture(scope="session")
def load(device: Device) -> Load:
    """The pipeline of a folder, loaded once."""
    loaded: dict[Path, Pipeline] = {}

    def pipeline(folder: Path) -> Pipeline:
        if folder not in loaded:
            loaded[folder] = at_once(Residency({"tiny": card_of(folder)}, device).pipeline("tiny"))
        return loaded[folder]

    return pipeline


@pytest.fixture
def denoise(load: Load, device: Device, tmp_path: Path) -> Callable[[Path, GenerationSpec], torch.Tensor]:
    """The finished latents of a spec."""

    def latents(folder: Path, spec: GenerationSpec) -> torch.Tensor:
        pipeline = load(folder)
        order = Paint(number=1, spec=spec, workspace=tmp_path)
        denoising = begin(order, pipeline, device)
        while not denoising.is_finished:
            wanted = pass_wanted(spec, pipeline, denoising, Beat(number=1, phase=Phase.DENOISING))
            denoising.advance(run_pass([wanted], 1)[0])
        return denoising.latents()

    return latents


@pytest.fixture
def paint(sd1: Path, paint_with: PaintWith) -> PaintAll:
    """A whole painting with the tiny SD 1 model, and the beats on the way."""
    return partial(paint_with, sd1)


@pytest.fixture
def paint_with(device: Device, tmp_path: Path) -> PaintWith:
    """A whole painting with the model of a folder, which is loaded once."""
    contexts: dict[Path, EngineContext] = {}

    def painted(folder: Path, spec: GenerationSpec) -> tuple[Painting, list[Beat]]:
        if folder not in contexts:
            residency = Residency({spec.model: card_of(folder, name=spec.model)}, device)
            contexts[folder] = EngineContext(
                residency=residency, device=device, batch_class=lambda _: 1, upscaler=UpscalerStand(None, device)
            )
        order = Paint(number=1, spec=spec, workspace=tmp_path)
        work, beats, answer = generate(order, contexts[folder]), [], None
        while True:
            try:
                stroke = work.send(answer)
            except StopIteration as finished:
                return finished.value, beats
            answer = run_pass([stroke], 1)[0] if isinstance(stroke, PassWanted) else None
            beats.append(stroke.beat if isinstance(stroke, PassWanted) else stroke)

    return painted
