"""Many pictures at a time: of one generation, of one account, of several."""

import asyncio

import pytest

from models import OutOfMemory, WeightsRejected

FINAL = {"completed", "failed", "canceled"}


async def until(is_so):
    for _ in range(2000):
        if is_so():
            return
        await asyncio.sleep(0.002)
    raise AssertionError("it did not come to that")


async def finished(gateway, *ids, key=None):
    """Every one of them, polled as a client does."""
    for _ in range(2000):
        bodies = [(await gateway.get(f"/v1/generations/{id}", key=key)).json() for id in ids]
        if all(body["status"] in FINAL for body in bodies):
            return bodies
        await asyncio.sleep(0.005)
    raise AssertionError(f"still {[body['status'] for body in bodies]}")


async def accepted(gateway, *, count=1, key=None, **body):
    """Ids of `count` equal requests that nobody waits for."""
    answers = [await gateway.paint(key=key, **{"async": True}, **body) for _ in range(count)]
    return [answered.json()["generation_id"] for answered in answers]


def files(gateway):
    folders = [gateway.installation.settings.data_dir / name for name in ("pictures", "work")]
    return [file for folder in folders for file in folder.rglob("*") if file.is_file()]


async def test_the_pictures_of_one_generation_are_painted_at_the_same_time(gateway):
    gateway.engine.hold()
    (id,) = await accepted(gateway, n=4, seed=4294967294)
    await until(lambda: len(gateway.engine.begun) == 4)
    gateway.engine.release()

    (body,) = await finished(gateway, id)

    assert [picture["seed"] for picture in body["images"]] == [4294967294, 4294967295, 0, 1]
    told = (await gateway.get(f"/v1/generations/{id}/recipe")).json()
    assert [recipe["spec"]["seed"] for recipe in told["recipes"]] == [4294967294, 4294967295, 0, 1]
    assert [recipe["pixel_sha256"] for recipe in told["recipes"]] == [one["pixel_sha256"] for one in body["images"]]


async def test_the_order_of_pictures_is_that_of_their_seeds_whoever_is_done_first(open_gateway):
    """Two slots: the later ones begin when the earlier ones end."""
    gateway = await open_gateway(slots=2)
    body = (await gateway.paint(n=5, seed=1)).json()
    assert [picture["seed"] for picture in body["images"]] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("slots", "n"), [(1, 3), (8, 10)])
async def test_a_generation_of_more_pictures_than_slots_is_painted_alone(open_gateway, slots, n):
    gateway = await open_gateway(slots=slots)
    gateway.engine.hold()
    large, small = await accepted(gateway, n=n) + await accepted(gateway)
    await until(lambda: len(gateway.engine.begun) == slots)
    assert (await gateway.get(f"/v1/generations/{small}")).json()["status"] == "queued"
    gateway.engine.release()

    bodies = await finished(gateway, large, small)

    assert [len(body["images"]) for body in bodies] == [n, 1]


async def test_no_more_pictures_are_claimed_than_there_are_slots(open_gateway):
    gateway = await open_gateway(slots=4)
    gateway.engine.hold()
    ids = await accepted(gateway, n=3) + await accepted(gateway, count=3)
    await until(lambda: len(gateway.engine.begun) == 4)

    states = [(await gateway.get(f"/v1/generations/{id}")).json()["status"] for id in ids]

    assert states == ["processing", "processing", "queued", "queued"]
    gateway.engine.release()
    assert all(body["status"] == "completed" for body in await finished(gateway, *ids))


async def test_the_small_do_not_pass_for_ever_one_that_needs_more_slots(open_gateway):
    gateway = await open_gateway(slots=2)
    gateway.engine.hold()
    small = await accepted(gateway)
    await until(lambda: len(gateway.engine.begun) == 1)
    large, more = await accepted(gateway, n=2), await accepted(gateway, count=5)
    gateway.engine.release()

    await finished(gateway, *small, *large, *more)

    numbers = [spec.seed for spec in gateway.engine.painted]
    pair = (await gateway.get(f"/v1/generations/{large[0]}")).json()["images"]
    assert {numbers.index(picture["seed"]) for picture in pair} == {1, 2}


async def test_two_accounts_take_turns_however_much_one_of_them_asked_for(open_gateway):
    gateway = await open_gateway(slots=1)
    ada, ben = [await gateway.new_key(name, plan="studio", credits=100) for name in ("ada", "ben")]
    gateway.engine.hold()
    first = await accepted(gateway)
    await until(lambda: gateway.engine.begun)
    many = await accepted(gateway, count=8, key=ada, prompt="ada's boat")
    few = await accepted(gateway, count=2, key=ben, prompt="ben's boat")
    positions = [(await gateway.get(f"/v1/generations/{id}", key=ben)).json()["queue_position"] for id in few]
    gateway.engine.release()

    await finished(gateway, *first)
    await finished(gateway, *many, key=ada)
    await finished(gateway, *few, key=ben)

    order = ["b" if "ben" in spec.prompt else "a" for spec in gateway.engine.painted[1:]]
    assert "".join(order) == "ababaaaaaa"
    assert positions == [1, 3]


async def test_shares_are_of_work_not_of_pictures(open_gateway):
    """Ben's pictures cost four times as much: for each of his, ada has four."""
    gateway = await open_gateway(slots=1)
    ada, ben = [await gateway.new_key(name, plan="studio", credits=100) for name in ("ada", "ben")]
    gateway.engine.hold()
    first = await accepted(gateway)
    await until(lambda: gateway.engine.begun)
    large = await accepted(gateway, count=3, key=ben, n=4, prompt="ben's boat")
    small = await accepted(gateway, count=16, key=ada, prompt="ada's boat")
    gateway.engine.release()

    await finished(gateway, *first)
    await finished(gateway, *small, key=ada)
    await finished(gateway, *large, key=ben)

    order = "".join("b" if "ben" in spec.prompt else "a" for spec in gateway.engine.painted[1:])
    assert order[:16].count("b") == order[:16].count("a") == 8
    assert order[:24].count("b") == order[:24].count("a") == 12


async def test_one_picture_that_fails_stops_the_others_and_leaves_nothing(gateway):
    key = await gateway.new_key(plan="studio", credits=10)
    gateway.engine.fail_next(WeightsRejected("no weights"))
    gateway.engine.hold()

    answered = await gateway.paint(key=key, n=3)

    assert (answered.status_code, answered.json()["error"]["code"]) == (500, "model_unusable")
    assert (gateway.engine.painted, files(gateway)) == ([], [])
    assert (await gateway.get("/v1/account", key=key)).json()["credits"] == 10
    gateway.engine.release()
    assert (await gateway.paint(n=4)).status_code == 200
    assert len(gateway.engine.painted) == 4


async def test_a_picture_that_failed_in_passing_has_all_of_them_painted_again(gateway):
    gateway.engine.fail_next(OutOfMemory("no room"))
    body = (await gateway.paint(n=3, seed=5)).json()
    assert [picture["seed"] for picture in body["images"]] == [5, 6, 7]
    assert len(files(gateway)) == 3


async def test_pictures_that_fail_together_count_as_one_failure(open_gateway):
    gateway = await open_gateway(slots=3)
    for _ in range(3):
        gateway.engine.fail_next(OutOfMemory("no room"))
    assert (await gateway.paint(n=3)).status_code == 200


async def test_deleting_lets_go_of_every_picture_and_every_slot(open_gateway):
    gateway = await open_gateway(slots=4)
    gateway.engine.hold()
    (id,) = await accepted(gateway, n=4)
    await until(lambda: len(gateway.engine.begun) == 4)

    await gateway.http.delete(f"/v1/generations/{id}", headers={"Authorization": f"Bearer {gateway.key}"})

    assert files(gateway) == []
    gateway.engine.release()
    assert (await gateway.paint(n=4)).status_code == 200
    assert len(gateway.engine.painted) == 4
