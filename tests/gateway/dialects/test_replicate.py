"""Predictions, as Replicate's clients make, await, list and cancel them."""

import asyncio
import base64
import hmac
import io
import json

import pytest
from PIL import Image
from plugins.webhook_receiver import Receiver, receiving

from models import WeightsRejected


async def post(gateway, path, body=None, *, key=None, **headers):
    headers = {"Authorization": f"Bearer {key or gateway.key}", **headers}
    return await gateway.http.post(f"/v1/{path}", json=body or {}, headers=headers)


def asking(**wishes):
    return {"input": {"prompt": "a red lighthouse", **wishes}}


async def ended(gateway, id):
    for _ in range(1000):
        body = (await gateway.get(f"/v1/predictions/{id}")).json()
        if body["status"] in {"succeeded", "failed", "canceled"}:
            return body
        await asyncio.sleep(0.005)
    raise AssertionError(f"still {body['status']}")


async def test_who_waits_gets_the_prediction_when_it_has_succeeded(gateway):
    answered = await post(
        gateway,
        "models/local/starter/predictions",
        asking(num_outputs=2, seed=7, width=640, output_format="jpg", num_inference_steps=7),
        Prefer="wait",
    )
    body = answered.json()
    assert answered.status_code == 201
    assert (body["status"], body["model"], body["version"]) == ("succeeded", "local/starter", "starter")
    assert len(body["output"]) == 2
    assert gateway.engine.painted[-1].num_inference_steps == 7
    assert (await gateway.http.get(body["output"][0])).headers["content-type"] == "image/jpeg"
    assert body["input"] == {
        "prompt": "a red lighthouse",
        "negative_prompt": "",
        "style": "auto",
        "quality": "hd",
        "width": 640,
        "height": 512,
        "num_outputs": 2,
        "seed": 7,
        "output_format": "jpeg",
    }
    assert set(body["metrics"]) == {"predict_time", "total_time"}
    assert answered.headers["location"] == body["urls"]["get"]


def data_url(image):
    file = io.BytesIO()
    image.save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


async def test_a_prediction_begins_from_a_picture_and_a_white_mask(gateway):
    mask = Image.new("RGBA", (128, 64), (255, 255, 255, 0))
    mask.paste((255, 255, 255, 255), (0, 0, 64, 64))
    sent = {"image": data_url(Image.new("RGB", (128, 64), "red")), "mask": data_url(mask)}
    body = (await post(gateway, "predictions", {"version": "starter", **asking(**sent)}, Prefer="wait")).json()
    init = gateway.engine.painted[-1].init_image
    assert (body["status"], init.strength, body["input"]["width"]) == ("succeeded", 0.8, 720)
    kept = gateway.installation.settings.data_dir / "pictures" / "gen" / body["id"] / "from" / init.mask_sha256
    with Image.open(kept) as opened:
        assert [opened.convert("L").getpixel((x, 32)) for x in (32, 96)] == [255, 0]
    sent = asking(image=body["id"], prompt_strength=0.3, aspect_ratio="1:1", go_fast=True)
    answered = await post(gateway, "models/local/starter/predictions", sent, Prefer="wait")
    assert gateway.engine.painted[-1].init_image.strength == 0.3
    assert [(one["code"], one["param"]) for one in answered.json()["warnings"]][:2] == [
        ("ignored_parameter", "input.go_fast"),
        ("value_changed", "input.image"),
    ]
    assert answered.headers["x-pinxit-ignored"] == "input.go_fast"
    for wrong, code, param in (
        ({"mask": data_url(mask)}, "invalid_parameter", "input.mask"),
        ({"image": "https://example.com/a.png"}, "invalid_image", "input.image"),
        ({"image": body["id"], "prompt_strength": 0}, "invalid_parameter", "input.prompt_strength"),
        ({"output_format": "tiff"}, "invalid_parameter", "input.output_format"),
        ({"aspect_ratio": "wide"}, "invalid_size", "input.aspect_ratio"),
        ({"num_outputs": 11}, "invalid_parameter", "input.num_outputs"),
        ({"scheduler": "PNDM"}, "invalid_parameter", "input.scheduler"),
    ):
        error = (await post(gateway, "predictions", {"version": "starter", **asking(**wrong)})).json()["error"]
        assert (error["code"], error["param"]) == (code, param)


async def test_who_does_not_wait_polls(gateway):
    gateway.engine.hold()
    body = (await post(gateway, "predictions", {"version": "starter", **asking()})).json()
    assert (body["status"], body["output"], body["metrics"]) == ("starting", None, None)
    gateway.engine.release()
    assert body["urls"]["get"].endswith(f"/v1/predictions/{body['id']}")
    assert (await ended(gateway, body["id"]))["status"] == "succeeded"


async def test_a_wait_that_is_over_answers_a_prediction_that_has_not_even_begun(gateway):
    """replicate-python takes any other state in the answer to `Prefer: wait` for the end, and returns no output."""
    gateway.engine.hold()
    answered = await post(gateway, "predictions", {"version": "local/starter:abc", **asking()}, Prefer="wait=1")
    assert (answered.status_code, answered.json()["status"]) == (201, "starting")
    assert (await gateway.get(f"/v1/predictions/{answered.json()['id']}")).json()["status"] == "processing"


async def test_a_failure_is_a_prediction_too(gateway):
    gateway.engine.fail_next(WeightsRejected("The weights are broken."))
    answered = await post(gateway, "models/local/starter/predictions", asking(), Prefer="wait=5")
    assert (answered.status_code, answered.json()["status"]) == (201, "failed")
    assert "the log says why" in answered.json()["error"]  # what the files are is the operator's to know


async def test_a_prediction_is_canceled_once_and_for_all(gateway):
    gateway.engine.hold()
    id = (await post(gateway, "predictions", {"version": "starter", **asking()})).json()["id"]
    assert (await post(gateway, f"predictions/{id}/cancel")).json()["status"] == "canceled"
    assert (await post(gateway, f"predictions/{id}/cancel")).json()["status"] == "canceled"


async def test_predictions_are_listed_page_by_page_and_only_the_accounts_own(gateway):
    ids = [
        (await post(gateway, "predictions", {"version": "starter", **asking()}, Prefer="wait")).json()["id"]
        for _ in range(3)
    ]
    first = (await gateway.get("/v1/predictions", limit=2)).json()
    rest = (await gateway.http.get(first["next"], headers={"Authorization": f"Bearer {gateway.key}"})).json()
    assert [one["id"] for one in first["results"] + rest["results"]] == ids[::-1]
    assert rest["next"] is None
    other = await gateway.new_key()
    assert (await gateway.get("/v1/predictions", key=other)).json()["results"] == []
    assert (await gateway.get(f"/v1/predictions/{ids[0]}", key=other)).status_code == 404


async def test_what_breaks_a_rule_is_refused_in_rfc_9457s_form(gateway):
    """Replicate's client reads `title`, `detail` and `status`."""
    for path, body, status, code in [
        ("models/stability-ai/sdxl/predictions", asking(), 404, "model_not_found"),
        ("models/local/no-such/predictions", asking(), 404, "model_not_found"),
        ("predictions", asking(), 400, "missing_parameter"),
        ("predictions", {"version": "starter"}, 400, "missing_parameter"),
        ("predictions", {"version": "starter", **asking(width=1)}, 400, "invalid_size"),
        ("predictions", {"version": "starter", "webhook": "ftp://x", **asking()}, 400, "invalid_webhook_url"),
        ("predictions", {"version": "starter", "webhook_events_filter": ["x"], **asking()}, 400, "invalid_parameter"),
    ]:
        answered = (await post(gateway, path, body)).json()
        assert (answered["status"], answered["error"]["code"]) == (status, code)
        assert answered["title"]
        assert answered["detail"]


async def test_older_clients_authorize_with_another_word(gateway):
    answered = await gateway.http.get("/v1/predictions", headers={"Authorization": f"Token {gateway.key}"})
    assert answered.status_code == 200


@pytest.fixture
def hook():
    """A receiver on this machine, and what reached it next, by what its prediction says it is."""
    with receiving(Receiver()) as receiver:
        yield receiver


async def next_told(hook):
    headers, body = await asyncio.to_thread(hook.arrived.get, timeout=30)
    return {name.lower(): value for name, value in headers.items()}, body


async def told_of(gateway, hook, key=None, count=0, **others):
    """A prediction to its end, and `count` bodies that the address was sent, by their status."""
    asked = {"version": "starter", "webhook": hook.url, **asking(), **others}
    made = await post(gateway, "predictions", asked, key=key)
    assert made.status_code == 201, made.text
    told = [json.loads((await next_told(hook))[1]) for _ in range(count)]
    return made, {body["status"]: body for body in told}


async def deliveries_of(gateway, id):
    found = (await gateway.get("/v1/webhooks/deliveries", subject=id)).json()["data"]
    return sorted(one["event_type"] for one in found)


async def test_a_webhook_is_the_prediction_as_reading_it_answers(gateway, hook):
    made, told = await told_of(gateway, hook, count=2, webhook_events_filter=["start", "output", "completed"])
    id = made.json()["id"]
    assert (told["starting"]["id"], told["starting"]["output"], told["starting"]["completed_at"]) == (id, None, None)
    assert told["succeeded"] == (await gateway.get(f"/v1/predictions/{id}")).json()
    assert (await gateway.http.get(told["succeeded"]["output"][0])).status_code == 200
    assert await deliveries_of(gateway, id) == ["prediction.completed", "prediction.start"]


async def test_a_webhook_without_a_filter_hears_of_the_end_alone(gateway, hook):
    made, told = await told_of(gateway, hook, count=1)
    assert list(told) == ["succeeded"]
    assert await deliveries_of(gateway, made.json()["id"]) == ["prediction.completed"]


async def test_logs_are_no_event_and_that_is_said(gateway, hook):
    made, _ = await told_of(gateway, hook, webhook_events_filter=["logs"])
    assert made.headers["x-pinxit-ignored"] == "webhook_events_filter.logs"
    await ended(gateway, made.json()["id"])
    assert await deliveries_of(gateway, made.json()["id"]) == []


async def test_a_failed_and_a_canceled_prediction_are_told_with_their_end(gateway, hook):
    gateway.engine.hold()
    made, _ = await told_of(gateway, hook)
    await post(gateway, f"predictions/{made.json()['id']}/cancel")
    canceled = json.loads((await next_told(hook))[1])
    assert canceled["status"] == "canceled"
    assert canceled == (await gateway.get(f"/v1/predictions/{made.json()['id']}")).json()
    gateway.engine.release()
    gateway.engine.fail_next(WeightsRejected("The weights are broken."))
    _, told = await told_of(gateway, hook, count=1)
    assert "the log says why" in told["failed"]["error"]


async def test_what_was_painted_before_is_told_like_everything_else(gateway, hook):
    await told_of(gateway, hook, count=1, input={"prompt": "a boat", "seed": 7})
    _, told = await told_of(
        gateway, hook, count=2, input={"prompt": "a boat", "seed": 7}, webhook_events_filter=["start", "completed"]
    )
    assert len(told) >= 1  # it had succeeded when it began
    assert told["succeeded"]["output"]
    assert len(gateway.engine.painted) == 1


async def test_endpoints_of_the_account_hear_of_a_prediction_in_our_words(gateway, hook):
    sign = {"Authorization": f"Bearer {gateway.key}"}
    assert (await gateway.http.post("/v1/webhooks", json={"url": hook.url}, headers=sign)).status_code == 201
    made = await post(gateway, "predictions", {"version": "starter", **asking()})
    _, body = await next_told(hook)
    assert json.loads(body)["generation_id"] == made.json()["id"]


async def test_a_replaced_secret_signs_webhooks_beside_the_new_one_for_a_day(gateway, hook):
    """Reckoned by hand: the standard's own library looks at the real clock."""
    sign = {"Authorization": f"Bearer {gateway.key}"}
    old = (await gateway.get("/v1/webhooks/default/secret")).json()
    rotated = (await gateway.http.post("/v1/webhooks/default/rotate-secret", headers=sign)).json()
    assert old["previous_valid_until"] is None
    assert rotated["previous_valid_until"] == "2026-11-22T12:00:10Z"
    assert (await gateway.get("/v1/webhooks/default/secret")).json() == rotated

    async def believed_with():
        await post(gateway, "predictions", {"version": "starter", "webhook": hook.url, **asking()})
        headers, body = await next_told(hook)
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        given = {part.removeprefix("v1,") for part in headers["webhook-signature"].split()}
        return {
            secret["secret"]
            for secret in (old, rotated)
            if base64.b64encode(
                hmac.digest(base64.b64decode(secret["key"].removeprefix("whsec_")), signed, "sha256")
            ).decode()
            in given
        }

    assert await believed_with() == {old["secret"], rotated["secret"]}
    gateway.clock.move(days=1, seconds=1)
    assert await believed_with() == {rotated["secret"]}
    assert (await gateway.get("/v1/webhooks/default/secret")).json()["previous_valid_until"] is None


async def test_a_deadline_is_not_kept_and_that_is_said(gateway):
    made = await post(gateway, "predictions", {"version": "starter", **asking()}, **{"Cancel-After": "5s"})
    assert made.headers["x-pinxit-ignored"] == "Cancel-After"
