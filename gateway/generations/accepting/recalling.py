"""What a caller asked before: the same Idempotency-Key, or the same request sent again by a client that retries."""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from gateway.access import Caller
from gateway.clock import Clock
from gateway.generations.accepting.asking import Accepted, Ask
from models import Refused, notices
from storage import Database, Generation, Transaction
from storage.idempotency import recall
from storage.sharing import find_earlier

IN_PROGRESS = "The first request with this Idempotency-Key is still running."


class IdempotencyClash(Refused):
    """The same Idempotency-Key came with another body."""

    code: ClassVar[str] = "idempotency_key_reused"


class IdempotencyInProgress(Refused):
    """The first request with this Idempotency-Key has not ended yet."""

    code: ClassVar[str] = "idempotency_in_progress"
    retry_after_s: ClassVar[int] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """Looks for what the same ask made before."""

    database: Database
    clock: Clock
    retry_within: timedelta

    async def earlier(self, caller: Caller, ask: Ask) -> Accepted | None:
        """What the same Idempotency-Key made before, None where it is new or absent.

        Raises:
            IdempotencyClash, IdempotencyInProgress.
        """
        if ask.idempotency_key is None:
            return None
        async with self.database.reading() as connection:
            known = await recall(connection, caller.account.id, ask.idempotency_key, now=self.clock())
        if known is None:
            return None
        if known.generation_id is None or known.state is None or known.body_sha256 != ask.body_sha256:
            raise IdempotencyClash("This Idempotency-Key was used with another body.")
        if not known.is_finished:
            raise IdempotencyInProgress(IN_PROGRESS)
        return Accepted(
            generation_id=known.generation_id,
            position=0,
            estimated_ms=0,
            created_at=known.created_at,
            is_replay=True,
            state=known.state,
            notices=notices.read(known.notices or b"[]"),
        )

    async def first_of(self, transaction: Transaction, generation: Generation) -> Accepted | None:
        """What the client made when it sent the same before, unless that came to nothing: then it may try anew."""
        since = generation.created_at - self.retry_within
        first = await find_earlier(transaction, generation, since=since)
        if first is None:
            return None
        return Accepted(
            generation_id=first.id,
            position=0,
            estimated_ms=0,
            created_at=first.created_at,
            is_replay=True,
            state=first.state,
            notices=notices.read(first.notices),
        )
