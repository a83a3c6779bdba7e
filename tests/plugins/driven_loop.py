"""A loop in the test's own process, driven tick by tick."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import torch

from models import GenerationSpec, ModelCard
from models.diffusion.device import Device
from models.diffusion.engine_loop import EngineLoop
from models.diffusion.loading.residency import Residency
from models.diffusion.sharing.calibrations import Calibrations
from models.process import protocol as wire


@dataclass(kw_only=True)
class DrivenLoop:
    """`reports` is everything it said, `canceled` whom it shall let go."""

    loop: EngineLoop
    workspace: Path
    reports: list[wire.Report] = field(default_factory=list)
    canceled: set[int] = field(default_factory=set)
    asked: int = 0

    def ask(self, spec: GenerationSpec, *, preview_every: int = 0) -> int:
        """Returns the painting's number."""
        self.asked += 1
        self.loop.add(wire.Paint(number=self.asked, spec=spec, workspace=self.workspace, preview_every=preview_every))
        return self.asked

    def tick(self) -> None:
        self.loop.tick(self.reports.append, self.canceled.__contains__)

    def run(self) -> None:
        """Until nothing is left to do."""
        while not self.loop.is_idle:
            self.tick()

    def ended(self) -> dict[int, wire.Painted | wire.Stopped | wire.Broken]:
        finals = (wire.Painted, wire.Stopped, wire.Broken)
        return {report.number: report for report in self.reports if isinstance(report, finals)}

    def pixels(self) -> dict[int, str]:
        """`pixel_sha256` of everything that was finished, by number."""
        ended = self.ended().items()
        return {number: end.painting.recipe.pixel_sha256 for number, end in ended if isinstance(end, wire.Painted)}

    def steps(self, number: int) -> list[int]:
        """The step of each denoising beat of one painting."""
        beats = (report for report in self.reports if isinstance(report, wire.Beat) and report.number == number)
        return [beat.step for beat in beats if beat.steps]


def driven_loop(
    cards: Mapping[str, ModelCard] | Residency,
    device: Device,
    workspace: Path,
    *,
    largest: int = 8,
    folder: Path | None = None,
    compute: wire.Compute = wire.Compute.EXACT,
) -> DrivenLoop:
    residency = cards if isinstance(cards, Residency) else Residency(cards, device)
    calibrations = Calibrations(folder, largest=largest, holds_one=True, compute=compute)
    return DrivenLoop(loop=EngineLoop(device, residency, calibrations, slots=16), workspace=workspace)


def bend(loop: DrivenLoop, *models: str) -> None:
    """Let layers of these models' networks see how many rows they get, far above the last bits."""
    for model in models:
        loop.loop.load(model)
        network = loop.loop._residency._pipelines[model].network.module
        for name, layer in network.named_modules():
            if name.endswith(("time_emb_proj", "attn2.to_q", "conv_out")):
                layer.forward = partial(_bent, layer.forward)


def _bent(forward: Callable[..., torch.Tensor], rows: torch.Tensor, *more: object) -> torch.Tensor:
    return forward(rows, *more) + 0.02 * len(rows)
