"""What a key with bounds of its own is refused, over HTTP."""

import asyncio
from datetime import timedelta

import pytest

from gateway.access import Mode
from gateway.accounts import CLI

STUDIO = {"plan": "studio", "credits": 100}


def code_of(response):
    return response.status_code, response.json()["error"]["code"], response.json()["error"]["param"]


def id_of(key):
    return f"key_{key[8:20]}"


async def test_a_rotated_key_has_two_secrets_until_the_overlap_ends(gateway):
    old = await gateway.new_key()
    keys = gateway.installation.access.keys
    new = (await keys.rotate(id_of(old), by=CLI, overlap_s=60)).token.text
    gateway.clock.move(seconds=59)
    assert [(await gateway.get("/v1/account", key=key)).status_code for key in (old, new)] == [200, 200]
    gateway.clock.move(seconds=1)
    assert [(await gateway.get("/v1/account", key=key)).status_code for key in (old, new)] == [401, 200]
    await keys.revoke(id_of(old), by=CLI)
    assert (await gateway.get("/v1/account", key=new)).status_code == 401


async def test_a_suspended_account_is_refused_and_comes_back(gateway):
    key = await gateway.new_key(account="anna")
    accounts = gateway.installation.accounts
    assert (await gateway.get("/v1/account", key=key)).status_code == 200
    await accounts.suspend("anna", by=CLI)
    assert code_of(await gateway.get("/v1/account", key=key)) == (403, "account_suspended", None)
    assert code_of(await gateway.paint(key=key)) == (403, "account_suspended", None)
    await accounts.resume("anna", by=CLI)
    assert (await gateway.get("/v1/account", key=key)).status_code == 200


async def test_another_plan_counts_from_the_next_request_on(gateway):
    key = await gateway.new_key(account="anna", plan="free", credits=1)
    assert (await gateway.paint(key=key, width=1280, dry_run=True)).status_code == 403
    await gateway.installation.accounts.move("anna", "pro", by=CLI)
    assert (await gateway.paint(key=key, width=1280, dry_run=True)).status_code == 200


@pytest.mark.parametrize(
    ("bounds", "body", "param"),
    [
        ({"models": frozenset({"another"})}, {}, "model"),
        ({"styles": frozenset({"anime"})}, {"style": "watercolor"}, "style"),
    ],
)
async def test_other_models_and_styles_than_a_key_has_are_refused(gateway, bounds, body, param):
    key = await gateway.new_key(**STUDIO, **bounds)
    assert code_of(await gateway.paint(key=key, **body)) == (403, "insufficient_scope", param)


async def test_the_models_and_styles_that_a_key_has_are_painted(gateway):
    key = await gateway.new_key(**STUDIO, models=frozenset({"starter"}), styles=frozenset({"watercolor"}))
    assert (await gateway.paint(key=key, style="watercolor")).status_code == 200


async def test_a_replay_asks_again_whether_the_key_may(gateway):
    free = await gateway.new_key(account="anna", **STUDIO)
    bound = await gateway.new_key(account="anna", styles=frozenset({"anime"}))
    id = (await gateway.paint(key=free, style="watercolor")).json()["generation_id"]
    headers = {"Authorization": f"Bearer {bound}"}
    answered = await gateway.http.post(f"/v1/generations/{id}/replay", headers=headers)
    assert code_of(answered) == (403, "insufficient_scope", "style")


async def test_a_key_is_good_from_its_networks_alone(gateway):
    here = await gateway.new_key(networks=frozenset({"127.0.0.0/8"}))
    there = await gateway.new_key(networks=frozenset({"192.0.2.0/24"}))
    assert (await gateway.get("/v1/account", key=here)).status_code == 200
    assert code_of(await gateway.get("/v1/account", key=there)) == (403, "insufficient_scope", None)


async def test_a_key_spends_its_cap_and_no_more_however_many_ask_at_once(gateway):
    key = await gateway.new_key(**STUDIO, spend_cap=5, rpm=1000)
    answers = await asyncio.gather(*(gateway.paint(key=key, **{"async": True}) for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [202] * 5 + [402] * 7
    other = await gateway.new_key(account="someone")
    assert (await gateway.paint(key=other)).status_code == 200


async def test_what_is_open_at_a_time_is_bounded_by_rows(gateway):
    key = await gateway.new_key(**STUDIO, max_open=2)
    gateway.engine.hold()
    answers = [await gateway.paint(key=key, **{"async": True}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert code_of(answers[-1]) == (429, "concurrency_limit_exceeded", None)
    assert answers[-1].headers["retry-after"] == "5"
    gateway.engine.release()
    for answer in answers[:2]:
        await gateway.server.painting.fetch.ended(
            await gateway.installation.access.gatekeeper.caller(key, now=gateway.clock.now),
            answer.json()["generation_id"],
            wait_s=60,
        )
    assert (await gateway.paint(key=key)).status_code == 200


async def test_a_plans_own_bound_on_what_is_open_holds_for_all_keys_together(gateway):
    keys = [await gateway.new_key(account="anna", plan="free", credits=100, rpm=100) for _ in range(2)]
    gateway.engine.hold()
    answers = await asyncio.gather(*(gateway.paint(key=key, **{"async": True}) for key in keys * 8))
    assert sorted(answer.status_code for answer in answers) == [202] * 10 + [429] * 6
    gateway.engine.release()


async def test_with_credit_for_50_exactly_50_of_160_are_admitted(gateway):
    key = await gateway.new_key(plan="studio", credits=50, rpm=100000)

    async def client():
        return [(await gateway.paint(key=key, **{"async": True})).status_code for _ in range(10)]

    answers = [status for statuses in await asyncio.gather(*(client() for _ in range(16))) for status in statuses]
    assert (answers.count(202), answers.count(402)) == (50, 110)
    account = (await gateway.get("/v1/account", key=key)).json()
    assert account["credits"] == 0
    assert account["credits_held"] + account["credits_captured"] == 50
    assert account["usage"]["day"] == 50


async def test_a_full_day_answers_with_the_days_window(gateway):
    key = await gateway.new_key(plan="studio", credits=9, rpd=1)
    await gateway.paint(key=key)
    refused = await gateway.paint(key=key)
    assert code_of(refused) == (429, "daily_quota_exceeded", None)
    left_s = 12 * 3600 - 10
    midnight = int((gateway.clock.now + timedelta(seconds=left_s)).timestamp())
    assert {name: refused.headers[name] for name in WINDOW} == {
        "x-ratelimit-limit": "1",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": str(midnight),
        "ratelimit-policy": '"day of this key";q=1;w=86400',
        "ratelimit": f'"day of this key";r=0;t={left_s}',
        "retry-after": str(left_s),
    }


WINDOW = (
    *("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"),
    *("ratelimit-policy", "ratelimit", "retry-after"),
)


async def test_a_pepper_guards_new_keys_and_leaves_old_ones(open_gateway):
    gateway = await open_gateway(key_pepper="a pepper of our own")
    key = await gateway.new_key(mode=Mode.TEST)
    made = await gateway.installation.access.keys.one(id_of(key))
    assert made.secret_hash.startswith("hmac:")
    assert (await gateway.get("/v1/account", key=key)).status_code == 200
