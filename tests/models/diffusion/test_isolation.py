"""What goes wrong in one painting stays in it: its neighbours in the pass keep their pixels and their pace."""

import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from plugins.driven_loop import DrivenLoop, driven_loop
from plugins.tiny_specs import card_of, new_spec

from models.diffusion.device import Device
from models.process import protocol as wire

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers

STEPS = 6
POISON = "poison"
NEIGHBOURS = tuple(new_spec(seed=seed, num_inference_steps=STEPS) for seed in (1, 2))


@pytest.fixture
def loop(sd1: Path, device: Device, tmp_path: Path) -> DrivenLoop:
    loop = driven_loop({"tiny": card_of(sd1)}, device, tmp_path)
    loop.loop.load("tiny")
    return loop


@pytest.fixture
def alone(loop: DrivenLoop) -> list[str]:
    numbers = []
    for spec in NEIGHBOURS:
        numbers.append(loop.ask(spec))
        loop.run()
    return [loop.pixels()[number] for number in numbers]


def poisoned(loop: DrivenLoop, wrong: Callable[[], Exception]) -> None:
    """Every pass of the network that holds the prompt POISON fails."""
    pipeline = loop.loop._residency._pipelines["tiny"]
    marked = pipeline.texts.prepare(new_spec(prompt=POISON)).embeddings[1]

    def refuse(_: torch.nn.Module, __: tuple[object, ...], given: dict[str, torch.Tensor]) -> None:
        if any(torch.equal(row, marked) for row in given["encoder_hidden_states"]):
            raise wrong()

    pipeline.network.unet.register_forward_pre_hook(refuse, with_kwargs=True)


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [
        (lambda: torch.OutOfMemoryError("CUDA out of memory"), "OutOfMemory"),
        (MemoryError, "OutOfMemory"),
        (lambda: RuntimeError("a kernel failed"), "PaintingBroken"),
    ],
)
def test_a_picture_that_breaks_a_shared_pass_fails_alone(
    loop: DrivenLoop, alone: list[str], wrong: Callable[[], Exception], kind: str
) -> None:
    poisoned(loop, wrong)

    first, guilty, last = (loop.ask(spec) for spec in (NEIGHBOURS[0], new_spec(prompt=POISON), NEIGHBOURS[1]))
    loop.run()

    failed = loop.ended()[guilty]
    assert isinstance(failed, wire.Broken)
    assert failed.kind == kind
    assert [loop.pixels()[first], loop.pixels()[last]] == alone
    assert loop.ask(NEIGHBOURS[0])
    loop.run()
    assert loop.pixels()[loop.asked] == alone[0]


def test_a_picture_that_breaks_the_measuring_of_its_own_group_fails_alone(loop: DrivenLoop, alone: list[str]) -> None:
    poisoned(loop, lambda: torch.OutOfMemoryError("CUDA out of memory"))

    guilty, first, last = (loop.ask(spec) for spec in (new_spec(prompt=POISON), *NEIGHBOURS))
    loop.run()

    assert isinstance(loop.ended()[guilty], wire.Broken)
    assert [loop.pixels()[first], loop.pixels()[last]] == alone


def test_who_finds_no_room_waits_until_a_neighbour_has_ended(loop: DrivenLoop, alone: list[str]) -> None:
    guilty = loop.asked + 2

    def full() -> Exception:
        has_room = first in loop.ended()
        return RuntimeError("a kernel failed") if has_room else torch.OutOfMemoryError("CUDA out of memory")

    poisoned(loop, full)
    first = loop.ask(NEIGHBOURS[0])
    assert loop.ask(new_spec(prompt=POISON)) == guilty
    loop.run()

    assert loop.pixels()[first] == alone[0]
    failed = loop.ended()[guilty]
    assert isinstance(failed, wire.Broken)
    assert failed.kind == "PaintingBroken", "it was tried again once there was room"


def test_a_memory_that_was_full_for_a_moment_costs_nobody_a_picture(loop: DrivenLoop, alone: list[str]) -> None:
    left = [2]

    def full_at_first(_: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> None:
        left[0] -= 1
        if left[0] >= 0:
            raise torch.OutOfMemoryError("CUDA out of memory")

    network = loop.loop._residency._pipelines["tiny"].network
    network.unet.conv_in.register_forward_pre_hook(full_at_first)
    numbers = [loop.ask(spec) for spec in NEIGHBOURS]
    loop.run()

    assert [loop.pixels()[number] for number in numbers] == alone


def test_what_a_failed_pass_held_is_free_before_anybody_tries_again(sd1: Path, device: Device, tmp_path: Path) -> None:
    loop = driven_loop({"tiny": card_of(sd1)}, device, tmp_path, compute=wire.Compute.FAST)
    loop.loop.load("tiny")
    held: list[weakref.ref[torch.Tensor]] = []
    alive: list[int] = []

    def fill_up(_: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> None:
        alive.append(sum(one() is not None for one in held))
        activation = given[0].clone()
        held.append(weakref.ref(activation))
        if len(activation) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")

    pipeline = loop.loop._residency._pipelines["tiny"]
    pipeline.network.unet.conv_in.register_forward_pre_hook(fill_up)
    numbers = [loop.ask(spec) for spec in NEIGHBOURS]
    loop.run()

    assert set(numbers) <= loop.pixels().keys()
    assert len(alive) > 2 * STEPS  # passes of two that failed, and of one that did not
    assert set(alive) == {0}


def test_a_lost_device_ends_the_process_not_the_painting(loop: DrivenLoop) -> None:
    poisoned(loop, lambda: torch.AcceleratorError("CUDA error: an illegal memory access was encountered"))
    guilty = loop.ask(new_spec(prompt=POISON))

    with pytest.raises(torch.AcceleratorError):
        loop.run()

    assert guilty not in loop.ended()


def test_values_that_are_no_numbers_end_one_picture_and_reach_no_other(loop: DrivenLoop, alone: list[str]) -> None:
    first, guilty, last = (loop.ask(spec) for spec in (NEIGHBOURS[0], new_spec(guidance_scale=1e38), NEIGHBOURS[1]))
    loop.run()

    failed = loop.ended()[guilty]
    assert isinstance(failed, wire.Broken)
    assert "not numbers" in failed.message
    assert [loop.pixels()[first], loop.pixels()[last]] == alone


def test_a_cancelled_painting_is_gone_at_the_next_tick(loop: DrivenLoop) -> None:
    kept, unwanted = loop.ask(NEIGHBOURS[0]), loop.ask(new_spec(num_inference_steps=500))
    for _ in range(4):
        loop.tick()
    loop.canceled.add(unwanted)
    before = len(loop.reports)

    loop.tick()

    assert loop.reports[before] == wire.Stopped(number=unwanted)
    assert len(loop.loop._running) == 1
    loop.run()
    assert kept in loop.pixels()


def test_a_newcomer_takes_its_first_step_after_one_step_of_the_others(loop: DrivenLoop) -> None:
    loop.ask(new_spec(num_inference_steps=500))
    loop.ask(new_spec(num_inference_steps=500, seed=8))
    for _ in range(30):  # the batch sizes are measured meanwhile
        loop.tick()
    newcomer, before = loop.ask(NEIGHBOURS[0]), loop.steps(1)[-1]

    while not loop.steps(newcomer):
        loop.tick()

    assert loop.steps(1)[-1] - before <= 2
    loop.canceled.update({1, 2})
    loop.run()


def test_neighbours_of_a_failing_picture_lose_no_step(loop: DrivenLoop) -> None:
    poisoned(loop, lambda: RuntimeError("a kernel failed"))

    kept = loop.ask(NEIGHBOURS[0])
    loop.ask(new_spec(prompt=POISON))
    loop.run()

    assert loop.steps(kept) == list(range(STEPS + 1))
