"""A client that heard nothing sends its request again, and says so."""

import asyncio

from tests.gateway.test_cancel import account, cancel
from tests.gateway.test_mishaps import begun

AGAIN = {"x-stainless-retry-count": "1"}
OPENAI = {"model": "gpt-image-1", "prompt": "a red lighthouse", "size": "512x512"}


async def draw(gateway, key, **headers):
    return await gateway.http.post(
        "/v1/images/generations", json=OPENAI, headers={"Authorization": f"Bearer {key}", **headers}
    )


async def generations(gateway, key):
    return (await gateway.get("/v1/generations", key=key)).json()["data"]


async def test_a_retry_joins_the_first_and_pays_nothing(gateway):
    key = await gateway.new_key(account="ada", plan="pro", credits=5)
    gateway.engine.hold()
    first = asyncio.create_task(gateway.paint(key=key, headers={"x-stainless-retry-count": "0"}))
    await begun(gateway.engine)
    second = asyncio.create_task(gateway.paint(key=key, headers=AGAIN))
    await asyncio.sleep(0.05)
    gateway.engine.release()
    one, other = await first, await second
    assert one.json() == other.json()
    assert other.headers["idempotent-replayed"] == "true"
    assert (await account(gateway, key))["credits"] == 4
    assert (await account(gateway, key))["usage"]["day"] == 1
    later = await gateway.paint(key=key, headers=AGAIN)
    assert later.json() == one.json()


async def test_openais_clients_are_answered_with_what_they_asked_for_first(gateway):
    key = await gateway.new_key(account="ada", plan="pro", credits=5)
    first = await draw(gateway, key)
    again = await draw(gateway, key, **AGAIN)
    assert first.json() == again.json()
    assert len(await generations(gateway, key)) == 1
    await draw(gateway, key)
    assert len(await generations(gateway, key)) == 2


async def test_another_body_key_or_hour_is_painted(gateway):
    key = await gateway.new_key(account="ada", plan="pro", credits=9)
    other = await gateway.new_key(account="ada")
    ids = [(await gateway.paint(key=key)).json()["generation_id"]]
    ids.append((await gateway.paint(key=key, style="watercolor", headers=AGAIN)).json()["generation_id"])
    ids.append((await gateway.paint(key=other, headers=AGAIN)).json()["generation_id"])
    gateway.clock.move(seconds=601)
    ids.append((await gateway.paint(key=key, headers=AGAIN)).json()["generation_id"])
    assert len(set(ids)) == 4


async def test_what_came_to_nothing_is_tried_anew(gateway):
    gateway.engine.hold()
    first = (await gateway.paint(**{"async": True})).json()["generation_id"]
    await cancel(gateway, first)
    gateway.engine.release()
    again = await gateway.paint(headers=AGAIN)
    assert (again.status_code, again.json()["generation_id"] != first) == (200, True)


async def test_a_count_that_is_no_number_says_nothing(gateway):
    bodies = [(await gateway.paint(headers={"x-stainless-retry-count": "often"})).json() for _ in range(2)]
    assert bodies[0]["generation_id"] != bodies[1]["generation_id"]
