"""Paintings that start from pictures keep their pixels in shared passes, too, beside others that start from noise."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from plugins.driven_loop import DrivenLoop, driven_loop
from plugins.tiny_pictures import garden, hole, put
from plugins.tiny_specs import card_of, new_spec

from models import GenerationSpec, ImageSize, InitImage, Sampler
from models.diffusion.device import Device

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # diffusers

SIZE = ImageSize(width=32, height=32)
ORDERS = 4


@pytest.mark.parametrize("is_channels_last", [False, True])
def test_each_has_the_pixels_that_it_has_alone(
    sd1: Path,
    sd1_inpainting: Path,
    device: Device,
    tmp_path: Path,
    is_channels_last: bool,
    count: Callable[[int], int],
) -> None:
    laid_out = replace(device, channels_last=is_channels_last)
    cards = {"tiny": card_of(sd1), "holes": card_of(sd1_inpainting, name="holes", is_default=False)}
    lone, together = (driven_loop(cards, laid_out, tmp_path, largest=largest) for largest in (1, 8))
    specs = specs_in(tmp_path)
    alone = {spec: pixels_alone(spec, lone) for spec in specs}
    assert len(set(alone.values())) == len(specs)

    for order in range(count(ORDERS)):
        rng = np.random.default_rng(order)
        asked = {}
        for index in rng.permutation(len(specs)):
            asked[together.ask(specs[index])] = specs[index]
            for _ in range(int(rng.integers(3))):
                together.tick()
        together.run()
        painted = together.pixels()
        assert {number: painted[number] for number in asked} == {number: alone[spec] for number, spec in asked.items()}


def specs_in(workspace: Path) -> list[GenerationSpec]:
    """From noise, from a picture and into a hole, with a plain network and with one that reads the mask."""
    picture, mask = put(garden(SIZE), workspace), put(hole(SIZE), workspace)
    starts = (
        None,
        InitImage(sha256=picture, strength=0.6),
        InitImage(sha256=picture, strength=0.7, mask_sha256=mask),
        InitImage(sha256=picture, strength=1.0, mask_sha256=mask),
    )
    samplers = (Sampler.EULER_A, Sampler.DPMPP_2M, Sampler.HEUN, Sampler.DDIM)
    return [
        new_spec(model=model, init_image=start, sampler=sampler, num_inference_steps=5, seed=seed)
        for model in ("tiny", "holes")
        for seed, (start, sampler) in enumerate(zip(starts, samplers, strict=True))
    ]


def pixels_alone(spec: GenerationSpec, loop: DrivenLoop) -> str:
    number = loop.ask(spec)
    loop.run()
    return loop.pixels()[number]
