"""`POST /hf/{model or style}`: a picture's bytes for Hugging Face's inference clients."""

import base64
import io
import json

from PIL import Image


async def inferred(gateway, name, *, accept="image/png", **parameters):
    headers = {"Authorization": f"Bearer {gateway.key}", "Accept": accept}
    body = {"inputs": "a red lighthouse by the sea", "parameters": parameters}
    return await gateway.http.post(f"/hf/{name}", json=body, headers=headers)


async def test_the_answer_is_the_picture_in_the_form_asked_for(gateway):
    for accept, format in [
        ("image/png", "PNG"),
        ("image/webp;q=0.9, */*", "WEBP"),
        ("image/jpeg", "JPEG"),
        ("*/*", "PNG"),
        ("", "PNG"),
    ]:
        answered = await inferred(gateway, "starter", accept=accept, width=640, height=384, seed=7)
        assert answered.status_code == 200, answered.text
        picture = Image.open(io.BytesIO(answered.content))
        assert (picture.format, picture.size) == (format, (640, 384))
        assert answered.headers["content-type"] == f"image/{format.lower()}"
        assert answered.headers["x-pinxit-seed"] == "7"


async def test_the_path_names_a_model_or_a_style(gateway):
    for name, style in [("watercolor", "watercolor"), ("aquarelle", "watercolor"), ("gpt-image-2", None)]:
        id = (await inferred(gateway, name, negative_prompt="clouds", num_inference_steps=7)).headers[
            "x-pinxit-generation"
        ]
        made = (await gateway.get(f"/v1/generations/{id}")).json()
        assert (made["model"], made["style_resolved"]) == ("starter", style or made["style_resolved"])
        assert gateway.engine.painted[-1].num_inference_steps == 7
        assert made["negative_prompt_used"].startswith("clouds")


async def test_errors_are_json_whatever_was_accepted(gateway):
    answered = await inferred(gateway, "black-forest-labs/FLUX.1-dev")
    assert (answered.status_code, answered.json()["error"]["code"]) == (404, "model_not_found")
    assert (await inferred(gateway, "starter", width=100)).json()["error"]["code"] == "invalid_size"


async def test_what_changed_nothing_is_named(gateway):
    answered = await inferred(gateway, "starter", clip=1)
    assert answered.headers["x-pinxit-ignored"] == "parameters.clip"
    assert {"code": "ignored_parameter", "param": "parameters.clip"} in json.loads(
        answered.headers["x-pinxit-warnings"]
    )


async def test_a_picture_in_inputs_is_what_the_painting_begins_from(gateway):
    file = io.BytesIO()
    Image.effect_noise((900, 900), 90).save(file, "PNG")
    picture = base64.b64encode(file.getvalue()).decode()
    assert len(picture) > 1_000_000  # more than other bodies may have
    headers = {"Authorization": f"Bearer {gateway.key}"}

    async def sent(**parameters):
        body = {"inputs": picture, "parameters": parameters or None}
        return await gateway.http.post("/hf/starter", json=body, headers=headers)

    size = {"width": 512, "height": 512}
    answered = await sent(prompt="a boat", strength=0.4, target_size=size, scheduler="EulerDiscreteScheduler")
    assert answered.status_code == 200, answered.text
    spec = gateway.engine.painted[-1]
    assert (spec.init_image.strength, spec.sampler, str(spec.size.delivered)) == (0.4, "euler", "512x512")
    assert "a boat" in spec.prompt
    for parameters, code, param in (
        ({}, "missing_parameter", "parameters.prompt"),
        ({"prompt": "a boat", "strength": 2}, "invalid_parameter", "parameters.strength"),
        ({"prompt": "a boat", "target_size": {"width": 512}}, "missing_parameter", "parameters.target_size.height"),
        ({"prompt": "a boat", "seed": "x"}, "invalid_parameter", "parameters.seed"),
    ):
        error = (await sent(**parameters)).json()["error"]
        assert (error["code"], error["param"]) == (code, param)
