"""The loop over a real outbox, on SQLite and on PostgreSQL. Time is a hand that the test moves; nothing sleeps through a schedule."""

import asyncio
from datetime import timedelta

import pytest
from standardwebhooks import Webhook

from gateway.webhooks import (
    Answer,
    Deliveries,
    Destinations,
    Dispatcher,
    Message,
    RecordingSender,
    RetrySchedule,
    open_sender,
)
from gateway.webhooks.delivery import PAGE
from storage import Database
from tests.gateway.webhooks.conftest import SECRET, attempted, sent, settled, waiting


async def test_an_event_is_delivered_signed_and_leaves_the_outbox(database, outbox, running) -> None:
    sender = RecordingSender()
    await outbox("evt_1")
    async with running(sender):
        await settled(database, 0)
    (message,) = sender.sent
    assert message.url == "https://hooks.example/"
    assert Webhook(SECRET).verify(message.body, dict(message.headers)) == {"id": "evt_1"}


async def test_an_event_that_comes_while_the_loop_waits_is_sent_when_it_is_woken(database, outbox, running) -> None:
    sender = RecordingSender()
    async with running(sender) as loop:
        await outbox("evt_1")
        loop.wake()
        await settled(database, 0)
    assert len(sender.sent) == 1


async def test_without_being_woken_the_loop_looks_by_itself(database, outbox, running) -> None:
    sender = RecordingSender()
    async with running(sender, poll_s=0.01):
        await outbox("evt_1")
        await settled(database, 0)
    assert len(sender.sent) == 1


async def test_failures_are_tried_again_on_schedule_with_the_same_bytes(database, outbox, running, clock) -> None:
    sender = RecordingSender(answers=[Answer(status=500), Answer(error="reset"), Answer(status=302)])
    await outbox("evt_1")
    async with running(sender) as loop:
        for attempts, wait_s in ((1, 5), (2, 300), (3, 1800)):
            left = await attempted(database, attempts)
            assert left.due_at - clock() == pytest.approx(timedelta(seconds=wait_s), abs=timedelta(milliseconds=2))
            clock.forward(seconds=wait_s - 1)
            loop.wake()
            await asyncio.sleep(0.02)
            assert len(sender.sent) == attempts, "not before its time"
            clock.forward(seconds=2)
            loop.wake()
        await settled(database, 0)
    assert len({message.body for message in sender.sent}) == 1
    assert {message.headers["webhook-id"] for message in sender.sent} == {"evt_1"}
    assert len({message.headers["webhook-timestamp"] for message in sender.sent}) == 4


async def test_after_eight_failures_it_is_given_up(database, outbox, running, clock) -> None:
    sender = RecordingSender(answers=[Answer(status=500)] * 20)
    await outbox("evt_1")
    async with running(sender) as loop:
        for attempts in range(1, 8):
            await attempted(database, attempts)
            clock.forward(hours=11)
            loop.wake()
        await settled(database, 0)
        clock.forward(days=30)
        loop.wake()
        await asyncio.sleep(0.02)
    assert len(sender.sent) == 8


async def test_a_receiver_that_is_gone_is_asked_once(database, outbox, running) -> None:
    sender = RecordingSender(answers=[Answer(status=410)])
    await outbox("evt_1")
    async with running(sender):
        await settled(database, 0)
    assert len(sender.sent) == 1


async def test_what_a_stop_cut_short_is_sent_by_the_next_run(database, outbox, running) -> None:
    class Stuck(RecordingSender):
        async def send(self, message: Message) -> Answer:
            await super().send(message)
            await asyncio.Event().wait()
            return Answer(status=204)

    stuck, sender = Stuck(), RecordingSender()
    await outbox("evt_1")
    async with running(stuck):
        await sent(stuck, 1)
    assert len(await waiting(database)) == 1
    async with running(sender):
        await settled(database, 0)
    assert [message.body for message in sender.sent] == [message.body for message in stuck.sent]


async def test_an_event_in_flight_is_not_sent_twice_however_often_the_loop_is_woken(database, outbox, running) -> None:
    gate = asyncio.Event()

    class Gated(RecordingSender):
        async def send(self, message: Message) -> Answer:
            answer = await super().send(message)
            await gate.wait()
            return answer

    sender = Gated()
    await outbox("evt_1")
    async with running(sender) as loop:
        for _ in range(5):
            loop.wake()
            await asyncio.sleep(0.01)
        gate.set()
        await settled(database, 0)
    assert len(sender.sent) == 1


async def test_a_receiver_that_hangs_holds_up_nobody_else(database, outbox, running) -> None:
    """More events than a page holds wait for the hanging host, and all of them are older."""
    hanging = asyncio.Event()

    class Mixed(RecordingSender):
        async def send(self, message: Message) -> Answer:
            if "hanging" in message.url:
                await hanging.wait()
            return await super().send(message)

    sender = Mixed()
    for number in range(PAGE + 10):
        await outbox(f"evt_a{number:03}", "https://hanging.example/")
    for number in range(20):
        await outbox(f"evt_b{number:03}", f"https://host-{number}.example/")
    async with running(sender):
        await sent(sender, 20)
        assert all("hanging" not in message.url for message in sender.sent)
        hanging.set()
        await settled(database, 0)
    assert len({message.headers["webhook-id"] for message in sender.sent}) == PAGE + 30


async def test_a_secret_that_cannot_sign_fails_that_delivery_alone(database, outbox, add_endpoint_at, running) -> None:
    sender = RecordingSender()
    await add_endpoint_at("https://bad.example/", secret="whsec_!")
    await outbox("evt_bad", "https://bad.example/", endpoint_id="we_1")
    await outbox("evt_good")
    async with running(sender):
        await sent(sender, 1)
        left = await attempted(database, 1)
    assert left.event_id == "evt_bad"
    assert [message.headers["webhook-id"] for message in sender.sent] == ["evt_good"]


async def test_a_database_that_is_away_for_a_while_loses_nothing(tmp_path, outbox, database, clock) -> None:
    """The second database has no tables: every look at it fails, as one that does not answer."""
    absent = Database(f"sqlite:///{tmp_path}/missing/outbox.db")
    sender = RecordingSender()
    dispatcher = Dispatcher(database=database, sender=sender, clock=clock, chance=lambda: 0.5)
    loop = Deliveries(database=absent, dispatcher=dispatcher, clock=clock, seconds=clock.seconds, poll_s=0.01)
    task = asyncio.create_task(loop.run())
    await outbox("evt_1")
    await asyncio.sleep(0.05)
    assert not task.done()
    loop.database = database
    await settled(database, 0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await absent.close()
    assert len(sender.sent) == 1


async def test_over_real_http_every_event_arrives_through_faults(database, outbox, clock, receivers, running) -> None:
    """A receiver that fails three times in ways of its own, a dead one, and a healthy one beside them."""
    flaky = await receivers.in_turn("500 Oops", "301 Moved", "503 Busy", "200 OK")
    healthy = await receivers.with_status("204 No Content")
    resetting = await receivers.resetting()
    for number in range(10):
        await outbox(f"evt_h{number}", healthy.url())
    await outbox("evt_f", flaky.url())
    await outbox("evt_r", resetting.url())
    async with running(
        open_sender(Destinations(allow_loopback=True)), schedule=RetrySchedule(delays_s=(1.0,) * 9)
    ) as loop:
        async with asyncio.timeout(60):
            while len(await waiting(database)) > 1:
                clock.forward(seconds=2)
                loop.wake()
                await asyncio.sleep(0.02)
        (left,) = await settled(database, 1)
    assert left.event_id == "evt_r"
    assert sorted(got.headers["webhook-id"] for got in healthy.requests) == [f"evt_h{number}" for number in range(10)]
    assert len(flaky.requests) == 4
    assert len({got.body for got in flaky.requests}) == 1
    for got in (*healthy.requests, *flaky.requests[:1]):
        Webhook(SECRET).verify(got.body, got.headers)


class Idle(Deliveries):
    """A loop with nothing to deliver."""

    async def _look(self, group: asyncio.TaskGroup) -> None:
        """Look at nothing."""


@pytest.mark.parametrize("turns", range(6))
async def test_a_stop_is_heard_even_at_the_instant_of_a_wake(turns: int, clock, tmp_path) -> None:
    nowhere = Database(f"sqlite:///{tmp_path}/none.db")
    dispatcher = Dispatcher(database=nowhere, sender=RecordingSender(), clock=clock, chance=lambda: 0.5)
    loop = Idle(database=nowhere, dispatcher=dispatcher, clock=clock, seconds=clock.seconds)
    task = asyncio.create_task(loop.run())
    await asyncio.sleep(0.001)
    loop.wake()
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task], timeout=30)
    assert task.cancelled()


async def test_an_attempt_that_was_answered_is_recorded_even_while_stopping(database, outbox, clock) -> None:
    class Stopping(RecordingSender):
        async def send(self, message: Message) -> Answer:
            answer = await super().send(message)
            asyncio.get_running_loop().call_soon(task.cancel)
            return answer

    await outbox("evt_1")
    dispatcher = Dispatcher(database=database, sender=Stopping(), clock=clock, chance=lambda: 0.5)
    loop = Deliveries(database=database, dispatcher=dispatcher, clock=clock, seconds=clock.seconds)
    task = asyncio.create_task(loop.run())
    await asyncio.wait([task], timeout=60)
    assert task.cancelled()
    assert await waiting(database) == []
