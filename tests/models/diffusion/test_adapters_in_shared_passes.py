"""Pictures with different LoRAs share a device, and nobody's pixels change because of it."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from diffusers.hooks import apply_group_offloading
from plugins.at_once import at_once
from plugins.driven_loop import DrivenLoop
from plugins.tiny_loras import adapter_card, write_lora
from plugins.tiny_specs import card_of, new_spec
from torch import nn

from models import Adapter, AdapterCard, GenerationSpec
from models.diffusion.device import Device
from models.diffusion.engine_loop import EngineLoop
from models.diffusion.loading.residency import Residency
from models.diffusion.resident.steadying import Steadying
from models.diffusion.sharing.calibrations import Calibrations
from models.process import protocol as wire

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers

INK, PEN = Adapter(id="ink", weight=0.7), Adapter(id="pen", weight=-0.4)
NEIGHBOURS = (
    new_spec(seed=1),
    new_spec(seed=2),
    new_spec(seed=3, adapters=(INK,)),
    new_spec(seed=4, adapters=(INK,)),
    new_spec(seed=5, adapters=(Adapter(id="ink", weight=0.3),), num_inference_steps=5),
    new_spec(seed=6, adapters=(PEN, INK)),
    new_spec(seed=7, adapters=(PEN,)),
    new_spec(seed=8, adapters=(PEN,), num_inference_steps=2),
)


class Crooked(nn.Linear):
    """A layer whose result depends on how many rows come."""

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return super().forward(rows) + 0.001 * rows.shape[0]


@pytest.fixture
def two_loras(sd1: Path, tmp_path: Path) -> dict[str, AdapterCard]:
    return {
        id: adapter_card(write_lora(tmp_path / f"{id}.safetensors", sd1, seed=seed), id=id)
        for seed, id in enumerate(("ink", "pen"))
    }


@pytest.fixture
def opened(sd1: Path, device: Device, two_loras: dict[str, AdapterCard], tmp_path: Path) -> Callable[..., DrivenLoop]:
    """A loop whose network has two layers that are no good in shared passes; what it measures outlives it."""

    def new(*, largest: int = 4) -> DrivenLoop:
        residency = Residency({"tiny": card_of(sd1)}, device, two_loras)
        unet = at_once(residency.pipeline("tiny")).network.module
        for block in (unet.mid_block, unet.down_blocks[1]):
            block.attentions[0].transformer_blocks[0].attn1.to_q.__class__ = Crooked
        kept = Calibrations(tmp_path / "kept", largest=largest, holds_one=True, compute=wire.Compute.EXACT)
        return DrivenLoop(loop=EngineLoop(device, residency, kept, slots=16), workspace=tmp_path)

    return new


def painted(loop: DrivenLoop, *specs: GenerationSpec) -> list[str]:
    """All at a time."""
    numbers = [loop.ask(spec) for spec in specs]
    loop.run()
    return [loop.pixels()[number] for number in numbers]


def test_pictures_with_different_loras_keep_their_pixels_among_others(opened: Callable[..., DrivenLoop]) -> None:
    lone, together = opened(largest=1), opened()
    alone = [painted(lone, spec)[0] for spec in NEIGHBOURS]
    assert len(set(alone)) == len(NEIGHBOURS)

    assert painted(together, *NEIGHBOURS) == alone
    assert painted(together, *NEIGHBOURS[4:], *NEIGHBOURS[:4]) == [*alone[4:], *alone[:4]]


def test_what_was_measured_before_a_lora_came_holds_afterwards_and_the_other_way_round(
    opened: Callable[..., DrivenLoop], tmp_path: Path
) -> None:
    plain, inked = NEIGHBOURS[:2], NEIGHBOURS[2:4]
    lone = opened(largest=1)
    alone = [painted(lone, spec)[0] for spec in (*plain, *inked)]

    before = opened()
    assert painted(before, *plain) == alone[:2]
    assert painted(before, *inked) == alone[2:]
    assert painted(before, *plain) == alone[:2]
    files = sorted((tmp_path / "kept").iterdir())

    after = opened()
    assert painted(after, *inked) == alone[2:]
    assert painted(after, *plain) == alone[:2]
    assert sorted((tmp_path / "kept").iterdir()) == files
    assert len(files) == 2
    assert any("mid_block.attentions.0.transformer_blocks.0.attn1.to_q" in file.read_text() for file in files)
    assert not any("base_layer" in file.read_text() for file in files)


def test_measurements_hold_for_every_weight(opened: Callable[..., DrivenLoop], tmp_path: Path) -> None:
    loop = opened()
    for weight in (0.0, 0.5, 1.5):
        adapters = (Adapter(id="ink", weight=weight),)
        painted(loop, *(new_spec(seed=seed, adapters=adapters) for seed in range(2)))

    assert len(list((tmp_path / "kept").iterdir())) == 1


def test_the_recipe_holds_each_loras_weight_and_hash(
    opened: Callable[..., DrivenLoop], two_loras: dict[str, AdapterCard]
) -> None:
    loop = opened()
    number = loop.ask(new_spec(adapters=(PEN, INK)))
    loop.run()
    end = loop.ended()[number]
    assert isinstance(end, wire.Painted)

    recipe = end.painting.recipe
    assert recipe.spec.adapters == (PEN, INK)
    assert recipe.fingerprint.adapters == {
        id: hashlib.sha256(card.path.read_bytes()).hexdigest() for id, card in two_loras.items()
    }


def test_a_lora_that_is_no_longer_in_the_catalogue_fails_its_own_picture_alone(
    opened: Callable[..., DrivenLoop],
) -> None:
    loop = opened()
    lost, kept = loop.ask(new_spec(adapters=(Adapter(id="chalk", weight=1.0),))), loop.ask(new_spec())
    loop.run()

    assert kept in loop.pixels()
    end = loop.ended()[lost]
    assert isinstance(end, wire.Broken)
    assert (end.kind, "chalk" in end.message) == ("ModelUnavailable", True)


def test_networks_whose_layers_take_turns_on_the_device_paint_the_same(opened: Callable[..., DrivenLoop]) -> None:
    def offloaded() -> DrivenLoop:
        loop = opened()
        unet = at_once(loop.loop._residency.pipeline("tiny")).network.module
        apply_group_offloading(
            unet, onload_device=torch.device("cpu"), offload_device=torch.device("cpu"), offload_type="leaf_level"
        )
        return loop

    loop, specs = offloaded(), (NEIGHBOURS[0], NEIGHBOURS[1], NEIGHBOURS[2], NEIGHBOURS[3])
    expected = painted(opened(), *specs)

    assert painted(loop, *specs[:2]) == expected[:2]
    assert painted(loop, *specs[2:]) == expected[2:]
    assert painted(loop, *specs) == expected
    unet = at_once(loop.loop._residency.pipeline("tiny")).network.module
    leaves = [module for module in unet.modules() if isinstance(module, nn.Linear)]
    assert all(hasattr(leaf, "_diffusers_hook") for leaf in leaves)


def test_a_layer_that_was_exchanged_is_found_again() -> None:
    network, rows = nn.ModuleDict({"layer": Crooked(2, 2)}), torch.ones(3, 2)
    steadying = Steadying(network)
    with steadying.acting(["layer"], rows=1):
        network["layer"](rows)

    network["layer"] = Crooked(2, 2)
    steadying.renew()

    with steadying.acting(["layer"], rows=1):
        assert torch.equal(network["layer"](rows)[0], network["layer"](rows[:1])[0])
    assert not torch.equal(network["layer"](rows)[0], network["layer"](rows[:1])[0])
