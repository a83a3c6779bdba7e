"""The studio against its ceiling, a bare loop of the same network at the same batch size; and how soon slots change hands."""

import os
import statistics
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from plugins.figures import keep
from plugins.open_studio import OpenStudio, open_studio
from plugins.starter_specs import PROMPTS, starter_spec

from models import load_catalogue
from models.diffusion.device import choose_device
from models.diffusion.families.conditioning import Conditioning

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # diffusers
]

ROOT = Path(__file__).resolve().parents[2]
COMPANY = 8
STEPS = 12
ROUNDS = 5


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> OpenStudio:
    """Its batch sizes are measured."""
    cards = {card.id: card for card in load_catalogue(ROOT / "configs" / "models", root=ROOT).cards()}
    device = choose_device("auto", threads=len(os.sched_getaffinity(0)))
    studio = open_studio(cards, device, tmp_path_factory.mktemp("work"), largest=COMPANY)
    fill(studio, COMPANY, steps=12)
    studio.run()
    return studio


def fill(studio: OpenStudio, count: int, *, steps: int) -> list[int]:
    return [studio.ask(starter_spec(prompt=PROMPTS[k % 4], seed=k, num_inference_steps=steps)) for k in range(count)]


@dataclass(frozen=True, kw_only=True)
class Denoised:
    """`pictures` are passed through the network in each pass; `ms` is what one picture's share of one pass took."""

    pictures: int
    ms: float


def denoise(studio: OpenStudio) -> Denoised:
    """STEPS passes of a full studio. Steps are counted, not ticks: a pass need not hold everybody."""
    numbers = fill(studio, COMPANY, steps=3 * STEPS)
    while not all(studio.steps(number) for number in numbers):
        studio.tick()
    before, began = steps_done(studio, numbers), time.perf_counter()
    for _ in range(STEPS):
        studio.tick()
    spent_s = time.perf_counter() - began
    done = steps_done(studio, numbers) - before
    studio.canceled.update(numbers)
    studio.run()
    assert done % STEPS == 0, "a pass had another size than the others"
    return Denoised(pictures=done // STEPS, ms=spent_s * 1000 / done)


def steps_done(studio: OpenStudio, numbers: list[int]) -> int:
    return sum(studio.steps(number)[-1] for number in numbers)


def bare_loop(studio: OpenStudio, pictures: int) -> float:
    """Milliseconds that one picture's share of a pass takes of the network alone, at the same size."""
    network = studio.studio._residency._pipelines["starter"].network
    rows, generator = 2 * pictures, torch.Generator().manual_seed(1)
    latents = torch.randn((rows, *network.latent_shape(starter_spec().size.painted)), generator=generator)
    told = Conditioning(embeddings=torch.randn((rows, 77, 256), generator=generator).to(network.module.dtype))
    began = time.perf_counter()
    for step in range(STEPS):
        network.predict(latents, torch.full((rows,), 999.0 - step), told)
    return (time.perf_counter() - began) * 1000 / (STEPS * pictures)


def test_a_full_studio_against_a_bare_loop_of_the_network(studio: OpenStudio) -> None:
    ours, bare_ms = [], []
    for _ in range(ROUNDS):
        ours.append(denoise(studio))
        bare_ms.append(bare_loop(studio, ours[-1].pictures))
    ratios = [bare / one.ms for one, bare in zip(ours, bare_ms, strict=True)]
    ratio, pictures = statistics.median(ratios), ours[0].pictures
    keep(
        "2 bare loop",
        {
            "ratios": [{"what": "bare loop of the network at the same size", "ratio": ratio, "bar": 0.95}],
            "pictures_a_pass": pictures,
            "ours_ms_a_picture_step": [one.ms for one in ours],
            "bare_ms_a_picture_step": bare_ms,
        },
    )
    print(  # noqa: T201
        f"\n{STEPS} passes of {pictures} pictures in a full studio: {ratio:.2f} of a bare loop's speed"
        f" {[round(each, 2) for each in ratios]}"
    )
    assert ratio > 0


def test_how_many_steps_a_newcomer_and_a_freed_slot_wait(studio: OpenStudio) -> None:
    others = fill(studio, 4, steps=200)
    for _ in range(10):
        studio.tick()
    before, began = studio.steps(others[0])[-1], time.perf_counter()
    newcomer = studio.ask(starter_spec(seed=99))
    while not studio.steps(newcomer):
        studio.tick()
    steps, first_ms = studio.steps(others[0])[-1] - before, (time.perf_counter() - began) * 1000
    studio.canceled.update(others)
    before = len(studio.steps(newcomer))
    studio.tick()
    gone = sum(number in studio.ended() for number in others)
    studio.run()
    keep("4 changing hands", {"newcomer_steps": steps, "newcomer_ms": first_ms, "freed_after_ticks": 1, "freed": gone})
    assert steps <= 1
    print(  # noqa: T201
        f"\na newcomer's first step begins {steps} step(s) of the others later ({first_ms:.0f} ms); {gone} of 4 gone at the next tick"
    )
    assert gone == len(others)
