"""Painting over HTTP: synchronous, asynchronous, again, and when it goes wrong."""

import asyncio
import hashlib
import io
import json

import pytest
from PIL import Image
from plugins.fake_engine import upscaler_sha256

from models import EngineStopped, ModelUnavailable, OutOfMemory, WeightsRejected


async def finished(gateway, generation_id, *, key=None):
    """Poll as a client does, until the generation has ended."""
    for _ in range(1000):
        body = (await gateway.get(f"/v1/generations/{generation_id}", key=key)).json()
        if body["status"] in {"completed", "failed", "canceled"}:
            return body
        await asyncio.sleep(0.005)
    raise AssertionError(f"still {body['status']}")


async def test_a_synchronous_call_answers_with_the_picture(gateway):
    answered = await gateway.paint(seed=7, style="watercolor")
    body = answered.json()
    assert answered.status_code == 200
    assert body["status"] == "completed"
    assert body["generation_id"].startswith("gen_")
    assert (body["width"], body["height"], body["seed"]) == (512, 512, 7)
    assert body["style"] == body["style_resolved"] == "watercolor"
    assert body["prompt"] in body["revised_prompt"]
    assert (body["livemode"], body["ai_generated"], body["cached"]) == (True, True, False)
    picture = body["images"][0]
    assert picture["url"] == body["image_url"]
    assert picture["seed"] == 7


async def test_the_picture_behind_the_url_is_the_one_described(gateway):
    picture = (await gateway.paint(width=768, height=512)).json()["images"][0]
    served = await gateway.http.get(picture["url"])
    assert served.headers["content-type"] == "image/png"
    assert hashlib.sha256(served.content).hexdigest() == picture["file_sha256"]
    with Image.open(io.BytesIO(served.content)) as opened:
        assert opened.size == (768, 512)
        assert hashlib.sha256(opened.convert("RGB").tobytes()).hexdigest() == picture["pixel_sha256"]


@pytest.mark.parametrize(
    ("format", "media_type"), [("jpeg", "image/jpeg"), ("webp", "image/webp"), ("avif", "image/avif")]
)
async def test_other_formats_are_what_they_say(gateway, format, media_type):
    picture = (await gateway.paint(format=format)).json()["images"][0]
    served = await gateway.http.get(picture["url"])
    assert served.headers["content-type"] == media_type
    with Image.open(io.BytesIO(served.content)) as opened:
        assert (opened.format or "").lower() == format


async def test_the_same_request_gives_the_same_pixels(gateway):
    first, second = [(await gateway.paint(seed=5, cache=False)).json() for _ in range(2)]
    assert first["generation_id"] != second["generation_id"]
    assert first["images"][0]["pixel_sha256"] == second["images"][0]["pixel_sha256"]


async def test_a_request_without_a_seed_gets_one_and_says_which(gateway):
    seeds = {(await gateway.paint()).json()["seed"] for _ in range(4)}
    assert len(seeds) == 4


async def test_n_pictures_count_their_seeds_up_and_wrap(gateway):
    body = (await gateway.paint(n=3, seed=4294967294)).json()
    assert [picture["seed"] for picture in body["images"]] == [4294967294, 4294967295, 0]


async def test_upscale_delivers_four_times_the_side(gateway):
    body = (await gateway.paint(upscale=True)).json()
    assert (body["width"], body["height"]) == (2048, 2048)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({"async": True}, {}),
        ({"webhook_url": "http://127.0.0.1:9/nobody"}, {}),
        ({}, {"Prefer": "respond-async"}),
        ({}, {"Prefer": "wait=0"}),
    ],
)
async def test_an_asynchronous_call_is_accepted_and_finished_later(gateway, body, headers):
    gateway.engine.hold()
    answered = await gateway.paint(**body, headers=headers)
    accepted = answered.json()
    assert answered.status_code == 202
    assert answered.headers["location"] == accepted["poll_url"]
    assert accepted["poll_url"].endswith(f"/v1/generations/{accepted['generation_id']}")
    assert accepted["status"] == "queued"
    assert accepted["estimated_ms"] > 0
    gateway.engine.release()
    assert (await finished(gateway, accepted["generation_id"]))["status"] == "completed"


async def test_a_wait_that_runs_out_turns_into_202_and_the_painting_goes_on(gateway):
    gateway.engine.hold()
    answered = await gateway.paint(headers={"Prefer": "wait=1"})
    assert answered.status_code == 202
    gateway.engine.release()
    assert (await finished(gateway, answered.json()["generation_id"]))["status"] == "completed"


async def test_those_who_wait_are_counted_and_progress_is_shown(open_gateway):
    gateway = await open_gateway(slots=1)
    gateway.engine.hold()
    ids = [(await gateway.paint(**{"async": True})).json()["generation_id"] for _ in range(3)]
    bodies = [(await gateway.get(f"/v1/generations/{id}")).json() for id in ids]
    assert [body["status"] for body in bodies] == ["processing", "queued", "queued"]
    assert [body["queue_position"] for body in bodies][1:] == [0, 1]
    assert bodies[0]["progress"]["phase"] in {"waiting", "encoding", "denoising"}
    gateway.engine.release()
    for id in ids:
        assert (await finished(gateway, id))["status"] == "completed"


async def test_a_passing_failure_of_the_engine_is_tried_again_unseen(gateway):
    gateway.engine.fail_next(EngineStopped("the device fell over"))
    gateway.engine.fail_next(EngineStopped("the device fell over"))
    assert (await gateway.paint()).status_code == 200


@pytest.mark.parametrize(
    ("failures", "status", "code"),
    [
        ([WeightsRejected("no weights")], 500, "model_unusable"),
        ([ModelUnavailable("not loaded yet")], 503, "model_unavailable"),
        ([OutOfMemory("no room")] * 2, 503, "overloaded"),
        ([EngineStopped("fell over")] * 3, 500, "internal_error"),
    ],
)
async def test_a_painting_that_fails_for_good_says_so_and_costs_nothing(gateway, failures, status, code):
    key = await gateway.new_key(plan="studio", credits=10)
    for failure in failures:
        gateway.engine.fail_next(failure)
    answered = await gateway.paint(key=key)
    assert (answered.status_code, answered.json()["error"]["code"]) == (status, code)
    assert ("retry-after" in answered.headers) == (status == 503), "only what passes is worth another try"
    assert answered.headers.get("x-should-retry") == ("false" if status == 500 else None)
    listed = (await gateway.get("/v1/generations", key=key)).json()["data"]
    assert [(body["status"], body["error"]["code"]) for body in listed] == [("failed", code)]
    account = (await gateway.get("/v1/account", key=key)).json()
    assert (account["credits"], account["credits_held"], account["credits_captured"]) == (10, 0, 0)


async def test_a_refused_prompt_names_its_category_and_holds_nothing(gateway):
    key = await gateway.new_key(plan="studio", credits=10)
    answered = await gateway.paint(key=key, prompt="photo of a nude child")
    error = answered.json()["error"]
    assert (answered.status_code, error["code"]) == (400, "content_policy_violation")
    assert error["category"] == "csae"
    assert (await gateway.get("/v1/account", key=key)).json()["credits"] == 10


async def test_the_recipe_tells_what_decided_the_pixels(gateway):
    body = (await gateway.paint(seed=9, upscale=True, quality="ultra")).json()
    told = (await gateway.get(f"/v1/generations/{body['generation_id']}/recipe")).json()
    (recipe,) = told["recipes"]
    assert recipe["pixel_sha256"] == body["images"][0]["pixel_sha256"]
    assert recipe["spec"]["seed"] == 9
    assert recipe["spec"]["prompt"] == body["revised_prompt"]
    assert recipe["spec"]["size"]["upscale_resampling"] == "network"
    assert recipe["upscaler_sha256"] == upscaler_sha256()
    served = await gateway.http.get(body["image_url"])
    with Image.open(io.BytesIO(served.content)) as picture:
        assert json.loads(picture.text["pinxit"]) == recipe


async def test_a_dry_run_prices_and_paints_nothing(gateway):
    key = await gateway.new_key(plan="studio")
    for answered in (
        await gateway.paint(key=key, dry_run=True, n=2, upscale=True),
        await gateway.http.post(
            "/v1/quote",
            json={"prompt": "a red boat", "n": 2, "upscale": True},
            headers={"Authorization": f"Bearer {key}"},
        ),
    ):
        body = answered.json()
        assert (answered.status_code, body["object"], body["credits"]) == (200, "quote", 3)
        assert body["size_plan"]["delivered"] == "2048x2048"
    assert (await gateway.get("/v1/generations", key=key)).json()["data"] == []


async def test_the_same_idempotency_key_paints_once(gateway):
    headers = {"Idempotency-Key": "order-17"}
    first, second = [await gateway.paint(seed=1, headers=headers) for _ in range(2)]
    assert first.json() == second.json()
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert len(gateway.engine.painted) == 1


async def test_an_idempotency_key_with_another_body_is_refused(gateway):
    await gateway.paint(seed=1, headers={"Idempotency-Key": "order-17"})
    other = await gateway.paint(seed=2, headers={"Idempotency-Key": "order-17"})
    assert (other.status_code, other.json()["error"]["code"]) == (422, "idempotency_key_reused")


async def test_an_idempotency_key_in_flight_is_a_conflict(gateway):
    gateway.engine.hold()
    headers = {"Idempotency-Key": "order-17"}
    first = await gateway.paint(**{"async": True}, headers=headers)
    second = await gateway.paint(**{"async": True}, headers=headers)
    assert (second.status_code, second.json()["error"]["code"]) == (409, "idempotency_in_progress")
    assert second.headers["retry-after"] == "1"
    gateway.engine.release()
    await finished(gateway, first.json()["generation_id"])


async def test_deleting_stops_the_painting_and_removes_everything(gateway):
    key = await gateway.new_key(plan="studio", credits=10)
    gateway.engine.hold()
    id = (await gateway.paint(key=key, **{"async": True})).json()["generation_id"]
    headers = {"Authorization": f"Bearer {key}"}
    deleted = await gateway.http.delete(f"/v1/generations/{id}", headers=headers)
    assert deleted.json() == {"generation_id": id, "deleted": True}
    assert (await gateway.get(f"/v1/generations/{id}", key=key)).status_code == 404
    account = (await gateway.get("/v1/account", key=key)).json()
    assert (account["credits"], account["credits_held"]) == (10, 0)
    gateway.engine.release()
    assert (await gateway.paint(key=key)).status_code == 200
    assert [spec.prompt for spec in gateway.engine.painted] == [gateway.engine.painted[0].prompt]


async def test_a_deleted_picture_is_gone_from_its_url(gateway):
    body = (await gateway.paint()).json()
    headers = {"Authorization": f"Bearer {gateway.key}"}
    assert (await gateway.http.get(body["image_url"])).status_code == 200
    await gateway.http.delete(f"/v1/generations/{body['generation_id']}", headers=headers)
    assert (await gateway.http.get(body["image_url"])).status_code == 404
    assert not list((gateway.installation.settings.data_dir / "pictures").rglob("*.png"))


async def test_the_list_is_newest_first_and_pages_stay_stable(gateway):
    ids = [(await gateway.paint(seed=seed)).json()["generation_id"] for seed in range(5)]
    first = (await gateway.get("/v1/generations", limit=2)).json()
    await gateway.paint(seed=99)
    second = (await gateway.get("/v1/generations", limit=3, cursor=first["next_cursor"])).json()
    seen = [body["generation_id"] for body in first["data"] + second["data"]]
    assert seen == ids[::-1]
    assert (first["has_more"], second["has_more"], second["next_cursor"]) == (True, False, None)


async def test_the_list_can_be_narrowed_by_state_and_style(gateway):
    await gateway.paint(style="watercolor")
    await gateway.paint(style="line-art")
    listed = (await gateway.get("/v1/generations", style="line-art", status="completed")).json()["data"]
    assert [body["style"] for body in listed] == ["line-art"]
    assert (await gateway.get("/v1/generations", status="failed")).json()["data"] == []
