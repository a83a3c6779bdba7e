"""Everything arrives through receivers that fail in every way they can; real sockets, and hours that a hand moves."""

import asyncio
from collections import Counter

import pytest
from standardwebhooks import Webhook

from gateway.webhooks import Destinations, RetrySchedule
from gateway.webhooks.http_sender import HttpSender
from gateway.webhooks.outbound import guarded_client
from tests.gateway.webhooks.conftest import SECRET, attempted, settled, waiting

EVENTS = 60
OK = b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"

sqlite_only = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


class Faulty:
    """Answers well two times of three; else, in turn, it hangs, resets, errs, asks to wait, points elsewhere, or stops
    halfway."""

    def __init__(self, elsewhere: str) -> None:
        self.met: Counter[str] = Counter()
        self.answers = {
            "500": b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n",
            "429": b"HTTP/1.1 429 Slow Down\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n",
            "301": f"HTTP/1.1 301 Moved\r\nLocation: {elsewhere}\r\nContent-Length: 0\r\n\r\n".encode(),
            "cut": b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf",
        }

    async def __call__(self, writer: asyncio.StreamWriter) -> None:
        turn, place = divmod(self.met.total(), 3)
        faults = ["hang", "reset", *self.answers]
        fault = faults[turn % len(faults)] if place == 2 else "none"
        self.met[fault] += 1
        if fault == "hang":
            await asyncio.Event().wait()
        elif fault == "reset":
            writer.transport.abort()
        else:
            writer.write(self.answers.get(fault, OK))
            await writer.drain()


@sqlite_only
async def test_every_event_arrives_through_faults_of_every_kind(database, outbox, running, receivers, clock) -> None:
    elsewhere = await receivers.with_status("200 OK")
    faulty = Faulty(elsewhere.url())
    receiver = await receivers.acting(faulty)
    for number in range(EVENTS):
        await outbox(f"evt_{number:02}", receiver.url())
    rules = Destinations(allow_loopback=True)
    sender = HttpSender(rules, client=guarded_client(rules), total_timeout_s=1.0)
    async with running(sender, schedule=RetrySchedule(delays_s=(60.0,) * 20)) as loop:
        async with asyncio.timeout(90):
            while await waiting(database):
                clock.forward(seconds=61)
                loop.wake()
                await asyncio.sleep(0.02)
    seen = Counter(got.headers["webhook-id"] for got in receiver.requests)
    assert len(seen) == EVENTS
    assert len({(got.headers["webhook-id"], got.body) for got in receiver.requests}) == EVENTS, (
        "the same bytes each time"
    )
    assert set(faulty.met) == {"none", "hang", "reset", *faulty.answers}
    assert faulty.met["none"] == EVENTS, "what has arrived is never sent again"
    assert elsewhere.requests == []
    for got in receiver.requests[:2]:
        Webhook(SECRET).verify(got.body, got.headers)


@sqlite_only
async def test_a_wish_to_wait_is_granted_by_the_hour(database, outbox, running, receivers, clock) -> None:
    receiver = await receivers.with_status("429 Too Many Requests", "Retry-After: 7200")
    await outbox("evt_1", receiver.url())
    rules = Destinations(allow_loopback=True)
    async with running(HttpSender(rules, client=guarded_client(rules))) as loop:
        left = await attempted(database, 1)
        assert (left.due_at - clock()).total_seconds() == pytest.approx(7200, abs=1)
        clock.forward(seconds=7100)
        loop.wake()
        await asyncio.sleep(0.05)
        assert len(receiver.requests) == 1


@sqlite_only
async def test_one_who_never_answers_does_not_hold_up_one_who_does(database, outbox, running, receivers) -> None:
    silent, quick = await receivers.silent(), await receivers.with_status("204 No Content")
    for number in range(40):
        await outbox(f"evt_s{number:02}", silent.url())
    for number in range(10):
        await outbox(f"evt_q{number}", quick.url())
    rules = Destinations(allow_loopback=True)
    async with running(HttpSender(rules, client=guarded_client(rules))):
        await settled(database, 40)
        assert len(quick.requests) == 10
        assert len(silent.requests) <= 2
