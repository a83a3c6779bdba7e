"""Who may ask, how often, how much."""

import asyncio
from datetime import timedelta

import pytest

from gateway.access import Mode
from gateway.accounts import CLI
from models import RequestInvalid


async def code_of(response):
    return response.status_code, response.json()["error"]["code"]


async def test_without_a_key_nothing_is_painted(gateway):
    answered = await gateway.http.post("/v1/generate", json={"prompt": "x"})
    assert await code_of(answered) == (401, "missing_api_key")
    assert answered.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("spoil", [lambda key: key[:-1], lambda key: key + "0", lambda key: key[:-1] + "!", str.upper])
async def test_a_spoilt_key_is_refused(gateway, spoil):
    assert await code_of(await gateway.get("/v1/account", key=spoil(gateway.key))) == (401, "invalid_api_key")


async def test_a_key_with_a_good_checksum_that_we_never_made_is_refused(gateway):
    from gateway.access import make_token

    stranger = make_token(Mode.LIVE, lambda length: "a" * length).text
    assert await code_of(await gateway.get("/v1/account", key=stranger)) == (401, "invalid_api_key")


async def test_the_other_header_works_too(gateway):
    answered = await gateway.http.get("/v1/account", headers={"X-API-Key": gateway.key})
    assert answered.json()["plan"] == "owner"


async def test_a_revoked_key_is_dead_at_once(gateway):
    key = await gateway.new_key()
    assert (await gateway.get("/v1/account", key=key)).status_code == 200
    await gateway.installation.access.keys.revoke(f"key_{key[8:20]}", by=CLI)
    assert await code_of(await gateway.get("/v1/account", key=key)) == (401, "invalid_api_key")


async def test_an_expired_key_is_dead(gateway):
    key = await gateway.new_key(expires_at=gateway.clock.now + timedelta(seconds=60))
    gateway.clock.move(seconds=59)
    assert (await gateway.get("/v1/account", key=key)).status_code == 200
    gateway.clock.move(seconds=1)
    assert await code_of(await gateway.get("/v1/account", key=key)) == (401, "invalid_api_key")


@pytest.mark.parametrize(
    ("scopes", "method", "path", "status"),
    [
        ({"read"}, "POST", "/v1/generate", 403),
        ({"generate"}, "POST", "/v1/generate", 200),
        ({"generate"}, "GET", "/v1/generations", 403),
        ({"read"}, "GET", "/v1/generations", 200),
        ({"read"}, "DELETE", "/v1/generations/gen_x", 403),
        ({"delete"}, "DELETE", "/v1/generations/gen_x", 404),
        ({"generate"}, "GET", "/v1/account", 403),
        ({"generate"}, "GET", "/v1/styles", 200),
    ],
)
async def test_a_key_may_do_what_its_scopes_say(gateway, scopes, method, path, status):
    key = await gateway.new_key(plan="studio", credits=5, scopes=frozenset(scopes))
    body = {"json": {"prompt": "x"}} if method == "POST" else {}
    answered = await gateway.http.request(method, path, headers={"Authorization": f"Bearer {key}"}, **body)
    assert answered.status_code == status
    if status == 403:
        assert answered.json()["error"]["code"] == "insufficient_scope"


async def test_another_accounts_generation_does_not_exist(gateway):
    mine = (await gateway.paint()).json()["generation_id"]
    key = await gateway.new_key(plan="studio")
    for id in (mine, "gen_nothing"):
        assert await code_of(await gateway.get(f"/v1/generations/{id}", key=key)) == (404, "not_found")
        deleted = await gateway.http.delete(f"/v1/generations/{id}", headers={"Authorization": f"Bearer {key}"})
        assert await code_of(deleted) == (404, "not_found")
    assert (await gateway.get("/v1/generations", key=key)).json()["data"] == []


@pytest.mark.parametrize(
    ("plan", "body", "param"),
    [
        ("free", {"width": 1280}, "width"),
        ("free", {"width": 512, "height": 1920}, "height"),
        ("starter", {"height": 1280, "width": 512}, "height"),
        ("free", {"n": 2}, "n"),
        ("pro", {"n": 5}, "n"),
        ("pro", {"upscale": True}, "upscale"),
    ],
)
async def test_what_a_plan_does_not_hold_needs_a_larger_one(gateway, plan, body, param):
    key = await gateway.new_key(plan=plan, credits=100)
    answered = await gateway.paint(key=key, **body)
    assert await code_of(answered) == (403, "plan_upgrade_required")
    assert answered.json()["error"]["param"] == param


@pytest.mark.parametrize(
    ("plan", "body"),
    [
        ("free", {"width": 1024, "height": 1024}),
        ("pro", {"width": 1920, "n": 4}),
        ("studio", {"upscale": True, "n": 1}),
    ],
)
async def test_what_a_plan_holds_is_painted(gateway, plan, body):
    key = await gateway.new_key(plan=plan, credits=100)
    assert (await gateway.paint(key=key, dry_run=True, **body)).status_code == 200


async def test_credits_are_held_captured_and_counted(gateway):
    key = await gateway.new_key(plan="studio", credits=5)
    gateway.engine.hold()
    await gateway.paint(key=key, **{"async": True}, n=2)
    held = (await gateway.get("/v1/account", key=key)).json()
    assert (held["credits"], held["credits_held"], held["credits_captured"]) == (3, 2, 0)
    gateway.engine.release()
    body = (await gateway.paint(key=key)).json()
    assert body["credits_used"] == 1
    account = (await gateway.get("/v1/account", key=key)).json()
    assert (account["credits"], account["credits_held"], account["credits_captured"]) == (2, 0, 3)


async def test_without_credits_the_answer_is_402_and_nothing_is_kept(gateway):
    key = await gateway.new_key(plan="studio", credits=1)
    assert await code_of(await gateway.paint(key=key, n=2)) == (402, "insufficient_credits")
    assert (await gateway.get("/v1/generations", key=key)).json()["data"] == []
    assert (await gateway.get("/v1/account", key=key)).json()["usage"]["day"] == 0


async def test_many_at_once_never_spend_more_than_there_is(gateway):
    key = await gateway.new_key(plan="studio", credits=7, rpm=1000)
    answers = await asyncio.gather(*(gateway.paint(key=key, **{"async": True}) for _ in range(30)))
    assert sorted(answer.status_code for answer in answers) == [202] * 7 + [402] * 23


async def test_equal_requests_at_once_under_one_idempotency_key_are_one(gateway):
    key = await gateway.new_key(plan="studio", credits=1, rpd=1)
    headers = {"Idempotency-Key": "order-17"}
    answers = await asyncio.gather(*(gateway.paint(key=key, seed=1, headers=headers) for _ in range(5)))
    codes = [(answer.json().get("error") or {}).get("code") for answer in answers]
    assert sorted(codes, key=str) == [None, *["idempotency_in_progress"] * 4]
    again = await gateway.paint(key=key, seed=1, headers=headers)
    assert (again.status_code, again.headers["idempotent-replayed"]) == (200, "true")
    account = (await gateway.get("/v1/account", key=key)).json()
    assert (account["credits_captured"], account["usage"]["day"]) == (1, 1)


@pytest.mark.parametrize("order", [{"credits": 10**30}, {"credits": -1}, {"rpm": 2**31}, {"rpm": 0}, {"rpd": 2**63}])
async def test_a_key_with_numbers_that_cannot_be_meant_is_not_made(gateway, order):
    with pytest.raises(RequestInvalid):
        await gateway.new_key(**order)


async def test_a_test_key_pays_nothing_and_says_so(gateway):
    key = await gateway.new_key(plan="studio", mode=Mode.TEST)
    body = (await gateway.paint(key=key)).json()
    assert (body["livemode"], body["credits_used"]) == (False, 0)


async def test_the_minute_window_lets_its_number_through_and_refuses_the_next(gateway):
    key = await gateway.new_key(plan="free", credits=100)
    answers = [await gateway.paint(key=key) for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["4", "3", "2", "1", "0", "0"]
    refused = answers[-1]
    assert refused.json()["error"]["code"] == "rate_limit_exceeded"
    assert int(refused.headers["retry-after"]) == 50
    assert int(refused.headers["x-ratelimit-reset"]) == int(gateway.clock.now.timestamp()) + 50
    assert refused.headers["ratelimit"] == '"minute";r=0;t=50'
    gateway.clock.move(seconds=50)
    assert (await gateway.paint(key=key)).status_code == 200


async def test_reading_is_free_and_shows_the_window(gateway):
    key = await gateway.new_key(plan="free", credits=100)
    answers = [await gateway.get("/v1/generations", key=key) for _ in range(8)]
    assert {answer.headers["x-ratelimit-remaining"] for answer in answers} == {"5"}


async def test_a_keys_own_limits_win(gateway):
    key = await gateway.new_key(plan="free", credits=100, rpm=50, rpd=2)
    answers = [await gateway.paint(key=key) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0].headers["x-ratelimit-limit"] == "50"
    assert answers[2].json()["error"]["code"] == "daily_quota_exceeded"


async def test_the_days_quota_ends_at_utc_midnight(gateway):
    key = await gateway.new_key(plan="free", credits=200, rpm=1000)
    answers = [await gateway.paint(key=key) for _ in range(101)]
    assert [answer.status_code for answer in answers] == [200] * 100 + [429]
    assert answers[-1].json()["error"]["code"] == "daily_quota_exceeded"
    assert int(answers[-1].headers["retry-after"]) == 12 * 3600 - 10
    gateway.clock.move(hours=12)
    assert (await gateway.paint(key=key)).status_code == 200
    assert (await gateway.get("/v1/account", key=key)).json()["usage"] == {"minute": 1, "day": 1, "month": 101}


async def test_the_owner_has_no_limits_and_pays_nothing(gateway):
    account = (await gateway.get("/v1/account")).json()
    assert (account["plan"], account["credits"]) == ("owner", None)
    assert account["limits"]["requests_per_minute"] is None
    answered = await gateway.paint()
    assert answered.json()["credits_used"] == 0
    assert "x-ratelimit-limit" not in answered.headers
