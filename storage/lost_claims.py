"""Claims whose server died: back into the queue, and counted, so that a painting that takes its server with it ends.

Nobody knows which of several paintings a server died of. So what it held alone counts against that painting; what it held
in company only makes each of them a suspect, which a worker then runs alone (`gateway.worker`).
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import and_, func, or_, select, update

from storage.columns import DatabaseTime
from storage.database import Transaction
from storage.generation import Generation, State
from storage.generations import NO_LEASE
from storage.tables import generations

# Counted among the failures of a generation.
DIED_ALONE, DIED_IN_COMPANY = "ServerDied", "ServerDiedInCompany"
MOST_DEATHS = 3

c = generations.c
IS_CLAIMED = and_(c.state == State.PROCESSING, c.is_sharer.is_(False))
IS_LAPSED = and_(IS_CLAIMED, c.lease_until < DatabaseTime())


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """What was taken back: `requeued` of them wait again, the `guilty` are still claimed, and to be ended by the caller."""

    requeued: int
    guilty: tuple[Generation, ...]


def is_suspect(failures: Mapping[str, int]) -> bool:
    """A server died while it held this."""
    return deaths(failures) > 0


def deaths(failures: Mapping[str, int]) -> int:
    """How often: of the deaths in company one counts, however many there were."""
    return failures.get(DIED_ALONE, 0) + min(1, failures.get(DIED_IN_COMPANY, 0))


async def take_back(
    transaction: Transaction, *, owner: str, besides: Collection[int] = (), only_lapsed: bool = True
) -> Lost:
    """Take back what dead servers held: the claims whose lease has run out or, for a single server that starts, all.

    What `owner` itself held is queued again and not counted, for it is alive; of that, `besides` stays as it is.
    """
    is_lost = and_(IS_LAPSED if only_lapsed else IS_CLAIMED, c.number.not_in(list(besides)))
    rows = (await transaction.execute(select(generations).where(is_lost).with_for_update())).mappings()
    lost = [Generation(**row) for row in rows]
    company = await _held_by(transaction, {one.lease_owner for one in lost}) if lost else Counter[str | None]()
    guilty: list[Generation] = []
    for one in lost:
        failures = dict(one.failures)
        if one.lease_owner != owner:
            cause = DIED_ALONE if company[one.lease_owner] == 1 else DIED_IN_COMPANY
            failures[cause] = failures.get(cause, 0) + 1
        values: dict[str, object] = {"failures": failures}
        if deaths(failures) >= MOST_DEATHS:
            guilty.append(one)
        else:
            values |= {"state": State.QUEUED, **NO_LEASE}
        await transaction.execute(update(generations).where(c.number == one.number).values(values))
    return Lost(requeued=len(lost) - len(guilty), guilty=tuple(guilty))


async def give_back(transaction: Transaction, *, owner: str) -> int:
    """Queue what `owner` holds, which stops in good order; how many that are."""
    is_held = and_(IS_CLAIMED, c.lease_owner == owner)
    return (
        await transaction.execute(update(generations).where(is_held).values(state=State.QUEUED, **NO_LEASE))
    ).rowcount


async def _held_by(transaction: Transaction, owners: Collection[str | None]) -> Counter[str | None]:
    """How many claims each of them has."""
    is_theirs = or_(c.lease_owner.in_([owner for owner in owners if owner is not None]), c.lease_owner.is_(None))
    query = select(c.lease_owner, func.count()).where(IS_CLAIMED, is_theirs).group_by(c.lease_owner)
    held = Counter[str | None]()
    for owner, count in await transaction.execute(query):
        held[owner] = count
    return held
