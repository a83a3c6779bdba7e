"""What is not known is refused with what may have been meant, in queries as in bodies."""

import pytest

from gateway.access.scopes import parse_scopes
from models import RequestInvalid
from tests.gateway.conftest import Gateway
from tests.plugins.installation import Home


def bearer(gateway: Gateway) -> dict[str, str]:
    return {"Authorization": f"Bearer {gateway.key}"}


async def refused(gateway: Gateway, **body: object) -> dict:
    answered = await gateway.paint(**body)
    assert answered.status_code in {400, 404}
    return answered.json()["error"]


@pytest.mark.parametrize(
    ("body", "code", "hint"),
    [
        ({"steps": 20}, "unknown_parameter", "`num_inference_steps`"),
        ({"cfg_scale": 7}, "unknown_parameter", "`guidance_scale`"),
        ({"numInferenceSteps": 20}, "unknown_parameter", "`num_inference_steps`"),
        ({"negativePrompt": "x"}, "unknown_parameter", "`negative_prompt`"),
        ({"sampler_name": "euler"}, "unknown_parameter", "`sampler`"),
        ({"num_images": 2}, "unknown_parameter", "`n`"),
        ({"sede": 7}, "unknown_parameter", "`seed`"),
        ({"aspect_ratio": "1:1"}, "unknown_parameter", "`width` and `height`"),
        ({"loras": [{"id": "starter-blueprint", "wieght": 1.0}]}, "unknown_parameter", "`weight`"),
        ({"style": "watercolr"}, "unknown_style", "'watercolor'"),
        ({"model": "startr"}, "model_not_found", "'starter'"),
        ({"loras": [{"id": "starter-bluprint"}]}, "lora_not_found", "'starter-blueprint'"),
    ],
)
async def test_a_refusal_names_what_may_have_been_meant(gateway, body, code, hint):
    error = await refused(gateway, **body)
    assert error["code"] == code
    assert hint in error["message"]


async def test_a_word_like_nothing_gets_no_guess(gateway):
    error = await refused(gateway, qqqqqqqq=1)
    assert error["message"] == "`qqqqqqqq` is not a parameter of this endpoint."


async def test_the_case_of_a_style_does_not_matter(gateway):
    answered = await gateway.paint(style="WaterColor", seed=1)
    body = answered.json()
    assert (body["style"], body["style_resolved"]) == ("watercolor", "watercolor")
    listed = (await gateway.http.get("/v1/generations?style=Watercolor", headers=bearer(gateway))).json()["data"]
    assert [one["generation_id"] for one in listed] == [body["generation_id"]]


@pytest.mark.parametrize(
    ("body", "size"),
    [({"size": "768x512"}, (768, 512)), ({"size": "768X512", "width": 768}, (768, 512))],
)
async def test_a_size_may_be_one_word(gateway, body, size):
    answered = (await gateway.paint(**body)).json()
    assert (answered["width"], answered["height"]) == size


@pytest.mark.parametrize("body", [{"size": "big"}, {"size": "100x100"}, {"size": "512x512", "height": 768}])
async def test_a_size_that_is_none_or_contradicts_is_refused(gateway, body):
    assert (await refused(gateway, **body))["code"] == "invalid_size"


@pytest.mark.parametrize(
    ("path", "param"),
    [
        ("/v1/generations?limit=2&stauts=failed", "stauts"),
        ("/v1/generations?offset=2", "offset"),
        ("/v1/generations?page=2", "page"),
        ("/v1/generations?order=asc", "order"),
        ("/v1/batches?limt=2", "limt"),
        ("/v1/styles?limit=3", "limit"),
        ("/v1/models?order=asc", "order"),
        ("/v1/files?order=asc", "order"),
        ("/v1/keys?state=live", "state"),
        ("/v1/webhooks?limit=3", "limit"),
        ("/v1/account?full=1", "full"),
        ("/v1/account/credits?since=1", "since"),
        ("/v1/generations?limit=2&limit=3", "limit"),
        ("/v1/generations?style=watercolr", "style"),
        ("/v1/generations?status=done", "status"),
    ],
)
async def test_a_list_refuses_words_and_values_that_it_does_not_know(gateway, path, param):
    answered = await gateway.http.get(path, headers=bearer(gateway))
    assert (answered.status_code, answered.json()["error"]["param"]) == (400, param)


async def test_a_query_beside_a_body_and_on_a_picture_is_no_place_for_strangers(gateway):
    painted = await gateway.http.post("/v1/generate?seed=5", json={"prompt": "a boat"}, headers=bearer(gateway))
    assert (painted.status_code, painted.json()["error"]["code"]) == (400, "unknown_parameter")
    id = (await gateway.paint()).json()["generation_id"]
    link = await gateway.http.get(f"/v1/generations/{id}/images/0/link?width=256", headers=bearer(gateway))
    assert (link.status_code, link.json()["error"]["code"]) == (400, "unknown_parameter")
    url = (await gateway.get(f"/v1/generations/{id}")).json()["image_url"]
    assert (await gateway.http.get(f"{url}?width=256")).status_code == 400
    assert (await gateway.http.get(url)).status_code == 200


async def test_a_misspelt_path_names_the_nearest(gateway):
    error = (await gateway.http.get("/v1/generation")).json()["error"]
    assert "'/v1/generations'" in error["message"]


def test_plans_and_scopes_are_guessed(tmp_path):
    with pytest.raises(RequestInvalid, match="'generate'"):
        parse_scopes(["genrate"])
    done = Home(tmp_path).command("accounts", "create", "anna", "--plan", "stduio")
    assert done.returncode != 0
    assert "'studio'" in done.stderr


async def test_an_error_has_a_page_for_people_and_for_programs(gateway):
    text = await gateway.http.get("/errors/unknown_style")
    assert text.headers["content-type"].startswith("text/plain")
    assert "GET /v1/styles" in text.text
    assert "Example:" in text.text
    page = await gateway.http.get("/errors/unknown_parameter", headers={"Accept": "text/html,*/*"})
    assert page.headers["content-type"].startswith("text/html")
    assert "num_inference_steps" in page.text
    missing = await gateway.http.get("/errors/unknown_stile")
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "not_found")
    assert "'unknown_style'" in missing.json()["error"]["message"]
