"""Several servers drain one database: each delivery is made by one of them, and by another when that one is gone."""

import asyncio
from collections import Counter
from contextlib import AsyncExitStack

from gateway.webhooks import Answer, Dispatcher, Message, RecordingSender
from storage import Database
from storage.deliveries import claim_deliveries, due
from tests.gateway.webhooks.conftest import resting, sent, settled, waiting


class Slow(RecordingSender):
    """Answers when the gate opens."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()

    async def send(self, message: Message) -> Answer:
        answer = await super().send(message)
        await self.gate.wait()
        return answer


async def test_four_servers_send_each_of_sixty_events_once(database, database_url, outbox, running) -> None:
    for number in range(60):
        await outbox(f"evt_{number:03}", f"https://host-{number % 15}.example/")
    senders = [RecordingSender() for _ in range(4)]
    others = [Database(database_url) for _ in senders]
    async with AsyncExitStack() as stack:
        for own, sender in zip(others, senders, strict=True):
            await stack.enter_async_context(running(sender, on=own, poll_s=0.01))
        await settled(database, 0)
    counted = Counter(message.headers["webhook-id"] for sender in senders for message in sender.sent)
    assert len(counted) == 60
    assert set(counted.values()) == {1}
    for own in others:
        await own.close()


async def test_what_one_server_is_sending_another_leaves_alone(database, outbox, running) -> None:
    slow, other = Slow(), RecordingSender()
    await outbox("evt_1")
    async with running(slow) as first:
        await sent(slow, 1)
        await resting(first)  # else it might look once more, and take the second event too
        async with running(other) as loop:
            await outbox("evt_2", "https://elsewhere.example/")
            loop.wake()
            await sent(other, 1)
        slow.gate.set()
        await settled(database, 0)
    assert [message.headers["webhook-id"] for message in other.sent] == ["evt_2"]


async def test_what_a_killed_server_had_claimed_is_sent_when_its_lease_has_run_out(
    database, outbox, running, clock
) -> None:
    await outbox("evt_1")
    async with database.writing() as transaction:  # and never heard of again
        (claimed,) = await claim_deliveries(transaction, ["dlv_evt_1"], now=clock(), lease_s=0.2)
    sender = RecordingSender()
    async with running(sender, poll_s=0.01):
        async with database.reading() as connection:
            assert await due(connection, now=clock(), but=(), limit=9) == []
        await settled(database, 0)
    assert len(sender.sent) == 1
    assert claimed.attempts == 0, "being killed uses up no attempt"


async def test_a_lone_server_takes_back_at_once_what_its_last_run_had_claimed(database, outbox, running, clock) -> None:
    await outbox("evt_1")
    async with database.writing() as transaction:
        await claim_deliveries(transaction, ["dlv_evt_1"], now=clock(), lease_s=3600)
    sender = RecordingSender()
    async with running(sender) as loop:
        await loop.adopt_orphans()
        loop.wake()
        await settled(database, 0)
    assert len(sender.sent) == 1


async def test_who_outlasts_its_lease_records_a_success_but_no_failure(database, outbox, clock) -> None:
    for event_id in ("evt_1", "evt_2"):
        await outbox(event_id)
    answers = RecordingSender(answers=[Answer(status=500), Answer(status=204)])
    dispatcher = Dispatcher(database=database, sender=answers, clock=clock, chance=lambda: 0.5)
    async with database.writing() as transaction:
        lapsed = await claim_deliveries(transaction, ["dlv_evt_1", "dlv_evt_2"], now=clock(), lease_s=-1)
    async with database.writing() as transaction:
        assert len(await claim_deliveries(transaction, ["dlv_evt_1", "dlv_evt_2"], now=clock(), lease_s=30)) == 2
    for delivery in lapsed:
        await dispatcher.attempt(delivery)
    (left,) = await waiting(database)
    assert (left.event_id, left.attempts) == ("evt_1", 0), "the one that holds the lease speaks for it"
