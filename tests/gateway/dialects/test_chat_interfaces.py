"""The requests of Open WebUI and LibreChat, as their public source makes them; neither program itself was run here.

Read in open-webui's `routers/images.py` and LibreChat's `OpenAIImageTools.js` and `StableDiffusion.js`, November 2026.
"""

import base64
import json

import pytest

from tests.gateway.dialects.test_a1111 import basic
from tests.gateway.dialects.test_openai_edits import png

PNG = b"\x89PNG"


def bearer(gateway):
    return {"Authorization": f"Bearer {gateway.key}"}


def only_base64(answered):
    """Both read `b64_json`; Open WebUI would rather take `url`, which on a private address it then refuses to fetch."""
    assert answered.status_code == 200, answered.text
    pictures = answered.json()["data"]
    assert all(picture.get("url") is None for picture in pictures)
    return [base64.b64decode(picture["b64_json"])[:4] for picture in pictures]


@pytest.mark.parametrize("wish", [{"model": "gpt-image-1.5"}, {"model": "dall-e-3", "response_format": "b64_json"}])
async def test_open_webui_paints_through_openais_form(gateway, wish):
    asked = {"prompt": "a red boat", "n": 2, "size": "512x512", **wish}
    answered = await gateway.http.post("/v1/images/generations", json=asked, headers=bearer(gateway))
    assert only_base64(answered) == [PNG, PNG]


@pytest.mark.parametrize("name", ["image", "image[]"])
async def test_open_webui_edits_through_openais_form(gateway, name):
    """With nothing but text in the form."""
    texts = {"model": "gpt-image-1", "prompt": "a blue boat", "n": "1", "size": "512x512"}
    files = [(name, ("image.png", png(), "image/png"))]
    answered = await gateway.http.post("/v1/images/edits", data=texts, files=files, headers=bearer(gateway))
    assert only_base64(answered) == [PNG]


async def test_open_webui_paints_through_a1111s_form(gateway):
    """It looks whether the server is there, lists models, may switch, and reads `images` and `info` of the answer."""
    sign = basic(gateway.key)
    assert (await gateway.http.get("/sdapi/v1/options", headers=sign)).status_code == 200
    (model,) = (await gateway.http.get("/sdapi/v1/sd-models", headers=sign)).json()
    assert {"title", "model_name"} <= set(model)
    options = (await gateway.http.get("/sdapi/v1/options", headers=sign)).json()
    options["sd_model_checkpoint"] = model["title"]
    assert (await gateway.http.post("/sdapi/v1/options", json=options, headers=sign)).status_code == 200
    asked = {"prompt": "a boat", "batch_size": 2, "width": 512, "height": 512, "steps": 5, "negative_prompt": "fog"}
    answered = (await gateway.http.post("/sdapi/v1/txt2img", json=asked, headers=sign)).json()
    assert [base64.b64decode(image)[:4] for image in answered["images"]] == [PNG, PNG]
    assert json.loads(answered["info"])


async def test_librechats_picture_tool_paints_and_edits(gateway):
    asked = {"model": "gpt-image-1", "prompt": "a red boat", "n": 1, "background": "auto", "output_format": "png"}
    asked |= {"quality": "auto", "size": "auto"}
    answered = await gateway.http.post("/v1/images/generations", json=asked, headers=bearer(gateway))
    assert only_base64(answered) == [PNG]
    texts = {"model": "gpt-image-1", "prompt": "a blue boat", "quality": "auto", "size": "auto"}
    files = [("image[]", ("boat.png", png(), "image/png"))]
    answered = await gateway.http.post("/v1/images/edits", data=texts, files=files, headers=bearer(gateway))
    assert only_base64(answered) == [PNG]


async def test_librechats_stable_diffusion_tool_needs_the_key_in_its_address(gateway):
    """It sends no header of its own, and of an address `http://any:key@host` its HTTP client makes `Basic`."""
    asked = {"prompt": "a boat", "negative_prompt": "fog", "cfg_scale": 4.5, "steps": 22, "width": 1024, "height": 1024}
    assert (await gateway.http.post("/sdapi/v1/txt2img", json=asked)).status_code == 401
    answered = (await gateway.http.post("/sdapi/v1/txt2img", json=asked, headers=basic(gateway.key))).json()
    assert base64.b64decode(answered["images"][0])[:4] == PNG
    info = json.loads(answered["info"])
    assert {"width", "height", "seed", "infotexts"} <= set(info)
    assert info["infotexts"][0]
