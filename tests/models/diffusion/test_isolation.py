"""What goes wrong in one painting stays in it: its neighbours in the pass keep their pixels and their pace."""

import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from plugins.open_studio import OpenStudio, open_studio
from plugins.tiny_specs import card_of, new_spec

from models import child_protocol as wire
from models.diffusion.device import Device

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers

STEPS = 6
POISON = "poison"
NEIGHBOURS = tuple(new_spec(seed=seed, num_inference_steps=STEPS) for seed in (1, 2))


@pytest.fixture
def studio(sd1: Path, device: Device, tmp_path: Path) -> OpenStudio:
    studio = open_studio({"tiny": card_of(sd1)}, device, tmp_path)
    studio.studio.load("tiny")
    return studio


@pytest.fixture
def alone(studio: OpenStudio) -> list[str]:
    numbers = []
    for spec in NEIGHBOURS:
        numbers.append(studio.ask(spec))
        studio.run()
    return [studio.pixels()[number] for number in numbers]


def poisoned(studio: OpenStudio, wrong: Callable[[], Exception]) -> None:
    """Every pass of the network that holds the prompt POISON fails."""
    pipeline = studio.studio._residency._pipelines["tiny"]
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
    studio: OpenStudio, alone: list[str], wrong: Callable[[], Exception], kind: str
) -> None:
    poisoned(studio, wrong)

    first, guilty, last = (studio.ask(spec) for spec in (NEIGHBOURS[0], new_spec(prompt=POISON), NEIGHBOURS[1]))
    studio.run()

    failed = studio.ended()[guilty]
    assert isinstance(failed, wire.Broken)
    assert failed.kind == kind
    assert [studio.pixels()[first], studio.pixels()[last]] == alone
    assert studio.ask(NEIGHBOURS[0])
    studio.run()
    assert studio.pixels()[studio.asked] == alone[0]


def test_a_picture_that_breaks_the_measuring_of_its_own_group_fails_alone(studio: OpenStudio, alone: list[str]) -> None:
    poisoned(studio, lambda: torch.OutOfMemoryError("CUDA out of memory"))

    guilty, first, last = (studio.ask(spec) for spec in (new_spec(prompt=POISON), *NEIGHBOURS))
    studio.run()

    assert isinstance(studio.ended()[guilty], wire.Broken)
    assert [studio.pixels()[first], studio.pixels()[last]] == alone


def test_what_a_failed_pass_held_is_free_before_anybody_tries_again(sd1: Path, device: Device, tmp_path: Path) -> None:
    studio = open_studio({"tiny": card_of(sd1)}, device, tmp_path, compute=wire.Compute.FAST)
    studio.studio.load("tiny")
    held: list[weakref.ref[torch.Tensor]] = []
    alive: list[int] = []

    def fill_up(_: torch.nn.Module, given: tuple[torch.Tensor, ...]) -> None:
        alive.append(sum(one() is not None for one in held))
        activation = given[0].clone()
        held.append(weakref.ref(activation))
        if len(activation) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory")

    pipeline = studio.studio._residency._pipelines["tiny"]
    pipeline.network.unet.conv_in.register_forward_pre_hook(fill_up)
    numbers = [studio.ask(spec) for spec in NEIGHBOURS]
    studio.run()

    assert set(numbers) <= studio.pixels().keys()
    assert len(alive) > 2 * STEPS  # passes of two that failed, and of one that did not
    assert set(alive) == {0}


def test_a_lost_device_ends_the_process_not_the_painting(studio: OpenStudio) -> None:
    poisoned(studio, lambda: torch.AcceleratorError("CUDA error: an illegal memory access was encountered"))
    guilty = studio.ask(new_spec(prompt=POISON))

    with pytest.raises(torch.AcceleratorError):
        studio.run()

    assert guilty not in studio.ended()


def test_values_that_are_no_numbers_end_one_picture_and_reach_no_other(studio: OpenStudio, alone: list[str]) -> None:
    first, guilty, last = (studio.ask(spec) for spec in (NEIGHBOURS[0], new_spec(guidance_scale=1e38), NEIGHBOURS[1]))
    studio.run()

    failed = studio.ended()[guilty]
    assert isinstance(failed, wire.Broken)
    assert "not numbers" in failed.message
    assert [studio.pixels()[first], studio.pixels()[last]] == alone


def test_a_cancelled_painting_is_gone_at_the_next_tick(studio: OpenStudio) -> None:
    kept, unwanted = studio.ask(NEIGHBOURS[0]), studio.ask(new_spec(num_inference_steps=500))
    for _ in range(4):
        studio.tick()
    studio.canceled.add(unwanted)
    before = len(studio.reports)

    studio.tick()

    assert studio.reports[before] == wire.Stopped(number=unwanted)
    assert len(studio.studio._sittings) == 1
    studio.run()
    assert kept in studio.pixels()


def test_a_newcomer_takes_its_first_step_after_one_step_of_the_others(studio: OpenStudio) -> None:
    studio.ask(new_spec(num_inference_steps=500))
    studio.ask(new_spec(num_inference_steps=500, seed=8))
    for _ in range(30):  # the batch sizes are measured meanwhile
        studio.tick()
    newcomer, before = studio.ask(NEIGHBOURS[0]), studio.steps(1)[-1]

    while not studio.steps(newcomer):
        studio.tick()

    assert studio.steps(1)[-1] - before <= 2
    studio.canceled.update({1, 2})
    studio.run()


def test_neighbours_of_a_failing_picture_lose_no_step(studio: OpenStudio) -> None:
    poisoned(studio, lambda: RuntimeError("a kernel failed"))

    kept = studio.ask(NEIGHBOURS[0])
    studio.ask(new_spec(prompt=POISON))
    studio.run()

    assert studio.steps(kept) == list(range(STEPS + 1))
