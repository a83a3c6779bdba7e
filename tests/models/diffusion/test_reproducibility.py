"""One request has one picture: alone, among any others, after joins, leaves, cancels and a restart."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from plugins.driven_loop import DrivenLoop, bend, driven_loop
from plugins.ten_specs import TEN_SPECS
from plugins.tiny_specs import card_of, new_spec

from models import GenerationSpec
from models.diffusion.device import Device
from models.diffusion.engine_loop import EngineLoop
from models.process import protocol as wire

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers

ORDERS = 20

Open = Callable[..., DrivenLoop]


@pytest.fixture(params=["as they are", "bent"])
def opened(request: pytest.FixtureRequest, sd1: Path, sdxl: Path, device: Device, tmp_path: Path) -> Open:
    """A loop that knows both families; its measurements outlive it. Bent networks have layers whose results depend
    visibly on the batch, so that nothing hides in the last bits."""
    cards = {"tiny": card_of(sd1), "xl": card_of(sdxl, name="xl", is_default=False)}

    def new(**more: object) -> DrivenLoop:
        loop = driven_loop(cards, device, tmp_path, folder=tmp_path / "calibrations", **more)
        if request.param == "bent":
            bend(loop, *cards)
        return loop

    return new


@pytest.fixture
def alone(opened: Open) -> dict[GenerationSpec, str]:
    """What each spec paints when nobody else is there."""
    loop, found = opened(largest=1), {}
    for spec in TEN_SPECS:
        number = loop.ask(spec)
        loop.run()
        found[spec] = loop.pixels()[number]
    assert len(set(found.values())) == len(TEN_SPECS)
    return found


def test_ten_requests_keep_their_pixels_in_many_orders_of_coming_and_going(
    opened: Open, alone: dict[GenerationSpec, str], count: Callable[[int], int]
) -> None:
    loop = opened()
    for order in range(count(ORDERS)):
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
        assert {number: painted[number] for number in asked} == {number: alone[spec] for number, spec in asked.items()}


def test_pictures_shared_passes_in_that(opened: Open) -> None:
    loop = opened()
    for seed in range(4):
        loop.ask(new_spec(seed=seed, num_inference_steps=12))
    loop.run()

    sizes = [len(passes) for passes in passes_of(loop)]
    assert max(sizes) == 4
    assert {end.painting.recipe.fingerprint.batch_class for end in painted(loop)} == {1}


def test_another_loop_reads_what_was_measured_and_paints_the_same(
    opened: Open, alone: dict[GenerationSpec, str], tmp_path: Path
) -> None:
    first = opened()
    for spec in TEN_SPECS[:3]:
        first.ask(spec)
        first.ask(spec)
    first.run()
    files = {file.name: file.read_bytes() for file in (tmp_path / "calibrations").iterdir()}
    assert files

    second = opened()
    asked = {second.ask(spec): spec for spec in TEN_SPECS[:3]}
    second.run()

    assert second.pixels() == {number: alone[spec] for number, spec in asked.items()}
    assert {file.name: file.read_bytes() for file in (tmp_path / "calibrations").iterdir()} == files


def test_more_slots_are_no_other_measurement(sd1: Path, device: Device, tmp_path: Path) -> None:
    folder, kept = tmp_path / "calibrations", []
    for slots in (2, 16):
        setup = wire.Setup(
            cards=(card_of(sd1),),
            preload="",
            device="cpu",
            threads=device.threads,
            slots=slots,
            calibrations=folder,
            dtype=str(device.dtype).removeprefix("torch."),
        )
        loop = DrivenLoop(loop=EngineLoop.open(setup), workspace=tmp_path)
        for seed in range(2):
            loop.ask(new_spec(seed=seed))
        loop.run()
        assert len(loop.pixels()) == 2
        kept.append({file.name: file.read_bytes() for file in folder.iterdir()})

    assert len(kept[0]) == 1
    assert kept[0] == kept[1]


def test_a_painting_that_is_cancelled_at_any_step_changes_nobody(
    opened: Open, alone: dict[GenerationSpec, str]
) -> None:
    loop = opened()
    for ticks in range(9):
        kept, unwanted = loop.ask(TEN_SPECS[3]), loop.ask(TEN_SPECS[6])
        for _ in range(ticks):
            loop.tick()
        loop.canceled.add(unwanted)
        loop.run()
        assert loop.pixels()[kept] == alone[TEN_SPECS[3]]
        assert isinstance(loop.ended()[unwanted], wire.Stopped | wire.Painted)


def test_fast_proves_nothing_says_so_and_shows_what_the_canary_prevents(
    opened: Open, alone: dict[GenerationSpec, str], request: pytest.FixtureRequest
) -> None:
    loop = opened(compute=wire.Compute.FAST)
    asked = {loop.ask(spec): spec for spec in TEN_SPECS}
    loop.run()

    assert {end.painting.recipe.fingerprint.batch_class for end in painted(loop)} == {0}
    if "bent" in request.node.name:
        changed = [spec for number, spec in asked.items() if loop.pixels()[number] != alone[spec]]
        assert len(changed) >= len(TEN_SPECS) // 2, "those that had neighbours: without the canary they are others"


def painted(loop: DrivenLoop) -> list[wire.Painted]:
    return [end for end in loop.ended().values() if isinstance(end, wire.Painted)]


def passes_of(loop: DrivenLoop) -> list[set[int]]:
    """Who was in each pass: neighbouring beats of different numbers before the network."""
    passes: list[set[int]] = [set()]
    for report in loop.reports:
        if not isinstance(report, wire.Beat) or not report.steps or report.step == report.steps:
            continue
        if report.number in passes[-1]:
            passes.append(set())
        passes[-1].add(report.number or 0)
    return passes
