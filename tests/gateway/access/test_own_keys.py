"""`/v1/keys`: what a caller does with the keys of its own account."""

import asyncio
from datetime import timedelta

import pytest

ALL = frozenset({"generate", "read", "delete", "keys:write"})


@pytest.fixture
def call(gateway):
    """One call under a key: status, and the body or the error's code and member."""

    async def call(method, path, *, key, body=None):
        headers = {"Authorization": f"Bearer {key}"}
        answered = await gateway.http.request(method, path, headers=headers, json=body)
        content = answered.json()
        if answered.status_code >= 400:
            return answered.status_code, content["error"]["code"], content["error"]["param"]
        return answered.status_code, content

    return call


def id_of(key):
    return f"key_{key[8:20]}"


async def test_a_key_is_made_shown_once_and_works(gateway, call):
    maker = await gateway.new_key(scopes=ALL)
    order = {
        "name": "shop",
        "scopes": ["read"],
        "expires_at": "2026-12-01T00:00:00Z",
        "rpm": 3,
        "networks": ["127.0.0.0/8"],
    }
    status, made = await call("POST", "/v1/keys", key=maker, body=order)
    secret = made.pop("key")
    assert status == 201
    assert {name: made[name] for name in order} == order
    assert (made["made_by"], made["livemode"], made["credits_spent"]) == (id_of(maker), True, 0)
    assert (await gateway.get("/v1/account", key=secret)).status_code == 200
    assert await call("GET", f"/v1/keys/{made['id']}", key=maker) == (200, made)
    listed = (await call("GET", "/v1/keys", key=maker))[1]["data"]
    assert [one["id"] for one in listed] in ([made["id"], id_of(maker)], [id_of(maker), made["id"]])
    assert secret not in str(listed)


async def test_a_key_made_without_wishes_has_the_bounds_of_its_maker(gateway, call):
    maker = await gateway.new_key(scopes=ALL, rpm=7, styles=frozenset({"anime"}), expires_at=_in_an_hour(gateway))
    made = (await call("POST", "/v1/keys", key=maker, body={}))[1]
    assert (made["rpm"], made["styles"], made["scopes"]) == (7, ["anime"], ["delete", "generate", "read"])
    assert made["expires_at"] == "2026-11-21T13:00:10Z"


def _in_an_hour(gateway):
    return gateway.clock.now + timedelta(hours=1)


WISHES = [
    ({"scopes": ["admin"]}, (403, "insufficient_scope", "scopes")),
    ({"scopes": ["read", "webhooks:write"]}, (403, "insufficient_scope", "scopes")),
    ({"rpm": 11}, (403, "insufficient_scope", "rpm")),
    ({"scopes": []}, (400, "invalid_parameter", "scopes")),
    ({"scopes": ["fly"]}, (400, "invalid_parameter", "scopes")),
    ({"scopes": "read"}, (400, "invalid_parameter", "scopes")),
    ({"rpm": 0}, (400, "invalid_parameter", "rpm")),
    ({"rpd": 2**31}, (400, "invalid_parameter", "rpd")),
    ({"max_open": "2"}, (400, "invalid_parameter", "max_open")),
    ({"spend_cap": -1}, (400, "invalid_parameter", "spend_cap")),
    ({"networks": ["10.0.0.1/8"]}, (400, "invalid_parameter", "networks")),
    ({"networks": []}, (400, "invalid_parameter", "networks")),
    ({"models": ["two words"]}, (400, "invalid_parameter", "models")),
    ({"expires_at": "2026-11-01T00:00:00Z"}, (400, "invalid_parameter", "expires_at")),
    ({"expires_at": "2026-12-01T00:00:00"}, (400, "invalid_parameter", "expires_at")),
    ({"mode": "both"}, (400, "invalid_parameter", "mode")),
    ({"name": "n" * 101}, (400, "invalid_parameter", "name")),
    ({"name": "a\nb"}, (400, "invalid_parameter", "name")),
    ({"account_id": "acct_1"}, (400, "unknown_parameter", "account_id")),
    ([], (400, "invalid_json", None)),
]


async def test_a_wish_that_cannot_be_granted_makes_no_key(gateway, call):
    maker = await gateway.new_key(scopes=ALL, rpm=10)
    for body, refusal in WISHES:
        assert (body, await call("POST", "/v1/keys", key=maker, body=body)) == (body, refusal)
    assert len((await call("GET", "/v1/keys", key=maker))[1]["data"]) == 1


async def test_a_capped_key_pays_the_caps_of_the_keys_it_makes(gateway, call):
    maker = await gateway.new_key(scopes=ALL, plan="studio", credits=50, spend_cap=5)
    assert await call("POST", "/v1/keys", key=maker, body={}) == (403, "insufficient_scope", "spend_cap")
    made = (await call("POST", "/v1/keys", key=maker, body={"spend_cap": 3}))[1]
    assert await call("POST", "/v1/keys", key=maker, body={"spend_cap": 3}) == (403, "insufficient_scope", "spend_cap")
    answers = [(await gateway.paint(key=key)).status_code for key in [made["key"]] * 4 + [maker] * 3]
    assert answers == [200, 200, 200, 402, 200, 200, 402]
    assert (await call("GET", f"/v1/keys/{id_of(maker)}", key=maker))[1]["credits_spent"] == 5


async def test_a_plan_holds_so_many_keys(gateway, call):
    maker = await gateway.new_key(scopes=ALL, plan="free")
    made = [await call("POST", "/v1/keys", key=maker, body={}) for _ in range(5)]
    assert [answered[0] for answered in made] == [201] * 4 + [403]
    assert made[-1] == (403, "plan_upgrade_required", "max_keys")
    await call("POST", f"/v1/keys/{made[0][1]['id']}/revoke", key=maker)
    assert (await call("POST", "/v1/keys", key=maker, body={}))[0] == 201


async def test_a_rotated_key_keeps_its_old_secret_for_the_overlap(gateway, call):
    maker = await gateway.new_key(scopes=ALL)
    old = (await call("POST", "/v1/keys", key=maker, body={"scopes": ["read"]}))[1]
    rotated = (await call("POST", f"/v1/keys/{old['id']}/rotate", key=maker, body={"overlap_s": 60}))[1]
    assert (rotated["id"], rotated["previous_secret_until"]) == (old["id"], "2026-11-21T12:01:10Z")
    assert [(await gateway.get("/v1/account", key=one["key"])).status_code for one in (old, rotated)] == [200, 200]
    gateway.clock.move(seconds=60)
    assert [(await gateway.get("/v1/account", key=one["key"])).status_code for one in (old, rotated)] == [401, 200]


async def test_a_rotation_without_a_body_overlaps_for_a_day_and_with_none_for_nothing(gateway, call):
    maker = await gateway.new_key(scopes=ALL)
    rotated = (await call("POST", f"/v1/keys/{id_of(maker)}/rotate", key=maker))[1]
    assert rotated["previous_secret_until"] == "2026-11-22T12:00:10Z"
    at_once = (await call("POST", f"/v1/keys/{id_of(maker)}/rotate", key=maker, body={"overlap_s": 0}))[1]
    answers = [
        (await gateway.get("/v1/account", key=key)).status_code for key in (maker, rotated["key"], at_once["key"])
    ]
    assert answers == [401, 401, 200]


async def test_an_overlap_has_its_bounds(gateway, call):
    maker = await gateway.new_key(scopes=ALL)
    for overlap_s in (-1, 7 * 24 * 3600 + 1):
        answered = await call("POST", f"/v1/keys/{id_of(maker)}/rotate", key=maker, body={"overlap_s": overlap_s})
        assert answered == (400, "invalid_parameter", "overlap_s")


async def test_nobody_gets_hold_of_a_key_that_may_do_more_by_rotating_it(gateway, call):
    strong = await gateway.new_key(scopes=ALL | {"admin"})
    weak = await gateway.new_key(scopes=frozenset({"keys:write"}))
    answered = await call("POST", f"/v1/keys/{id_of(strong)}/rotate", key=weak)
    assert answered == (403, "insufficient_scope", "scopes")
    assert (await gateway.get("/v1/account", key=strong)).status_code == 200


async def test_a_revoked_key_is_dead_stays_listed_and_cannot_be_rotated(gateway, call):
    maker = await gateway.new_key(scopes=ALL)
    made = (await call("POST", "/v1/keys", key=maker, body={"scopes": ["read"]}))[1]
    assert (await gateway.get("/v1/account", key=made["key"])).status_code == 200
    first = await call("POST", f"/v1/keys/{made['id']}/revoke", key=maker)
    gateway.clock.move(seconds=5)
    again = await call("POST", f"/v1/keys/{made['id']}/revoke", key=maker)
    assert first == again
    assert first[1]["revoked_at"] == "2026-11-21T12:00:10Z"
    assert (await gateway.get("/v1/account", key=made["key"])).status_code == 401
    assert await call("POST", f"/v1/keys/{made['id']}/rotate", key=maker) == (404, "not_found", None)


async def test_keys_are_listed_in_pages(gateway, call):
    maker = await gateway.new_key(scopes=ALL, plan="studio")
    made = []
    for _ in range(4):
        gateway.clock.move(seconds=1)
        made.append((await call("POST", "/v1/keys", key=maker, body={}))[1]["id"])
    first = (await call("GET", "/v1/keys?limit=3", key=maker))[1]
    second = (await call("GET", f"/v1/keys?limit=3&cursor={first['next_cursor']}", key=maker))[1]
    assert [one["id"] for one in first["data"] + second["data"]] == [*reversed(made), id_of(maker)]
    assert (first["has_more"], second["has_more"], second["next_cursor"]) == (True, False, None)
    assert await call("GET", "/v1/keys?cursor=bnVsbA", key=maker) == (400, "invalid_cursor", "cursor")


async def test_an_account_reads_what_is_its_own_and_what_is_the_keys(gateway, call):
    key = await gateway.new_key(plan="studio", credits=9, rpm=50, rpd=2, spend_cap=4, name="shop")
    other = await gateway.new_key()
    for one in (key, other):
        await gateway.paint(key=one)
    account = (await call("GET", "/v1/account", key=key))[1]
    assert (account["usage"], account["limits"]["requests_per_day"]) == ({"minute": 1, "day": 2, "month": 2}, 20000)
    bounds = ("name", "requests_per_minute", "requests_per_day", "requests_today", "spend_cap", "credits_spent")
    assert [account["key"][name] for name in bounds] == ["shop", 50, 2, 1, 4, 1]


async def test_an_accounts_ledger_is_read_in_pages(gateway, call):
    key = await gateway.new_key(plan="studio", credits=9)
    id = (await gateway.paint(key=key)).json()["generation_id"]
    first = (await call("GET", "/v1/account/credits?limit=2", key=key))[1]
    second = (await call("GET", f"/v1/account/credits?limit=2&cursor={first['next_cursor']}", key=key))[1]
    rows = [(row["kind"], row["credits"], row["generation_id"]) for row in first["data"] + second["data"]]
    assert rows == [("capture", 1, id), ("hold", 1, id), ("grant", 9, None)]
    assert not second["has_more"]


async def test_a_key_is_changed_where_something_is_said_of_it(gateway, call):
    maker = await gateway.new_key(scopes=ALL)
    key = (await call("POST", "/v1/keys", key=maker, body={"name": "shop", "rpm": 3, "styles": ["anime"]}))[1]
    change = {"name": "the shop", "scopes": ["read"], "rpm": None, "max_open": 2, "spend_cap": 9}
    status, changed = await call("PATCH", f"/v1/keys/{key['id']}", key=maker, body=change)
    assert status == 200
    assert changed == {name: value for name, value in key.items() if name != "key"} | change
    assert await call("GET", f"/v1/keys/{key['id']}", key=maker) == (200, changed)
    assert (await gateway.paint(key=key["key"])).status_code == 403  # it may only read now
    assert await call("PATCH", f"/v1/keys/{key['id']}", key=maker, body={}) == (200, changed)


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"rpm": None}, (403, "insufficient_scope", "rpm")),
        ({"rpm": 11}, (403, "insufficient_scope", "rpm")),
        ({"scopes": ["webhooks:write"]}, (403, "insufficient_scope", "scopes")),
        ({"spend_cap": None}, (403, "insufficient_scope", "spend_cap")),
        ({"spend_cap": 9}, (403, "insufficient_scope", "spend_cap")),
        ({"expires_at": "2026-11-01T00:00:00Z"}, (400, "invalid_parameter", "expires_at")),
        ({"networks": ["all"]}, (400, "invalid_parameter", "networks")),
        ({"mode": "live"}, (400, "unknown_parameter", "mode")),
    ],
)
@pytest.mark.parametrize("is_own", [True, False])
async def test_no_key_is_changed_to_more_than_its_changer_has(gateway, call, is_own, change, refusal):
    maker = await gateway.new_key(plan="pro", credits=20, scopes=ALL, rpm=10, spend_cap=5)
    other = (await call("POST", "/v1/keys", key=maker, body={"spend_cap": 1}))[1]["id"]
    changed = id_of(maker) if is_own else other
    before = await call("GET", f"/v1/keys/{changed}", key=maker)
    assert await call("PATCH", f"/v1/keys/{changed}", key=maker, body=change) == refusal
    assert await call("GET", f"/v1/keys/{changed}", key=maker) == before


async def test_what_a_key_may_spend_more_is_taken_out_of_its_changers_cap(gateway, call):
    maker = await gateway.new_key(plan="pro", credits=20, scopes=ALL, spend_cap=10)
    made = f"/v1/keys/{(await call('POST', '/v1/keys', key=maker, body={'spend_cap': 4}))[1]['id']}"
    own = f"/v1/keys/{id_of(maker)}"
    assert (await call("PATCH", made, key=maker, body={"spend_cap": 7}))[0] == 200
    assert (await call("GET", own, key=maker))[1]["credits_spent"] == 7
    assert (await call("PATCH", made, key=maker, body={"spend_cap": 11}))[1] == "insufficient_scope"
    assert (await call("PATCH", made, key=maker, body={"spend_cap": 1, "name": "less"}))[0] == 200
    assert (await call("GET", own, key=maker))[1]["credits_spent"] == 7
    assert (await call("PATCH", own, key=maker, body={"spend_cap": 8}))[0] == 200


async def test_a_revoked_key_is_not_changed(gateway, call):
    maker = await gateway.new_key(scopes=ALL)
    key = (await call("POST", "/v1/keys", key=maker, body={}))[1]["id"]
    await call("POST", f"/v1/keys/{key}/revoke", key=maker)
    assert (await call("PATCH", f"/v1/keys/{key}", key=maker, body={"rpm": 1}))[:2] == (404, "not_found")


async def test_calls_at_one_time_make_no_more_keys_than_the_plan_holds(gateway, call):
    maker = await gateway.new_key(scopes=ALL, plan="free")
    made = await asyncio.gather(*(call("POST", "/v1/keys", key=maker, body={}) for _ in range(5)))
    assert sorted(answered[0] for answered in made) == [201] * 4 + [403]
