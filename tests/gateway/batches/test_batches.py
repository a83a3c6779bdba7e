"""Many requests sent as one: accepted, expanded, painted, read back."""

import asyncio
import csv
import io
import json

import pytest

from gateway.access import Mode
from models import OutOfMemory, WeightsRejected
from storage import Priority
from storage.batches import page_of_items
from tests.gateway.batches.conftest import counts


async def code_of(response):
    return response.status_code, response.json()["error"]["code"]


async def test_every_item_becomes_a_picture_and_keeps_its_name_and_place(batches):
    sent = await batches.send([{"custom_id": f"boat-{i}", "prompt": f"{i} boats", "seed": i} for i in range(5)])
    accepted = sent.json()
    assert sent.status_code == 202
    assert sent.headers["location"].endswith(f"/v1/batches/{accepted['batch_id']}")
    assert (accepted["object"], accepted["status"], accepted["counts"]["total"]) == ("batch", "processing", 5)

    ended = await batches.ended(accepted["batch_id"])
    assert (ended["status"], ended["counts"]) == ("completed", counts(completed=5))
    results = await batches.results(accepted["batch_id"])
    assert [(one["position"], one["custom_id"], one["generation"]["seed"]) for one in results] == [
        (i, f"boat-{i}", i) for i in range(5)
    ]
    assert {one["generation"]["batch_id"] for one in results} == {accepted["batch_id"]}
    assert all(one["generation"]["image_url"] for one in results)


async def test_an_item_is_the_picture_that_a_single_call_would_be(gateway, batches):
    single = (await gateway.paint(seed=7, style="watercolor", cache=False)).json()
    sent = await batches.send([{"prompt": "a red lighthouse by the sea", "seed": 7}], defaults={"style": "watercolor"})
    await batches.ended(sent.json()["batch_id"])
    (one,) = await batches.results(sent.json()["batch_id"])
    assert one["generation"]["images"][0]["pixel_sha256"] == single["images"][0]["pixel_sha256"]


async def test_defaults_stand_in_for_what_an_item_does_not_name(batches):
    items = [{"prompt": "a boat"}, {"prompt": "a boat", "width": 768}, {"width": None, "seed": 3}]
    sent = await batches.send(items, defaults={"prompt": "a castle", "width": 512, "height": 768})
    await batches.ended(sent.json()["batch_id"])
    results = [one["generation"] for one in await batches.results(sent.json()["batch_id"])]
    assert [(one["prompt"], one["width"], one["height"]) for one in results] == [
        ("a boat", 512, 768), ("a boat", 768, 768), ("a castle", 512, 768),
    ]  # fmt: skip


async def test_what_is_wrong_with_an_item_is_its_own_fault(batches):
    items = [
        {"prompt": "a boat"},
        {"prompt": ""},
        {"prompt": "a boat", "style": "no-such-style"},
        {"prompt": "a boat", "colour": "red"},
        {"prompt": "a boat", "webhook_url": "http://127.0.0.1/"},
        {"prompt": "a boat", "width": 513},
        {"prompt": "a boat", "seed": "7"},
        {"prompt": "a boat", "image": "gen_1"},
        {"prompt": "a boat", "ttl": 0},
        "a boat",
        {"custom_id": "twice", "prompt": "a boat"},
        {"custom_id": "twice", "prompt": "a boat"},
        {"custom_id": 7, "prompt": "a boat"},
    ]
    sent = await batches.send(items)
    ended = await batches.ended(sent.json()["batch_id"])
    assert sent.status_code == 202
    assert ended["counts"] == counts(completed=2, refused=11)
    errors = [
        one["error"] and (one["error"]["code"], one["error"]["param"])
        for one in await batches.results(ended["batch_id"])
    ]
    assert errors == [
        None,
        ("missing_parameter", "prompt"),
        ("unknown_style", "style"),
        ("unknown_parameter", "colour"),
        ("unknown_parameter", "webhook_url"),
        ("invalid_size", "width"),
        ("invalid_parameter", "seed"),
        ("not_found", None),
        ("invalid_parameter", "ttl"),
        ("invalid_json", None),
        None,
        ("invalid_parameter", "custom_id"),
        ("invalid_parameter", "custom_id"),
    ]  # fmt: skip


async def test_the_policy_refuses_an_item_and_not_its_neighbours(batches):
    sent = await batches.send([{"prompt": "a boat"}, {"prompt": "a naked child"}])
    await batches.ended(sent.json()["batch_id"])
    results = await batches.results(sent.json()["batch_id"])
    assert [one["status"] for one in results] == ["completed", "refused"]
    assert results[1]["error"]["code"] == "content_policy_violation"
    assert results[1]["generation"] is None


async def test_a_batch_of_which_nothing_is_accepted_has_ended_at_once(batches):
    batch = (await batches.send([{"prompt": ""}, {"prompt": " "}])).json()
    assert (batch["status"], batch["counts"]) == ("completed", counts(refused=2))
    assert batch["completed_at"] is not None


async def test_a_painting_that_fails_leaves_the_others_alone(gateway, batches):
    gateway.engine.fail_next(WeightsRejected("no weights"))
    gateway.engine.fail_next(OutOfMemory("once"))  # this one is tried again
    batch = (await batches.send([{"prompt": f"{i} boats"} for i in range(4)])).json()
    assert (await batches.ended(batch["batch_id"]))["counts"] == counts(completed=3, failed=1)
    failed = (await batches.get(f"/v1/batches/{batch['batch_id']}/items", status="failed")).json()["data"]
    assert [one["error"]["code"] for one in failed] == ["model_unusable"]


async def test_items_wait_behind_interactive_work(open_gateway, batches_of):
    gateway = await open_gateway(slots=1)
    batches = batches_of(gateway)
    gateway.engine.hold()
    batch = (await batches.send([{"prompt": f"{i} boats", "seed": i} for i in range(8)])).json()
    await batches.until(batch["batch_id"], lambda batch: batch["counts"]["processing"] == 1)
    single = asyncio.create_task(gateway.paint(prompt="a castle", seed=99))
    await asyncio.sleep(0.05)
    gateway.engine.release()
    assert (await single).status_code == 200
    await batches.ended(batch["batch_id"])
    assert [spec.seed for spec in gateway.engine.begun].index(99) == 1


async def test_a_large_batch_does_not_shut_single_calls_out(open_gateway, batches_of):
    gateway = await open_gateway(slots=1, max_queued=5)
    batches = batches_of(gateway)
    batch = (await batches.send([{"prompt": f"{i} boats"} for i in range(12)])).json()
    await batches.until(batch["batch_id"], lambda batch: batch["counts"]["completed"] > 0)
    assert (await gateway.paint()).status_code == 200


async def test_what_does_not_fit_into_the_queue_waits_in_its_batch(open_gateway, batches_of):
    gateway = await open_gateway(max_batch_queued=3, slots=2, poll_s=0.01)
    batches = batches_of(gateway)
    gateway.engine.hold()
    batch = (await batches.send([{"prompt": f"{i} boats"} for i in range(8)])).json()
    await batches.until(batch["batch_id"], lambda batch: batch["counts"]["processing"] == 2)
    assert len((await batches.get("/v1/generations", limit=100)).json()["data"]) == 3
    gateway.engine.release()
    assert (await batches.ended(batch["batch_id"]))["counts"] == counts(completed=8)


async def test_too_many_items_are_refused_as_a_whole(open_gateway, batches_of):
    gateway = await open_gateway(max_batch_items=5)
    free = batches_of(gateway, await gateway.new_key(plan="free"))
    answered = await free.send([{"prompt": "a boat"}] * 101)
    assert await code_of(answered) == (403, "plan_upgrade_required")
    assert answered.json()["error"]["param"] == "items"
    answered = await batches_of(gateway).send([{"prompt": "a boat"}] * 6)
    assert await code_of(answered) == (429, "queue_full")
    assert (await batches_of(gateway).get("/v1/batches")).json()["data"] == []


NO_BATCHES = [
    ({"items": []}, "missing_parameter", "items"),
    ({}, "missing_parameter", "items"),
    ({"items": {}}, "invalid_parameter", "items"),
    ({"items": [{"prompt": "a"}], "colour": 1}, "unknown_parameter", "colour"),
    ({"items": [{"prompt": "a"}], "defaults": []}, "invalid_parameter", "defaults"),
    ({"items": [{"prompt": "a"}], "metadata": {"a": 1}}, "invalid_parameter", "metadata"),
    ({"items": [{"prompt": "a"}], "metadata": {str(i): "" for i in range(17)}}, "invalid_parameter", "metadata"),
    ({"items": [{"prompt": "a"}], "metadata": {"a": "b" * 513}}, "invalid_parameter", "metadata"),
    ({"items": [{"prompt": "a"}], "webhook_url": "ftp://a/"}, "invalid_webhook_url", "webhook_url"),
    ([], "invalid_json", None),
]


async def test_a_batch_that_is_no_batch_is_refused_and_nothing_is_kept(gateway, batches):
    for body, code, param in NO_BATCHES:
        answered = await gateway.http.post("/v1/batches", json=body, headers=batches.headers)
        assert (*await code_of(answered), answered.json()["error"]["param"]) == (400, code, param), body
    assert (await batches.get("/v1/batches")).json()["data"] == []


async def test_a_batch_is_one_call_of_the_minute_and_its_items_are_requests_of_the_day(gateway, batches_of):
    key = await gateway.new_key(plan="free", credits=100)
    batches = batches_of(gateway, key)
    batch = (await batches.send([{"prompt": f"{i} boats"} for i in range(7)] + [{"prompt": ""}])).json()
    await batches.ended(batch["batch_id"])
    usage = (await batches.get("/v1/account")).json()["usage"]
    assert usage == {"minute": 1, "day": 7, "month": 7}


async def test_items_beyond_the_credits_are_refused_and_the_others_are_paid_for(gateway, batches_of):
    key = await gateway.new_key(plan="studio", credits=7)
    batches = batches_of(gateway, key)
    items = [{"prompt": "a boat", "n": n} for n in (2, 3, 4, 1, 1, 5)]
    batch = (await batches.send(items)).json()
    ended = await batches.ended(batch["batch_id"])
    results = await batches.results(batch["batch_id"])
    assert ended["counts"] == counts(completed=4, refused=2)
    assert [one["error"] and one["error"]["code"] for one in results] == [
        None, None, "insufficient_credits", None, None, "insufficient_credits",
    ]  # fmt: skip
    account = (await batches.get("/v1/account")).json()
    assert (account["credits"], account["credits_held"], account["credits_captured"]) == (0, 0, 7)


async def test_items_beyond_the_days_quota_are_refused_and_use_nothing_up(gateway, batches_of):
    key = await gateway.new_key(plan="studio", credits=100, rpd=3)
    batches = batches_of(gateway, key)
    batch = (await batches.send([{"prompt": "a boat"}] * 5)).json()
    assert (await batches.ended(batch["batch_id"]))["counts"] == counts(completed=3, refused=2)
    account = (await batches.get("/v1/account")).json()
    assert (account["credits_held"], account["credits_captured"], account["usage"]["day"]) == (0, 3, 3)


async def test_what_a_test_key_sends_costs_nothing_and_says_so(gateway, batches_of):
    batches = batches_of(gateway, await gateway.new_key(plan="studio", mode=Mode.TEST))
    batch = (await batches.send([{"prompt": "a boat"}])).json()
    await batches.ended(batch["batch_id"])
    (one,) = await batches.results(batch["batch_id"])
    assert (batch["livemode"], one["generation"]["livemode"], one["generation"]["credits_used"]) == (False, False, 0)


async def test_the_same_idempotency_key_is_the_same_batch(batches):
    headers, items = {"Idempotency-Key": "order-17"}, [{"prompt": "a boat"}]
    first, again = [await batches.send(items, headers=headers) for _ in range(2)]
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["batch_id"] == again.json()["batch_id"]
    assert again.headers["idempotent-replayed"] == "true"
    other = await batches.send([{"prompt": "a castle"}], headers=headers)
    assert await code_of(other) == (422, "idempotency_key_reused")
    assert len((await batches.get("/v1/batches")).json()["data"]) == 1


async def test_equal_batches_at_once_under_one_idempotency_key_are_one(batches):
    headers, items = {"Idempotency-Key": "order-17"}, [{"prompt": "a boat"}] * 3
    answers = await asyncio.gather(*(batches.send(items, headers=headers) for _ in range(5)))
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert len({answer.json()["batch_id"] for answer in answers if answer.status_code == 202}) == 1
    assert len((await batches.get("/v1/batches")).json()["data"]) == 1


async def test_an_idempotency_key_means_one_thing_on_every_path(gateway, batches):
    headers = {"Idempotency-Key": "order-17"}
    await batches.send([{"prompt": "a boat"}], headers=headers)
    assert await code_of(await gateway.paint(headers=headers)) == (422, "idempotency_key_reused")
    headers = {"Idempotency-Key": "order-18"}
    await gateway.paint(headers=headers)
    assert await code_of(await batches.send([{"prompt": "a boat"}], headers=headers)) == (422, "idempotency_key_reused")


async def test_another_accounts_batch_does_not_exist(gateway, batches, batches_of):
    batch_id = (await batches.send([{"prompt": "a boat"}])).json()["batch_id"]
    stranger = batches_of(gateway, await gateway.new_key())
    for path in ("", "/items", "/results"):
        assert await code_of(await stranger.get(f"/v1/batches/{batch_id}{path}")) == (404, "not_found")
    assert await code_of(await stranger.cancel(batch_id)) == (404, "not_found")
    assert (await stranger.get("/v1/batches")).json()["data"] == []


async def test_lists_come_in_pages(batches):
    ids = [(await batches.send([{"prompt": "a boat"}] * 5)).json()["batch_id"] for _ in range(3)]
    first = (await batches.get("/v1/batches", limit=2)).json()
    second = (await batches.get("/v1/batches", limit=2, cursor=first["next_cursor"])).json()
    assert [one["batch_id"] for one in first["data"] + second["data"]] == ids[::-1]
    assert (first["has_more"], second["has_more"], second["next_cursor"]) == (True, False, None)

    path, seen, cursor = f"/v1/batches/{ids[0]}/items", [], {}
    for size in (2, 2, 1):
        page = (await batches.get(path, limit=2, **cursor)).json()
        assert len(page["data"]) == size
        seen += [one["position"] for one in page["data"]]
        cursor = {"cursor": page["next_cursor"]}
    assert seen == [0, 1, 2, 3, 4]
    assert page["has_more"] is False
    assert await code_of(await batches.get(path, cursor="nonsense")) == (400, "invalid_cursor")


async def test_results_are_a_table_too(batches):
    batch_id = (
        await batches.send([{"custom_id": 'a "red", boat', "prompt": "a boat", "seed": 4}, {"prompt": ""}])
    ).json()["batch_id"]
    await batches.ended(batch_id)
    answered = await batches.get(f"/v1/batches/{batch_id}/results", format="csv")
    assert answered.headers["content-type"] == "text/csv; charset=utf-8"
    assert answered.headers["content-disposition"] == f'attachment; filename="{batch_id}.csv"'
    first, second = csv.DictReader(io.StringIO(answered.text))
    assert (first["custom_id"], first["status"], first["seed"]) == ('a "red", boat', "completed", "4")
    assert first["image_url"].startswith("http")
    assert (second["status"], second["error_code"]) == ("refused", "missing_parameter")


async def test_a_deleted_generation_leaves_its_place_in_the_batch(gateway, batches):
    batch_id = (await batches.send([{"prompt": "a boat"}, {"prompt": "a castle"}])).json()["batch_id"]
    await batches.ended(batch_id)
    gone = (await batches.results(batch_id))[0]["generation_id"]
    await gateway.http.delete(f"/v1/generations/{gone}", headers=batches.headers)
    results = await batches.results(batch_id)
    assert [(one["status"], one["generation"] is None) for one in results] == [
        ("completed", True),
        ("completed", False),
    ]
    assert results[0]["generation_id"] == gone
    assert (await batches.read(batch_id))["counts"] == counts(completed=2)


async def test_deleting_what_is_still_queued_ends_its_item(gateway, batches):
    gateway.engine.hold()
    batch_id = (await batches.send([{"prompt": "a boat"}, {"prompt": "a castle"}])).json()["batch_id"]
    await batches.until(batch_id, lambda batch: batch["counts"]["processing"] == 2)
    gone = (await batches.results(batch_id))[1]["generation_id"]
    await gateway.http.delete(f"/v1/generations/{gone}", headers=batches.headers)
    gateway.engine.release()
    assert (await batches.ended(batch_id))["counts"] == counts(completed=1, canceled=1)


async def test_no_prompt_is_kept_twice(gateway, batches):
    batch_id = (await batches.send([{"prompt": "a boat"}, {"prompt": "a" * 1501}])).json()["batch_id"]
    await batches.ended(batch_id)
    async with gateway.installation.database.reading() as connection:
        items = await page_of_items(connection, batch_id, limit=10)
    assert [item.body for item in items] == [None, None]


async def test_items_are_batch_work_and_name_their_batch(gateway, batches):
    batch_id = (await batches.send([{"prompt": "a boat"}])).json()["batch_id"]
    await batches.ended(batch_id)
    (one,) = await batches.results(batch_id)
    owner = await gateway.server.services.gatekeeper.caller(gateway.key, now=gateway.clock())
    generation = (await gateway.server.painting.fetch.one(owner, one["generation_id"])).generation
    assert (generation.priority, generation.batch_id) == (Priority.BATCH, batch_id)
    assert json.loads(generation.request)["prompt"] == "a boat"


@pytest.mark.parametrize(
    ("table", "prompts"),
    [
        ("custom_id,prompt,seed,\na,a boat,1,\n", ["a boat"]),  # a column without a name
        ("\n\ncustom_id,prompt\na,a boat\n", ["a boat"]),  # blank lines before the header
        ("custom_id,prompt\na,a boat\n,\n , \n\n", ["a boat"]),  # rows without any text
        ("sep=;\ncustom_id;prompt\na;a boat\n", ["a boat"]),
        ('"custom_id";"prompt"\r\n"a";"a boat, red"\r\n', ["a boat, red"]),
        ('custom_id,prompt\na,"a boat\non a lake"\n', ["a boat\non a lake"]),
    ],
)
async def test_tables_are_read_as_spreadsheets_write_them(batches, table, prompts):
    for content in (table.encode(), table.encode("utf-8-sig"), table.encode("utf-16")):
        sent = (await batches.send_file(content, "text/csv")).json()
        await batches.ended(sent["batch_id"])
        items = await batches.results(sent["batch_id"])
        assert [item["generation"]["prompt"] for item in items] == prompts


async def test_a_cell_under_no_name_is_refused_with_its_place(batches):
    sent = (await batches.send_file("custom_id,prompt,\na,a boat,oops\n", "text/csv")).json()
    await batches.ended(sent["batch_id"])
    (item,) = await batches.results(sent["batch_id"])
    assert item["status"] == "refused"
    assert item["error"]["message"] == "Row 2 has 'oops' in column 3, which has no name in the header."
