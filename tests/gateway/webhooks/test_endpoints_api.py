"""`/v1/webhooks` as a caller sees it, with real receivers on loopback. Time stands still until it is moved."""

import json
from datetime import UTC, datetime

import pytest
import structlog
from standardwebhooks import Webhook, WebhookVerificationError

from gateway.webhooks.endpoints import MAX_DESCRIPTION_CHARACTERS, MAX_PAIRS
from tests.gateway.webhooks.conftest import settled, until

SCOPES = frozenset({"generate", "read", "webhooks:write"})
AWAY = "https://hooks.example/painted"


class Owner:
    """One account's hand on the API."""

    def __init__(self, gateway, key: str) -> None:
        self.gateway, self.key = gateway, key

    async def ask(self, method: str, path: str = "", *, status: int = 200, **body: object):
        answered = await self.gateway.http.request(
            method,
            f"/v1/webhooks{path}",
            json=body or None,
            headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"},
        )
        assert answered.status_code == status, answered.text
        return answered.json()

    async def add(self, url: str = AWAY, **members: object) -> dict:
        return await self.ask("POST", status=201, url=url, **members)

    async def paint(self, **body: object) -> str:
        accepted = await self.gateway.paint(key=self.key, **{"async": True, **body})
        assert accepted.status_code == 202, accepted.text
        return accepted.json()["generation_id"]

    async def delivered(self, webhook_id: str, count: int, status: str = "delivered") -> list[dict]:
        """Wait until so many of the endpoint's deliveries have that status."""
        found: list[dict] = []

        async def have_it() -> bool:
            found[:] = (await self.ask("GET", f"/{webhook_id}/deliveries?status={status}"))["data"]
            return len(found) == count

        await until(have_it)
        return found


@pytest.fixture
async def owner(gateway) -> Owner:
    return Owner(gateway, await gateway.new_key("ada", plan="owner", scopes=SCOPES))


@pytest.fixture
async def stranger(gateway) -> Owner:
    return Owner(gateway, await gateway.new_key("ben", plan="owner", scopes=SCOPES))


async def test_an_endpoint_is_made_read_listed_changed_and_removed(owner) -> None:
    made = await owner.add(events=["generation.failed"], description="shop", metadata={"team": "é"})
    assert made.pop("secret").startswith("whsec_")
    assert made == {
        "object": "webhook_endpoint", "id": made["id"], "url": AWAY, "events": ["generation.failed"],
        "description": "shop", "metadata": {"team": "é"}, "enabled": True, "state": "active",
        "disabled_reason": None, "failing_since": None, "created_at": "2026-11-21T12:00:10Z",
    }  # fmt: skip
    assert await owner.ask("GET", f"/{made['id']}") == made
    everything = await owner.add()
    assert everything["events"] == ["*"]
    listed = await owner.ask("GET")
    assert {one["id"] for one in listed["data"]} == {made["id"], everything["id"]}
    assert (listed["object"], listed["has_more"], listed["next_cursor"]) == ("list", False, None)
    changed = await owner.ask("PATCH", f"/{made['id']}", url=f"{AWAY}/2", events=["*"], enabled=False)
    assert changed == made | {
        "url": f"{AWAY}/2", "events": ["*"], "enabled": False, "state": "disabled", "disabled_reason": "switched off"
    }  # fmt: skip
    assert await owner.ask("DELETE", f"/{made['id']}") == {"id": made["id"], "deleted": True}
    await owner.ask("GET", f"/{made['id']}", status=404)


async def test_its_secret_is_in_the_answers_that_are_for_it_and_nowhere_else(owner) -> None:
    with structlog.testing.capture_logs() as logged:
        made = await owner.add("http://127.0.0.1:9/")
        shown = [
            await owner.ask("GET", f"/{made['id']}"),
            await owner.ask("GET"),
            await owner.ask("PATCH", f"/{made['id']}", description="x"),
            await owner.ask("POST", f"/{made['id']}/test"),
            await owner.ask("GET", "/deliveries"),
        ]
    assert (await owner.ask("GET", f"/{made['id']}/secret"))["secret"] == made["secret"]
    await owner.ask("POST", f"/{made['id']}/rotate-secret")
    await owner.ask("DELETE", f"/{made['id']}")
    audited = await owner.gateway.server.services.accounts.audit("ada", limit=9)
    actions = ["webhook.removed", "webhook.secret_rotated", "webhook.changed", "webhook.created"]
    assert [entry.action for entry in audited if entry.subject == made["id"]] == actions
    assert any(entry["event"] == "webhook failed" for entry in logged)
    assert made["secret"].removeprefix("whsec_")[:20] not in json.dumps([shown, logged, audited], default=str)


async def test_another_accounts_endpoints_and_deliveries_do_not_exist(owner, stranger, receivers) -> None:
    made = await owner.add((await receivers.with_status("204 No Content")).url())
    tried = await owner.ask("POST", f"/{made['id']}/test")
    for method, path in (
        ("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/secret"), ("POST", "/rotate-secret"), ("POST", "/test"),
        ("GET", "/deliveries"), ("POST", "/resend"),
    ):  # fmt: skip
        body = (
            {"description": "x"}
            if method == "PATCH"
            else {"since": "2020-01-01T00:00:00Z"}
            if path == "/resend"
            else {}
        )
        foreign = await stranger.ask(method, f"/{made['id']}{path}", status=404, **body)
        missing = await stranger.ask(method, f"/we_missing{path}", status=404, **body)
        assert foreign["error"]["code"] == missing["error"]["code"] == "not_found"
        assert foreign["detail"].replace(made["id"], "we_missing") == missing["detail"]
    for method, path in (("GET", ""), ("POST", "/resend")):
        await stranger.ask(method, f"/deliveries/{tried['id']}{path}", status=404)
    assert (await stranger.ask("GET", "/deliveries"))["data"] == []
    assert (await owner.ask("GET", f"/{made['id']}"))["state"] == "active"


async def test_a_key_needs_the_scope(gateway) -> None:
    without = Owner(gateway, await gateway.new_key("ada", scopes=frozenset({"generate", "read", "delete"})))
    refused = await without.ask("GET", status=403)
    assert refused["error"]["code"] == "insufficient_scope"


BROKEN = [
    ({"description": "x"}, "missing_parameter", "url"),
    ({"url": 7}, "invalid_parameter", "url"),
    ({"url": "https://10.0.0.1/"}, "invalid_webhook_url", "url"),
    ({"url": "https://user@hooks.example/"}, "invalid_webhook_url", "url"),
    ({"url": AWAY, "events": []}, "invalid_parameter", "events"),
    ({"url": AWAY, "events": ["generation.done"]}, "invalid_parameter", "events"),
    ({"url": AWAY, "events": "*"}, "invalid_parameter", "events"),
    ({"url": AWAY, "secret": "whsec_mine"}, "unknown_parameter", "secret"),
    ({"url": AWAY, "description": "x" * (MAX_DESCRIPTION_CHARACTERS + 1)}, "invalid_parameter", "description"),
    ({"url": AWAY, "metadata": {"a": 1}}, "invalid_parameter", "metadata"),
    ({"url": AWAY, "metadata": {str(n): "" for n in range(MAX_PAIRS + 1)}}, "invalid_parameter", "metadata"),
    ({"url": AWAY, "metadata": {"a": "\0"}}, "invalid_parameter", "metadata"),
]


async def test_what_breaks_a_rule_is_refused_with_the_members_name(owner) -> None:
    for body, code, param in BROKEN:
        error = (await owner.ask("POST", status=400, **body))["error"]
        assert (error["code"], error["param"]) == (code, param), body
    assert (await owner.ask("GET"))["data"] == []


async def test_an_account_has_a_bounded_number_of_endpoints(open_gateway) -> None:
    gateway = await open_gateway(webhook_endpoints=2)
    owner, other = [Owner(gateway, await gateway.new_key(name, scopes=SCOPES)) for name in ("ada", "ben")]
    for _ in range(2):
        made = await owner.add()
    refused = await owner.ask("POST", status=403, url=AWAY)
    assert refused["error"]["code"] == "too_many_endpoints"
    await other.add()
    await owner.ask("DELETE", f"/{made['id']}")
    await owner.add()


async def test_what_ends_is_told_to_every_endpoint_that_wants_it_and_to_the_requests_address(owner, receivers) -> None:
    owner.gateway.clock.now = datetime.now(UTC)  # the verifier looks at the machine's clock
    everything, failures, own = [await receivers.with_status("204 No Content") for _ in range(3)]
    made = await owner.add(everything.url())
    await owner.add(failures.url(), events=["generation.failed"])
    ids = [await owner.paint(webhook_url=own.url()), await owner.paint()]
    await owner.delivered(made["id"], 2)
    await settled(owner.gateway.installation.database, 0)
    told = [Webhook(made["secret"]).verify(got.body, got.headers) for got in everything.requests]
    assert {one["generation_id"] for one in told} == set(ids)
    assert sorted(one["sequence"] for one in told) == [1, 2]
    assert {one["type"] for one in told} == {"generation.completed"}
    image = told[0]["data"]["images"][0]
    assert set(image) == {"url", "pixel_sha256", "file_sha256"}
    assert failures.requests == []
    (got,) = own.requests
    default = (await owner.ask("GET", "/default/secret"))["key"]
    assert Webhook(default).verify(got.body, got.headers)["generation_id"] == ids[0]
    with pytest.raises(WebhookVerificationError):
        Webhook(made["secret"]).verify(got.body, got.headers)


async def test_either_secret_verifies_for_a_day_after_a_rotation_and_then_the_new_one_alone(owner, receivers) -> None:
    receiver = await receivers.with_status("204 No Content")
    made = await owner.add(receiver.url())
    rotated = await owner.ask("POST", f"/{made['id']}/rotate-secret")
    assert rotated["previous_valid_until"] == "2026-11-22T12:00:10Z"
    await owner.ask("POST", f"/{made['id']}/test")
    owner.gateway.clock.move(days=1)
    await owner.ask("POST", f"/{made['id']}/test")
    during, after = receiver.requests
    assert [got.headers["webhook-signature"].count("v1,") for got in (during, after)] == [2, 1]
    assert (await owner.ask("GET", f"/{made['id']}/secret")) == rotated | {"previous_valid_until": None}
    for secret, got, is_valid in (
        (made["secret"], during, True), (rotated["secret"], during, True),
        (made["secret"], after, False), (rotated["secret"], after, True),
    ):  # fmt: skip
        assert verifies(secret, got) is is_valid


def verifies(secret: str, got) -> bool:
    """The reference verifier, but for the age of the message: its clock is the machine's."""
    headers = got.headers
    moment = datetime.fromtimestamp(int(headers["webhook-timestamp"]), tz=UTC)
    expected = Webhook(secret).sign(headers["webhook-id"], moment, got.body.decode())
    return expected in headers["webhook-signature"].split()


@pytest.mark.parametrize(
    ("status", "outcome"), [("200 OK", "delivered"), ("500 Oops", "failed"), ("301 Moved", "failed")]
)
async def test_a_test_event_is_sent_at_once_and_once_and_its_answer_told(status, outcome, owner, receivers) -> None:
    receiver = await receivers.with_status(status, body=b"so it " + "é".encode() + b"nds\xff")
    made = await owner.add(receiver.url())
    tried = await owner.ask("POST", f"/{made['id']}/test")
    assert (tried["event_type"], tried["status"], tried["next_attempt_at"]) == ("webhook.test", outcome, None)
    (attempt,) = tried["attempts"]
    assert (attempt["status"], attempt["answer"]) == (int(status[:3]), "so it énds\ufffd")
    (got,) = receiver.requests
    assert json.loads(got.body)["type"] == "webhook.test"


async def test_a_disabled_endpoint_can_be_tried_and_an_absent_receiver_is_an_answer(owner) -> None:
    made = await owner.add("http://127.0.0.1:9/")
    await owner.ask("PATCH", f"/{made['id']}", enabled=False)
    tried = await owner.ask("POST", f"/{made['id']}/test")
    assert tried["attempts"][0]["status"] is None
    assert tried["attempts"][0]["error"]


async def test_tests_count_as_requests_of_the_minute(gateway) -> None:
    owner = Owner(gateway, await gateway.new_key("ada", scopes=SCOPES, rpm=1))
    made = await owner.add("http://127.0.0.1:9/")
    await owner.ask("POST", f"/{made['id']}/test")
    refused = await owner.ask("POST", f"/{made['id']}/test", status=429)
    assert refused["error"]["code"] == "rate_limit_exceeded"


async def test_the_log_names_events_subjects_and_attempts_and_is_paged(owner, receivers) -> None:
    receiver = await receivers.with_status("202 Accepted", body=b"thanks " * 500)
    made = await owner.add(receiver.url())
    ids = [await owner.paint() for _ in range(3)]
    deliveries = await owner.delivered(made["id"], 3)
    by_subject = {one["subject_id"]: one for one in deliveries}
    assert set(by_subject) == set(ids)
    (attempt,) = by_subject[ids[0]]["attempts"]
    assert (attempt["status"], attempt["error"], len(attempt["answer"])) == (202, None, 1024)
    of_event = await owner.ask("GET", f"/deliveries?event={by_subject[ids[1]]['event_id']}")
    of_subject = await owner.ask("GET", f"/deliveries?subject={ids[1]}")
    assert of_event["data"] == of_subject["data"] == [by_subject[ids[1]]]
    pages, cursor = [], ""
    while cursor is not None:
        page = await owner.ask("GET", f"/{made['id']}/deliveries?limit=2{cursor and f'&cursor={cursor}'}")
        pages.append([one["id"] for one in page["data"]])
        cursor = page["next_cursor"]
    assert pages == [[one["id"] for one in deliveries[:2]], [deliveries[2]["id"]]]
    assert (await owner.ask("GET", "/deliveries?cursor=x", status=400))["error"]["code"] == "invalid_cursor"


async def test_a_delivery_is_sent_again_in_the_same_bytes_under_the_same_id(owner, receivers) -> None:
    receiver = await receivers.with_status("204 No Content")
    made = await owner.add(receiver.url())
    await owner.paint()
    (delivery,) = await owner.delivered(made["id"], 1)
    again = await owner.ask("POST", f"/deliveries/{delivery['id']}/resend")
    assert again["status"] == "pending"
    (delivery,) = await owner.delivered(made["id"], 1)
    first, second = receiver.requests
    assert (first.body, first.headers["webhook-id"]) == (second.body, second.headers["webhook-id"])
    assert len(delivery["attempts"]) == 2


async def test_what_a_disabled_endpoint_missed_is_held_and_sent_when_asked_for(owner, receivers) -> None:
    receiver = await receivers.in_turn("410 Gone", "204 No Content")
    made = await owner.add(receiver.url())
    first = await owner.paint()
    await owner.delivered(made["id"], 1, status="failed")
    gone = await owner.ask("GET", f"/{made['id']}")
    assert (gone["state"], gone["disabled_reason"]) == ("disabled", "it answered 410 Gone")
    owner.gateway.clock.move(hours=1)
    second = await owner.paint()
    await owner.delivered(made["id"], 2, status="failed")
    assert len(receiver.requests) == 1
    refused = await owner.ask("POST", f"/{made['id']}/resend", status=409, since="2026-11-21T00:00:00Z")
    assert refused["error"]["code"] == "endpoint_disabled"
    assert (await owner.ask("PATCH", f"/{made['id']}", enabled=True))["state"] == "active"
    ranged = {"since": "2026-11-21T12:00:00Z", "until": "2026-11-21T13:00:00Z"}
    assert await owner.ask("POST", f"/{made['id']}/resend", **ranged) == {
        "object": "webhook_resend", "resent": 1, "has_more": False
    }  # fmt: skip
    assert [one["subject_id"] for one in await owner.delivered(made["id"], 1)] == [first]
    await owner.ask("POST", f"/{made['id']}/resend", since="2026-11-21T12:00:00Z")
    assert {one["subject_id"] for one in await owner.delivered(made["id"], 2)} == {first, second}
    again = await owner.ask("POST", f"/{made['id']}/resend", since="2026-11-21T12:00:00Z", delivered=True)
    assert again["resent"] == 2


async def test_what_waits_moves_with_the_endpoint(owner, receivers) -> None:
    old, new = await receivers.with_status("500 Oops"), await receivers.with_status("204 No Content")
    made = await owner.add(old.url())
    await owner.paint()

    async def has_failed() -> bool:
        return bool((await owner.ask("GET", f"/{made['id']}"))["failing_since"])

    await until(has_failed)
    await owner.ask("PATCH", f"/{made['id']}", url=new.url())
    owner.gateway.clock.move(minutes=1)
    owner.gateway.server.webhooks.deliveries.wake()
    await owner.delivered(made["id"], 1)
    assert (len(old.requests), len(new.requests)) == (1, 1)
    assert (await owner.ask("GET", f"/{made['id']}"))["state"] == "active"


async def test_what_was_to_go_to_a_removed_endpoint_goes_nowhere(owner, receivers) -> None:
    receiver = await receivers.with_status("500 Oops")
    made = await owner.add(receiver.url())
    await owner.paint()
    await owner.delivered(made["id"], 1, status="pending")
    await owner.ask("DELETE", f"/{made['id']}")
    assert (await owner.ask("GET", "/deliveries"))["data"] == []
