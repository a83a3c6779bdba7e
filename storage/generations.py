"""Generations as rows. Every change of state is one conditional UPDATE: it happens as a whole or reports that it did not.

Who claims a generation gets its `attempt`; every later write names it, and finds no row once somebody else has claimed.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import datetime

from sqlalchemy import ColumnElement, RowMapping, Select, and_, bindparam, delete, func, insert, or_, select, update

from storage.columns import DatabaseTime
from storage.database import Connection, Transaction
from storage.filters import EVERYTHING, Filters
from storage.generation import (
    LESS_URGENT_EVERY,
    OPEN_STATES,
    Candidate,
    Completion,
    Generation,
    Picture,
    Priority,
    State,
    states_before,
)
from storage.rows import row_of
from storage.sharing import show, shown_by
from storage.tables import generations, pictures

Found = tuple[Generation, tuple[Picture, ...]]

NO_LEASE = {"lease_owner": None, "lease_until": None}
CLAIM_LOCK = 7065
IS_LAPSED = and_(generations.c.state == State.PROCESSING, generations.c.lease_until < DatabaseTime())

# Asked again and again by whoever waits for a picture, so it is put together once.
FETCH = select(generations).where(
    generations.c.id == bindparam("id"), generations.c.account_id == bindparam("account_id")
)
ADDED = insert(generations)
NAMED = select(pictures).where(pictures.c.name == bindparam("name"))
STATE = select(generations.c.state).where(generations.c.id == bindparam("id"))


def _heads(is_free: ColumnElement[bool]) -> Select[tuple[int]]:
    """The oldest number of each account and priority; an index holds all that this looks at in the queue."""
    c = generations.c
    is_wanted = and_(is_free, c.number.not_in(bindparam("besides", expanding=True)))
    return select(func.min(c.number)).where(is_wanted).group_by(c.priority, c.account_id)


CANDIDATES = (
    select(*(generations.c[member.name] for member in fields(Candidate)))
    .where(
        or_(
            generations.c.number.in_(_heads(generations.c.state == State.QUEUED)),
            generations.c.number.in_(_heads(IS_LAPSED)),
        )
    )
    .order_by(generations.c.number)
)


async def accept(transaction: Transaction, generation: Generation) -> None:
    """Write a new generation down; the database gives it its `number`."""
    row = {name: value for name, value in row_of(generation).items() if name != "number"}
    await transaction.execute(ADDED, row)  # as parameters: a statement of 40 values takes longer to build than to run


async def candidates(transaction: Transaction, *, besides: Collection[int] = ()) -> list[Candidate]:
    """The oldest generation of each account and priority that is queued, and the oldest whose worker let its lease
    run out; the oldest first. Nobody else claims anything until the transaction ends.

    `besides` are numbers that shall neither be claimed nor hide what is younger.
    """
    if transaction.dialect.name == "postgresql":  # SQLite's writers take turns anyway
        await transaction.execute(select(func.pg_advisory_xact_lock(CLAIM_LOCK)))
    rows = await transaction.execute(CANDIDATES, {"besides": list(besides)})
    return [Candidate(**row) for row in rows.mappings()]


async def claim(transaction: Transaction, number: int, *, owner: str, lease_s: float) -> Generation | None:
    """Take one of the candidates. None: it has been cancelled, or its worker has come back."""
    c = generations.c
    taken = (
        update(generations)
        .where(c.number == number, or_(c.state == State.QUEUED, IS_LAPSED))
        .values(
            state=State.PROCESSING,
            attempt=c.attempt + 1,
            lease_owner=owner,
            lease_until=_lease_end(lease_s),
            started_at=func.coalesce(c.started_at, DatabaseTime()),
        )
        .returning(generations)
    )
    row = (await transaction.execute(taken)).mappings().one_or_none()
    return None if row is None else Generation(**row)


async def renew(transaction: Transaction, painting_id: str, attempt: int, *, lease_s: float) -> bool:
    """Keep the claim for another `lease_s`. False: it is lost, stop at once."""
    return await _change(transaction, _held(painting_id, attempt), lease_until=_lease_end(lease_s))


async def complete(
    transaction: Transaction, painting_id: str, attempt: int, completion: Completion, *, now: datetime
) -> Generation | None:
    """Make the pictures visible, and return for whom. None: this attempt has been fenced off, nothing was written."""
    ended = {
        "state": State.COMPLETED,
        "recipes": completion.recipes,
        "revision": completion.revision,
        "render_ms": completion.render_ms,
        "credits_used": completion.credits_used,
        "completed_at": now,
    }
    painter = await _end(transaction, _held(painting_id, attempt), ended)
    if painter is not None:
        await show(transaction, [shown_by(picture, painter.id) for picture in completion.pictures])
    return painter


async def fail(
    transaction: Transaction, painting_id: str, attempt: int, *, code: str, message: str, now: datetime
) -> Generation | None:
    """Give up, for good, and return for whom. None: this attempt has been fenced off."""
    ended = {"state": State.FAILED, "error_code": code, "error_message": message, "completed_at": now}
    return await _end(transaction, _held(painting_id, attempt), ended)


async def requeue(transaction: Transaction, painting_id: str, attempt: int, *, cause: str) -> bool:
    """Give the claim back and count one more failure of this cause. False: this attempt has been fenced off."""
    failures = await transaction.scalar(select(generations.c.failures).where(_held(painting_id, attempt)))
    if failures is None:
        return False
    counted = {**failures, cause: failures.get(cause, 0) + 1}
    return await _change(transaction, _held(painting_id, attempt), state=State.QUEUED, failures=counted, **NO_LEASE)


async def cancel(transaction: Transaction, id: str, *, now: datetime) -> Generation | None:
    """End it before it is done; whoever works on it is fenced off. Returns how it stood before; None: it has ended
    already, or is not there."""
    is_open = and_(generations.c.id == id, generations.c.state.in_(states_before(State.CANCELED)))
    row = (await transaction.execute(select(generations).where(is_open).with_for_update())).mappings().one_or_none()
    if row is None:
        return None
    await _change(transaction, is_open, state=State.CANCELED, completed_at=now, **NO_LEASE)
    return Generation(**row)


async def remove(transaction: Transaction, id: str) -> bool:
    """Forget a generation and its pictures; its ledger rows and events stay."""
    return (await transaction.execute(delete(generations).where(generations.c.id == id))).rowcount == 1


async def fetch(connection: Connection, account_id: str, id: str) -> Found | None:
    """One generation of the account with its pictures, in order."""
    rows = (await connection.execute(FETCH, {"id": id, "account_id": account_id})).mappings().all()
    return (await _with_pictures(connection, rows))[0] if rows else None


async def is_open(connection: Connection, id: str) -> bool:
    """It has not ended. One that is not there is not open."""
    state: State | None = await connection.scalar(STATE, {"id": id})
    return state is not None and not state.is_final


async def fetch_several(connection: Connection, account_id: str, ids: Collection[str]) -> dict[str, Found]:
    """Those of the account's generations that are still there, by id."""
    wanted = and_(generations.c.id.in_(ids), generations.c.account_id == account_id)
    rows = (await connection.execute(select(generations).where(wanted))).mappings().all()
    return {found[0].id: found for found in await _with_pictures(connection, rows)}


async def page(
    connection: Connection,
    account_id: str,
    *,
    limit: int,
    before: int | None = None,
    filters: Filters = EVERYTHING,
) -> list[Found]:
    """The account's newest generations, newest first, below the number `before`."""
    wanted = [generations.c.account_id == account_id, *filters.conditions()]
    if before is not None:
        wanted.append(generations.c.number < before)
    query = select(generations).where(*wanted).order_by(generations.c.number.desc()).limit(limit)
    return await _with_pictures(connection, (await connection.execute(query)).mappings().all())


async def expired(connection: Connection, *, now: datetime, limit: int) -> list[Generation]:
    """What has ended and whose time is over, the longest first."""
    c = generations.c
    is_over = and_(c.expires_at <= now, c.state.not_in(OPEN_STATES))
    rows = await connection.execute(select(generations).where(is_over).order_by(c.expires_at).limit(limit))
    return [Generation(**row) for row in rows.mappings()]


async def position_in_queue(connection: Connection, id: str) -> int:
    """About how many queued generations will be claimed before this one: the older ones of its own account; of every
    other account as many, as they take turns, and one more if that is older; and of the more urgent as many as may
    pass it and those.
    """
    own, ahead = generations.alias("own"), generations.alias("ahead")
    is_ahead = and_(ahead.c.state == State.QUEUED, ahead.c.priority <= own.c.priority)
    query = (
        select(
            (ahead.c.priority < own.c.priority).label("is_more_urgent"),
            (ahead.c.account_id == own.c.account_id).label("is_own"),
            func.count().label("queued"),
            func.count().filter(ahead.c.number < own.c.number).label("older"),
        )
        .select_from(own.join(ahead, is_ahead))
        .where(own.c.id == id)
        .group_by(own.c.priority, own.c.account_id, ahead.c.priority, ahead.c.account_id)
    )
    lines = (await connection.execute(query)).all()
    peers = [line for line in lines if not line.is_more_urgent]
    own_older: int = sum(line.older for line in peers if line.is_own)
    others: int = sum(min(line.queued, own_older) + (line.older > own_older) for line in peers if not line.is_own)
    more_urgent: int = sum(line.queued for line in lines if line.is_more_urgent)
    ahead_of_it = own_older + others
    return ahead_of_it + min(more_urgent, (LESS_URGENT_EVERY - 1) * (ahead_of_it + 1))


async def picture_named(connection: Connection, name: str) -> Picture | None:
    row = (await connection.execute(NAMED, {"name": name})).mappings().one_or_none()
    return None if row is None else Picture(**row)


async def count_open_states(connection: Connection) -> dict[str, int]:
    """How many are in each open state, by its name."""
    c = generations.c
    rows = await connection.execute(select(c.state, func.count()).where(c.state.in_(OPEN_STATES)).group_by(c.state))
    return {state.value: 0 for state in OPEN_STATES} | {state.value: count for state, count in rows}


async def count_open(
    connection: Connection, account_id: str | None = None, *, key_id: str | None = None, besides_batches: bool = False
) -> int:
    """How many are queued or being painted, of one account, or of one of its keys, or of all."""
    query = select(func.count()).select_from(generations).where(generations.c.state.in_(OPEN_STATES))
    if account_id is not None:
        query = query.where(generations.c.account_id == account_id)
    if key_id is not None:
        query = query.where(generations.c.key_id == key_id)
    if besides_batches:
        query = query.where(generations.c.priority < Priority.BATCH)
    return await connection.scalar(query) or 0


def _held(painting_id: str, attempt: int) -> ColumnElement[bool]:
    """The fence: this attempt still has the claim, for whomever the painting goes on."""
    c = generations.c
    is_painter = and_(c.painting_id == painting_id, c.is_sharer.is_(False))
    return and_(is_painter, c.attempt == attempt, c.state == State.PROCESSING)


async def _end(transaction: Transaction, where: ColumnElement[bool], ended: Mapping[str, object]) -> Generation | None:
    changed = update(generations).where(where).values(**ended, **NO_LEASE).returning(generations)
    row = (await transaction.execute(changed)).mappings().one_or_none()
    return None if row is None else Generation(**row)


def _lease_end(lease_s: float) -> DatabaseTime:
    return DatabaseTime(after_ms=round(lease_s * 1000))


async def _change(transaction: Transaction, where: ColumnElement[bool], **values: object) -> bool:
    return (await transaction.execute(update(generations).where(where).values(**values))).rowcount == 1


async def _with_pictures(connection: Connection, rows: Sequence[RowMapping]) -> list[Found]:
    """Only the pictures of completed generations: what an unfinished one has stored may yet be painted again."""
    found = [Generation(**row) for row in rows]
    completed = [generation.id for generation in found if generation.state is State.COMPLETED]
    if not completed:
        return [(generation, ()) for generation in found]
    query = select(pictures).where(pictures.c.generation_id.in_(completed)).order_by(pictures.c.position)
    all_pictures = [Picture(**row) for row in (await connection.execute(query)).mappings()]
    return [(generation, tuple(p for p in all_pictures if p.generation_id == generation.id)) for generation in found]
