"""Every member of every dialect's body acts, is refused, or is named in the answer: walked through their tables."""

import base64
import io
from dataclasses import fields
from itertools import chain

import pytest
from PIL import Image

from gateway.http.dialects.a1111.members import SETTINGS
from gateway.http.dialects.a1111.orders import ImageToImageBody, TextToImageBody
from gateway.http.dialects.huggingface import InferenceBody, InferenceParameters
from gateway.http.dialects.members import Acts, Answers, Idle, Unsupported
from gateway.http.dialects.model_names import ModelNames
from gateway.http.dialects.openai.edits import EditBody, VariationBody
from gateway.http.dialects.openai.orders import ImagesBody
from gateway.http.dialects.replicate.orders import PredictionBody, PredictionInput
from models import GenerationRequest, ImageFormat, ParameterUnsupported


def picture(colour="red"):
    file = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


PICTURE = picture("blue")
# Of each member that acts, a value that must change what is asked for.
ACTING = {
    "prompt": "a blue boat",
    "inputs": "a blue boat",
    "negative_prompt": "fog",
    "style": "watercolor",
    "styles": ["watercolor"],
    "seed": 5,
    "n": 2,
    "batch_size": 2,
    "n_iter": 2,
    "num_outputs": 2,
    "width": 640,
    "height": 640,
    "size": "640x768",
    "target_size": {"width": 640, "height": 768},
    "steps": 7,
    "num_inference_steps": 7,
    "cfg_scale": 3.5,
    "guidance_scale": 3.5,
    "guidance": 3.5,
    "sampler_name": "Euler",
    "sampler_index": "Euler",
    "clip_skip": 2,
    "CLIP_stop_at_last_layers": 2,
    "sd_model_checkpoint": "my-model",
    "sd_vae": "my-vae",
    "model": "my-model",
    "version": "my-model",
    "quality": "high",
    "output_format": "webp",
    "upscale": True,
    "image": PICTURE,
    "mask": PICTURE,
    "mask_image": PICTURE,
    "init_images": [PICTURE],
    "strength": 0.31,
    "denoising_strength": 0.31,
    "prompt_strength": 0.31,
    "inpainting_mask_invert": 1,
}
A1111 = (TextToImageBody, ImageToImageBody)
OPENAI = (ImagesBody, EditBody, VariationBody)
ELSEWHERE = {
    (TextToImageBody, "scheduler"),
    (ImageToImageBody, "scheduler"),
    (PredictionBody, "version"),
    *((kind, name) for kind in (EditBody, VariationBody) for name in ("image", "mask")),
}
"""Members that act at the route (A1111's spacing, Replicate's version), or as a file of a form (OpenAI's pictures)."""


def least(kind):
    """The members that a body needs, and those beside which others count."""
    return {
        TextToImageBody: {"prompt": "a boat"},
        ImageToImageBody: {"prompt": "a boat", "init_images": [picture()], "mask": picture()},
        InferenceBody: {"inputs": "a boat"},
        InferenceParameters: {},
        PredictionInput: {"prompt": "a boat"},
        PredictionBody: {"input": {"prompt": "a boat"}},
    }.get(kind, {"prompt": "a boat"})


class Asked:
    """What bodies ask for, as the routes make requests of them."""

    def __init__(self, gateway):
        installation = gateway.installation
        self.names = ModelNames(catalogue=installation.catalogue, aliases={})
        self.styles = installation.styles

    def __call__(self, kind, sent):
        """The request with what it begins from, and the notices of the body."""
        if kind in A1111:
            body = kind.model_validate({**least(kind), **sent})
            request = body.request(self.names, chosen_model=None)
            return (request, body.pictures() if kind is ImageToImageBody else None), body.notices(request)
        if kind in OPENAI:
            body = kind.model_validate({**least(kind), **sent})
            request = body.request(self.names)
            return (request, getattr(body, "strength", None)), body.without_effect(request)
        if kind in {InferenceBody, InferenceParameters}:
            return self._inference(kind, sent)
        sent = {"input": {**least(PredictionInput), **sent}} if kind is PredictionInput else {**least(kind), **sent}
        body = PredictionBody.model_validate(sent)
        body.check_supported()
        request = body.input.request(None, pixels=512 * 512)
        return (request, body.input.pictures()), body.notices(request)

    def _inference(self, kind, sent):
        sent = {"parameters": sent} if kind is InferenceParameters else sent
        given = {name for name, value in sent.get("parameters", {}).items() if value is not None}
        is_begun = bool({"prompt", "strength", "mask_image"} & given)
        inputs = {"inputs": picture()} if is_begun else {"inputs": "a boat"}
        prompt = {"prompt": "a boat", **sent.get("parameters", {})} if is_begun else sent.get("parameters", {})
        body = InferenceBody.model_validate({**inputs, **sent, "parameters": prompt})
        request = body.request("starter", self.names, self.styles, format=ImageFormat.PNG)
        return (request, body.pictures()), body.notices(request)


BODIES = (*A1111, *OPENAI, InferenceBody, InferenceParameters, PredictionInput, PredictionBody)
ODD = "something odd"


async def test_every_member_acts_is_refused_or_is_named(gateway):
    asked = Asked(gateway)
    walked = [(kind, name, member) for kind in BODIES for name, member in kind.MEMBERS.items()]
    assert len(walked) > 200
    for kind, name, member in walked:
        match member:
            case Unsupported():
                with pytest.raises(ParameterUnsupported) as refused:
                    asked(kind, {name: [ODD]} if name != "strength" else {name: 0.5})
                assert refused.value.field == kind.PLACE + name
            case Idle():
                _, found = asked(kind, {name: "opaque"} if name == "background" else {name: odd(name)})
                named = kind.PLACE + name in [notice.param for notice in found]
                assert named is (name != "background"), (kind, name)  # opaque is what pictures here are
            case Acts() if (kind, name) not in ELSEWHERE:
                company = beside(kind, name, member)
                made, found = asked(kind, {**company, name: acting(kind, name)})
                assert made != asked(kind, company)[0], (kind, name)
                assert kind.PLACE + name not in [notice.param for notice in found], (kind, name)
            case _:
                pass


def beside(kind, name, member):
    """Members without which it does not count."""
    if kind is InferenceParameters and name in {"prompt", "strength", "mask_image"}:
        return {"prompt": "a boat"}
    return {"image": picture()} if member.only_with == "image" else {}


def acting(kind, name):
    """There a scheduler is what is a sampler elsewhere."""
    return "Euler" if name == "scheduler" and kind not in A1111 else ACTING[name]


def odd(name):
    """A value of the type that some members must have, and that nobody fills in by habit."""
    return {"output_compression": 50, "moderation": "low"}.get(name, ODD)


async def test_the_overriding_settings_of_a1111_likewise(gateway):
    asked = Asked(gateway)
    plain, _ = asked(TextToImageBody, {})
    for name, member in SETTINGS.items():
        made, found = asked(TextToImageBody, {"override_settings": {name: ACTING.get(name, ODD)}})
        named = f"override_settings.{name}" in [notice.param for notice in found]
        assert (made != plain, named) == (isinstance(member, Acts), isinstance(member, Idle)), name


def test_every_declared_member_stands_in_its_table_and_acts_on_something_of_ours():
    ours = {field.name for field in fields(GenerationRequest)} | {"image", "mask", "strength", "size"}
    for kind in BODIES:
        assert set(kind.model_fields) <= set(kind.MEMBERS), kind
        for name, member in kind.MEMBERS.items():
            if isinstance(member, Acts):
                assert member.on in ours, (kind, name)
            if isinstance(member, Answers):
                assert name in kind.model_fields, (kind, name)


@pytest.mark.parametrize(
    ("kind", "sent", "named"),
    [
        (ImagesBody, {"size": "512x512", "width": 640}, ["width"]),
        (ImagesBody, {"size": "512x512", "width": 512}, []),
        (ImagesBody, {"steps": 5, "num_inference_steps": 7}, ["steps"]),
        (ImagesBody, {"partial_images": 2}, ["partial_images"]),
        (ImagesBody, {"stream": True, "response_format": "url"}, ["response_format"]),
        (PredictionInput, {"width": 512, "aspect_ratio": "16:9"}, ["input.aspect_ratio"]),
        (PredictionInput, {"prompt_strength": 0.3}, ["input.prompt_strength"]),
        (PredictionInput, {"guidance": 2, "guidance_scale": 3}, ["input.guidance"]),
        (PredictionBody, {"webhook_events_filter": ["logs"]}, ["webhook_events_filter", "webhook_events_filter.logs"]),
        (InferenceParameters, {"width": 512, "target_size": {"width": 640, "height": 640}}, ["parameters.width"]),
        (TextToImageBody, {"sampler_name": "Euler", "sampler_index": "Heun"}, ["sampler_index"]),
        (TextToImageBody, {f"x{number}": 1 for number in range(30)}, [*(f"x{number}" for number in range(20)), None]),
    ],
)
async def test_a_member_that_another_one_overrides_is_named(gateway, kind, sent, named):
    _, found = Asked(gateway)(kind, sent)
    assert [notice.param for notice in found] == named


async def test_null_is_not_given_for_every_member(gateway):
    asked = Asked(gateway)
    for kind in BODIES:
        nulls = {name: None for name in kind.MEMBERS if name not in {*least(kind), "parameters"}}
        made, found = asked(kind, nulls)
        assert (made, found) == asked(kind, {}), kind


HEADERS = {"Prefer": "wait"}


async def test_over_http_what_cannot_be_followed_is_refused_under_its_own_name(gateway):
    data = f"data:image/png;base64,{picture()}"
    unit = {"controlnet": {"args": [{"image": data}]}}
    for path, body, param in chain(
        (
            ("/sdapi/v1/txt2img", {"prompt": "x", **body}, next(iter(body)))
            for body in (
                {"enable_hr": True, "hr_scale": 2},
                {"alwayson_scripts": unit},
                {"refiner_checkpoint": "other"},
                {"init_images": [data]},
                {"image_of_mine": data},
            )
        ),
        (
            ("/v1/images/generations", {"prompt": "x", "image_url": data}, "image_url"),
            (
                "/v1/predictions",
                {"version": "starter", "input": {"prompt": "x", "control_image": data}},
                "input.control_image",
            ),
            ("/hf/starter", {"inputs": "x", "parameters": {"control": data}}, "parameters.control"),
        ),
    ):
        headers = {"Authorization": f"Bearer {gateway.key}", **HEADERS}
        answered = await gateway.http.post(path, json=body, headers=headers)
        error = answered.json()["error"]
        assert (answered.status_code, error["code"], error["param"]) == (400, "unsupported_parameter", param)
        assert error["message"]
