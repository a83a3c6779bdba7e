from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import (
    MAX_SEED,
    Catalogue,
    Family,
    GenerationRequest,
    ImageSize,
    InitImage,
    ModelCard,
    ModelUnavailable,
    ModelUnknown,
    Quality,
    RequestInvalid,
    Sampler,
)
from models.sampling import FLUX_DISTILLED_GUIDANCE, Refiner
from models.training.served import QUALITIES, REFINER_FORM
from router import NegativeMerge, Router, Styles, StyleUnknown, load_styles
from router.routing import merged_negative
from router.styles import Wording

STYLES = load_styles(Path(__file__).parents[2] / "configs" / "styles")
SDXL = ModelCard(id="big", family=Family.SDXL, path=Path("x"), licence="x", native_pixels=1024 * 1024, is_default=True)
SD1 = replace(
    SDXL,
    id="old",
    family=Family.SD1,
    native_pixels=512 * 512,
    default_size=ImageSize(width=512, height=512),
    is_default=False,
)
TWO_MODELS = Router(STYLES, Catalogue({card.id: card for card in (SDXL, SD1)}))
PROMPTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=200).filter(
    str.strip
)


@given(PROMPTS, st.sampled_from([style.id for style in STYLES.all()] + ["auto"]), st.sampled_from([True, False, None]))
def test_the_prompt_stands_verbatim_in_the_revised_prompt(prompt: str, style: str, enhance: bool | None) -> None:
    route = TWO_MODELS.route(GenerationRequest(prompt=prompt, style=style, enhance_prompt=enhance), seed=1)
    assert route.prompt == prompt
    assert prompt in route.revised_prompt
    assert route.specs[0].prompt == route.revised_prompt


def test_the_readmes_prompt_is_painted_by_the_model_in_the_box(router: Router) -> None:
    route = router.route(GenerationRequest(prompt="a red lighthouse by the sea at sunset"), seed=7)
    (spec,) = route.specs
    assert (route.style_resolved, route.style_reason, route.model) == ("digital-art", "default", "starter")
    assert (route.quality, route.size_plan.target) == (Quality.HD, ImageSize(width=512, height=512))
    assert spec.prompt == "digital art of a red lighthouse by the sea at sunset"
    assert (spec.sampler, spec.num_inference_steps, spec.seed) == (Sampler.DPMPP_2M, 20, 7)


def test_every_style_paints_with_an_sd2_that_the_request_names() -> None:
    sd2 = replace(SD1, id="two", family=Family.SD2)
    router = Router(STYLES, Catalogue({card.id: card for card in (SDXL, sd2)}))

    for style in STYLES.all():
        request = GenerationRequest(prompt="a boat", style=style.id, model="two")
        (spec,) = router.route(request, seed=1).specs
        assert (spec.model, spec.sampler) == ("two", style.families[Family.SD1].sampler)


def test_a_model_of_a_family_that_no_style_knows_is_painted_as_its_card_says() -> None:
    flux = replace(SDXL, id="flux", family=Family.FLUX, sampling=FLUX_DISTILLED_GUIDANCE, is_default=False)
    router = Router(STYLES, Catalogue({card.id: card for card in (SDXL, flux)}))

    for style in STYLES.all():
        request = GenerationRequest(prompt="a boat", style=style.id, model="flux", quality=Quality.HD)
        (spec,) = router.route(request, seed=1).specs
        assert (spec.sampler, spec.num_inference_steps, spec.guidance_scale) == (Sampler.EULER, 28, 3.5)
        assert "a boat" in spec.prompt


def test_a_default_model_that_says_how_to_paint_paints_every_style() -> None:
    flux = replace(SDXL, id="flux", family=Family.FLUX, sampling=FLUX_DISTILLED_GUIDANCE)
    router = Router(STYLES, Catalogue({card.id: card for card in (replace(SDXL, is_default=False), flux)}))

    assert {
        router.route(GenerationRequest(prompt="a boat", style=style.id), seed=1).model for style in STYLES.all()
    } == {"flux"}


def test_a_models_own_settings_count_only_where_the_style_has_none() -> None:
    card = replace(SDXL, sampling=FLUX_DISTILLED_GUIDANCE)
    router = Router(STYLES, Catalogue({card.id: card}))

    (spec,) = router.route(GenerationRequest(prompt="a boat", style="anime"), seed=1).specs

    assert spec.sampler == STYLES.get("anime").families[Family.SDXL].sampler


def test_a_requested_style_says_so_and_shows_its_own_id(router: Router) -> None:
    route = router.route(GenerationRequest(prompt="a boat", style="watercolour"), seed=1)
    assert (route.style_resolved, route.style_reason) == ("watercolor", "requested")


def test_auto_passes_over_a_style_that_no_model_can_paint(router_without_anime: Router) -> None:
    route = router_without_anime.route(GenerationRequest(prompt="an anime cat, watercolor"), seed=1)
    assert (route.style_resolved, route.style_reason) == ("watercolor", "phrase")


def test_no_style_leaves_the_text_untouched() -> None:
    request = GenerationRequest(prompt="a boat. ", negative_prompt="fog", style="none", enhance_prompt=True)
    route = TWO_MODELS.route(request, seed=1)
    assert (route.revised_prompt, route.negative_prompt_used) == ("a boat. ", "fog")


def test_each_picture_is_the_one_its_seed_gives_alone() -> None:
    request = GenerationRequest(prompt="a boat on a lake", style="watercolor", n=4)
    specs = TWO_MODELS.route(request, seed=MAX_SEED - 1).specs
    assert [spec.seed for spec in specs] == [MAX_SEED - 1, MAX_SEED, 0, 1]
    for spec in specs:
        assert TWO_MODELS.route(replace(request, n=1), seed=spec.seed).specs == (spec,)


def test_equal_requests_and_seeds_give_equal_routes(router: Router) -> None:
    request = GenerationRequest(prompt="a boat on a lake", n=2, enhance_prompt=True)
    assert router.route(request, seed=5) == router.route(request, seed=5)


@pytest.mark.parametrize(
    ("quality", "n", "upscale", "price"),
    [
        (Quality.STANDARD, 1, False, 1),
        (Quality.HD, 3, False, 3),
        (Quality.ULTRA, 1, False, 2),
        (Quality.ULTRA, 4, True, 9),
        (Quality.STANDARD, 2, True, 3),
    ],
)
def test_the_price_is_credits_times_pictures_and_one_for_upscaling(
    router: Router, quality: Quality, n: int, upscale: bool, price: int
) -> None:
    route = router.route(GenerationRequest(prompt="a boat", quality=quality, n=n, upscale=upscale), seed=1)
    assert (route.credits, route.is_upscaled, len(route.specs)) == (price, upscale, n)


def test_a_side_left_out_is_the_models_default(router: Router) -> None:
    route = router.route(GenerationRequest(prompt="a boat", width=1024), seed=1)
    assert route.size_plan.target == ImageSize(width=1024, height=512)


def test_quality_decides_steps() -> None:
    steps = {
        quality: TWO_MODELS.route(GenerationRequest(prompt="a boat", quality=quality), seed=1)
        .specs[0]
        .num_inference_steps
        for quality in Quality
    }
    assert steps[Quality.STANDARD] < steps[Quality.HD] < steps[Quality.ULTRA]


@pytest.mark.parametrize("style", ["watercolor", "blueprint"])
@pytest.mark.parametrize(("quality", "candidates"), [(Quality.STANDARD, 1), (Quality.HD, 1), (Quality.ULTRA, 8)])
def test_the_model_in_the_box_looks_for_a_good_beginning_at_the_best_quality(
    router: Router, style: str, quality: Quality, candidates: int
) -> None:
    request = GenerationRequest(prompt="a boat", style=style, quality=quality)
    assert router.route(request, seed=1).specs[0].candidates == candidates


@pytest.mark.parametrize("style", ["watercolor", "blueprint"])
def test_the_model_in_the_box_goes_over_its_paintings_at_better_qualities(router: Router, style: str) -> None:
    standard, hd, ultra = (
        router.route(GenerationRequest(prompt="a boat", style=style, quality=quality), seed=1).specs[0]
        for quality in Quality
    )
    assert standard.refining is standard.size.refined is None
    assert hd.size.refined == ultra.size.refined == hd.size.painted == standard.size.painted
    assert hd.refining is not None
    assert ultra.refining is not None
    assert 0 < hd.refining.rounds <= ultra.refining.rounds
    assert [adapter.id for adapter in hd.refining.adapters] == ["starter/refiner"]
    assert hd.adapters == standard.adapters


@pytest.mark.parametrize("quality", Quality)
def test_the_bench_paints_as_the_styles_do(router: Router, quality: Quality) -> None:
    spec = router.route(GenerationRequest(prompt="a boat", style="digital-art", quality=quality), seed=1).specs[0]
    way, over = QUALITIES[quality], spec.refining
    assert (spec.num_inference_steps, spec.guidance_scale, spec.candidates) == (way.steps, way.guidance, way.candidates)
    assert (over.rounds if over else 0) == way.refine
    if over is not None:
        served = (REFINER_FORM.strength, REFINER_FORM.steps, REFINER_FORM.guidance)
        assert (over.strength, over.num_inference_steps, over.guidance_scale) == served


def test_a_refiner_of_large_pictures_leaves_small_ones_alone(catalogue: Catalogue) -> None:
    card = replace(catalogue.default, refiner=Refiner(steps=20, strength=0.5, scale=2))
    router = Router(STYLES, Catalogue({card.id: card}, {lora.id: lora for lora in catalogue.adapters()}))
    small = GenerationRequest(prompt="a boat", width=256, height=256, quality=Quality.HD)
    spec, large = (router.route(asked, seed=1).specs[0] for asked in (small, replace(small, width=1024, height=1024)))
    assert spec.refining is spec.size.refined is None
    assert large.refining is not None
    assert large.size.refined == large.size.painted.times(2)


@pytest.mark.parametrize("said", [{"num_inference_steps": 20}, {"guidance_scale": 3.0}])
def test_whoever_says_steps_or_guidance_gets_these_alone(router: Router, said: dict[str, float]) -> None:
    spec = router.route(GenerationRequest(prompt="a boat", quality=Quality.HD, **said), seed=1).specs[0]
    assert spec.refining is spec.size.refined is None


def test_what_begins_from_a_picture_has_one_beginning_and_is_not_gone_over(router: Router) -> None:
    begun = GenerationRequest(
        prompt="a boat", quality=Quality.ULTRA, init_image=InitImage(sha256="0" * 64, strength=0.5)
    )
    spec = router.route(begun, seed=1).specs[0]
    assert (spec.candidates, spec.refining, spec.size.refined) == (1, None, None)


def test_a_model_without_scorer_and_refiner_neither_chooses_nor_goes_over(catalogue: Catalogue) -> None:
    plain = replace(catalogue.default, scorer=None, refiner=None)
    router = Router(STYLES, Catalogue({plain.id: plain}, {card.id: card for card in catalogue.adapters()}))
    spec = router.route(GenerationRequest(prompt="a boat", quality=Quality.HD), seed=1).specs[0]
    assert (spec.candidates, spec.refining, spec.size.refined) == (1, None, None)


def test_a_named_model_is_taken_with_its_familys_settings() -> None:
    route = TWO_MODELS.route(GenerationRequest(prompt="a boat", style="photographic", model="old"), seed=1)
    settings = STYLES.get("photographic").families[Family.SD1]
    assert route.model == "old"
    assert route.specs[0].guidance_scale == settings.guidance.of(route.quality)


def test_an_unknown_model_or_style_is_refused(router: Router) -> None:
    with pytest.raises(ModelUnknown):
        router.route(GenerationRequest(prompt="a boat", model="nobody"), seed=1)
    with pytest.raises(StyleUnknown):
        router.route(GenerationRequest(prompt="a boat", style="nobody"), seed=1)


def test_a_style_that_the_named_model_cannot_paint_is_the_callers_mistake(router_without_anime: Router) -> None:
    with pytest.raises(RequestInvalid) as refused:
        router_without_anime.route(GenerationRequest(prompt="a boat", style="anime", model="starter"), seed=1)
    assert refused.value.field == "style"


def test_a_style_whose_model_is_not_installed_is_unavailable(router_without_anime: Router) -> None:
    with pytest.raises(ModelUnavailable, match="anime"):
        router_without_anime.route(GenerationRequest(prompt="a boat", style="anime"), seed=1)


def test_a_style_goes_to_another_family_where_the_default_cannot_paint_it(
    no_anime: Styles, catalogue: Catalogue
) -> None:
    both = Catalogue({"starter": catalogue.default, "old": SD1})
    assert Router(no_anime, both).route(GenerationRequest(prompt="a boat", style="anime"), seed=1).model == "old"
    assert Router(no_anime, both).route(GenerationRequest(prompt="a boat"), seed=1).model == "starter"


@pytest.mark.parametrize(
    ("merge", "asked", "used"),
    [
        (NegativeMerge.APPEND, "fog", "fog, photo"),
        (NegativeMerge.APPEND, " ", "photo"),
        (NegativeMerge.REPLACE, "fog", "fog"),
        (NegativeMerge.REPLACE, "", "photo"),
        (NegativeMerge.IGNORE, "fog", "photo"),
    ],
)
def test_negative_prompts_meet_as_the_style_says(merge: NegativeMerge, asked: str, used: str) -> None:
    assert merged_negative(asked, Wording(template="{prompt}", negative="photo", negative_merge=merge)) == used
