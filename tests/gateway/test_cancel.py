"""Cancelling one generation: over HTTP, in every state, against its end, and what it leaves behind."""

import asyncio

from tests.gateway.test_generate import finished
from tests.gateway.test_mishaps import begun, files


async def cancel(gateway, id, *, key=None):
    return await gateway.http.post(
        f"/v1/generations/{id}/cancel", headers={"Authorization": f"Bearer {key or gateway.key}"}
    )


async def accepted(gateway, **body):
    return (await gateway.paint(**{"async": True, **body})).json()["generation_id"]


async def account(gateway, key):
    return (await gateway.get("/v1/account", key=key)).json()


async def test_a_queued_one_is_canceled_at_once_and_never_painted(open_gateway):
    gateway = await open_gateway(slots=1)
    gateway.engine.hold()
    first, second = await accepted(gateway), await accepted(gateway)
    answered = await cancel(gateway, second)
    assert (answered.status_code, answered.json()["status"]) == (200, "canceled")
    gateway.engine.release()
    assert (await finished(gateway, first))["status"] == "completed"
    assert len(gateway.engine.begun) == 1


async def test_a_painting_stops_between_two_steps_and_its_mates_go_on(gateway):
    gateway.engine.hold()
    stopped, mate = await accepted(gateway), await accepted(gateway)
    await begun(gateway.engine)
    assert (await cancel(gateway, stopped)).json()["status"] == "canceled"
    gateway.engine.release()
    assert (await finished(gateway, mate))["status"] == "completed"
    assert len(gateway.engine.painted) == 1
    assert len(files(gateway)) == 1


async def test_its_credits_come_back_in_full(gateway):
    key = await gateway.new_key(account="ada", plan="pro", credits=10)
    gateway.engine.hold()
    id = await accepted(gateway, key=key, n=3)
    assert (await account(gateway, key))["credits_held"] == 3
    body = (await cancel(gateway, id, key=key)).json()
    left = await account(gateway, key)
    assert (left["credits"], left["credits_held"], left["credits_captured"]) == (10, 0, 0)
    assert body["credits_used"] == 0


async def test_one_that_has_ended_is_refused_and_keeps_its_picture(gateway):
    id = (await gateway.paint()).json()["generation_id"]
    answered = await cancel(gateway, id)
    assert (answered.status_code, answered.json()["error"]["code"]) == (409, "already_finished")
    assert (await finished(gateway, id))["status"] == "completed"


async def test_cancelling_again_answers_the_same(gateway):
    gateway.engine.hold()
    id = await accepted(gateway)
    first, second = await cancel(gateway, id), await cancel(gateway, id)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json()


async def test_a_cancel_that_comes_too_late_answers_with_the_picture(gateway):
    """The painting is published between the cancel's first look and its own transaction."""
    gateway.engine.hold()
    id = await accepted(gateway)
    await begun(gateway.engine)
    one = gateway.server.painting.fetch.one

    class Slow:
        looks = 0

        async def one(self, caller, generation_id):
            view = await one(caller, generation_id)
            self.looks += 1
            if self.looks == 1:
                gateway.engine.release()
                await finished(gateway, generation_id)
            return view

    object.__setattr__(gateway.server.painting.cancel, "fetch", Slow())
    answered = await cancel(gateway, id)
    assert (answered.status_code, answered.json()["status"]) == (200, "completed")
    assert len(answered.json()["images"]) == 1


async def test_who_waits_for_it_is_told_at_once(gateway):
    gateway.engine.hold()
    waiting = asyncio.create_task(gateway.paint())
    await begun(gateway.engine)
    (listed,) = (await gateway.get("/v1/generations")).json()["data"]
    await cancel(gateway, listed["generation_id"])
    answered = await waiting
    assert (answered.status_code, answered.json()["status"]) == (200, "canceled")


async def test_the_same_idempotency_key_is_answered_with_the_canceled_generation(gateway):
    gateway.engine.hold()
    headers = {"Idempotency-Key": "order-5"}
    id = (await gateway.paint(**{"async": True}, headers=headers)).json()["generation_id"]
    await cancel(gateway, id)
    again = await gateway.paint(**{"async": True}, headers=headers)
    assert (again.status_code, again.json()["generation_id"]) == (202, id)
    assert again.headers["idempotent-replayed"] == "true"


async def test_another_accounts_generation_does_not_exist(gateway):
    gateway.engine.hold()
    id = await accepted(gateway)
    stranger = await gateway.new_key(account="eve")
    answered = await cancel(gateway, id, key=stranger)
    assert (answered.status_code, answered.json()["error"]["code"]) == (404, "not_found")
    reader = await gateway.new_key(account="owner", scopes=["read"])
    assert (await cancel(gateway, id, key=reader)).json()["error"]["code"] == "insufficient_scope"
