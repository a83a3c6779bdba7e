"""What is said of a picture painted again, and which recipes are not followed."""

from dataclasses import replace

import msgspec
import pytest
from plugins.fake_engine import FINGERPRINT
from plugins.tiny_specs import new_spec, plain_size

from models import Adapter, ImageSize, InitImage, Recipe, Refining, RequestInvalid, Resampling, SizePlan
from models.replay import Difference, check_bounds, compare, differences

RECIPE = Recipe(spec=new_spec(), fingerprint=FINGERPRINT, pixel_sha256="a" * 64, timesteps=(999.0, 500.0, 1.0))


def test_a_recipe_does_not_differ_from_itself():
    comparison = compare(RECIPE, RECIPE)
    assert comparison.is_identical
    assert comparison.differences == ()
    assert comparison.expected_pixel_sha256 == comparison.pixel_sha256 == "a" * 64


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"pixel_sha256": "b"}, f"pixel_sha256: {'a' * 64} -> b"),
        ({"fingerprint": replace(FINGERPRINT, torch="2.14.1")}, "fingerprint.torch: 0 -> 2.14.1"),
        ({"fingerprint": replace(FINGERPRINT, threads=8)}, "fingerprint.threads: 1 -> 8"),
        ({"fingerprint": replace(FINGERPRINT, adapters={"moon": "c"})}, "fingerprint.adapters.moon: none -> c"),
        ({"fingerprint": replace(FINGERPRINT, placement="offload")}, "fingerprint.placement: whole -> offload"),
        ({"fingerprint": replace(FINGERPRINT, pillow="13.1.0")}, "fingerprint.pillow: 13.0.0 -> 13.1.0"),
        ({"unknown_words": ("castle", "dragon")}, "unknown_words: none -> castle, dragon"),
        ({"timesteps": (999.0, 1.0)}, "timesteps: 999.0, 500.0, 1.0 -> 999.0, 1.0"),
        ({"upscaler_sha256": "d"}, "upscaler_sha256: none -> d"),
        ({"spec": new_spec(seed=8)}, "spec.seed: 7 -> 8"),
        ({"spec": new_spec(size=plain_size(64))}, "spec.size.painted.width: 32 -> 64"),
        (
            {"spec": new_spec(adapters=(Adapter(id="moon", weight=0.5),))},
            'spec.adapters: none -> {"id":"moon","weight":0.5}',
        ),
        ({"spec": new_spec(init_image=InitImage(sha256="e", strength=0.5))}, "spec.init_image.sha256: none -> e"),
    ],
)
def test_what_differs_is_named_with_both_values(change, said):
    assert said in [str(difference) for difference in differences(RECIPE, replace(RECIPE, **change))]


def test_pixels_decide_and_are_named_first_whatever_else_explains():
    newer = replace(RECIPE, fingerprint=replace(FINGERPRINT, torch="2.14.1", diffusers="1"))
    assert compare(RECIPE, newer).is_identical
    other = compare(RECIPE, replace(newer, pixel_sha256="b"))
    assert not other.is_identical
    assert [difference.member for difference in other.differences] == [
        "pixel_sha256",
        "fingerprint.torch",
        "fingerprint.diffusers",
    ]


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        ((0, 0), ["fingerprint.batch_class: 0 promises nothing"]),
        ((0, 1), ["fingerprint.batch_class: 0 promises nothing -> 1"]),
        ((4, 0), ["fingerprint.batch_class: 4 -> 0 promises nothing"]),
        ((4, 4), []),
    ],
)
def test_other_pixels_are_explained_by_a_batch_class_that_promises_nothing(classes, said):
    one, other = (replace(RECIPE, fingerprint=replace(FINGERPRINT, batch_class=number)) for number in classes)

    pixels, *others = compare(one, replace(other, pixel_sha256="b")).differences

    assert pixels.member == "pixel_sha256"
    assert [str(difference) for difference in others] == said


def test_a_batch_class_that_promises_nothing_is_passed_over_where_the_pixels_are_the_same():
    fast = replace(RECIPE, fingerprint=replace(FINGERPRINT, batch_class=0))

    assert compare(fast, fast).differences == ()


def test_a_recipe_from_before_schedules_were_written_down_is_read_and_not_blamed_for_it():
    old = msgspec.to_builtins(RECIPE)
    for member in ("timesteps", "upscaler_sha256", "unknown_words"):
        del old[member]
    later = (
        "decoding",
        "placement",
        "peft",
        "pillow",
        "cudnn",
        "compute_capability",
        "host_cpu",
        "kernels",
        "cublas",
    )
    for member in ("adapters", "batch_class", "execution", *later):
        del old["fingerprint"][member]
    for member in ("adapters", "clip_skip", "init_image"):
        del old["spec"][member]
    recipe = msgspec.json.decode(msgspec.json.encode(old), type=Recipe)
    assert recipe.timesteps == ()
    assert differences(recipe, RECIPE) == ()
    newer = replace(
        FINGERPRINT,
        peft="0.21",
        pillow="13.0.0",
        cudnn="91900",
        compute_capability="9.0",
        host_cpu="x86_64, AVX2",
    )
    assert differences(recipe, replace(RECIPE, fingerprint=newer)) == ()
    changed = replace(RECIPE, pixel_sha256="b")
    assert differences(recipe, changed) == (Difference(member="pixel_sha256", expected=recipe.pixel_sha256, found="b"),)


OVER = Refining(
    rounds=1,
    strength=0.6,
    num_inference_steps=20,
    guidance_scale=2.0,
    adapters=(Adapter(id="one/refiner", weight=1.0),),
)


def size(
    painted: tuple[int, int], target: tuple[int, int], upscale: int = 1, *, refined: int | None = None
) -> SizePlan:
    (width, height), (wide, high) = painted, target
    return SizePlan(
        painted=ImageSize(width=width, height=height),
        refined=None if refined is None else ImageSize(width=width * refined, height=height * refined),
        target=ImageSize(width=wide, height=high),
        resampling=Resampling.LANCZOS,
        upscale=upscale,
        upscale_resampling=Resampling.LANCZOS,
    )


SMALL = size((256, 256), (512, 512), refined=1)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"seed": 2**32 - 1, "num_inference_steps": 1000, "guidance_scale": 1.0, "clip_skip": 2},
        {"size": size((1920, 1920), (1920, 1920), 4)},
        {"size": size((256, 256), (1920, 512))},
        {"size": size((128, 512), (512, 1920), 4)},
        {"adapters": (Adapter(id="moon", weight=-0.5),), "init_image": InitImage(sha256="a", strength=1.0)},
        {"prompt": "x" * 2000, "negative_prompt": ""},
        {"size": size((256, 256), (512, 512), refined=1), "refining": OVER},
        {"size": size((960, 960), (1920, 1920), 4, refined=2), "refining": OVER},
    ],
)
def test_what_this_service_plans_is_within_the_bounds(change):
    check_bounds(new_spec(**change))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"seed": -1}, "seed"),
        ({"seed": 2**32}, "seed"),
        ({"num_inference_steps": 0}, "num_inference_steps"),
        ({"num_inference_steps": 10**4000}, "num_inference_steps"),
        ({"guidance_scale": -1.0}, "guidance_scale"),
        ({"guidance_scale": 1e308}, "guidance_scale"),
        ({"clip_skip": 1000}, "clip_skip"),
        ({"prompt": "x" * 1_000_000}, "prompt"),
        ({"negative_prompt": "x" * 1_000_000}, "negative_prompt"),
        ({"size": size((100_000, 8), (512, 512))}, "painted.width"),
        ({"size": size((3840, 3840), (1920, 1920))}, "painted"),
        ({"size": size((512, 512), (512, 10**4000))}, "target.height"),
        ({"size": size((1, 1920), (1920, 1920))}, "size"),
        ({"size": size((512, 512), (512, 512), 64)}, "upscale"),
        ({"size": size((512, 512), (512, 512), 0)}, "upscale"),
        ({"adapters": (Adapter(id="moon", weight=1e9),)}, "adapters[0].weight"),
        ({"adapters": (Adapter(id="moon", weight=1.0),) * 17}, "adapters"),
        ({"init_image": InitImage(sha256="a", strength=7.0)}, "strength"),
        ({"refining": OVER}, "refining"),
        ({"size": size((256, 256), (512, 512), refined=1)}, "refining"),
        ({"size": size((256, 256), (512, 512), refined=100), "refining": OVER}, "refined"),
        ({"size": size((1920, 1920), (1920, 1920), refined=3), "refining": OVER}, "refined"),
        ({"size": SMALL, "refining": replace(OVER, rounds=10**6)}, "refining.rounds"),
        ({"size": size((1920, 1920), (1920, 1920), refined=2), "refining": OVER}, "refined"),
        ({"size": SMALL, "refining": OVER, "init_image": InitImage(sha256="a", strength=0.5)}, "refining"),
        ({"size": SMALL, "refining": replace(OVER, strength=0.0)}, "refining.strength"),
        ({"size": SMALL, "refining": replace(OVER, strength=2.0)}, "refining.strength"),
        ({"size": SMALL, "refining": replace(OVER, num_inference_steps=10**9)}, "refining.num_inference_steps"),
        ({"size": SMALL, "refining": replace(OVER, guidance_scale=1e308)}, "refining.guidance_scale"),
        ({"size": SMALL, "refining": replace(OVER, adapters=OVER.adapters * 17)}, "adapters"),
    ],
)
def test_what_could_fill_the_machine_is_refused_by_name(change, field):
    with pytest.raises(RequestInvalid) as refused:
        check_bounds(new_spec(**change))
    assert refused.value.field == field
    assert len(refused.value.message) < 200
