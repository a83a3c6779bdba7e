"""Small files that were read lately stay in memory: whoever shows a picture is seldom the last one to."""

from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from models import Failed
from storage.blobs import Blobs

ROOM_BYTES = 32 << 20
SMALL_BYTES = 1 << 20


class RecentBlobs:
    """In front of another store. What is under a key never changes, so what is remembered is never stale; it may outlive
    a file that another process has deleted, whose key no row names any more."""

    def __init__(self, store: Blobs, *, room_bytes: int = ROOM_BYTES) -> None:
        self._store = store
        self.failures = 0  # how often it did not answer
        self._room_bytes = room_bytes
        self._held_bytes = 0
        self._recent: OrderedDict[str, bytes] = OrderedDict()

    async def put(self, key: str, content: bytes | Path) -> None:
        with self._counting():
            await self._store.put(key, content)

    async def get(self, key: str, *, sha256: str | None = None) -> bytes:
        """What is remembered was checked when it was read."""
        content = self._recent.get(key)
        if content is None:
            with self._counting():
                content = await self._store.get(key, sha256=sha256)
            self._remember(key, content)
        else:
            self._recent.move_to_end(key)
        return content

    async def size(self, key: str) -> int | None:
        with self._counting():
            return await self._store.size(key)

    async def checked_path(self, key: str, *, sha256: str) -> Path | None:
        with self._counting():
            return await self._store.checked_path(key, sha256=sha256)

    def local_path(self, key: str) -> Path | None:
        return self._store.local_path(key)

    def written_before(self, moment: datetime, prefix: str) -> AsyncIterator[str]:
        return self._store.written_before(moment, prefix)

    async def sweep_unfinished(self, before: datetime) -> int:
        with self._counting():
            return await self._store.sweep_unfinished(before)

    async def delete(self, key: str) -> None:
        gone = [known for known in self._recent if known == key or (key.endswith("/") and known.startswith(key))]
        for known in gone:
            self._forget(known)
        with self._counting():
            await self._store.delete(key)

    @contextmanager
    def _counting(self) -> Iterator[None]:
        try:
            yield
        except Failed as failed:
            self.failures += failed.retryable  # a file that is gone or damaged says nothing of the store
            raise

    def _remember(self, key: str, content: bytes) -> None:
        if len(content) > SMALL_BYTES or key in self._recent:
            return
        self._recent[key] = content
        self._held_bytes += len(content)
        while self._held_bytes > self._room_bytes:
            self._forget(next(iter(self._recent)))

    def _forget(self, key: str) -> None:
        self._held_bytes -= len(self._recent.pop(key))
