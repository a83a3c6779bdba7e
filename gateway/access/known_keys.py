"""The keys of the last seconds, so that not every request asks the database who is asking."""

from collections.abc import Callable
from dataclasses import dataclass

from storage import Account, ApiKey, Database
from storage.keys import key_with_account

KEPT_S = 5.0
MOST_KEPT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownKey:
    """A key and who pays for it, as they were at `read_at` on the monotonic clock."""

    key: ApiKey
    account: Account
    read_at: float


class KnownKeys:
    """Reads a key at most every five seconds: what another process revokes is dead here after that long.

    What this process changes it must `forget`, and then it counts from the next request on. Ids that do not exist are
    never kept, so that a key is good as soon as it is made, and nobody fills the memory with guesses.
    """

    def __init__(self, database: Database, monotonic: Callable[[], float]) -> None:
        self._database = database
        self._monotonic = monotonic
        self._kept: dict[str, KnownKey] = {}
        self._changes = 0

    async def find(self, id: str) -> KnownKey | None:
        now, changes = self._monotonic(), self._changes
        kept = self._kept.get(id)
        if kept is not None and now - kept.read_at < KEPT_S:
            return kept
        async with self._database.reading() as connection:
            found = await key_with_account(connection, id)
        if found is None:
            return None
        known = KnownKey(key=found[0], account=found[1], read_at=now)
        if changes == self._changes:  # else what was read may be older than the change
            self._keep(id, known)
        return known

    def forget(self) -> None:
        """Something about keys or accounts has changed. Changes are rare, so all are read again."""
        self._changes += 1
        self._kept.clear()

    def _keep(self, id: str, known: KnownKey) -> None:
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        self._kept[id] = known
