"""Identical requests: answered from what was painted, or joined to what is being painted."""

import asyncio
import hashlib
from dataclasses import replace

from plugins.fake_engine import FINGERPRINT

from gateway.generations.inputs.canonical import Revisions, revision_of
from models import PaintingBroken
from tests.gateway.test_cancel import accepted, account, cancel
from tests.gateway.test_generate import finished
from tests.gateway.test_mishaps import begun, files


async def delete(gateway, id, *, key=None):
    answered = await gateway.http.delete(
        f"/v1/generations/{id}", headers={"Authorization": f"Bearer {key or gateway.key}"}
    )
    assert answered.status_code == 200
    return answered


async def status(gateway, url):
    return (await gateway.http.get(url)).status_code


async def payer(gateway, *, credits=20):
    return await gateway.new_key(account="ada", plan="pro", credits=credits)


async def test_the_same_request_with_a_seed_is_answered_with_what_was_painted(gateway):
    key = await payer(gateway)
    first = (await gateway.paint(seed=7, key=key)).json()
    again = await gateway.paint(seed=7, key=key)
    hit = again.json()
    assert (again.status_code, hit["status"], hit["cached"], hit["credits_used"]) == (200, "completed", True, 0)
    assert (first["cached"], first["credits_used"]) == (False, 1)
    assert hit["generation_id"] != first["generation_id"]
    assert hit["images"][0]["file_sha256"] == first["images"][0]["file_sha256"]
    assert hit["image_url"] != first["image_url"]
    assert len(gateway.engine.painted) == 1
    assert len(files(gateway)) == 1
    left = await account(gateway, key)
    assert (left["credits"], left["credits_held"], left["credits_captured"]) == (19, 0, 1)
    assert left["usage"]["day"] == 2
    recipes = [(await gateway.get(f"/v1/generations/{id}/recipe", key=key)).json()["recipes"] for id in ids(first, hit)]
    assert recipes[0] == recipes[1]
    read = (await gateway.get(f"/v1/generations/{hit['generation_id']}", key=key)).json()
    assert read == hit


async def listed(gateway, count, *, key):
    """Wait until so many have been accepted."""
    for _ in range(1000):
        if len((await gateway.get("/v1/generations", key=key)).json()["data"]) == count:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("they were not accepted")


def ids(*bodies):
    return [body["generation_id"] for body in bodies]


OTHERS = [
    {"seed": 8},
    {"prompt": "a blue boat on a lake"},
    {"style": "watercolor"},
    {"width": 768},
    {"quality": "standard"},
    {"n": 2},
    {"format": "webp"},
    {"negative_prompt": "fog"},
    {"upscale": True},
    {"cache": False},
    {"seed": None},
]


async def test_whatever_else_is_asked_for_is_painted(gateway):
    await gateway.paint(seed=7)
    bodies = [(await gateway.paint(**{"seed": 7, **other})).json() for other in OTHERS]
    assert [body["cached"] for body in bodies] == [False] * len(OTHERS)
    assert len(gateway.engine.painted) == 1 + sum(len(body["images"]) for body in bodies)


async def test_defaults_spelled_out_and_accents_put_together_otherwise_are_the_same(gateway):
    first = (await gateway.paint(prompt="an \u00e9toile by the sea", seed=7, style="watercolor")).json()
    spelled_out = {
        "width": 512,
        "height": 512,
        "quality": first["quality"],
        "n": 1,
        "format": "png",
        "model": "starter",
    }
    again = (await gateway.paint(prompt="an e\u0301toile by the sea", seed=7, style="watercolor", **spelled_out)).json()
    assert again["cached"] is True
    assert again["prompt"] == "an e\u0301toile by the sea"


async def test_without_a_seed_every_request_is_painted(gateway):
    assert [(await gateway.paint()).json()["cached"] for _ in range(2)] == [False, False]
    assert len(gateway.engine.painted) == 2


async def test_a_painting_of_its_own_has_the_same_pixels_and_serves_the_next(gateway):
    first = (await gateway.paint(seed=7, cache=False)).json()
    second = (await gateway.paint(seed=7, cache=False)).json()
    third = (await gateway.paint(seed=7)).json()
    assert [one["cached"] for one in (first, second, third)] == [False, False, True]
    assert len({one["images"][0]["pixel_sha256"] for one in (first, second, third)}) == 1


async def test_no_picture_is_served_that_the_engine_would_not_paint_now(gateway):
    before = (await gateway.paint(seed=7)).json()
    gateway.engine.become(replace(FINGERPRINT, model_sha256="1" * 64), tint=3)
    after, again = [(await gateway.paint(seed=7)).json() for _ in range(2)]
    assert [one["cached"] for one in (after, again)] == [False, True]
    assert after["images"][0]["pixel_sha256"] != before["images"][0]["pixel_sha256"]
    assert again["images"][0]["pixel_sha256"] == after["images"][0]["pixel_sha256"]
    gateway.engine.become(FINGERPRINT)
    assert (await gateway.paint(seed=7)).json()["images"][0]["pixel_sha256"] == before["images"][0]["pixel_sha256"]
    assert len(gateway.engine.painted) == 2


async def test_what_goes_over_a_painting_counts_in_what_would_paint_it_now(gateway):
    """As the engine writes it into the recipe: by the hash of the model's own refiner."""
    (await gateway.paint(seed=7, quality="hd")).raise_for_status()
    (spec,) = gateway.engine.painted
    catalogue = gateway.server.painting.submit.decide.router._catalogue
    file = catalogue.default.refiner.path
    painting = replace(FINGERPRINT, adapters={"starter/refiner": hashlib.sha256(file.read_bytes()).hexdigest()})
    upscaler = hashlib.sha256(catalogue.upscaler.path.read_bytes()).hexdigest()
    revisions = Revisions(engine=gateway.engine, catalogue=catalogue)
    assert await revisions.current([spec]) == revision_of(painting, upscaler)
    assert await revisions.current([replace(spec, refining=None)]) == revision_of(FINGERPRINT, upscaler)


async def test_no_picture_is_served_while_nobody_knows_the_engine(open_gateway):
    gateway = await open_gateway()
    await gateway.paint(seed=7)
    gateway.engine._ready.clear()
    waiting = asyncio.create_task(gateway.paint(seed=7))
    await asyncio.sleep(0.05)
    gateway.engine.get_ready()
    assert (await waiting).json()["cached"] is False


async def test_a_style_whose_revision_has_changed_is_painted_anew(gateway):
    await gateway.paint(seed=7, style="watercolor")
    router = gateway.server.painting.submit.decide.router
    route = router.route

    def revised(request, *, seed):
        return replace(route(request, seed=seed), style_revision=99)

    router.route = revised
    assert (await gateway.paint(seed=7, style="watercolor")).json()["cached"] is False


async def test_accounts_and_modes_share_nothing(gateway):
    live = await payer(gateway)
    test = await gateway.new_key(account="ada", mode="test")
    stranger = await gateway.new_key(account="eve", plan="pro", credits=5)
    assert [(await gateway.paint(seed=7, key=key)).json()["cached"] for key in (live, test, stranger)] == [False] * 3


async def test_deleting_one_of_two_takes_no_file_from_the_other(gateway):
    bodies = [(await gateway.paint(seed=7)).json() for _ in range(3)]
    await delete(gateway, bodies[0]["generation_id"])
    assert [await status(gateway, body["image_url"]) for body in bodies] == [404, 200, 200]
    assert (await gateway.paint(seed=7)).json()["cached"] is True
    for body in (await gateway.get("/v1/generations")).json()["data"]:
        assert len(files(gateway)) == 1
        await delete(gateway, body["generation_id"])
    assert files(gateway) == []
    assert (await gateway.paint(seed=7)).json()["cached"] is False


async def test_the_last_two_deleted_at_once_leave_no_file(gateway):
    bodies = [(await gateway.paint(seed=7)).json() for _ in range(2)]
    await asyncio.gather(*(delete(gateway, id) for id in ids(*bodies)))
    assert files(gateway) == []


async def test_a_quote_says_whether_it_would_be_painted(gateway):
    key = await payer(gateway)
    before = (await gateway.paint(seed=7, dry_run=True, key=key)).json()
    await gateway.paint(seed=7, key=key)
    after = (await gateway.paint(seed=7, dry_run=True, key=key)).json()
    own = (await gateway.paint(seed=7, dry_run=True, cache=False, key=key)).json()
    assert [(one["cached"], one["credits"], one["credits_max"]) for one in (before, after, own)] == [
        (False, 1, 1),
        (True, 0, 1),
        (False, 1, 1),
    ]
    assert len(gateway.engine.painted) == 1


async def test_asked_asynchronously_it_is_accepted_and_done(gateway):
    await gateway.paint(seed=7)
    answered = await gateway.paint(**{"seed": 7, "async": True})
    assert (answered.status_code, answered.json()["status"], answered.json()["estimated_ms"]) == (202, "completed", 0)
    assert (await gateway.get(f"/v1/generations/{answered.json()['generation_id']}")).json()["cached"] is True


async def test_an_idempotency_key_replays_what_was_answered_without_painting(gateway):
    await gateway.paint(seed=7)
    headers = {"Idempotency-Key": "order-3"}
    first, second = [await gateway.paint(seed=7, headers=headers) for _ in range(2)]
    assert first.json() == second.json()
    assert second.headers["idempotent-replayed"] == "true"


async def test_identical_requests_in_flight_are_painted_once(gateway):
    key = await payer(gateway)
    gateway.engine.hold()
    waiting = [asyncio.create_task(gateway.paint(seed=7, key=key)) for _ in range(5)]
    await listed(gateway, 5, key=key)
    await begun(gateway.engine)
    assert {one["status"] for one in (await gateway.get("/v1/generations", key=key)).json()["data"]} == {"processing"}
    gateway.engine.release()
    bodies = [answered.json() for answered in await asyncio.gather(*waiting)]
    assert {body["status"] for body in bodies} == {"completed"}
    assert sorted((body["cached"], body["credits_used"]) for body in bodies) == [(False, 1)] + [(True, 0)] * 4
    assert len({body["image_url"] for body in bodies}) == 5
    assert len({body["images"][0]["file_sha256"] for body in bodies}) == 1
    assert [await status(gateway, body["image_url"]) for body in bodies] == [200] * 5
    assert (len(gateway.engine.painted), len(files(gateway))) == (1, 1)
    left = await account(gateway, key)
    assert (left["credits"], left["credits_held"], left["credits_captured"]) == (19, 0, 1)


async def test_a_painting_goes_on_for_another_when_its_first_is_canceled(gateway):
    key = await payer(gateway)
    gateway.engine.hold()
    first = await accepted(gateway, seed=7, key=key)
    await begun(gateway.engine)
    second, third = [await accepted(gateway, seed=7, key=key) for _ in range(2)]
    assert (await cancel(gateway, first, key=key)).json()["status"] == "canceled"
    held = await account(gateway, key)
    assert (held["credits"], held["credits_held"]) == (19, 1)
    gateway.engine.release()
    heir, follower = [await finished(gateway, id, key=key) for id in (second, third)]
    assert len(gateway.engine.begun) == 1  # nobody began anew
    assert [(one["status"], one["cached"], one["credits_used"]) for one in (heir, follower)] == [
        ("completed", False, 1),
        ("completed", True, 0),
    ]
    await delete(gateway, first, key=key)
    await delete(gateway, second, key=key)
    assert await status(gateway, follower["image_url"]) == 200
    await delete(gateway, third, key=key)
    assert files(gateway) == []


async def test_cancelling_one_who_shares_touches_nobody_else(gateway):
    key = await payer(gateway)
    gateway.engine.hold()
    first, second, third = [await accepted(gateway, seed=7, key=key) for _ in range(3)]
    assert (await cancel(gateway, second, key=key)).json()["status"] == "canceled"
    gateway.engine.release()
    assert [(await finished(gateway, id, key=key))["status"] for id in (first, second, third)] == [
        "completed",
        "canceled",
        "completed",
    ]
    assert (await account(gateway, key))["credits_captured"] == 1


async def test_deleting_the_first_while_it_is_painted_loses_nobody(gateway):
    gateway.engine.hold()
    first = await accepted(gateway, seed=7)
    await begun(gateway.engine)
    second = await accepted(gateway, seed=7)
    await delete(gateway, first)
    gateway.engine.release()
    body = await finished(gateway, second)
    assert (body["status"], len(gateway.engine.begun)) == ("completed", 1)
    assert await status(gateway, body["image_url"]) == 200


async def test_all_of_them_canceled_stop_the_painting(gateway):
    gateway.engine.hold()
    all_ids = [await accepted(gateway, seed=7) for _ in range(3)]
    await begun(gateway.engine)
    for id in all_ids:
        await cancel(gateway, id)
    gateway.engine.release()
    await gateway.paint()
    assert (len(gateway.engine.begun), len(gateway.engine.painted), len(files(gateway))) == (2, 1, 1)


async def test_a_queued_first_that_is_canceled_leaves_its_work_to_the_next(open_gateway):
    gateway = await open_gateway(slots=1)
    gateway.engine.hold()
    await accepted(gateway)
    first, second = [await accepted(gateway, seed=7) for _ in range(2)]
    await cancel(gateway, first)
    gateway.engine.release()
    assert (await finished(gateway, second))["status"] == "completed"


async def test_what_fails_twice_has_failed_for_all(gateway):
    key = await payer(gateway)
    gateway.engine.hold()
    first, second, third = [await accepted(gateway, seed=7, key=key) for _ in range(3)]
    await begun(gateway.engine)
    await gateway.server.painting.settle.failed(await row(gateway, first, key), code="internal_error", message="broken")
    gateway.engine.fail_next(PaintingBroken("broken"))
    gateway.engine.release()
    for id in (first, second, third):
        assert (await finished(gateway, id, key=key))["status"] == "failed"
    left = await account(gateway, key)
    assert (left["credits"], left["credits_held"], left["credits_captured"]) == (20, 0, 0)


async def test_the_second_try_completes_for_everybody_else(gateway):
    key = await payer(gateway)
    gateway.engine.hold()
    all_ids = [await accepted(gateway, seed=7, key=key) for _ in range(3)]
    await gateway.server.painting.settle.failed(
        await row(gateway, all_ids[0], key), code="internal_error", message="broken"
    )
    gateway.engine.release()
    bodies = [await finished(gateway, id, key=key) for id in all_ids]
    assert [(body["status"], body["credits_used"]) for body in bodies] == [
        ("failed", 0),
        ("completed", 1),
        ("completed", 0),
    ]
    left = await account(gateway, key)
    assert (left["credits"], left["credits_held"], left["credits_captured"]) == (19, 0, 1)


async def row(gateway, id, key):
    caller = await gateway.server.services.gatekeeper.caller(key, now=gateway.clock())
    return (await gateway.server.painting.fetch.one(caller, id)).generation


async def test_whoever_leaves_lets_the_painting_go_on_for_those_who_share_it(open_gateway):
    gateway = await open_gateway(leave_grace_s=0)
    gateway.engine.hold()
    first = await accepted(gateway, seed=7)
    second = await accepted(gateway, seed=7)
    caller = await gateway.server.services.gatekeeper.caller(gateway.key, now=gateway.clock())
    gateway.server.painting.disconnects.left(caller, first)
    await asyncio.sleep(0.1)
    assert (await row(gateway, first, gateway.key)).state == "processing"
    gateway.server.painting.disconnects.left(caller, second)
    assert (await finished(gateway, first))["status"] == "canceled"
    assert (await finished(gateway, second))["status"] == "canceled"
