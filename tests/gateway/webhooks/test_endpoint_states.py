"""What attempts do to an endpoint: active, failing, disabled. Days pass by the hand of a clock."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from standardwebhooks import Webhook

from gateway.identity import new_id
from gateway.webhooks import Answer, Happening, Message, Outbox, RecordingSender
from gateway.webhooks.dispatching import FAILING_FOR_TOO_LONG, reason_to_disable
from storage import Endpoint, EndpointState
from storage.endpoints import endpoint_of
from storage.webhook_tables import deliveries, delivery_attempts, events
from tests.gateway.webhooks.conftest import attempted, sent, settled, waiting

URL = "https://hooks.example/"


@pytest.fixture
def told(database, clock):
    """The account's events go where the outbox sends them."""

    async def tell(subject_id: str, *, own_url: str | None = None, kind: str = "completed") -> None:
        happening = Happening(account_id="a", subject_id=subject_id, type=f"generation.{kind}", at=clock(), members={})
        async with database.writing() as transaction:
            await Outbox(new_id=new_id).publish(transaction, happening, own_url=own_url)

    return tell


async def endpoint(database) -> Endpoint:
    async with database.reading() as connection:
        found = await endpoint_of(connection, "a", "we_1")
    assert found is not None
    return found


async def rows(database, table) -> list:
    async with database.reading() as connection:
        return list((await connection.execute(select(table))).mappings())


async def test_an_event_goes_to_every_endpoint_that_wants_it_and_to_the_requests_own_address(
    database, add_endpoint_at, told, running
) -> None:
    await add_endpoint_at(URL)
    await add_endpoint_at("https://failures.example/", id="we_2", events=frozenset({"generation.failed"}))
    await add_endpoint_at("https://batches.example/", id="we_3", events=frozenset({"batch.completed"}))
    await told("gen_1", own_url="https://own.example/", kind="failed")
    sender = RecordingSender()
    async with running(sender):
        await settled(database, 0)
    assert sorted(message.url for message in sender.sent) == [
        "https://failures.example/", URL, "https://own.example/"
    ]  # fmt: skip
    assert len({(message.body, message.headers["webhook-id"]) for message in sender.sent}) == 1, "one event"


async def test_without_anybody_to_tell_nothing_is_written(database, outbox, told) -> None:
    await told("gen_1")
    assert await rows(database, events) == []


async def test_the_events_of_an_account_are_numbered(database, add_endpoint_at, told, running) -> None:
    await add_endpoint_at(URL)
    sender = RecordingSender()
    for number in range(3):
        await told(f"gen_{number}")
    async with running(sender):
        await settled(database, 0)
    assert sorted(int(message.body.partition(b'"sequence":')[2].partition(b",")[0]) for message in sender.sent) == [
        1,
        2,
        3,
    ]


async def test_a_failure_makes_it_failing_and_a_success_active(database, add_endpoint_at, told, running, clock) -> None:
    await add_endpoint_at(URL)
    await told("gen_1")
    async with running(RecordingSender(answers=[Answer(status=500)])) as loop:
        await attempted(database, 1)
        failing = await endpoint(database)
        assert failing.state is EndpointState.FAILING
        clock.forward(seconds=6)
        loop.wake()
        await settled(database, 0)
    again = await endpoint(database)
    assert (again.state, again.failing_since) == (EndpointState.ACTIVE, None)


async def test_gone_disables_it_and_what_waits_for_it_is_held(database, add_endpoint_at, told, running) -> None:
    await add_endpoint_at(URL)
    for number in range(5):
        await told(f"gen_{number}", own_url="https://own.example/")

    class GoneThere(RecordingSender):
        async def send(self, message: Message) -> Answer:
            await super().send(message)
            return Answer(status=410 if message.url == URL else 204)

    sender = GoneThere()
    async with running(sender):
        await settled(database, 0)
        gone = await endpoint(database)
        await told("gen_5")
    assert (gone.state, gone.disabled_reason) == (EndpointState.DISABLED, "it answered 410 Gone")
    assert sum(message.url == "https://own.example/" for message in sender.sent) == 5, "others are not its affair"
    held = [row for row in await rows(database, deliveries) if row.endpoint_id and row.delivered_at is None]
    assert len(held) == 6, "also the one that came afterwards"
    assert all(row.due_at is None and "disabled" in row.error for row in held if row.attempts == 0)


async def test_five_days_without_a_success_disable_it(database, add_endpoint_at, told, running, clock) -> None:
    await add_endpoint_at(URL)
    sender = RecordingSender(answers=[Answer(status=500)] * 99)
    await told("gen_1")
    async with running(sender) as loop:
        await attempted(database, 1)
        clock.forward(days=4, hours=23)
        loop.wake()
        await attempted(database, 2)
        assert (await endpoint(database)).state is EndpointState.FAILING
        clock.forward(hours=2)
        loop.wake()
        await settled(database, 0)
    assert (await endpoint(database)).state is EndpointState.DISABLED
    assert len(sender.sent) == 3


def test_the_reasons_to_disable(clock) -> None:
    now, since = clock(), clock() - FAILING_FOR_TOO_LONG
    assert reason_to_disable(Answer(status=410), failing_since=now, now=now)
    assert reason_to_disable(Answer(status=500), failing_since=since, now=now)
    assert reason_to_disable(Answer(error="reset"), failing_since=now, now=now) is None


async def test_both_secrets_sign_while_one_replaces_the_other(database, add_endpoint_at, told, running, clock) -> None:

    old, new = "whsec_" + "b2xkb2xk" * 4, "whsec_" + "bmV3bmV3" * 4
    overlap_ends = clock() + timedelta(hours=24)
    await add_endpoint_at(URL, secret=new, previous_secret=old, previous_valid_until=overlap_ends)
    sender = RecordingSender()
    await told("gen_1")
    async with running(sender) as loop:
        await settled(database, 0)
        (during,) = sender.sent
        for secret in (old, new):
            Webhook(secret).verify(during.body, dict(during.headers))
        clock.forward(hours=24)
        await told("gen_2")
        loop.wake()
        await sent(sender, 2)
    assert during.headers["webhook-signature"].count("v1,") == 2
    assert sender.sent[1].headers["webhook-signature"].count("v1,") == 1


async def test_the_log_is_forgotten_after_thirty_days_and_what_waits_is_not(
    database, add_endpoint_at, told, running, clock
) -> None:
    await add_endpoint_at(URL, events=frozenset({"generation.completed"}))
    await told("gen_1")
    sender = RecordingSender(answers=[Answer(status=204, excerpt=b"thanks"), Answer(status=500)])
    async with running(sender) as loop:
        await settled(database, 0)
        await told("gen_2", kind="canceled", own_url="https://own.example/")
        loop.wake()
        await attempted(database, 1)
    assert [(row.status, row.answer) for row in await rows(database, delivery_attempts)] == [
        (204, b"thanks"),
        (500, b""),
    ]
    clock.forward(days=31)
    async with running(RecordingSender(answers=[Answer(status=500)])):
        await attempted(database, 2)
    assert len(await rows(database, delivery_attempts)) == 1
    assert [row.type for row in await rows(database, events)] == ["generation.canceled"]
    assert len(await waiting(database)) == 1
