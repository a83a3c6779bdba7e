"""Where a model's parts are held: the choice as a table, and its effect."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from plugins.at_once import at_once
from plugins.driven_loop import driven_loop
from plugins.tiny_specs import card_of, new_spec, plain_size

from models import GenerationSpec, Placing
from models.diffusion.autoencoding.decoding import Decoder
from models.diffusion.device import Device
from models.diffusion.loading.residency import Residency
from models.diffusion.painting.run import begin, pass_wanted
from models.diffusion.resident.placement import notes_on, plan_placement
from models.diffusion.resident.placing import place
from models.diffusion.schedule.noise import generator_of
from models.diffusion.steps.passes import run_pass
from models.engine import Phase
from models.process.protocol import Beat, Paint

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers

GB = 1 << 30
SDXL = {"text_encoder": GB // 4, "text_encoder_2": GB * 3 // 2, "unet": 5 * GB, "vae": GB // 3}
FLUX = {"text_encoder": GB // 4, "text_encoder_2": 10 * GB, "transformer": 24 * GB, "vae": GB // 3}


@pytest.mark.parametrize(
    ("sizes", "kind", "gigabytes", "placing", "grouped", "held"),
    [
        (SDXL, "cuda", 60, Placing.WHOLE, (), sum(SDXL.values())),
        (SDXL, "cuda", 8, Placing.WHOLE, (), sum(SDXL.values())),
        (SDXL, "cuda", 6, Placing.OFFLOAD, (), 5 * GB + GB // 3),
        (SDXL, "cuda", 5, Placing.GROUPS, ("unet",), GB * 3 // 2 + GB // 3),
        (SDXL, "cuda", 3, Placing.GROUPS, ("unet",), GB * 3 // 2 + GB // 3),
        (FLUX, "cuda", 60, Placing.WHOLE, (), sum(FLUX.values())),
        (FLUX, "cuda", 30, Placing.OFFLOAD, (), 24 * GB + GB // 3),
        (FLUX, "cuda", 18, Placing.GROUPS, ("transformer",), 10 * GB + GB // 3),
        (FLUX, "cuda", 9, Placing.GROUPS, ("text_encoder_2", "transformer"), GB // 4 + GB // 3),
        (FLUX, "cpu", 8, Placing.WHOLE, (), sum(FLUX.values())),
    ],
)
def test_the_quickest_way_that_fits_is_chosen(
    sizes: dict[str, int], kind: str, gigabytes: int, placing: Placing, grouped: tuple[str, ...], held: int
) -> None:
    chosen = plan_placement(sizes, kind=kind, room=gigabytes * GB, channels=128)

    assert (chosen.placing, chosen.grouped, chosen.device_bytes) == (placing, grouped, held)


@pytest.mark.parametrize(
    ("wanted", "grouped"), [(Placing.WHOLE, ()), (Placing.OFFLOAD, ()), (Placing.GROUPS, ("unet",))]
)
def test_the_operators_choice_counts(wanted: Placing, grouped: tuple[str, ...]) -> None:
    chosen = plan_placement(SDXL, kind="cuda", room=60 * GB, channels=128, wanted=wanted)

    assert (chosen.placing, chosen.grouped) == (wanted, grouped)


@pytest.mark.parametrize(
    ("gigabytes", "manner"),
    [(60, "whole"), (30, "offload"), (18, "groups: transformer"), (9, "groups: text_encoder_2, transformer")],
)
def test_the_recipe_names_what_comes_onto_the_device_in_groups(gigabytes: int, manner: str) -> None:
    assert plan_placement(FLUX, kind="cuda", room=gigabytes * GB, channels=128).manner == manner


@pytest.mark.parametrize(
    ("kind", "gigabytes", "channels", "whole_side", "tile"),
    [
        ("cuda", 60, 128, 1869, 1024),  # an 80 GB card
        ("cuda", 18, 128, 1024, 1024),
        ("cuda", 6, 128, 591, 576),
        ("cpu", 8, 128, 1024, 1024),
        ("cpu", 1, 128, 362, 320),
        ("cpu", 8, 16, 2896, 1024),
        ("cuda", 0, 128, 256, 256),
    ],
)
def test_the_pixels_decoded_in_onefollow_from_the_memory(
    kind: str, gigabytes: int, channels: int, whole_side: int, tile: int
) -> None:
    chosen = plan_placement({"unet": 1, "vae": 1}, kind=kind, room=gigabytes * GB, channels=channels)

    assert chosen.whole_pixels**0.5 == pytest.approx(whole_side, rel=0.02)
    assert chosen.tile == tile
    assert chosen.tile**2 <= chosen.whole_pixels


def test_what_is_not_plain_is_said() -> None:
    plain = plan_placement(SDXL, kind="cuda", room=60 * GB, channels=16)
    small = plan_placement(FLUX, kind="cuda", room=9 * GB, channels=128)

    assert notes_on(plain, largest_pixels=1920 * 1920) == ()
    grouped, tiled = notes_on(small, largest_pixels=1920 * 1920)
    assert grouped.startswith("text_encoder_2, transformer: ")
    assert tiled.endswith("in tiles of 704 pixels a side")


class Recorded(torch.nn.Module):
    """A network that writes down where it is brought."""

    def __init__(self, name: str, moves: list[tuple[str, torch.device]]) -> None:
        super().__init__()
        self._name, self._moves = name, moves
        self.layer = torch.nn.Linear(2, 2)

    def to(self, device: torch.device) -> "Recorded":  # type: ignore[override]
        self._moves.append((self._name, device))
        return self

    def forward(self, given: torch.Tensor) -> torch.Tensor:
        return self.layer(given)


def test_a_component_comes_onto_the_device_only_after_the_others_have_left_it() -> None:
    home, device = torch.device("cpu"), torch.device("cpu", 0)  # two names of one memory
    moves: list[tuple[str, torch.device]] = []
    networks = {name: Recorded(name, moves) for name in ("text_encoder", "unet", "vae")}
    placement = plan_placement(dict.fromkeys(networks, 1), kind="cpu", room=2, channels=1, wanted=Placing.OFFLOAD)

    place(networks, placement, device)
    for name in ("text_encoder", "unet", "text_encoder"):
        networks[name](torch.zeros(1, 2))

    assert moves == [
        ("vae", device),
        ("unet", home),
        ("text_encoder", device),
        ("text_encoder", home),
        ("unet", device),
        ("unet", home),
        ("text_encoder", device),
    ]


Finished = Callable[[Placing | None, GenerationSpec], torch.Tensor]


@pytest.fixture(params=["sd1", "sdxl", "sd3", "flux"])
def finished(request: pytest.FixtureRequest, device: Device, tmp_path: Path) -> Finished:
    """The latents of a spec by a model that is held in some way."""
    folder: Path = request.getfixturevalue(request.param)

    def latents(placing: Placing | None, spec: GenerationSpec) -> torch.Tensor:
        cards = {"tiny": replace(card_of(folder), placement=placing)}
        pipeline = at_once(Residency(cards, device).pipeline("tiny"))
        assert bool(pipeline.notes) == (placing in (Placing.OFFLOAD, Placing.GROUPS))
        denoising = begin(Paint(number=1, spec=spec, workspace=tmp_path), pipeline, device)
        while not denoising.is_finished:
            wanted = pass_wanted(spec, pipeline, denoising, Beat(number=1, phase=Phase.DENOISING))
            denoising.advance(run_pass([wanted], 1)[0])
        return pipeline.network.decode(denoising.latents())

    return latents


def test_the_hooks_that_move_a_model_leave_its_arithmetic_alone(finished: Finished) -> None:
    """All that a CPU can show: here the layers compute in the same memory however the model is held."""
    whole = finished(None, new_spec())

    assert torch.equal(finished(Placing.OFFLOAD, new_spec()), whole)
    assert torch.equal(finished(Placing.GROUPS, new_spec()), whole)


@pytest.fixture
def small(device: Device) -> Device:
    """So little memory that pictures above 256 x 256 are decoded in tiles."""
    return replace(device, memory_bytes=1 << 20)


def test_large_pictures_are_decoded_in_tiles_whose_seams_are_slight(sd1: Path, device: Device, small: Device) -> None:
    whole = at_once(Residency({"tiny": card_of(sd1)}, device).pipeline("tiny")).network
    tiled = at_once(Residency({"tiny": card_of(sd1)}, small).pipeline("tiny")).network
    latents = torch.randn((1, 4, 96, 128), generator=torch.Generator().manual_seed(3))
    seen = sides_of_pieces(tiled.decoder)

    difference = (whole.decode(latents) - tiled.decode(latents)).abs()

    assert len(seen) > 1
    assert max(max(sides) for sides in seen) * 4 <= 256
    assert 0 < difference.mean() < 0.02
    assert difference.max() < 0.25


def test_a_picture_that_fits_is_decoded_in_one_go_with_the_same_bits(sd1: Path, device: Device, small: Device) -> None:
    whole = at_once(Residency({"tiny": card_of(sd1)}, device).pipeline("tiny")).network
    tiled = at_once(Residency({"tiny": card_of(sd1)}, small).pipeline("tiny")).network
    latents = torch.randn((1, 4, 64, 64), generator=torch.Generator().manual_seed(3))
    assert tiled.decode(torch.randn((1, 4, 96, 96))).shape == (384, 384, 3)
    seen = sides_of_pieces(tiled.decoder)

    assert torch.equal(tiled.decode(latents), whole.decode(latents))
    assert seen == [(64, 64)]


def sides_of_pieces(decoder: Decoder) -> list[tuple[int, ...]]:
    """What the decoder's network sees from now on: (height, width) of each piece, in latents."""
    seen: list[tuple[int, ...]] = []
    decoder._vae.decoder.register_forward_pre_hook(lambda _, given: seen.append(tuple(given[0].shape[-2:])))
    return seen


def test_a_large_picture_to_start_from_is_encoded_in_tiles_whose_seams_are_slight(
    sd1: Path, device: Device, small: Device
) -> None:
    whole = at_once(Residency({"tiny": card_of(sd1)}, device).pipeline("tiny")).network
    tiled = at_once(Residency({"tiny": card_of(sd1)}, small).pipeline("tiny")).network
    picture = torch.rand((1, 3, 384, 512), generator=torch.Generator().manual_seed(3)) * 2 - 1
    pieces: list[tuple[int, ...]] = []
    tiled.encoder._vae.encoder.register_forward_pre_hook(lambda _, given: pieces.append(tuple(given[0].shape[-2:])))

    in_one, in_tiles = (net.encoder.encode(picture, generator_of(1)) for net in (whole, tiled))
    fitting = picture[..., :256, :256].contiguous()
    assert torch.equal(*(net.encoder.encode(fitting, generator_of(1)) for net in (whole, tiled)))

    assert len(pieces) > 2
    assert max(max(sides) for sides in pieces) <= 256
    assert in_tiles.shape == in_one.shape
    assert 0 < (in_tiles - in_one).abs().mean() < 0.1 * in_one.std()


@pytest.mark.parametrize(("width", "decoding"), [(256, "whole"), (320, "tiles of 256")])
def test_the_recipe_says_how_a_picture_was_decoded(
    sd1: Path, small: Device, tmp_path: Path, width: int, decoding: str
) -> None:
    loop = driven_loop({"tiny": card_of(sd1)}, small, tmp_path)
    number = loop.ask(new_spec(size=plain_size(width, 256), num_inference_steps=1))
    loop.run()

    end: Any = loop.ended()[number]
    assert end.painting.recipe.fingerprint.decoding == decoding
    assert any("tiles of 256 pixels" in note for note in loop.loop._residency.notes())
