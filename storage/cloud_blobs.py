"""Blobs in an object store: S3, Google Cloud Storage, Azure, or memory for tests. Importing this imports obstore."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError
from obstore.store import from_url

from storage.blob_checks import check_content, missing_is_gone
from storage.errors import BlobGone, BlobUnavailable

if TYPE_CHECKING:
    from obstore.store import RetryConfig

HASTY: RetryConfig = {"max_retries": 1, "retry_timeout": timedelta(seconds=5)}


class CloudBlobs:
    """Keeps the promise of `storage.blobs.Blobs` in the bucket that `url` names, such as `s3://bucket/folder`.

    Credentials come from where the store's own tools look for them.
    """

    def __init__(self, url: str, *, is_patient: bool = True) -> None:
        """Raises BlobUnavailable: obstore knows no such store, or its variables are wrong."""
        with _failures_as_ours():
            self._store = from_url(url) if is_patient else from_url(url, retry_config=HASTY)

    async def put(self, key: str, content: bytes | Path) -> None:
        with _failures_as_ours():
            await obstore.put_async(self._store, key, content)

    async def get(self, key: str, *, sha256: str | None = None) -> bytes:
        with _failures_as_ours(), missing_is_gone():
            found = await obstore.get_async(self._store, key)
            content = bytes(await found.bytes_async())
        await asyncio.to_thread(check_content, content, sha256)
        return content

    async def size(self, key: str) -> int | None:
        try:
            with _failures_as_ours(), missing_is_gone():
                return (await obstore.head_async(self._store, key))["size"]
        except BlobGone:
            return None

    async def checked_path(self, key: str, *, sha256: str) -> Path | None:  # noqa: ARG002 - as `local_path`
        return None

    def local_path(self, key: str) -> Path | None:  # noqa: ARG002 - there is none for any key
        return None

    async def written_before(self, moment: datetime, prefix: str) -> AsyncIterator[str]:
        with _failures_as_ours():
            pages = obstore.list(self._store, prefix=prefix.rstrip("/"))  # pyright: ignore[reportUnknownMemberType]
            async for page in pages:
                for found in page:
                    if found["last_modified"] < moment:
                        yield found["path"]

    async def sweep_unfinished(self, before: datetime) -> int:  # noqa: ARG002 - a store shows nothing half written
        return 0

    async def delete(self, key: str) -> None:
        with _failures_as_ours():
            keys = await self._below(key) if key.endswith("/") else [key]
            for one in keys:
                await self._delete_one(one)

    async def _below(self, prefix: str) -> list[str]:
        """A prefix counts in whole parts between slashes, so `gen/a` does not reach `gen/ab`."""
        batches = obstore.list(self._store, prefix=prefix.rstrip("/"))  # pyright: ignore[reportUnknownMemberType]
        return [found["path"] async for batch in batches for found in batch]

    async def _delete_one(self, key: str) -> None:
        try:
            await obstore.delete_async(self._store, key)
        except FileNotFoundError:
            return


@contextmanager
def _failures_as_ours() -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError) as failure:
        raise BlobUnavailable("The store of pictures does not answer.") from failure
