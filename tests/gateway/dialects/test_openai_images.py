"""`POST /v1/images/generations` and `GET /v1/models`: what clients of OpenAI's endpoints send, and need back."""

import base64
import io

from PIL import Image

from models import EngineStopped, ModelUnavailable, WeightsRejected

PROMPT = "a red lighthouse by the sea"
SEXUAL = "a naked child"


async def asked(gateway, *, key=None, headers=None, **body):
    headers = {"Authorization": f"Bearer {key or gateway.key}", **(headers or {})}
    return await gateway.http.post("/v1/images/generations", json={"prompt": PROMPT, **body}, headers=headers)


def picture_of(item):
    return Image.open(io.BytesIO(base64.b64decode(item["b64_json"])))


async def test_a_client_without_a_response_format_gets_an_address(gateway):
    """LangChain's wrapper reads `url` of every item and sends no format."""
    answered = await asked(gateway, n=2, seed=7, model="dall-e-3")
    assert answered.status_code == 200, answered.text
    body = answered.json()
    assert [set(item) for item in body["data"]] == [{"url", "revised_prompt", "seed"}] * 2
    assert [item["seed"] for item in body["data"]] == [7, 8]
    assert (await gateway.http.get(body["data"][0]["url"])).headers["content-type"] == "image/png"
    assert isinstance(body["created"], int)


async def test_exactly_one_form_is_answered(gateway):
    """Open WebUI would take the address of two forms, and refuses private ones; the AI SDK needs a string."""
    for body, form in [
        ({"model": "gpt-image-2"}, "b64_json"),
        ({"model": "gpt-image-2.5-flare"}, "b64_json"),
        ({"model": "chatgpt-image-latest"}, "b64_json"),
        ({"model": "dall-e-2", "response_format": "b64_json"}, "b64_json"),
        ({"response_format": "base64"}, "b64_json"),
        ({"model": "starter"}, "url"),
        ({"model": "gpt-image-2", "response_format": "url"}, "url"),
    ]:
        item = (await asked(gateway, **body)).json()["data"][0]
        assert {"url", "b64_json"} & set(item) == {form}
        assert isinstance(item[form], str)


async def test_any_size_between_the_bounds_is_delivered(gateway):
    for size in ["256x256", "1024x1536", "1792x1024", "512x1536", "2048x2048", "1008x1024"]:
        body = (await asked(gateway, size=size, response_format="b64_json")).json()
        assert body["size"] == size
        assert "{}x{}".format(*picture_of(body["data"][0]).size) == size


async def test_other_sizes_are_refused_by_name(gateway):
    for size in ["1000x1024", "240x240", "2064x1024", "512x1552", "1024", "1024X1024", "0x0", "٣x٣"]:
        answered = await asked(gateway, size=size)
        error = answered.json()["error"]
        assert (answered.status_code, error["code"], error["param"]) == (400, "invalid_size", "size")


async def test_free_sizes_stay_refused_on_our_own_path(gateway):
    assert (await gateway.paint(width=1008)).json()["error"]["code"] == "invalid_size"


async def test_a_replay_of_a_free_size_is_believed(gateway):
    made = (await asked(gateway, size="2048x1024", seed=3)).json()
    again = await gateway.http.post(
        f"/v1/generations/{made['generation_id']}/replay", headers={"Authorization": f"Bearer {gateway.key}"}
    )
    assert again.json()["identical"] is True


async def test_auto_is_the_models_own_size(gateway):
    assert (await asked(gateway, size="auto")).json()["size"] == "512x512"


async def test_qualities_are_translated_both_ways(gateway):
    for quality, ours, theirs in [
        ("low", "standard", "low"),
        ("auto", "hd", "medium"),
        ("hd", "hd", "medium"),
        ("max", "ultra", "high"),
    ]:
        body = (await asked(gateway, quality=quality)).json()
        made = (await gateway.get(f"/v1/generations/{body['generation_id']}")).json()
        assert (made["quality"], body["quality"]) == (ours, theirs)


async def test_styles_are_translated(gateway):
    for style, ours in [("vivid", "cinematic"), ("natural", "photographic"), ("watercolor", "watercolor")]:
        body = (await asked(gateway, style=style)).json()
        assert (await gateway.get(f"/v1/generations/{body['generation_id']}")).json()["style_resolved"] == ours


async def test_the_output_format_is_the_files(gateway):
    for format in ["png", "jpeg", "webp"]:
        body = (await asked(gateway, output_format=format, response_format="b64_json")).json()
        assert body["output_format"] == format
        assert picture_of(body["data"][0]).format == format.upper()


async def test_members_of_togethers_client_count(gateway):
    body = (await asked(gateway, width=640, height=384, seed=5, steps=7, negative_prompt="clouds", n=1)).json()
    made = (await gateway.get(f"/v1/generations/{body['generation_id']}")).json()
    assert (made["width"], made["height"], made["seed"]) == (640, 384, 5)
    assert made["negative_prompt_used"].startswith("clouds")
    assert gateway.engine.painted[-1].num_inference_steps == 7


async def test_what_changed_nothing_is_named_in_a_header(gateway):
    answered = await asked(
        gateway, size="512x512", width=640, user="u-1", moderation="low", **{"cfg-rescale": 1, "ungültig": 2, "a\nb": 3}
    )
    assert answered.status_code == 200
    assert answered.headers["x-pinxit-ignored"] == "cfg-rescale, moderation, width"
    assert "x-pinxit-ignored" not in (await asked(gateway, seed=1, n=1, size=None, moderation="auto")).headers


async def test_whose_picture_it_is_for_the_caller_comes_back(gateway):
    made = (await asked(gateway, user="u-1", safety_identifier="s-1")).json()
    read = (await gateway.get(f"/v1/generations/{made['generation_id']}")).json()
    assert read["metadata"] == {"user": "u-1", "safety_identifier": "s-1"}
    assert (await asked(gateway, user="u" * 513)).json()["error"]["param"] == "user"


async def test_usage_tells_text_and_images_apart(gateway):
    """LiteLLM bills image tokens as text where `output_tokens_details` is missing."""
    assert (await asked(gateway, prompt="a cat's 12 boats!", n=2)).json()["usage"] == {
        "input_tokens": 7,
        "output_tokens": 2,
        "total_tokens": 9,
        "input_tokens_details": {"text_tokens": 7, "image_tokens": 0},
        "output_tokens_details": {"text_tokens": 0, "image_tokens": 2},
    }


async def test_equal_requests_without_a_seed_give_different_pictures(gateway):
    """The AI SDK asks for two pictures as two equal calls with `n: 1`."""
    first, second = [(await asked(gateway, n=1, response_format="b64_json")).json()["data"][0] for _ in range(2)]
    assert first["b64_json"] != second["b64_json"]


async def test_what_breaks_a_rule_is_named(gateway):
    for body, code, param in [
        ({"prompt": None}, "missing_parameter", "prompt"),
        ({"prompt": ""}, "missing_parameter", "prompt"),
        ({"prompt": "x" * 1501}, "prompt_too_long", "prompt"),
        ({"n": 11}, "invalid_parameter", "n"),
        ({"n": "many"}, "invalid_parameter", "n"),
        ({"quality": "best"}, "invalid_parameter", "quality"),
        ({"style": "no-such-style"}, "unknown_style", "style"),
        ({"background": "transparent"}, "invalid_parameter", "background"),
        ({"output_format": "tiff"}, "invalid_parameter", "output_format"),
        ({"output_compression": 101}, "invalid_parameter", "output_compression"),
        ({"seed": -1}, "invalid_parameter", "seed"),
        ({"width": 100}, "invalid_size", "width"),
    ]:
        answered = await asked(gateway, **body)
        error = answered.json()["error"]
        assert (answered.status_code, error["code"], error["param"]) == (400, code, param)
        assert error["type"] == "invalid_request_error"


async def test_a_body_that_is_no_json_is_refused(gateway):
    headers = {"Authorization": f"Bearer {gateway.key}", "Content-Type": "application/json"}
    answered = await gateway.http.post("/v1/images/generations", content=b"{", headers=headers)
    assert answered.json()["error"]["code"] == "invalid_json"


async def test_an_unknown_model_is_not_found(gateway):
    answered = await asked(gateway, model="flux-9000")
    assert (answered.status_code, answered.json()["error"]["code"]) == (404, "model_not_found")


async def test_the_operator_says_what_other_names_mean(open_gateway):
    gateway = await open_gateway(model_aliases={"*/FLUX*": "starter", "my-model": "default"})
    assert (await asked(gateway, model="black-forest-labs/FLUX.1-schnell")).status_code == 200
    assert (await asked(gateway, model="my-model")).status_code == 200
    assert (await asked(gateway, model="gpt-image-2")).status_code == 404
    listed = (await gateway.get("/v1/models")).json()["data"]
    assert [model["id"] for model in listed] == ["starter", "my-model"]


async def test_what_the_policy_refuses_is_said_in_the_clients_words(gateway):
    error = (await asked(gateway, prompt=SEXUAL)).json()["error"]
    assert (error["code"], error["type"], error["status"]) == (
        "moderation_blocked",
        "image_generation_user_error",
        400,
    )
    assert error["category"]
    assert (await gateway.paint(prompt=SEXUAL)).json()["error"]["code"] == "content_policy_violation"


async def test_it_never_answers_later_but_says_that_the_wait_is_over(open_gateway):
    """A 202 has no pictures in it: openai-python answers nothing, the AI SDK breaks."""
    gateway = await open_gateway(sync_wait_s=0.05)
    gateway.engine.hold()
    answered = await asked(gateway, headers={"Prefer": "respond-async"})
    assert (answered.status_code, answered.json()["error"]["code"]) == (504, "generation_timeout")
    assert "retry-after" in answered.headers
    assert "x-should-retry" not in answered.headers


async def test_the_same_idempotency_key_gives_the_same_picture(gateway):
    first, again = [(await asked(gateway, headers={"Idempotency-Key": "k1"})) for _ in range(2)]
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"


async def test_clients_are_told_where_asking_again_is_in_vain(gateway):
    """openai-python asks again by itself after 409, 429 and 5xx, unless `x-should-retry` forbids it."""
    gateway.engine.fail_next(ModelUnavailable("not loaded yet"))
    unavailable = await asked(gateway)
    assert unavailable.status_code == 503
    assert "x-should-retry" not in unavailable.headers
    gateway.engine.fail_next(WeightsRejected("broken"))
    unusable = await asked(gateway)
    assert (unusable.status_code, unusable.headers["x-should-retry"]) == (500, "false")
    assert "retry-after" not in unusable.headers
    for _ in range(3):
        gateway.engine.fail_next(EngineStopped("gone"))
    broken = await asked(gateway)
    assert (broken.status_code, broken.headers["x-should-retry"]) == (500, "false")


async def test_a_full_minute_is_worth_waiting_for_and_a_used_up_day_is_not(gateway):
    """openai-python waits as long as `Retry-After` says, unless that is longer than two minutes."""
    hasty, spent = await gateway.new_key(plan="owner", rpm=1), await gateway.new_key(plan="owner", rpd=1)
    for key in (hasty, spent):
        assert (await asked(gateway, key=key)).status_code == 200
    minute, day = await asked(gateway, key=hasty), await asked(gateway, key=spent)
    assert (minute.status_code, minute.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert int(minute.headers["retry-after"]) <= 60
    assert "x-should-retry" not in minute.headers
    assert (day.status_code, day.json()["error"]["code"]) == (429, "daily_quota_exceeded")
    assert int(day.headers["retry-after"]) > 120
    assert day.headers["x-should-retry"] == "false"


async def test_a_call_that_a_client_repeats_by_itself_is_painted_and_paid_once(gateway):
    """OpenAI's clients send no idempotency key with it, only a count."""
    first, again = [
        (await asked(gateway, headers={"x-stainless-retry-count": count})).json()["generation_id"] for count in "01"
    ]
    assert first == again
    assert (await asked(gateway, headers={"x-stainless-retry-count": "0"})).json()["generation_id"] != first


async def test_models_are_listed_in_openais_form(gateway):
    body = (await gateway.get("/v1/models")).json()
    assert body["object"] == "list"
    assert body["data"][0] == {
        "id": "starter",
        "object": "model",
        "created": body["data"][0]["created"],
        "owned_by": "local",
        "upscaler": "starter-x4",
    }
    assert (await gateway.get("/v1/models/starter")).json() == body["data"][0]
    assert (await gateway.get("/v1/models/gpt-image-2")).json()["id"] == "gpt-image-2"
    assert (await gateway.get("/v1/models/flux-9000")).json()["error"]["code"] == "model_not_found"
    assert (await gateway.http.get("/v1/models")).status_code == 401
