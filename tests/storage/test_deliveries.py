"""The outbox: told until it has arrived, and only then forgotten."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from storage import Attempt, Database, Delivery, Event
from storage.deliveries import add_delivery, add_event, due, record_attempt
from tests.storage.conftest import NOW

pytestmark = pytest.mark.usefixtures("account")


def event_of(id: str, *, generation_id: str = "gen_1", kind: str = "completed") -> Event:
    return Event(
        id=id,
        account_id="acct_1",
        generation_id=generation_id,
        type=f"generation.{kind}",
        body=b'{"a":"\xc3\xa9"}',
        created_at=NOW,
    )


async def posted(database: Database, event: Event, *, now: datetime = NOW) -> None:
    async with database.writing() as transaction:
        await add_event(transaction, event)
        await add_delivery(transaction, event.id, f"https://{event.id}.example.com/", "whsec_1", now=now)


async def due_in(database: Database, *, after_s: float = 0, limit: int = 10) -> list[Delivery]:
    async with database.reading() as connection:
        return await due(connection, now=NOW + timedelta(seconds=after_s), limit=limit)


async def recorded(database: Database, *attempts: Attempt) -> None:
    async with database.writing() as transaction:
        for attempt in attempts:
            await record_attempt(transaction, "evt_1", attempt)


def failed(*, next_after_s: float | None) -> Attempt:
    next_at = None if next_after_s is None else NOW + timedelta(seconds=next_after_s)
    return Attempt(at=NOW, status=500, error="said no", is_delivered=False, next_at=next_at)


ARRIVED = Attempt(at=NOW, status=204, error=None, is_delivered=True)


async def test_what_is_posted_is_due_with_the_very_bytes(database: Database) -> None:
    await posted(database, event_of("evt_1"))

    assert await due_in(database) == [
        Delivery(event=event_of("evt_1"), url="https://evt_1.example.com/", secret="whsec_1", attempts=0, due_at=NOW)
    ]


async def test_the_longest_overdue_comes_first_up_to_the_limit(database: Database) -> None:
    for number in (3, 1, 2):
        event = event_of(f"evt_{number}", generation_id=f"gen_{number}")
        await posted(database, event, now=NOW + timedelta(seconds=number))

    assert [delivery.event.id for delivery in await due_in(database, after_s=2)] == ["evt_1", "evt_2"]
    assert [delivery.event.id for delivery in await due_in(database, after_s=9, limit=1)] == ["evt_1"]


async def test_a_failed_attempt_is_due_again_when_it_says(database: Database) -> None:
    await posted(database, event_of("evt_1"))

    await recorded(database, failed(next_after_s=5))

    assert await due_in(database, after_s=4.9) == []
    (again,) = await due_in(database, after_s=5)
    assert again.attempts == 1
    assert again.event.body == event_of("evt_1").body


@pytest.mark.parametrize("last", [ARRIVED, failed(next_after_s=None)])
async def test_what_arrived_or_was_given_up_is_never_due_again(database: Database, last: Attempt) -> None:
    await posted(database, event_of("evt_1"))

    await recorded(database, last)

    assert await due_in(database, after_s=10**7) == []


async def test_what_has_arrived_is_not_sent_again_because_a_second_copy_failed(database: Database) -> None:
    await posted(database, event_of("evt_1"))

    await recorded(database, ARRIVED, failed(next_after_s=5))

    assert await due_in(database, after_s=10**7) == []


async def test_a_generation_has_one_event_of_a_type(database: Database) -> None:
    await posted(database, event_of("evt_1"))

    with pytest.raises(IntegrityError):
        await posted(database, event_of("evt_2"))

    await posted(database, event_of("evt_3", kind="failed"))
    assert [delivery.event.id for delivery in await due_in(database)] == ["evt_1", "evt_3"]
