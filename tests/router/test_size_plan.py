from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import SIDES, Family, ImageSize, ModelCard, Resampling, SettingInvalid
from models.sampling import Refiner
from router import plan_size

PAIRS = [ImageSize(width=width, height=height) for width, height in product(SIDES, SIDES)]
BUDGETS = [256 * 256, 512 * 512, 768 * 768, 1024 * 1024, 1920 * 1920]


def card_of(native_pixels: int, *, multiple: int = 8, max_ratio: float = 2.0) -> ModelCard:
    return ModelCard(
        id="card",
        family=Family.SD1,
        path=Path("x"),
        licence="x",
        native_pixels=native_pixels,
        size_multiple=multiple,
        max_ratio=max_ratio,
    )


@pytest.mark.parametrize("native_pixels", BUDGETS)
@pytest.mark.parametrize("target", PAIRS, ids=str)
def test_every_pair_is_covered_and_cropped_exactly(target: ImageSize, native_pixels: int) -> None:
    card = card_of(native_pixels)
    plan = plan_size(target, card, is_upscaled=False)
    assert plan.target == plan.delivered == target
    assert plan.painted.pixels <= native_pixels
    assert plan.painted.width % 8 == plan.painted.height % 8 == 0
    assert 0.5 <= plan.painted.ratio <= 2.0
    assert plan.covering.width >= target.width
    assert plan.covering.height >= target.height
    assert plan.covering.width == target.width or plan.covering.height == target.height


@given(
    st.sampled_from(PAIRS),
    st.integers(96 * 96, 2048 * 2048),
    st.sampled_from([8, 16, 32, 64]),
    st.sampled_from([1.0, 1.5, 2.0, 3.0]),
)
def test_any_card_gives_a_size_within_its_bounds(target: ImageSize, pixels: int, multiple: int, ratio: float) -> None:
    painted = plan_size(target, card_of(pixels, multiple=multiple, max_ratio=ratio), is_upscaled=False).painted
    assert painted.pixels <= pixels
    assert painted.width % multiple == painted.height % multiple == 0
    assert max(painted.ratio, 1 / painted.ratio) <= ratio


@pytest.mark.parametrize("target", PAIRS, ids=str)
def test_a_turned_target_is_painted_as_well_as_the_upright_one(target: ImageSize) -> None:
    def kept(size: ImageSize) -> float:
        painted = plan_size(size, card_of(512 * 512), is_upscaled=False).painted
        return painted.pixels * min(painted.ratio / size.ratio, size.ratio / painted.ratio)

    assert kept(target) == pytest.approx(kept(ImageSize(width=target.height, height=target.width)))


def test_little_of_the_painting_is_cropped_where_the_ratio_is_native() -> None:
    for target in PAIRS:
        if max(target.ratio, 1 / target.ratio) <= 2.0:
            painted = plan_size(target, card_of(512 * 512), is_upscaled=False).painted
            assert min(painted.ratio / target.ratio, target.ratio / painted.ratio) > 0.97, target


def test_a_target_within_the_native_budget_is_painted_directly() -> None:
    target = ImageSize(width=768, height=1024)
    plan = plan_size(target, card_of(1024 * 1024), is_upscaled=False)
    assert plan.painted == target
    assert plan.resampling is Resampling.NONE


def test_a_larger_target_is_enlarged_from_the_native_bucket() -> None:
    plan = plan_size(ImageSize(width=1024, height=1024), card_of(256 * 256, multiple=16), is_upscaled=False)
    assert plan.painted == ImageSize(width=256, height=256)
    assert plan.resampling is Resampling.LANCZOS


def test_upscaling_is_four_times_the_target() -> None:
    plan = plan_size(ImageSize(width=1920, height=1920), card_of(512 * 512), is_upscaled=True)
    assert plan.delivered == ImageSize(width=7680, height=7680)
    assert (plan.upscale, plan.upscale_resampling) == (4, Resampling.LANCZOS)


def test_a_network_enlarges_much_and_a_filter_little() -> None:
    card = card_of(512 * 512)
    much = plan_size(ImageSize(width=1024, height=1024), card, is_upscaled=True, has_upscaler=True)
    little = plan_size(ImageSize(width=512, height=768), card, is_upscaled=False, has_upscaler=True)
    none = plan_size(ImageSize(width=512, height=512), card, is_upscaled=False, has_upscaler=True)
    assert (much.resampling, much.upscale_resampling) == (Resampling.NETWORK, Resampling.NETWORK)
    assert (little.resampling, little.wants_network) == (Resampling.LANCZOS, False)
    assert (none.resampling, none.wants_network) == (Resampling.NONE, False)


def test_a_card_without_room_for_any_size_is_refused() -> None:
    with pytest.raises(SettingInvalid, match=r"card\.toml"):
        plan_size(ImageSize(width=512, height=512), card_of(32 * 32, multiple=64), is_upscaled=False)


@pytest.mark.parametrize("target", PAIRS, ids=str)
def test_what_is_much_enlarged_is_first_gone_over_at_twice_the_sides(target: ImageSize) -> None:
    plain = plan_size(target, card_of(256 * 256), is_upscaled=False, has_upscaler=True)
    plan = plan_size(
        target,
        card_of(256 * 256),
        is_upscaled=False,
        has_upscaler=True,
        refiner=Refiner(steps=20, strength=0.5, scale=2),
    )
    assert plan.painted == plain.painted
    assert plan.refined == plan.drawn == plan.painted.times(2)
    assert plan.delivered == target
    assert plan.covering.width >= target.width
    assert plan.covering.height >= target.height
    is_much = max(target.width / plan.drawn.width, target.height / plan.drawn.height) >= 1.5
    if plan.drawn == target:
        assert plan.resampling is Resampling.NONE
    else:
        assert plan.resampling is (Resampling.NETWORK if is_much else Resampling.LANCZOS)


@pytest.mark.parametrize(("scale", "is_refined"), [(1, True), (2, False)])
def test_what_is_hardly_enlarged_is_gone_over_at_its_own_size_alone(scale: int, is_refined: bool) -> None:
    refiner = Refiner(steps=20, strength=0.5, scale=scale)
    plan = plan_size(ImageSize(width=576, height=576), card_of(512 * 512), is_upscaled=True, refiner=refiner)
    assert plan.refined == (plan.painted if is_refined else None)
    assert plan.drawn == plan.painted
