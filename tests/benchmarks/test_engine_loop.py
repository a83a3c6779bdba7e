"""The loop against its ceiling, a bare loop of the same network at the same batch size; and how soon slots change hands."""

import os
import statistics
import time
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from plugins.driven_loop import DrivenLoop, driven_loop
from plugins.figures import keep
from plugins.starter_specs import PROMPTS, starter_spec

from models import load_catalogue
from models.diffusion.device import choose_device
from models.diffusion.texts.conditioning import Conditioning

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # diffusers
]

ROOT = Path(__file__).resolve().parents[2]
NEIGHBOURS = 8
STEPS = 12
ROUNDS = 5


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> DrivenLoop:
    """Its batch sizes are measured."""
    cards = {card.id: card for card in load_catalogue(ROOT / "configs" / "models", root=ROOT).cards()}
    device = choose_device("auto", threads=len(os.sched_getaffinity(0)))
    loop = driven_loop(cards, device, tmp_path_factory.mktemp("work"), largest=NEIGHBOURS)
    fill(loop, NEIGHBOURS, steps=12)
    loop.run()
    return loop


def fill(loop: DrivenLoop, count: int, *, steps: int) -> list[int]:
    return [loop.ask(starter_spec(prompt=PROMPTS[k % 4], seed=k, num_inference_steps=steps)) for k in range(count)]


@dataclass(frozen=True, kw_only=True)
class Denoised:
    """How many pictures went through the network in each pass, and what all passes took."""

    pictures: list[int]
    ms: float


def denoise(loop: DrivenLoop) -> Denoised:
    """STEPS passes of a full loop. Steps are counted, not ticks: the planner may leave somebody out of a pass."""
    numbers = fill(loop, NEIGHBOURS, steps=3 * STEPS)
    while not all(loop.steps(number) for number in numbers):
        loop.tick()
    done, began = [steps_done(loop, numbers)], time.perf_counter()
    for _ in range(STEPS):
        loop.tick()
        done.append(steps_done(loop, numbers))
    spent_ms = (time.perf_counter() - began) * 1000
    loop.canceled.update(numbers)
    loop.run()
    return Denoised(pictures=[after - before for before, after in pairwise(done)], ms=spent_ms)


def steps_done(loop: DrivenLoop, numbers: list[int]) -> int:
    return sum(loop.steps(number)[-1] for number in numbers)


def bare_loop_ms(loop: DrivenLoop, passes: list[int]) -> float:
    """The network alone, with as many pictures in each pass."""
    network = loop.loop._residency._pipelines["starter"].network
    generator = torch.Generator().manual_seed(1)
    latents = torch.randn((2 * NEIGHBOURS, *network.latent_shape(starter_spec().size.painted)), generator=generator)
    words = torch.randn((2 * NEIGHBOURS, 77, 256), generator=generator).to(network.module.dtype)
    began = time.perf_counter()
    for step, pictures in enumerate(passes):
        rows = 2 * pictures
        network.predict(
            latents[:rows], torch.full((rows,), 999.0 - step), Conditioning(embeddings=words[:rows].contiguous())
        )
    return (time.perf_counter() - began) * 1000


def test_a_full_loop_against_a_bare_loop_of_the_network(loop: DrivenLoop) -> None:
    ours, bare_ms = [], []
    for _ in range(ROUNDS):
        ours.append(denoise(loop))
        bare_ms.append(bare_loop_ms(loop, ours[-1].pictures))
    ratios = [bare / one.ms for one, bare in zip(ours, bare_ms, strict=True)]
    ratio = statistics.median(ratios)
    keep(
        "2 bare loop",
        {
            "ratios": [{"what": "bare loop of the network at the same sizes", "ratio": ratio, "bar": 0.95}],
            "pictures_in_each_pass": [one.pictures for one in ours],
            "ours_ms": [one.ms for one in ours],
            "bare_ms": bare_ms,
        },
    )
    print(  # noqa: T201
        f"\n{STEPS} passes of {ours[-1].pictures} pictures in a full loop: {ratio:.2f} of a bare loop's speed"
        f" {[round(each, 2) for each in ratios]}"
    )
    assert all(map(sum, (one.pictures for one in ours)))


def test_how_many_steps_a_newcomer_and_a_freed_slot_wait(loop: DrivenLoop) -> None:
    others = fill(loop, 4, steps=200)
    for _ in range(10):
        loop.tick()
    before, began = loop.steps(others[0])[-1], time.perf_counter()
    newcomer = loop.ask(starter_spec(seed=99))
    while not loop.steps(newcomer):
        loop.tick()
    steps, first_ms = loop.steps(others[0])[-1] - before, (time.perf_counter() - began) * 1000
    loop.canceled.update(others)
    before = len(loop.steps(newcomer))
    loop.tick()
    gone = sum(number in loop.ended() for number in others)
    loop.run()
    keep("4 changing hands", {"newcomer_steps": steps, "newcomer_ms": first_ms, "freed_after_ticks": 1, "freed": gone})
    assert steps <= 1
    print(  # noqa: T201
        f"\na newcomer's first step begins {steps} step(s) of the others later ({first_ms:.0f} ms); {gone} of 4 gone at the next tick"
    )
    assert gone == len(others)
