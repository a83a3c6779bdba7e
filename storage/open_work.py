"""What is queued and being painted, by whose it is."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from storage.database import Connection
from storage.generation import OPEN_STATES, Priority, State
from storage.tables import generations


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWork:
    """How many of an account, in one state and priority; `oldest_at` is when the first of them was accepted."""

    account_id: str
    state: State
    priority: str
    count: int
    oldest_at: datetime


async def open_work(connection: Connection) -> list[OpenWork]:
    """By account, state and priority."""
    c = generations.c
    group = (c.account_id, c.state, c.priority)
    query = (
        select(*group, func.count(), func.min(c.created_at))
        .where(c.state.in_(OPEN_STATES))
        .group_by(*group)
        .order_by(*group)
    )
    return [
        OpenWork(
            account_id=account, state=state, priority=Priority(priority).name.lower(), count=count, oldest_at=oldest
        )
        for account, state, priority, count, oldest in await connection.execute(query)
    ]
