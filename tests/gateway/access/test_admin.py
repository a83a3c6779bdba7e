"""`/v1/admin`: what an operator does, and what is written down about it."""

import asyncio

import pytest
from plugins.webhook_receiver import Receiver, receiving


@pytest.fixture
async def call(gateway):
    """One call under an operator's key: status, and the body or the error's code and member."""
    key = await gateway.new_key(account="owner", scopes=frozenset({"admin"}))

    async def call(method, path, body=None):
        headers = {"Authorization": f"Bearer {key}"}
        answered = await gateway.http.request(method, f"/v1/admin{path}", headers=headers, json=body)
        content = answered.json()
        if answered.status_code >= 400:
            return answered.status_code, content["error"]["code"], content["error"]["param"]
        return answered.status_code, content

    call.key_id = f"key_{key[8:20]}"
    return call


async def test_an_account_is_made_given_a_key_and_credits_and_paints(gateway, call):
    status, account = await call("POST", "/accounts", {"name": "anna", "plan": "studio"})
    assert (status, account["plan"], account["suspended_at"]) == (201, "studio", None)
    path = f"/accounts/{account['id']}"
    granted = (await call("POST", f"{path}/credits", {"credits": 10, "note": "welcome"}))[1]
    assert granted["credits"] == {"available": 10, "held": 0, "captured": 0, "granted": 10}
    key = (await call("POST", f"{path}/keys", {"name": "first"}))[1]["key"]
    assert (await gateway.paint(key=key)).status_code == 200
    assert (await call("GET", path))[1]["credits"]["captured"] == 1
    kinds = [row["kind"] for row in (await call("GET", f"{path}/credits"))[1]["data"]]
    assert kinds == ["capture", "hold", "grant"]


async def test_what_was_granted_is_taken_back_while_it_is_there(gateway, call):
    path = f"/accounts/{(await call('POST', '/accounts', {'name': 'anna'}))[1]['id']}"
    await call("POST", f"{path}/credits", {"credits": 10})
    assert await call("POST", f"{path}/credits", {"credits": -11}) == (402, "insufficient_credits", None)
    taken = (await call("POST", f"{path}/credits", {"credits": -4, "note": "a mistake"}))[1]
    assert taken["credits"] == {"available": 6, "held": 0, "captured": 0, "granted": 6}


async def test_an_account_is_suspended_resumed_and_moved(gateway, call):
    key = await gateway.new_key(account="anna", plan="free")
    assert (await gateway.get("/v1/account", key=key)).status_code == 200
    assert (await call("POST", "/accounts/anna/suspend"))[1]["suspended_at"] == "2026-11-21T12:00:10Z"
    refused = await gateway.get("/v1/account", key=key)
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "account_suspended")
    assert (await call("POST", "/accounts/anna/resume"))[1]["suspended_at"] is None
    await call("PATCH", "/accounts/anna", {"plan": "pro"})
    assert (await gateway.get("/v1/account", key=key)).json()["plan"] == "pro"


async def test_any_key_is_found_rotated_and_revoked(gateway, call):
    key = await gateway.new_key(account="anna", scopes=frozenset({"read"}))
    id = f"key_{key[8:20]}"
    assert [one["id"] for one in (await call("GET", "/keys?account=anna"))[1]["data"]] == [id]
    assert len((await call("GET", "/keys"))[1]["data"]) == 3
    rotated = (await call("POST", f"/keys/{id}/rotate", {"overlap_s": 0}))[1]
    answers = [(await gateway.get("/v1/account", key=one)).status_code for one in (key, rotated["key"])]
    assert answers == [401, 200]
    assert (await call("POST", f"/keys/{id}/revoke"))[1]["revoked_at"] is not None
    assert (await gateway.get("/v1/account", key=rotated["key"])).status_code == 401


WRONG = [
    ("POST", "/accounts", {}, (400, "missing_parameter", "name")),
    ("POST", "/accounts", {"name": "owner"}, (400, "invalid_parameter", "name")),
    ("POST", "/accounts", {"name": ""}, (400, "invalid_parameter", "name")),
    ("POST", "/accounts", {"name": " x"}, (400, "invalid_parameter", "name")),
    ("POST", "/accounts", {"name": "acct_x"}, (400, "invalid_parameter", "name")),
    ("POST", "/accounts", {"name": "x", "plan": "gold"}, (400, "invalid_parameter", "plan")),
    ("POST", "/accounts", {"name": "x", "credits": 5}, (400, "unknown_parameter", "credits")),
    ("PATCH", "/accounts/owner", {"plan": "gold"}, (400, "invalid_parameter", "plan")),
    ("POST", "/accounts/owner/credits", {"credits": 10**13}, (400, "invalid_parameter", "credits")),
    ("POST", "/accounts/owner/credits", {"credits": 1.5}, (400, "invalid_parameter", "credits")),
    ("GET", "/accounts/nobody", None, (404, "not_found", None)),
    ("PATCH", "/accounts/nobody", {"plan": "free"}, (404, "not_found", None)),
    ("POST", "/accounts/nobody/credits", {"credits": 1}, (404, "not_found", None)),
    ("POST", "/accounts/nobody/suspend", None, (404, "not_found", None)),
    ("POST", "/accounts/nobody/keys", {}, (404, "not_found", None)),
    ("GET", "/keys?account=nobody", None, (404, "not_found", None)),
    ("GET", "/keys/key_nothing", None, (404, "not_found", None)),
    ("POST", "/keys/key_nothing/rotate", None, (404, "not_found", None)),
    ("GET", "/audit?cursor=x", None, (400, "invalid_cursor", "cursor")),
    ("GET", "/accounts?limit=101", None, (400, "invalid_parameter", "limit")),
]


async def test_what_is_wrong_is_refused(call):
    for method, path, body, refusal in WRONG:
        assert (method, path, body, await call(method, path, body)) == (method, path, body, refusal)


async def test_every_change_stands_in_the_audit_log_and_no_secret_does(gateway, call):
    account = (await call("POST", "/accounts", {"name": "anna"}))[1]
    path = f"/accounts/{account['id']}"
    key = (await call("POST", f"{path}/keys", {"scopes": ["read", "keys:write"]}))[1]
    await call("POST", f"{path}/credits", {"credits": 10, "note": "welcome"})
    await call("PATCH", path, {"plan": "pro"})
    await call("POST", f"{path}/suspend")
    await call("POST", f"{path}/suspend")
    await call("POST", f"{path}/resume")
    headers = {"Authorization": f"Bearer {key['key']}"}
    rotated = (await gateway.http.post(f"/v1/keys/{key['id']}/rotate", headers=headers)).json()
    await call("POST", f"/keys/{key['id']}/revoke")

    log = (await call("GET", f"/audit?account={account['id']}"))[1]["data"]

    told = [(entry["action"], entry["actor"], entry["subject"]) for entry in reversed(log)]
    assert told == [
        ("account.created", call.key_id, account["id"]),
        ("key.created", call.key_id, key["id"]),
        ("credits.granted", call.key_id, account["id"]),
        ("account.plan_changed", call.key_id, account["id"]),
        ("account.suspended", call.key_id, account["id"]),
        ("account.resumed", call.key_id, account["id"]),
        ("key.rotated", key["id"], key["id"]),
        ("key.revoked", call.key_id, key["id"]),
    ]
    assert all(entry["request_id"].startswith("req_") for entry in log)
    assert log[-4]["details"] == {"before": "free", "after": "pro"}
    whole = str((await call("GET", "/audit?limit=100"))[1])
    for secret in (key["key"], rotated["key"], gateway.key):
        assert secret[20:] not in whole
    assert "whsec_" not in whole


async def test_the_first_start_is_in_the_log_as_the_command_line(call):
    first = (await call("GET", "/audit?limit=100"))[1]["data"][-1]
    assert (first["number"], first["actor"], first["action"]) == (1, "cli", "account.created")
    assert first["details"] == {"name": "owner", "plan": "owner"}


async def test_accounts_and_the_log_come_in_pages(gateway, call):
    for name in ("anna", "ben"):
        gateway.clock.move(seconds=1)
        await call("POST", "/accounts", {"name": name})
    for path, member in (("/accounts", "name"), ("/audit", "number")):
        first = (await call("GET", f"{path}?limit=2"))[1]
        rest = (await call("GET", f"{path}?limit=100&cursor={first['next_cursor']}"))[1]
        whole = (await call("GET", f"{path}?limit=100"))[1]
        assert first["data"] + rest["data"] == whole["data"]
        assert len({row[member] for row in whole["data"]}) == len(whole["data"])
    assert [row["name"] for row in (await call("GET", "/accounts"))[1]["data"]] == ["ben", "anna", "owner"]


async def test_the_queue_is_seen_by_account_state_and_priority(gateway, call):
    key = await gateway.new_key(account="anna", plan="studio", credits=10)
    gateway.engine.hold()
    for _ in range(3):
        await gateway.paint(key=key, **{"async": True})
    queue = (await call("GET", "/queue"))[1]
    assert (queue["open"], queue["max_queued"]) == (3, 1000)
    assert sum(line["count"] for line in queue["data"]) == 3
    assert {line["priority"] for line in queue["data"]} == {"interactive"}
    assert {line["oldest_at"] for line in queue["data"]} == {"2026-11-21T12:00:10Z"}
    gateway.engine.release()


async def test_plans_models_styles_and_retention_are_read(call):
    plans = {plan["id"]: plan for plan in (await call("GET", "/plans"))[1]["data"]}
    assert (plans["free"]["max_open"], plans["owner"]["requests_per_day"]) == (10, None)
    models = (await call("GET", "/models"))[1]["data"]
    assert [(model["id"], model["is_default"], model["is_here"]) for model in models] == [("starter", True, True)]
    styles = {style["id"]: style for style in (await call("GET", "/styles"))[1]["data"]}
    assert styles["watercolor"]["available"]
    retention = (await call("GET", "/retention"))[1]
    assert retention["idempotency_s"] == 86400
    assert retention["plans"]["free"] == {"default_ttl_s": 2592000, "max_ttl_s": 2592000}
    assert (retention["decision_texts_s"], retention["decisions_s"]) == (30 * 86400, 365 * 86400)


async def test_the_operator_changes_any_key_without_bounds(gateway, call):
    key = await gateway.new_key(account="anna", plan="studio", spend_cap=1)
    path = f"/keys/key_{key[8:20]}"
    changed = (await call("PATCH", path, {"spend_cap": None, "scopes": ["read", "webhooks:write"]}))[1]
    assert (changed["spend_cap"], changed["scopes"]) == (None, ["read", "webhooks:write"])
    entry = (await call("GET", "/audit"))[1]["data"][0]
    assert (entry["action"], entry["details"]) == ("key.changed", {"changed": ["scopes", "spend_cap"]})


async def test_webhooks_that_do_not_arrive_are_seen_without_their_addresses(gateway, call, receiver_that_fails):
    key = await gateway.new_key(
        account="anna", plan="studio", credits=9, scopes=frozenset({"generate", "webhooks:write"})
    )
    sign = {"Authorization": f"Bearer {key}"}
    empty = {"object": "webhook_health", "pending": 0, "failed": 0, "oldest_pending_at": None, "data": []}
    assert (await call("GET", "/webhooks"))[1] == empty
    url = f"http://127.0.0.1:{receiver_that_fails.server_port}/secret-path"
    made = (await gateway.http.post("/v1/webhooks", json={"url": url}, headers=sign)).json()
    await gateway.paint(key=key)
    for _ in range(1000):
        health = (await call("GET", "/webhooks"))[1]
        if health["data"]:
            break
        await asyncio.sleep(0.01)
    (unwell,) = health["data"]
    assert (health["pending"], health["failed"]) == (1, 0)
    assert health["oldest_pending_at"] == "2026-11-21T12:00:10Z"
    assert (unwell["id"], unwell["state"], unwell["pending"]) == (made["id"], "failing", 1)
    assert unwell["host"] == f"127.0.0.1:{receiver_that_fails.server_port}"
    assert "secret-path" not in str(health)

    await gateway.http.patch(f"/v1/webhooks/{made['id']}", json={"enabled": False}, headers=sign)
    health = (await call("GET", "/webhooks"))[1]
    (unwell,) = health["data"]
    assert (health["pending"], health["failed"], unwell["failed"]) == (0, 1, 1)
    assert (unwell["state"], unwell["disabled_reason"]) == ("disabled", "switched off")


@pytest.fixture
def receiver_that_fails():
    with receiving(Receiver(failures=1000)) as receiver:
        yield receiver
