"""The outbox: told until it has arrived, and only then forgotten."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from storage import Attempt, Database, Delivery, DueDelivery, Event, Target
from storage.deliveries import add_delivery, claim_deliveries, due, record_attempt, release_delivery
from storage.events import add_event, next_event_number
from tests.storage.conftest import NOW

pytestmark = pytest.mark.usefixtures("account")


def event_of(id: str, *, subject_id: str = "gen_1", kind: str = "completed", now: datetime = NOW) -> Event:
    return Event(
        id=id,
        account_id="acct_1",
        subject_id=subject_id,
        type=f"generation.{kind}",
        body=b'{"a":"\xc3\xa9"}',
        created_at=now,
    )


async def posted(database: Database, event: Event, *, is_held: bool = False) -> None:
    host = f"{event.id}.example.com"
    async with database.writing() as transaction:
        await add_event(transaction, event)
        target = Target(url=f"https://{host}/", host=host, is_held=is_held)
        await add_delivery(transaction, event.id.replace("evt", "dlv"), event, target)


async def due_in(database: Database, *, after_s: float = 0, limit: int = 10, but: tuple[str, ...] = ()) -> list[str]:
    async with database.reading() as connection:
        found = await due(connection, now=NOW + timedelta(seconds=after_s), but=but, limit=limit)
    return [delivery.id for delivery in found]


async def claimed(database: Database, *ids: str, after_s: float = 0, lease_s: float = 30) -> list[Delivery]:
    async with database.writing() as transaction:
        return await claim_deliveries(transaction, ids, now=NOW + timedelta(seconds=after_s), lease_s=lease_s)


async def recorded(database: Database, delivery: Delivery, attempt: Attempt) -> bool:
    async with database.writing() as transaction:
        return await record_attempt(transaction, delivery, attempt)


def failed(*, next_after_s: float | None) -> Attempt:
    next_at = None if next_after_s is None else NOW + timedelta(seconds=next_after_s)
    return Attempt(at=NOW, status=500, error="said no", is_delivered=False, next_at=next_at)


ARRIVED = Attempt(at=NOW, status=204, error=None, is_delivered=True)


async def test_what_is_posted_is_due_with_the_very_bytes(database: Database) -> None:
    await posted(database, event_of("evt_1"))

    async with database.reading() as connection:
        assert await due(connection, now=NOW, but=(), limit=9) == [DueDelivery(id="dlv_1", host="evt_1.example.com")]
    (delivery,) = await claimed(database, "dlv_1")
    assert (delivery.event, delivery.url) == (event_of("evt_1"), "https://evt_1.example.com/")
    assert (delivery.secrets, delivery.attempts, delivery.endpoint_id) == (("whsec_1",), 0, None)
    assert "whsec_1" not in repr(delivery)


async def test_what_is_held_is_not_due(database: Database) -> None:
    await posted(database, event_of("evt_1"), is_held=True)

    assert await due_in(database, after_s=10**7) == []


async def test_the_longest_overdue_comes_first_up_to_the_limit(database: Database) -> None:
    for number in (3, 1, 2):
        await posted(
            database, event_of(f"evt_{number}", subject_id=f"gen_{number}", now=NOW + timedelta(seconds=number))
        )

    assert await due_in(database, after_s=2) == ["dlv_1", "dlv_2"]
    assert await due_in(database, after_s=9, limit=1) == ["dlv_1"]
    assert await due_in(database, after_s=9, but=("evt_1.example.com",)) == ["dlv_2", "dlv_3"]


async def test_what_is_claimed_is_nobody_elses_until_it_is_let_go_or_the_lease_runs_out(database: Database) -> None:
    await posted(database, event_of("evt_1"))

    (delivery,) = await claimed(database, "dlv_1")
    assert await due_in(database) == []
    assert await claimed(database, "dlv_1") == []
    async with database.writing() as transaction:
        await release_delivery(transaction, delivery)
    assert await due_in(database) == ["dlv_1"]
    await claimed(database, "dlv_1", lease_s=-1)
    assert len(await claimed(database, "dlv_1")) == 1


async def test_a_failed_attempt_is_due_again_when_it_says(database: Database) -> None:
    await posted(database, event_of("evt_1"))
    (delivery,) = await claimed(database, "dlv_1")

    assert await recorded(database, delivery, failed(next_after_s=5))

    assert await due_in(database, after_s=4.9) == []
    assert await claimed(database, "dlv_1", after_s=4.9) == []
    (again,) = await claimed(database, "dlv_1", after_s=5)
    assert again.attempts == 1
    assert again.event.body == event_of("evt_1").body


@pytest.mark.parametrize("last", [ARRIVED, failed(next_after_s=None)])
async def test_what_arrived_or_was_given_up_is_never_due_again(database: Database, last: Attempt) -> None:
    await posted(database, event_of("evt_1"))
    (delivery,) = await claimed(database, "dlv_1")

    await recorded(database, delivery, last)

    assert await due_in(database, after_s=10**7) == []


async def test_what_has_arrived_is_not_sent_again_because_a_second_copy_failed(database: Database) -> None:
    await posted(database, event_of("evt_1"))
    (lapsed,) = await claimed(database, "dlv_1", lease_s=-1)
    (delivery,) = await claimed(database, "dlv_1")

    assert await recorded(database, lapsed, ARRIVED)
    assert not await recorded(database, delivery, failed(next_after_s=5))

    assert await due_in(database, after_s=10**7) == []


async def test_a_subject_has_one_event_of_a_type(database: Database) -> None:
    await posted(database, event_of("evt_1"))

    with pytest.raises(IntegrityError):
        await posted(database, event_of("evt_2"))

    await posted(database, event_of("evt_3", kind="failed"))
    assert await due_in(database) == ["dlv_1", "dlv_3"]


async def test_events_are_counted_from_one(database: Database) -> None:
    async with database.writing() as transaction:
        assert [await next_event_number(transaction, "acct_1") for _ in range(3)] == [1, 2, 3]
