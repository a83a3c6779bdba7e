"""One painting for several generations of an account that ask for the same.

Of the generations that name a painting one is its painter: it is claimed, fenced by its attempt, and pays. The others
are sharers: they wait beside it while it is open (in PROCESSING, never claimed), or came when it was done, and pay nothing.
A painter that ends without pictures hands over to a sharer. Files lie below `folder_of` the painting, and go when the last
generation goes that shows them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, delete, func, insert, literal, or_, select, update

from storage.columns import Moment
from storage.database import Connection, Transaction
from storage.generation import OPEN_STATES, Generation, Picture, State
from storage.links import image_name
from storage.rows import row_of
from storage.tables import generations, pictures

Shown = tuple[Generation, tuple[Picture, ...]]

c = generations.c
IS_OPEN = c.state.in_(OPEN_STATES)
SHOWS = c.state.in_((State.COMPLETED, *OPEN_STATES))

# Asked for every request that names a seed, so they are put together once.
PAINTED = (
    select(generations)
    .where(
        c.account_id == bindparam("account_id"),
        c.canonical_sha256 == bindparam("canonical_sha256"),
        c.state == State.COMPLETED,
        c.revision == bindparam("revision"),
    )
    .order_by(c.number.desc())
    .limit(1)
    .with_for_update(read=True)
)
PICTURES = select(pictures).where(pictures.c.generation_id == bindparam("generation_id")).order_by(pictures.c.position)


PAINTINGS = "gen/"
"""Below it lie the files of all paintings."""


def folder_of(painting_id: str) -> str:
    """Where the files of a painting lie."""
    return f"{PAINTINGS}{painting_id}/"


async def find_painted(connection: Connection, generation: Generation) -> Generation | None:
    """The newest completed generation of its words that its revision of the engine painted. In a transaction that stays
    until the end."""
    same = {
        "account_id": generation.account_id,
        "canonical_sha256": generation.canonical_sha256,
        "revision": generation.revision,
    }
    row = (await connection.execute(PAINTED, same)).mappings().one_or_none()
    return None if row is None else Generation(**row)


async def find_painter(transaction: Transaction, generation: Generation) -> Generation | None:
    """The generation for which the same is painted, or will be. It neither ends nor changes until the transaction ends."""
    is_painter = and_(_same(generation), IS_OPEN, c.is_sharer.is_(False))
    return await _first(transaction, select(generations).where(is_painter))


async def find_earlier(connection: Connection, generation: Generation, *, since: datetime) -> Generation | None:
    """What the same key asked for in the same words, for the same receiver, and is or will be painted."""
    query = select(generations).where(
        _same(generation),
        SHOWS,
        c.key_id == generation.key_id,
        c.request == generation.request,
        c.webhook_url.is_not_distinct_from(generation.webhook_url),
        c.created_at > since,
    )
    row = (await connection.execute(query.order_by(c.number.desc()).limit(1))).mappings().one_or_none()
    return None if row is None else Generation(**row)


async def share_no_more(transaction: Transaction, painting_id: str) -> None:
    """Whoever asks for the same from now on has it painted anew; what shows this painting goes on showing it."""
    ended = and_(c.painting_id == painting_id, c.state == State.COMPLETED)
    await transaction.execute(update(generations).where(ended).values(canonical_sha256=None))


async def pictures_of(connection: Connection, shown: Generation, *, by: str) -> tuple[Picture, ...]:
    """The pictures that `shown` has, as those of the generation `by`; nothing is written."""
    rows = (await connection.execute(PICTURES, {"generation_id": shown.id})).mappings()
    return tuple(shown_by(Picture(**row), by) for row in rows)


async def show(transaction: Transaction, shown: Sequence[Picture]) -> None:
    """Write down who shows what."""
    if shown:
        await transaction.execute(insert(pictures), [row_of(picture) for picture in shown])


def shown_by(picture: Picture, generation_id: str) -> Picture:
    """The same file as a picture of another generation, under a public name of its own."""
    if picture.generation_id == generation_id:
        return picture
    name = image_name(generation_id, picture.position, picture.file_sha256, picture.format)
    return replace(picture, generation_id=generation_id, name=name)


async def hurry(transaction: Transaction, painter: Generation, priority: int) -> None:
    """Who joins may be more urgent than who came first."""
    if priority < painter.priority:
        await transaction.execute(update(generations).where(c.id == painter.id).values(priority=priority))


async def end_sharers(transaction: Transaction, painter: Generation) -> list[Generation]:
    """Let everybody who waits beside it end as the painter just did; returns them."""
    ended = {
        "state": painter.state,
        "started_at": func.coalesce(c.started_at, literal(painter.started_at, Moment)),
        "completed_at": painter.completed_at,
        "recipes": painter.recipes,
        "revision": painter.revision,
        "render_ms": None if painter.render_ms is None else 0,
        "error_code": painter.error_code,
        "error_message": painter.error_message,
    }
    return await _change(transaction, _waits(painter.painting_id), ended)


async def next_heir(transaction: Transaction, painting_id: str) -> Generation | None:
    """Who has waited longest beside the painter."""
    return await _first(transaction, select(generations).where(_waits(painting_id)), changes=True)


async def take_over(
    transaction: Transaction, heir: Generation, left: Generation, *, state: State, failures: Mapping[str, int]
) -> Generation:
    """Make a sharer the painter in the place of `left`, at its cost; in PROCESSING with its claim, which goes on."""
    is_claimed = state is State.PROCESSING
    taken = {
        "is_sharer": False,
        "cost": left.cost,
        "state": state,
        "attempt": left.attempt,
        "failures": failures,
        "lease_owner": left.lease_owner if is_claimed else None,
        "lease_until": left.lease_until if is_claimed else None,
    }
    (painter,) = await _change(transaction, c.id == heir.id, taken)
    return painter


async def give_up(transaction: Transaction, heir: Generation, *, code: str, message: str, now: datetime) -> Generation:
    """End a sharer that cannot take over."""
    ended = {"state": State.FAILED, "error_code": code, "error_message": message, "completed_at": now}
    (failed,) = await _change(transaction, c.id == heir.id, ended)
    return failed


async def open_together(connection: Connection, id: str) -> frozenset[str]:
    """The open generations of this one's painting, itself among them if it is open."""
    painting = select(c.painting_id).where(c.id == id).scalar_subquery()
    found = await connection.scalars(select(c.id).where(c.painting_id == painting, IS_OPEN))
    return frozenset(found)


async def leave(transaction: Transaction, generation: Generation) -> bool:
    """Forget a generation that has ended, unless it is the last that shows its painting: then True.

    Its files are to be deleted first, and then it, by `storage.generations.remove`; nobody will share it any more.
    """
    query = select(c.id, SHOWS.label("shows")).where(c.painting_id == generation.painting_id).order_by(c.number)
    together = (await transaction.execute(query.with_for_update())).all()
    if any(one.shows for one in together if one.id != generation.id):
        await transaction.execute(delete(generations).where(c.id == generation.id))
        return False
    await transaction.execute(update(generations).where(c.id == generation.id).values(canonical_sha256=None))
    return True


def _same(generation: Generation) -> ColumnElement[bool]:
    """None is like nothing."""
    is_canonical = c.canonical_sha256 == (generation.canonical_sha256 or "")
    return and_(c.account_id == generation.account_id, is_canonical)


def _waits(painting_id: str) -> ColumnElement[bool]:
    return and_(c.painting_id == painting_id, c.is_sharer.is_(True), IS_OPEN)


async def _first(transaction: Transaction, query: Select[Any], *, changes: bool = False) -> Generation | None:
    """The oldest, held so that nobody else changes it (or, with `changes`, looks at it for that) until the transaction ends."""
    ordered = query.order_by(c.number).limit(1).with_for_update(read=not changes)
    row = (await transaction.execute(ordered)).mappings().one_or_none()
    return None if row is None else Generation(**row)


async def _change(
    transaction: Transaction, where: ColumnElement[bool], values: Mapping[str, object]
) -> list[Generation]:
    changed = update(generations).where(where).values(**values).returning(generations)
    return [Generation(**row) for row in (await transaction.execute(changed)).mappings()]


async def known_paintings(connection: Connection, ids: Collection[str]) -> set[str]:
    """Those of the ids that are a generation's, or under which one is painted."""
    named = or_(generations.c.id.in_(ids), generations.c.painting_id.in_(ids))
    found = await connection.execute(select(generations.c.id, generations.c.painting_id).where(named))
    return {id for row in found for id in row} & set(ids)
