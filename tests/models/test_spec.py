"""What a painting costs."""

from dataclasses import replace

import pytest
from plugins.tiny_specs import new_spec, plain_size

from models import InitImage, Refining, Sampler
from models.spec import refining_passes, work_of

OVER = Refining(rounds=1, strength=0.5, num_inference_steps=20, guidance_scale=1.0)


@pytest.mark.parametrize(
    ("changes", "passes"),
    [
        ({"num_inference_steps": 20}, 20),
        ({"num_inference_steps": 20, "sampler": Sampler.HEUN}, 39),
        ({"num_inference_steps": 20, "init_image": InitImage(sha256="0", strength=0.3)}, 6),
        ({"num_inference_steps": 20, "init_image": InitImage(sha256="0", strength=0.01)}, 1),
        ({"num_inference_steps": 20, "candidates": 4}, 18 + 20),
        ({"num_inference_steps": 20, "candidates": 4, "sampler": Sampler.HEUN}, 33 + 39),
        ({"num_inference_steps": 4, "candidates": 2}, 8 + 4),
    ],
)
def test_passes_are_counted_as_the_network_sees_them(changes: dict[str, object], passes: int) -> None:
    assert work_of(new_spec(**changes)) == 32 * 32 * passes


def test_work_is_painted_pixels_times_passes() -> None:
    assert work_of(new_spec(size=plain_size(64, 32), num_inference_steps=10)) == 64 * 32 * 10


def test_going_over_a_painting_counts_at_its_own_size() -> None:
    size = replace(plain_size(64, 64), painted=plain_size(32, 32).painted, refined=plain_size(64, 64).painted)
    spec = new_spec(size=size, num_inference_steps=8, refining=OVER)

    assert refining_passes(spec) == 10
    assert work_of(spec) == 32 * 32 * 8 + 64 * 64 * 10
    assert refining_passes(replace(spec, sampler=Sampler.HEUN)) == 19
    assert refining_passes(replace(spec, refining=replace(OVER, rounds=3))) == 30
