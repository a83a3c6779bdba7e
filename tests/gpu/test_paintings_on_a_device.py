"""What is promised of pictures in shared passes, proved on the device itself: bits, failures, LoRAs, ways to hold a model."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline
from plugins.at_once import at_once
from plugins.driven_loop import DrivenLoop
from plugins.ten_specs import TEN_SPECS
from plugins.tiny_loras import adapter_card, write_lora
from plugins.tiny_specs import card_of, new_spec, plain_size

from models import Adapter, AdapterCard, GenerationSpec, ModelCard, Placing, Sampler
from models.diffusion.device import Device
from models.diffusion.engine_loop import EngineLoop
from models.diffusion.loading.residency import Residency
from models.diffusion.painting.run import begin, pass_wanted
from models.diffusion.resident.pipeline import Pipeline
from models.diffusion.schedule.samplers import new_schedule
from models.diffusion.sharing.calibrations import Calibrations
from models.diffusion.steps.denoising import Denoising
from models.diffusion.steps.passes import run_pass
from models.engine import Phase
from models.process import protocol as wire
from models.process.protocol import Beat, Compute, Paint

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers

ORDERS = {"cpu": 1, "cuda": 20}
LARGEST = {"cpu": 2, "cuda": 8}
HUGE = 1024  # pixels a side

Open = Callable[..., DrivenLoop]


@pytest.fixture
def opened(sd1: Path, sdxl: Path, device: Device, tmp_path: Path) -> Open:
    """A loop that may take classes without size 1; what it measures outlives it."""
    plain = {"tiny": card_of(sd1), "xl": card_of(sdxl, name="xl", is_default=False)}

    def new(
        *,
        cards: Mapping[str, ModelCard] = plain,
        adapters: Mapping[str, AdapterCard] | None = None,
    ) -> DrivenLoop:
        largest = LARGEST[device.torch_device.type]
        calibrations = Calibrations(tmp_path / "calibrations", largest=largest, holds_one=False, compute=Compute.EXACT)
        loop = EngineLoop(device, Residency(cards, device, adapters), calibrations, slots=16)
        return DrivenLoop(loop=loop, workspace=tmp_path)

    return new


def one_by_one(loop: DrivenLoop, specs: tuple[GenerationSpec, ...]) -> dict[GenerationSpec, str]:
    found = {}
    for spec in specs:
        number = loop.ask(spec)
        loop.run()
        found[spec] = loop.pixels()[number]
    return found


def test_ten_requests_keep_their_pixels_in_many_orders_and_after_a_restart(opened: Open, device: Device) -> None:
    first = opened()
    alone = one_by_one(first, TEN_SPECS)
    assert len(set(alone.values())) == len(TEN_SPECS)

    for loop in (first, opened()):
        for order in range(ORDERS[device.torch_device.type]):
            rng = np.random.default_rng(order)
            asked: dict[int, GenerationSpec] = {}
            for index in rng.permutation(len(TEN_SPECS)):
                asked[loop.ask(TEN_SPECS[index])] = TEN_SPECS[index]
                unwanted = loop.ask(TEN_SPECS[int(rng.integers(len(TEN_SPECS)))])
                for _ in range(int(rng.integers(4))):
                    loop.tick()
                loop.canceled.add(unwanted)
            loop.run()
            painted = loop.pixels()
            assert {number: painted[number] for number in asked} == {n: alone[spec] for n, spec in asked.items()}


def test_a_picture_too_large_fails_beside_a_small_one_and_the_next_one_fits(opened: Open, device: Device) -> None:
    loop = opened()
    small, huge = new_spec(num_inference_steps=6), new_spec(size=plain_size(HUGE, HUGE), num_inference_steps=2)
    expected = one_by_one(loop, (small,))[small]

    with little_memory(loop, device):
        kept, guilty = loop.ask(small), loop.ask(huge)
        loop.run()
        failed = loop.ended()[guilty]
        assert isinstance(failed, wire.Broken)
        assert failed.kind == "OutOfMemory"
        assert loop.pixels()[kept] == expected
        assert one_by_one(loop, (small,))[small] == expected


@contextmanager
def little_memory(loop: DrivenLoop, device: Device) -> Iterator[None]:
    """Inside, a pass for a picture of HUGE pixels a side finds no room: on CUDA since there is none, on a CPU in words."""
    unet = loop.loop._residency._pipelines["tiny"].network.unet
    if device.torch_device.type == "cuda":
        torch.cuda.empty_cache()
        total = torch.cuda.mem_get_info()[1]
        torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_reserved() + (8 << 20)) / total)
        try:
            yield
        finally:
            torch.cuda.set_per_process_memory_fraction(1.0)
        return

    def refuse(_: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> None:
        if given[0].shape[-1] * 4 >= HUGE:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    hook = unet.conv_in.register_forward_pre_hook(refuse)
    yield
    hook.remove()


def test_loras_take_turns_on_one_model_without_a_trace(opened: Open, sd1: Path, tmp_path: Path) -> None:
    adapters = {
        id: adapter_card(write_lora(tmp_path / f"{id}.safetensors", sd1, seed=seed), id=id)
        for seed, id in enumerate(("ink", "pen"))
    }
    specs = tuple(
        new_spec(seed=1, adapters=tuple(Adapter(id=id, weight=0.7) for id in ids))
        for ids in ((), ("ink",), ("pen",), ("ink", "pen"))
    )
    loop = opened(adapters=adapters)

    alone = one_by_one(loop, specs)
    asked = {loop.ask(spec): spec for spec in (*specs, *reversed(specs))}
    loop.run()

    assert len(set(alone.values())) == len(specs)
    assert {number: loop.pixels()[number] for number in asked} == {n: alone[spec] for n, spec in asked.items()}


def denoising_of(pipeline: Pipeline, spec: GenerationSpec, device: Device) -> Denoising:
    return begin(Paint(number=1, spec=spec, workspace=Path()), pipeline, device)


def step(pipeline: Pipeline, spec: GenerationSpec, denoising: Denoising) -> None:
    wanted = pass_wanted(spec, pipeline, denoising, Beat(number=1, phase=Phase.DENOISING))
    denoising.advance(run_pass([wanted], 1)[0])


def loaded(card: ModelCard, device: Device) -> Pipeline:
    """Anew each time, as after a restart."""
    pipeline = at_once(Residency({"tiny": card}, device).pipeline("tiny"))
    assert isinstance(pipeline, Pipeline)
    return pipeline


def finished(card: ModelCard, spec: GenerationSpec, device: Device) -> tuple[torch.Tensor, torch.Tensor]:
    """Latents, on the CPU, and pixels."""
    return painted_by(loaded(card, device), spec, device)


def painted_by(pipeline: Pipeline, spec: GenerationSpec, device: Device) -> tuple[torch.Tensor, torch.Tensor]:
    """Latents, on the CPU, and pixels."""
    denoising = denoising_of(pipeline, spec, device)
    while not denoising.is_finished:
        step(pipeline, spec, denoising)
    return denoising.latents().cpu(), pipeline.network.decode(denoising.latents())


@pytest.mark.parametrize("placing", Placing)
def test_two_loads_with_one_fingerprint_paint_the_same_bits(sd1: Path, device: Device, placing: Placing) -> None:
    card = replace(card_of(sd1), placement=placing)
    first, again = loaded(card, device), loaded(card, device)
    assert first is not again
    assert first.fingerprint == again.fingerprint

    assert torch.equal(painted_by(first, new_spec(), device)[1], painted_by(again, new_spec(), device)[1])


@pytest.mark.parametrize("placing", [Placing.OFFLOAD, Placing.GROUPS])
def test_a_model_held_in_another_way_has_another_fingerprint_and_paints_what_looks_the_same(
    sd1: Path, device: Device, placing: Placing
) -> None:
    whole, held = loaded(card_of(sd1), device), loaded(replace(card_of(sd1), placement=placing), device)
    assert held.fingerprint != whole.fingerprint

    pictures = [painted_by(pipeline, new_spec(), device)[1] for pipeline in (whole, held)]

    assert (pictures[0] - pictures[1]).abs().max() <= 2 / 255


def test_a_fingerprint_names_what_chooses_cudas_kernels(sd1: Path, device: Device) -> None:
    found, is_cuda = loaded(card_of(sd1), device).fingerprint, device.torch_device.type == "cuda"

    cuda = (
        found.cudnn,
        found.cublas,
        found.compute_capability,
        found.multiprocessors,
        found.kernels,
        found.host_cpu,
    )
    assert {bool(member) for member in cuda} == {is_cuda}
    assert not is_cuda or found.kernels == "cublaslt, no split-K, attention flash, efficient, math"


@pytest.mark.parametrize("sampler", Sampler)
def test_in_float32_our_latents_are_those_of_diffusers_on_the_same_device(
    sd1: Path, exact: Device, sampler: Sampler
) -> None:
    spec = new_spec(sampler=sampler, num_inference_steps=4)
    theirs: Any = StableDiffusionPipeline.from_pretrained(sd1, safety_checker=None, requires_safety_checker=False)
    theirs.to(exact.torch_device).set_progress_bar_config(disable=True)
    theirs.scheduler = new_schedule(sampler, theirs.scheduler.config)

    expected = theirs(
        spec.prompt,
        negative_prompt=spec.negative_prompt,
        width=32,
        height=32,
        num_inference_steps=spec.num_inference_steps,
        guidance_scale=spec.guidance_scale,
        generator=torch.Generator("cpu").manual_seed(spec.seed),
        output_type="latent",
        eta=0.3 if sampler is Sampler.TCD else 0.0,
    ).images.cpu()

    difference = (finished(card_of(sd1), spec, exact)[0] - expected).abs().max() / expected.abs().max()
    assert difference <= (0 if exact.torch_device.type == "cpu" else 1e-3)


def test_in_bfloat16_the_picture_is_nearly_that_of_float32(sd1: Path, exact: Device) -> None:
    spec = new_spec(sampler=Sampler.DDIM, num_inference_steps=8, guidance_scale=3.0)

    pixels = finished(card_of(sd1), spec, exact)[1]
    rough = finished(card_of(sd1), spec, replace(exact, dtype=torch.bfloat16))[1]

    assert 0 < (rough - pixels).abs().mean() < 0.02


def test_models_that_predict_flows_paint_on_the_device(opened: Open, sd3: Path) -> None:
    loop = opened(cards={"tiny": card_of(sd3)})

    assert one_by_one(loop, (new_spec(), new_spec(sampler=Sampler.DPMPP_2M)))


@pytest.mark.parametrize("sampler", [Sampler.EULER, Sampler.DDIM, Sampler.DPMPP_2M, Sampler.HEUN])
def test_no_step_waits_for_the_device(sd1: Path, device: Device, sampler: Sampler) -> None:
    """Samplers that draw noise do: it comes from the CPU. So does unipc, which solves small equations there."""
    spec = new_spec(sampler=sampler, num_inference_steps=5)
    pipeline = at_once(Residency({"tiny": card_of(sd1)}, device).pipeline("tiny"))
    denoising = denoising_of(pipeline, spec, device)
    step(pipeline, spec, denoising)

    with waiting_forbidden(device):
        while not denoising.is_finished:
            step(pipeline, spec, denoising)

    assert denoising.latents().isfinite().all()


@contextmanager
def waiting_forbidden(device: Device) -> Iterator[None]:
    """On a CPU nothing waits, and nothing is forbidden."""
    if device.torch_device.type == "cpu":
        yield
        return
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")
