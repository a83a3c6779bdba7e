"""A few slots that several accounts share: they go round, however many calls one of them makes at a time."""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class FairSlots:
    """At most `count` inside. Of those who wait, one of each account goes in turn, its oldest first."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def slot(self, account: str) -> AsyncIterator[None]:
        """Inside, one slot is taken."""
        await self._enter(account)
        try:
            yield
        finally:
            self._leave()

    async def _enter(self, account: str) -> None:
        if self._free:
            self._free -= 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(account, deque()).append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it was given the slot at the same moment
                self._leave()
            raise

    def _leave(self) -> None:
        """Hand the slot to whose turn it is."""
        while self._waiting:
            account, turns = self._waiting.popitem(last=False)
            turn = turns.popleft()
            if turns:
                self._waiting[account] = turns  # behind the others
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
