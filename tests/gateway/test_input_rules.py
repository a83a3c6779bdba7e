"""Each rule of the contract's table, at its limit and one beyond it."""

import base64
import json

import pytest

OK, BAD = 200, 400


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        ({"prompt": "x" * 1500}, OK, None, None),
        ({"prompt": "é" * 1500}, OK, None, None),
        ({"prompt": "x" * 1501}, BAD, "prompt_too_long", "prompt"),
        ({"prompt": "x"}, OK, None, None),
        ({"prompt": ""}, BAD, "missing_parameter", "prompt"),
        ({"prompt": " \n\t\u3000"}, BAD, "missing_parameter", "prompt"),
        ({"prompt": None}, BAD, "invalid_parameter", "prompt"),
        ({"prompt": 7}, BAD, "invalid_parameter", "prompt"),
        ({"prompt": ["x"]}, BAD, "invalid_parameter", "prompt"),
        ({"prompt": "a\x00b"}, BAD, "invalid_parameter", "prompt"),
        ({"negative_prompt": "x" * 500}, OK, None, None),
        ({"negative_prompt": "x" * 501}, BAD, "negative_prompt_too_long", "negative_prompt"),
        ({"negative_prompt": ""}, OK, None, None),
        ({"negative_prompt": None}, OK, None, None),
        ({"width": 512}, OK, None, None),
        ({"width": 511}, BAD, "invalid_size", "width"),
        ({"height": 1920}, OK, None, None),
        ({"height": 1921}, BAD, "invalid_size", "height"),
        ({"width": 512.0}, BAD, "invalid_parameter", "width"),
        ({"width": "512"}, BAD, "invalid_parameter", "width"),
        ({"width": True}, BAD, "invalid_parameter", "width"),
        ({"seed": 0}, OK, None, None),
        ({"seed": 4294967295}, OK, None, None),
        ({"seed": 4294967296}, BAD, "invalid_parameter", "seed"),
        ({"seed": -1}, BAD, "invalid_parameter", "seed"),
        ({"seed": 10**30}, BAD, "invalid_parameter", "seed"),
        ({"seed": 1.0}, BAD, "invalid_parameter", "seed"),
        ({"quality": "ultra"}, OK, None, None),
        ({"quality": "HD"}, BAD, "invalid_parameter", "quality"),
        ({"style": "watercolor"}, OK, None, None),
        ({"style": "no-such-style"}, BAD, "unknown_style", "style"),
        ({"style": ""}, BAD, "unknown_style", "style"),
        ({"style": 1}, BAD, "invalid_parameter", "style"),
        ({"model": "no-such-model"}, 404, "model_not_found", None),
        ({"upscale": "yes"}, BAD, "invalid_parameter", "upscale"),
        ({"n": 10}, OK, None, None),
        ({"n": 11}, BAD, "invalid_parameter", "n"),
        ({"n": 0}, BAD, "invalid_parameter", "n"),
        ({"format": "webp"}, OK, None, None),
        ({"format": "bmp"}, BAD, "invalid_parameter", "format"),
        ({"enhance_prompt": "auto"}, OK, None, None),
        ({"enhance_prompt": False}, OK, None, None),
        ({"enhance_prompt": "always"}, BAD, "invalid_parameter", "enhance_prompt"),
        ({"dry_run": 1}, BAD, "invalid_parameter", "dry_run"),
        ({"async": "true"}, BAD, "invalid_parameter", "async"),
        ({"cache": False}, OK, None, None),
        ({"cache": 0}, BAD, "invalid_parameter", "cache"),
        ({"colour": "red"}, BAD, "unknown_parameter", "colour"),
        ({"is_async": True}, BAD, "unknown_parameter", "is_async"),
        ({"webhook_url": "not a url"}, BAD, "invalid_webhook_url", "webhook_url"),
        ({"webhook_url": "ftp://example.com/x"}, BAD, "invalid_webhook_url", "webhook_url"),
        ({"webhook_url": "https://10.0.0.1/x"}, BAD, "invalid_webhook_url", "webhook_url"),
        ({"webhook_url": "https://user:secret@example.com/x"}, BAD, "invalid_webhook_url", "webhook_url"),
        ({"webhook_url": 5}, BAD, "invalid_parameter", "webhook_url"),
    ],
    ids=lambda value: json.dumps(value)[:60] if isinstance(value, dict) else None,
)
async def test_each_rule_holds_at_its_limit_and_refuses_one_beyond(gateway, body, status, code, param):
    answered = await gateway.paint(**body)
    assert answered.status_code == status, answered.text
    if code is not None:
        error = answered.json()["error"]
        assert (error["code"], error["param"]) == (code, param)
        assert error["message"]
        assert error["status"] == status == answered.json()["status"]


async def test_a_refused_request_leaves_no_generation_and_no_hold(gateway):
    for body in ({"prompt": ""}, {"seed": -1}, {"style": "nope"}, {"prompt": "x" * 1501}):
        await gateway.paint(**body)
    assert (await gateway.get("/v1/generations")).json()["data"] == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"{", "invalid_json"),
        (b"", "invalid_json"),
        (b"\xff\xfe", "invalid_json"),
        (b"[]", "invalid_json"),
        (b'"prompt"', "invalid_json"),
        (b'{"prompt": "\\ud800"}', "invalid_json"),
        (b"[" * 100_000, "invalid_json"),
        (b"{}", "missing_parameter"),
    ],
)
async def test_a_body_that_is_no_json_object_is_refused(gateway, content, code):
    headers = {"Authorization": f"Bearer {gateway.key}", "Content-Type": "application/json"}
    answered = await gateway.http.post("/v1/generate", content=content, headers=headers)
    assert (answered.status_code, answered.json()["error"]["code"]) == (400, code)


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "", "multipart/mixed"])
async def test_a_body_of_another_type_is_refused(gateway, media_type):
    headers = {"Authorization": f"Bearer {gateway.key}", "Content-Type": media_type}
    answered = await gateway.http.post("/v1/generate", content=b'{"prompt": "x"}', headers=headers)
    assert (answered.status_code, answered.json()["error"]["code"]) == (415, "unsupported_media_type")


async def test_a_body_of_a_million_bytes_is_read_and_one_more_is_not(gateway):
    headers = {"Authorization": f"Bearer {gateway.key}", "Content-Type": "application/json"}
    for size, status in ((1_000_000, 400), (1_000_001, 413)):
        content = b'{"prompt": "' + b"x" * (size - 14) + b'"}'
        assert len(content) == size
        answered = await gateway.http.post("/v1/generate", content=content, headers=headers)
        assert answered.status_code == status


async def test_a_chunked_body_is_counted_as_it_arrives(gateway):
    async def endless():
        for _ in range(20):
            yield b" " * 100_000

    headers = {"Authorization": f"Bearer {gateway.key}", "Content-Type": "application/json"}
    answered = await gateway.http.post("/v1/generate", content=endless(), headers=headers)
    assert (answered.status_code, answered.json()["error"]["code"]) == (413, "payload_too_large")


@pytest.mark.parametrize(("length", "status"), [(1, 200), (255, 200), (256, 400)])
async def test_an_idempotency_key_has_1_to_255_characters(gateway, length, status):
    answered = await gateway.paint(headers={"Idempotency-Key": "k" * length})
    assert answered.status_code == status


@pytest.mark.parametrize(("limit", "status"), [(1, 200), (100, 200), (0, 400), (101, 400), ("many", 400)])
async def test_a_page_holds_1_to_100(gateway, limit, status):
    answered = await gateway.get("/v1/generations", limit=limit)
    assert answered.status_code == status
    if status == 400:
        assert answered.json()["error"] | {"message": "", "request_id": ""} == {
            "code": "invalid_parameter",
            "message": "",
            "status": 400,
            "type": "invalid_request_error",
            "param": "limit",
            "request_id": "",
            "category": None,
        }


@pytest.mark.parametrize("cursor", ["x", "AAAA", "!!!", "eA", "Zw", "Z8KyCg"])
async def test_a_cursor_that_we_did_not_give_out_is_refused(gateway, cursor):
    answered = await gateway.get("/v1/generations", cursor=cursor)
    assert (answered.status_code, answered.json()["error"]["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize("text", ["g" + "9" * 30, "g" + "9" * 5000, "g-5", "g0", "g 5", "g\u0663", "g5\n"])
async def test_a_cursor_holds_a_number_that_the_database_can_hold(gateway, text):
    cursor = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    answered = await gateway.get("/v1/generations", cursor=cursor)
    assert (answered.status_code, answered.json()["error"]["code"]) == (400, "invalid_cursor")


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/generations/%00", 404, "not_found"),
        ("/img/%00.png", 404, "not_found"),
        ("/studio/%00", 404, "not_found"),
        ("/v1/styles/%00", 404, "not_found"),
        ("/v1/generations?style=%00", 400, "invalid_parameter"),
        ("/v1/generations?cursor=%00", 400, "invalid_parameter"),
        ("/v1/generations?style=%2500", 400, "unknown_style"),
    ],
)
async def test_a_nul_in_an_address_never_reaches_the_database(gateway, path, status, code):
    answered = await gateway.http.get(path, headers={"Authorization": f"Bearer {gateway.key}"})
    assert answered.status_code == status
    assert answered.json().get("error", {}).get("code") == code


@pytest.mark.parametrize("path", ["/v1/quote", "/v1/generate"])
async def test_a_quote_checks_the_webhooks_address_too(gateway, path):
    body = {"prompt": "x", "webhook_url": "ftp://example.com/x", **({"dry_run": True} if "generate" in path else {})}
    answered = await gateway.http.post(path, json=body, headers={"Authorization": f"Bearer {gateway.key}"})
    assert (answered.status_code, answered.json()["error"]["code"]) == (400, "invalid_webhook_url")


async def test_a_dry_run_checks_the_idempotency_key_too(gateway):
    answered = await gateway.paint(dry_run=True, headers={"Idempotency-Key": "k" * 256})
    assert (answered.status_code, answered.json()["error"]["param"]) == (400, "Idempotency-Key")


@pytest.mark.parametrize(
    ("body", "status", "code", "param"),
    [
        ({"num_inference_steps": 1}, OK, None, None),
        ({"num_inference_steps": 150}, OK, None, None),
        ({"num_inference_steps": 0}, BAD, "invalid_parameter", "num_inference_steps"),
        ({"num_inference_steps": 151}, BAD, "invalid_parameter", "num_inference_steps"),
        ({"num_inference_steps": 20.0}, BAD, "invalid_parameter", "num_inference_steps"),
        ({"guidance_scale": 1}, OK, None, None),
        ({"guidance_scale": 30.0}, OK, None, None),
        ({"guidance_scale": 0.99}, BAD, "invalid_parameter", "guidance_scale"),
        ({"guidance_scale": 30.01}, BAD, "invalid_parameter", "guidance_scale"),
        ({"guidance_scale": "7"}, BAD, "invalid_parameter", "guidance_scale"),
        ({"sampler": "euler_a"}, OK, None, None),
        ({"sampler": "Euler a"}, BAD, "invalid_parameter", "sampler"),
        ({"clip_skip": 0}, OK, None, None),
        ({"clip_skip": 3}, OK, None, None),
        ({"clip_skip": 4}, BAD, "invalid_parameter", "clip_skip"),
        ({"clip_skip": -1}, BAD, "invalid_parameter", "clip_skip"),
        ({"clip_skip": 12}, BAD, "invalid_parameter", "clip_skip"),
    ],
    ids=lambda value: json.dumps(value)[:60] if isinstance(value, dict) else None,
)
async def test_what_a_request_decides_itself_is_bounded(gateway, body, status, code, param):
    answered = await gateway.paint(**body)
    assert answered.status_code == status, answered.text
    if code is not None:
        error = answered.json()["error"]
        assert (error["code"], error["param"]) == (code, param)
