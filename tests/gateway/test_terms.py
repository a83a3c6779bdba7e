"""Whose turn, for how long, and under which of the caller's own names: priority, ttl, metadata, and lists by them."""

import asyncio
import json

import pytest
from sqlalchemy import text

from gateway.generations.ending.retention import AT_A_TIME

OK, BAD = 200, 400
MONTH_S = 2_592_000


def error_of(answered):
    error = answered.json()["error"]
    return answered.status_code, error["code"], error["param"]


async def rows_of(gateway, query):
    async with gateway.installation.database.reading() as connection:
        return (await connection.execute(text(query))).all()


async def listed(gateway, **params):
    answered = await gateway.get("/v1/generations", **params)
    assert answered.status_code == 200, answered.text
    return [one["generation_id"] for one in answered.json()["data"]]


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        ({"priority": "interactive"}, OK, None),
        ({"priority": "batch"}, OK, None),
        ({"priority": "urgent"}, BAD, "priority"),
        ({"ttl": 60}, OK, None),
        ({"ttl": 315_360_000}, OK, None),
        ({"ttl": 59}, BAD, "ttl"),
        ({"ttl": 315_360_001}, BAD, "ttl"),
        ({"ttl": 60.0}, BAD, "ttl"),
        ({"metadata": {}}, OK, None),
        ({"metadata": {f"k{n}": "v" for n in range(16)}}, OK, None),
        ({"metadata": {f"k{n}": "v" for n in range(17)}}, BAD, "metadata"),
        ({"metadata": {"k" * 64: "v" * 512}}, OK, None),
        ({"metadata": {"k" * 65: "v"}}, BAD, "metadata"),
        ({"metadata": {"k": "v" * 513}}, BAD, "metadata"),
        ({"metadata": {"": "v"}}, BAD, "metadata"),
        ({"metadata": {'a"b': "v"}}, BAD, "metadata"),
        ({"metadata": {"k": ""}}, OK, None),
        ({"metadata": {"k": "a\x00b"}}, BAD, "metadata"),
        ({"metadata": {"k": 1}}, BAD, "metadata"),
        ({"metadata": ["k"]}, BAD, "metadata"),
    ],
    ids=lambda value: json.dumps(value)[:50] if isinstance(value, dict) else None,
)
async def test_each_rule_holds_at_its_limit_and_refuses_one_beyond(gateway, body, status, param):
    answered = await gateway.paint(**body)
    assert answered.status_code == status, answered.text
    if param:
        assert error_of(answered) == (BAD, "invalid_parameter", param)


async def test_what_was_wished_comes_back_everywhere(gateway):
    pairs = {"order": "7", "who": "Zoë"}
    answered = await gateway.paint(priority="batch", metadata=pairs, ttl=3600, webhook_url="http://127.0.0.1:9/x")
    id = answered.json()["generation_id"]
    for _ in range(1000):
        body = (await gateway.get(f"/v1/generations/{id}")).json()
        if body["status"] == "completed":
            break
        await asyncio.sleep(0.005)
    assert (body["priority"], body["metadata"], body["expires_at"]) == ("batch", pairs, "2026-11-21T13:00:10Z")
    ((event,),) = await rows_of(gateway, "SELECT body FROM events")
    assert json.loads(event)["data"]["metadata"] == pairs


async def test_a_form_takes_metadata_as_json(gateway):
    parts = [("prompt", (None, "a boat")), ("metadata", (None, '{"order": "7"}')), ("ttl", (None, "90"))]
    headers = {"Authorization": f"Bearer {gateway.key}"}
    body = (await gateway.http.post("/v1/generate", files=parts, headers=headers)).json()
    assert (body["metadata"], body["expires_at"]) == ({"order": "7"}, "2026-11-21T12:01:40Z")


async def test_batch_work_is_painted_behind_interactive_work(open_gateway):
    gateway = await open_gateway(slots=1)
    gateway.engine.hold()
    await gateway.paint(**{"async": True}, seed=0)
    await gateway.paint(**{"async": True}, seed=1, priority="batch")
    await gateway.paint(**{"async": True}, seed=2)
    gateway.engine.release()
    for _ in range(2000):
        if len(gateway.engine.painted) == 3:
            break
        await asyncio.sleep(0.005)
    assert [spec.seed for spec in gateway.engine.painted] == [0, 2, 1]


@pytest.mark.parametrize(
    ("plan", "wished_s", "kept_s"),
    [("owner", None, None), ("owner", 86_400, 86_400), ("free", None, MONTH_S), ("free", MONTH_S, MONTH_S)],
)
async def test_the_plan_says_how_long_unless_the_request_does(gateway, plan, wished_s, kept_s):
    key = gateway.key if plan == "owner" else await gateway.new_key(plan=plan, credits=9)
    body = (await gateway.paint(key=key, ttl=wished_s)).json()
    ((kept_ms,),) = await rows_of(gateway, "SELECT expires_at - created_at FROM generations")
    assert kept_ms == (None if kept_s is None else kept_s * 1000)
    assert (body["expires_at"] is None) == (kept_s is None)


async def test_no_request_is_kept_longer_than_its_plan_allows(gateway):
    key = await gateway.new_key(plan="free", credits=9)
    refused = await gateway.paint(key=key, ttl=MONTH_S + 1)
    assert error_of(refused) == (403, "plan_upgrade_required", "ttl")
    quoted = await gateway.paint(key=key, ttl=MONTH_S + 1, dry_run=True)
    assert error_of(quoted) == (403, "plan_upgrade_required", "ttl")


async def test_a_replay_lives_as_long_as_the_plan_says(gateway):
    key = await gateway.new_key(plan="free", credits=9)
    first = (await gateway.paint(key=key, ttl=600)).json()["generation_id"]
    gateway.clock.move(seconds=100)
    headers = {"Authorization": f"Bearer {key}"}
    again = (await gateway.http.post(f"/v1/generations/{first}/replay", headers=headers)).json()
    assert again["identical"] is True
    lives = await rows_of(gateway, "SELECT expires_at - created_at FROM generations ORDER BY number")
    assert [life for (life,) in lives] == [600_000, MONTH_S * 1000]


async def test_what_has_expired_is_gone_with_its_files_and_the_ledger_keeps_its_rows(gateway):
    key = await gateway.new_key(plan="pro", credits=9)
    short = (await gateway.paint(key=key, ttl=60, prompt="a secret boat")).json()
    long = (await gateway.paint(key=key, ttl=61)).json()
    gateway.clock.move(seconds=59)
    assert await gateway.server.painting.sweeper.sweep() == 0
    gateway.clock.move(seconds=1)
    assert await gateway.server.painting.sweeper.sweep() == 1
    assert (await gateway.get(f"/v1/generations/{short['generation_id']}", key=key)).status_code == 404
    assert (await gateway.http.get(short["image_url"])).status_code == 404
    assert (await gateway.http.get(long["image_url"])).status_code == 200
    folder = gateway.installation.settings.data_dir / "pictures" / "gen"
    assert [entry.name for entry in folder.iterdir()] == [long["generation_id"]]
    kinds = await rows_of(gateway, f"SELECT kind FROM ledger WHERE generation_id = '{short['generation_id']}'")  # noqa: S608
    assert sorted(kind for (kind,) in kinds) == ["capture", "hold"]
    assert await rows_of(gateway, "SELECT id FROM generations WHERE prompt = 'a secret boat'") == []
    assert await gateway.server.painting.sweeper.sweep() == 0


async def test_what_is_not_painted_yet_is_kept_until_it_is(gateway):
    gateway.engine.hold()
    waiting = (await gateway.paint(ttl=60, **{"async": True})).json()["generation_id"]
    gateway.clock.move(hours=1)
    assert await gateway.server.painting.sweeper.sweep() == 0
    gateway.engine.release()
    assert (await gateway.get(f"/v1/generations/{waiting}")).status_code == 200


async def test_more_than_one_sitting_is_swept_in_one_go(gateway):
    first = (await gateway.paint(ttl=60)).json()["generation_id"]
    async with gateway.installation.database.writing() as transaction:
        columns = [
            column
            for (column,) in await transaction.execute(text("SELECT name FROM pragma_table_info('generations')"))
            if column not in {"id", "number"}
        ]
        copied = ", ".join(columns)
        for n in range(AT_A_TIME):
            await transaction.execute(
                text(f"INSERT INTO generations (id, {copied}) SELECT :id, {copied} FROM generations WHERE id = :of"),  # noqa: S608
                {"id": f"gen_{n}", "of": first},
            )
    gateway.clock.move(seconds=60)
    assert await gateway.server.painting.sweeper.sweep() == AT_A_TIME + 1
    assert await rows_of(gateway, "SELECT id FROM generations") == []


async def test_a_list_is_filtered_by_state_style_time_and_metadata(gateway):
    first = (await gateway.paint(style="watercolor", metadata={"order": "7", "who": "ada"})).json()["generation_id"]
    gateway.clock.move(minutes=1)
    second = (await gateway.paint(style="watercolor", metadata={"order": "8"})).json()["generation_id"]
    gateway.clock.move(minutes=1)
    third = (await gateway.paint(style="oil-painting", metadata={"order": "7"})).json()["generation_id"]
    assert await listed(gateway, style="watercolor") == [second, first]
    assert await listed(gateway, status="completed") == [third, second, first]
    assert await listed(gateway, status="failed") == []
    assert await listed(gateway, created_after="2026-11-21T12:01:10Z") == [third, second]
    assert await listed(gateway, created_before="2026-11-21T12:01:10") == [first]
    moscow = {"created_after": "2026-11-21T15:01:10+03:00", "created_before": "2026-11-21T15:02:00+03:00"}
    assert await listed(gateway, **moscow) == [second]
    assert await listed(gateway, **{"metadata[order]": "7"}) == [third, first]
    assert await listed(gateway, **{"metadata[order]": "7", "metadata[who]": "ada"}) == [first]
    assert await listed(gateway, **{"metadata[order]": "7", "style": "oil-painting"}) == [third]
    assert await listed(gateway, **{"metadata[nobody]": "7"}) == []


@pytest.mark.parametrize(
    ("query", "param"),
    [
        ("status=done", "status"),
        ("created_after=yesterday", "created_after"),
        ("metadata=7", "metadata"),
        ("metadata[a=7", "metadata"),
        ("metadata[]=7", "metadata"),
        ('metadata[a"b]=7', "metadata"),
        ("metadata[a]=7&metadata[a]=8", "metadata"),
        ("metadata[a]=" + "v" * 513, "metadata"),
        ("&".join(f"metadata[k{n}]=v" for n in range(17)), "metadata"),
    ],
)
async def test_a_filter_that_means_nothing_is_refused(gateway, query, param):
    headers = {"Authorization": f"Bearer {gateway.key}"}
    answered = await gateway.http.get(f"/v1/generations?{query}", headers=headers)
    assert error_of(answered) == (400, "invalid_parameter", param)


async def test_pages_of_a_filtered_list_follow_each_other(gateway):
    ids = [(await gateway.paint(metadata={"even": str(n % 2)})).json()["generation_id"] for n in range(5)]
    first = (await gateway.get("/v1/generations", limit=2, **{"metadata[even]": "0"})).json()
    assert [one["generation_id"] for one in first["data"]] == [ids[4], ids[2]]
    rest = await listed(gateway, limit=2, cursor=first["next_cursor"], **{"metadata[even]": "0"})
    assert rest == [ids[0]]
