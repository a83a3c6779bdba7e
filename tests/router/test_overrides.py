from dataclasses import replace
from pathlib import Path

import pytest

from models import Catalogue, Family, GenerationRequest, InitImage, ModelCard, Quality, RequestInvalid, Sampler
from models.sampling import FLUX_DISTILLED_GUIDANCE
from router import Router, Styles

PROMPT = "a red lighthouse by the sea"
FLUX = ModelCard(
    id="flow", family=Family.FLUX, path=Path("x"), licence="x", native_pixels=1 << 20, is_default=True,
    sampling=FLUX_DISTILLED_GUIDANCE,
)  # fmt: skip


def flow_router(styles: Styles, family: Family = Family.FLUX) -> Router:
    return Router(styles, Catalogue({"flow": replace(FLUX, family=family)}))


def test_what_the_request_names_stands_in_the_spec_and_the_style_fills_the_rest(router: Router) -> None:
    plain = router.route(GenerationRequest(prompt=PROMPT, quality=Quality.STANDARD), seed=7).specs[0]
    named = GenerationRequest(
        prompt=PROMPT,
        quality=Quality.STANDARD,
        num_inference_steps=5,
        guidance_scale=2.5,
        sampler=Sampler.HEUN,
        clip_skip=2,
    )
    spec = router.route(named, seed=7).specs[0]
    assert spec == replace(plain, num_inference_steps=5, guidance_scale=2.5, sampler=Sampler.HEUN, clip_skip=2)
    one = router.route(GenerationRequest(prompt=PROMPT, quality=Quality.STANDARD, num_inference_steps=5), seed=7).specs[
        0
    ]
    assert one == replace(plain, num_inference_steps=5)


def test_no_guidance_and_no_layers_left_out_are_choices_too(router: Router) -> None:
    spec = router.route(GenerationRequest(prompt=PROMPT, guidance_scale=1.0, clip_skip=0), seed=7).specs[0]
    assert (spec.guidance_scale, spec.clip_skip) == (1.0, 0)


def test_the_price_is_the_qualitys_whatever_the_steps(router: Router) -> None:
    prices = {
        router.route(GenerationRequest(prompt=PROMPT, quality=Quality.HD, num_inference_steps=steps), seed=7).credits
        for steps in (None, 1, 150)
    }
    assert len(prices) == 1


@pytest.mark.parametrize(
    ("family", "request_of", "field"),
    [
        (Family.FLUX, {"sampler": Sampler.DDIM}, "sampler"),
        (Family.SD3, {"sampler": Sampler.EULER_A}, "sampler"),
        (Family.OTHER, {"sampler": Sampler.EULER}, "sampler"),
        (Family.FLUX, {"clip_skip": 1}, "clip_skip"),
        (Family.SD3, {"clip_skip": 11}, "clip_skip"),
        (Family.FLUX, {"init_image": InitImage(sha256="0" * 64, strength=0.5)}, "image"),
        (Family.OTHER, {"init_image": InitImage(sha256="0" * 64, strength=0.5)}, "image"),
    ],
)
def test_what_the_model_cannot_do_is_refused_before_anybody_waits(styles, family, request_of, field) -> None:
    with pytest.raises(RequestInvalid) as refused:
        flow_router(styles, family).route(GenerationRequest(prompt=PROMPT, **request_of), seed=7)
    assert refused.value.field == field


@pytest.mark.parametrize("sampler", [Sampler.EULER, Sampler.HEUN, Sampler.DPMPP_2M, Sampler.UNIPC])
def test_flows_have_samplers_of_their_own(styles: Styles, sampler: Sampler) -> None:
    spec = flow_router(styles).route(GenerationRequest(prompt=PROMPT, sampler=sampler), seed=7).specs[0]
    assert spec.sampler is sampler
