"""From items to generations, and from a cancelled batch to cancelled generations: the loop beside the requests.

The batch's rows are the truth. Items enter the queue in small transactions, so nobody waits long for the database; what
a crash cuts short goes on at the next start where it stopped, for an item and its generation are written together.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

import msgspec
import structlog

from gateway.access import Caller, Gatekeeper
from gateway.batches.accept import Wish, refused
from gateway.generations import Ask, Settle, Submit
from gateway.generations.accepting.deciding import Decided
from models import DomainError, Refused
from storage import Batch, BatchItem, BatchState, Database, State, StoreUnavailable, Transaction
from storage.batches import (
    count_open_of_batches,
    open_generations,
    queue_item,
    refuse_item,
    waiting_items,
    with_work_left,
)

AT_ONCE = 50
"""Items in one transaction: some tens of milliseconds of the one writer's time on SQLite."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What an item becomes: a generation about which everything is decided, or nothing, and why."""

    ask: Ask
    outcome: Decided | DomainError


@dataclass(slots=True, kw_only=True)
class Expander:
    """Carries batches out. `wake` tells it of something to do; without, it looks every `poll_s` seconds.

    `max_queued` bounds the generations of batches in the queue: what is more waits in its batch.
    """

    database: Database
    gatekeeper: Gatekeeper
    submit: Submit
    settle: Settle
    max_queued: int
    poll_s: float
    _woken: asyncio.Event = field(default_factory=asyncio.Event)

    def wake(self) -> None:
        """There is something to do."""
        self._woken.set()

    async def run(self) -> None:
        """Work until cancelled."""
        while True:
            self._woken.clear()
            try:
                while await self.advance():
                    pass
            except StoreUnavailable as gone:
                log.warning("batches wait for the database", reason=gone.message)
            with suppress(TimeoutError):
                async with asyncio.timeout(self.poll_s):
                    await self._woken.wait()

    async def advance(self) -> bool:
        """Do one piece of every batch that has something left. False: there was nothing to do, or no room for it."""
        async with self.database.reading() as connection:
            batches = await with_work_left(connection)
        pieces = {BatchState.PROCESSING: self._queue, BatchState.CANCELING: self._cancel}
        return any([await pieces[batch.state](batch) for batch in batches])

    async def _cancel(self, batch: Batch) -> bool:
        """With the last of them the batch has ended."""
        async with self.database.reading() as connection:
            left = await open_generations(connection, batch.id, limit=AT_ONCE)
        for generation in left:
            await self.settle.canceled(generation)
        return bool(left)

    async def _queue(self, batch: Batch) -> bool:
        """Give the next items their generations, or refuse them."""
        async with self.database.reading() as connection:
            room = self.max_queued - await count_open_of_batches(connection)
            items = await waiting_items(connection, batch.id, limit=min(AT_ONCE, room)) if room > 0 else []
        if not items:
            return False
        caller = await self.gatekeeper.owner_of(batch.key_id)
        entries = await self._entries(caller, items)
        async with self.database.writing() as transaction:
            queued = await self._enter_all(transaction, caller, batch.id, entries)
        await self._forget_others(entries, queued)
        await self.submit.queue.announce(batch.id)
        self.settle.on_event()
        return True

    async def _entries(self, caller: Caller, items: list[BatchItem]) -> Mapping[int, Entry]:
        """Everything is decided before the database's one writer is held up; other calls get their turns in between."""
        entries: dict[int, Entry] = {}
        for item in items:
            entries[item.position] = await self._entry(caller, item)
            await asyncio.sleep(0)
        return entries

    async def _entry(self, caller: Caller, item: BatchItem) -> Entry:
        """What was fine when the batch was accepted may be forbidden by now: it is asked again."""
        wish = msgspec.json.decode(item.body or b"", type=Wish)
        try:
            ask = await self._begun(caller, wish)
            decided = await self.submit.decide.decided(caller, ask)
            await self.submit.source_images.keep(decided.generation.id, ask.files)
        except DomainError as error:
            return Entry(ask=wish, outcome=error)
        return Entry(ask=ask, outcome=replace(decided, generation=replace(decided.generation, batch_id=item.batch_id)))

    async def _begun(self, caller: Caller, wish: Wish) -> Ask:
        """The pictures that it begins from, read. Raises RequestInvalid, GenerationUnknown, Failed."""
        return wish.beginning_from(await self.submit.source_images.read(caller, wish.given()))

    async def _enter_all(
        self, transaction: Transaction, caller: Caller, batch_id: str, entries: Mapping[int, Entry]
    ) -> set[str]:
        """Only what still waits: since the entries were made the batch may have been cancelled.

        Returns:
            The generations that will be painted.
        """
        queued: set[str] = set()
        for item in await waiting_items(transaction, batch_id, limit=AT_ONCE):
            if item.position in entries and (
                id := await self._enter(transaction, caller, item, entries[item.position])
            ):
                queued.add(id)
        await self.settle.batch_ends.end_if_done(transaction, batch_id)
        return queued

    async def _enter(self, transaction: Transaction, caller: Caller, item: BatchItem, entry: Entry) -> str | None:
        """A refusal undoes what was written for this item alone. Returns the generation, if it will be painted."""
        if isinstance(entry.outcome, DomainError):
            await refuse_item(transaction, refused(item, entry.outcome))
            return None
        try:
            async with transaction.begin_nested():
                generation = entry.outcome.generation
                if await queue_item(transaction, item, generation.id):  # first, for it may be completed at once
                    accepted = await self.submit.enter(transaction, caller, entry.ask, generation)
                    await self.submit.note(transaction, caller, entry.outcome.decision, accepted)
                    return accepted.generation_id if accepted.state is State.QUEUED else None
        except Refused as error:
            await refuse_item(transaction, refused(item, error))
        return None

    async def _forget_others(self, entries: Mapping[int, Entry], queued: set[str]) -> None:
        """After the commit: what nobody will begin from is not kept."""
        for entry in entries.values():
            if isinstance(entry.outcome, DomainError) or not entry.ask.files:
                continue
            if (id := entry.outcome.generation.id) not in queued:
                await self.submit.source_images.forget(id)
