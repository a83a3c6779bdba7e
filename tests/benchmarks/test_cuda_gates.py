"""Networks of the real sizes on a GPU: the engine in shared passes and alone against plain diffusers, and the floor to reach.

On a machine without one the same measurement runs with a tiny network, which proves nothing but itself.
"""

import statistics
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import DiffusionPipeline, UNet2DConditionModel
from plugins.driven_loop import DrivenLoop
from plugins.figures import keep
from plugins.real_sizes import SD15_UNET, SDXL_UNET, build_sd15, build_sdxl_base
from plugins.tiny_models import build_sd1
from plugins.tiny_specs import card_of, new_spec, plain_size

from models import GenerationSpec, Sampler
from models.diffusion.device import Device, choose_device
from models.diffusion.engine_loop import EngineLoop
from models.diffusion.loading.residency import Residency
from models.diffusion.schedule.samplers import new_schedule
from models.diffusion.sharing.calibrations import Calibrations
from models.process.protocol import Compute

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # diffusers
]

ROUNDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """`together` pictures at a time of `side` pixels. The bars are engine.md's floor: pictures a second, on an H200, and
    times plain diffusers, where it names any."""

    name: str
    build: Callable[[Path, torch.device], Path]
    side: int
    steps: int
    guidance_scale: float = 7.5
    sampler: Sampler = Sampler.DPMPP_2M
    together: int = 16
    pictures_a_second: float | None = None
    times_plain: float | None = None

    def spec(self, seed: int) -> GenerationSpec:
        return new_spec(
            seed=seed,
            size=plain_size(self.side, self.side),
            num_inference_steps=self.steps,
            guidance_scale=self.guidance_scale,
            sampler=self.sampler,
        )


SD15 = Gate(name="SD 1.5", build=build_sd15, side=512, steps=30, pictures_a_second=6.0, times_plain=3.3)
SDXL = Gate(name="SDXL", build=build_sdxl_base, side=1024, steps=30, together=8, pictures_a_second=0.8)
FEW_STEPS = replace(
    SDXL, name="SDXL, 4 steps", steps=4, guidance_scale=1.0, sampler=Sampler.LCM, together=16, pictures_a_second=8.0
)
TINY = Gate(name="tiny", build=lambda folder, _: build_sd1(folder), side=32, steps=3, together=4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds of each round, and the picture of each spec in each round."""

    together_s: list[float]
    one_by_one_s: list[float]
    alone_s: list[float]
    plain_alone_s: list[float]
    bare_s: list[float]
    pictures: list[tuple[GenerationSpec, str]]
    sizes: tuple[int, ...]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Gate, Device], Path]:
    """A gate's model, built once."""
    folders: dict[object, Path] = {}

    def folder(gate: Gate, device: Device) -> Path:
        if gate.build not in folders:
            folders[gate.build] = gate.build(tmp_path_factory.mktemp("model") / "model", device.torch_device)
        return folders[gate.build]

    return folder


@pytest.mark.gpu
@pytest.mark.parametrize("gate", [SD15, SDXL, FEW_STEPS], ids=lambda gate: gate.name)
def test_real_sizes_against_plain_diffusers_and_the_floor(
    gate: Gate, built: Callable[[Gate, Device], Path], tmp_path: Path
) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    device = choose_device("cuda", threads=None)

    timing = measured(gate, built(gate, device), device, tmp_path)

    figures = figures_of(gate, timing)
    keep(gate.name, figures, chart="gates")
    print(f"\n{gate.name}: {figures}")  # noqa: T201
    assert pictures_per_request(timing) == 1


@pytest.mark.parametrize(("config", "weights"), [(SD15_UNET, 859_520_964), (SDXL_UNET, 2_567_463_684)])
def test_the_networks_are_as_large_as_the_real_ones(config: dict[str, Any], weights: int) -> None:
    with torch.device("meta"):
        unet = UNet2DConditionModel(**config)

    assert sum(parameter.numel() for parameter in unet.parameters()) == weights


def test_the_measurement_works_with_a_tiny_network(built: Callable[[Gate, Device], Path], tmp_path: Path) -> None:
    device = choose_device("cpu", threads=1)

    timing = measured(TINY, built(TINY, device), device, tmp_path)

    assert pictures_per_request(timing) == 1
    assert len(timing.pictures) == ROUNDS * (TINY.together + 1)
    assert all(ratio["ratio"] > 0 for ratio in figures_of(TINY, timing)["ratios"])


def measured(gate: Gate, folder: Path, device: Device, workspace: Path) -> Timing:
    """Both in turns, in one process; whatever is measured was run once before."""
    loop, plain = opened(gate, folder, device, workspace), plain_diffusers(folder, device)
    specs = [gate.spec(seed) for seed in range(gate.together)]
    together(loop, specs)
    one_by_one(plain, specs[:1])
    timing = Timing(
        together_s=[], one_by_one_s=[], alone_s=[], plain_alone_s=[], bare_s=[], pictures=[], sizes=sizes_of(loop)
    )
    for _ in range(ROUNDS):
        for asked, spent in ((specs, timing.together_s), (specs[:1], timing.alone_s)):
            seconds, pictures = together(loop, asked)
            spent.append(seconds)
            timing.pictures.extend(pictures)
        timing.one_by_one_s.append(one_by_one(plain, specs))
        timing.plain_alone_s.append(one_by_one(plain, specs[:1]))
        timing.bare_s.append(bare_loop(loop, gate))
    return timing


def opened(gate: Gate, folder: Path, device: Device, workspace: Path) -> DrivenLoop:
    calibrations = Calibrations(
        workspace / "calibrations",
        largest=gate.together,
        holds_one=device.torch_device.type == "cpu",
        compute=Compute.EXACT,
    )
    loop = EngineLoop(device, Residency({"tiny": card_of(folder)}, device), calibrations, slots=gate.together)
    return DrivenLoop(loop=loop, workspace=workspace)


def sizes_of(loop: DrivenLoop) -> tuple[int, ...]:
    """The proven ones of the one group that there is; none where nobody ever had neighbours."""
    return next((known.sizes for known in loop.loop._calibrations._known.values()), ())


def plain_diffusers(folder: Path, device: Device) -> Any:
    """In the same dtype, as its documentation has it."""
    pipeline = DiffusionPipeline.from_pretrained(
        folder, dtype=device.dtype, safety_checker=None, requires_safety_checker=False, local_files_only=True
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device.torch_device)


def together(loop: DrivenLoop, specs: Sequence[GenerationSpec]) -> tuple[float, list[tuple[GenerationSpec, str]]]:
    """Seconds until all are painted, and the pictures."""
    began = time.perf_counter()
    asked = {loop.ask(spec): spec for spec in specs}
    loop.run()
    seconds = time.perf_counter() - began
    pixels = loop.pixels()
    return seconds, [(spec, pixels[number]) for number, spec in asked.items()]


def one_by_one(pipeline: Any, specs: Sequence[GenerationSpec]) -> float:
    """Seconds of plain diffusers for all, pixels and all."""
    began = time.perf_counter()
    for spec in specs:
        pipeline.scheduler = new_schedule(spec.sampler, pipeline.scheduler.config)
        pipeline(
            spec.prompt,
            negative_prompt=spec.negative_prompt,
            width=spec.size.painted.width,
            height=spec.size.painted.height,
            num_inference_steps=spec.num_inference_steps,
            guidance_scale=spec.guidance_scale,
            generator=torch.Generator("cpu").manual_seed(spec.seed),
        )
    return time.perf_counter() - began


def bare_loop(loop: DrivenLoop, gate: Gate) -> float:
    """Seconds that the network alone takes for as many passes at the largest proven size, a picture's share of it times
    the shared passes."""
    pipeline = loop.loop._residency._pipelines["tiny"]
    size = max(sizes_of(loop), default=1)
    told = pipeline.texts.prepare(gate.spec(0))
    joined = type(told).joined([told] * size)
    device, rows = told.embeddings.device, told.rows * size
    shape = pipeline.network.latent_shape(gate.spec(0).size.painted)
    latents = torch.randn((rows, *shape), generator=torch.Generator().manual_seed(1)).to(device)
    timesteps = torch.full((rows,), 501.0, device=device)
    began = time.perf_counter()
    for _ in range(gate.steps):
        prediction = pipeline.network.predict(latents, timesteps, joined)
    prediction.float().sum().item()  # waits for the device
    return (time.perf_counter() - began) / size * gate.together


def figures_of(gate: Gate, timing: Timing) -> dict[str, Any]:
    together_s, plain_s = statistics.median(timing.together_s), statistics.median(timing.one_by_one_s)
    alone = statistics.median(timing.plain_alone_s) / statistics.median(timing.alone_s)
    ratios = [
        {"what": f"{gate.name}, {gate.together} at a time", "ratio": plain_s / together_s, "bar": gate.times_plain},
        {"what": f"{gate.name}, alone", "ratio": alone, "bar": 0.95},
        {"what": f"{gate.name}, bare loop", "ratio": statistics.median(timing.bare_s) / together_s, "bar": None},
    ]
    rate = gate.together / together_s
    if gate.pictures_a_second is not None:
        ratios.append({"what": f"{gate.name}, pictures a second", "ratio": rate, "bar": gate.pictures_a_second})
    return {
        "ratios": ratios,
        "pictures_a_second": rate,
        "plain_pictures_a_second": gate.together / plain_s,
        "alone_s": statistics.median(timing.alone_s),
        "plain_alone_s": statistics.median(timing.plain_alone_s),
        "sizes": timing.sizes,
        "pictures_per_request": pictures_per_request(timing),
    }


def pictures_per_request(timing: Timing) -> int:
    return max(Counter(spec for spec, _ in set(timing.pictures)).values())
