"""The studio against its ceiling, a bare loop of the same network at the same batch size; and how soon slots change hands."""

import os
import statistics
import time
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
ROUNDS = 3


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


def denoise(studio: OpenStudio) -> float:
    """Seconds for STEPS passes of COMPANY pictures; whoever is left afterwards is let go."""
    numbers = fill(studio, COMPANY, steps=STEPS + 1)
    while not all(studio.steps(number) for number in numbers):
        studio.tick()
    began = time.perf_counter()
    for _ in range(STEPS):
        studio.tick()
    spent_s = time.perf_counter() - began
    studio.canceled.update(numbers)
    studio.run()
    return spent_s


def bare_loop(studio: OpenStudio) -> float:
    """Seconds for STEPS passes of the network alone, with as many rows."""
    network = studio.studio._residency._pipelines["starter"].network
    rows, generator = 2 * COMPANY, torch.Generator().manual_seed(1)
    latents = torch.randn((rows, *network.latent_shape(starter_spec().size.painted)), generator=generator)
    told = Conditioning(embeddings=torch.randn((rows, 77, 256), generator=generator))
    began = time.perf_counter()
    for step in range(STEPS):
        network.predict(latents, torch.full((rows,), 999.0 - step), told)
    return time.perf_counter() - began


def test_a_full_studio_against_a_bare_loop_of_the_network(studio: OpenStudio) -> None:
    ours_s, bare_s = [], []
    for _ in range(ROUNDS):
        ours_s.append(denoise(studio))
        bare_s.append(bare_loop(studio))
    ratios = [bare / ours for ours, bare in zip(ours_s, bare_s, strict=True)]
    ratio = statistics.median(ratios)
    keep(
        "2 bare loop",
        {
            "ratios": [{"what": "bare loop of the network at the same size", "ratio": ratio, "bar": 0.95}],
            "ours_s": ours_s,
            "bare_s": bare_s,
        },
    )
    print(f"\n{STEPS} passes of {COMPANY} pictures: {ratio:.2f} of a bare loop's speed {[round(r, 2) for r in ratios]}")  # noqa: T201
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
    print(  # noqa: T201
        f"\na newcomer's first step begins {steps} step(s) of the others later ({first_ms:.0f} ms); {gone} of 4 gone at the next tick"
    )
    assert gone == len(others)
