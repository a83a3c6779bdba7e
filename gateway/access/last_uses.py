"""When each key was last used: noted in memory, written down once a minute for all of them together."""

import asyncio
from contextlib import suppress
from datetime import datetime

from storage import Database, StoreUnavailable
from storage.keys import touch_keys

WRITTEN_EVERY_S = 60.0


class LastUses:
    """A request costs no write. What a crash loses is at most the last minute."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._uses: dict[str, datetime] = {}

    def note(self, key_id: str, now: datetime) -> None:
        self._uses[key_id] = now

    async def write(self) -> None:
        """Raises StoreUnavailable: nothing is written, and nothing forgotten."""
        uses = dict(self._uses)
        if not uses:
            return
        async with self._database.writing() as transaction:
            await touch_keys(transaction, uses)
        self._uses = {id: used_at for id, used_at in self._uses.items() if uses.get(id) != used_at}

    async def run(self) -> None:
        """Write once a minute; a database that is away is asked again a minute later."""
        while True:
            await asyncio.sleep(WRITTEN_EVERY_S)
            with suppress(StoreUnavailable):
                await self.write()
