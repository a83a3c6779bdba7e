"""Files of requests that an account keeps here until it makes batches of them. Another account's file does not exist."""

from dataclasses import dataclass
from typing import ClassVar

import structlog

from gateway.access import Caller
from gateway.clock import Clock
from gateway.identity import NewId
from models import Failed, Refused
from storage import BlobGone, Blobs, Connection, Database
from storage.accounts import lock_account
from storage.files import SentFile, add_file, count_files, file_by_id, page_of_files, remove_file

log = structlog.get_logger()


class FileUnknown(Refused):
    """There is no such file in this account."""

    code: ClassVar[str] = "not_found"


class FileGone(Failed):
    """The file was kept, and its bytes are not there any more, or not all of them."""

    code: ClassVar[str] = "file_gone"


class TooManyFiles(Refused):
    """The account keeps as many files as it may; delete one."""

    code: ClassVar[str] = "too_many_files"


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """Every method may raise BlobUnavailable. `most` bounds the files of an account."""

    database: Database
    blobs: Blobs
    clock: Clock
    new_id: NewId
    most: int

    async def keep(self, caller: Caller, content: bytes, *, filename: str) -> SentFile:
        """Bytes first, so that whoever finds the row finds them.

        Raises:
            TooManyFiles.
        """
        file = SentFile(
            id=self.new_id("file"),
            account_id=caller.account.id,
            filename=filename,
            byte_count=len(content),
            created_at=self.clock(),
        )
        async with self.database.reading() as connection:
            await self._check_room(connection, caller)  # sooner than its bytes are written
        await self.blobs.put(file.blob_key, content)
        try:
            async with self.database.writing() as transaction:
                await lock_account(transaction, caller.account.id)
                await self._check_room(transaction, caller)  # another call may have been quicker
                await add_file(transaction, file)
        except TooManyFiles:
            await self.blobs.delete(file.blob_key)
            raise
        return file

    async def _check_room(self, connection: Connection, caller: Caller) -> None:
        """Raises TooManyFiles."""
        if await count_files(connection, caller.account.id) >= self.most:
            raise TooManyFiles(f"An account keeps at most {self.most} files; delete one.")

    async def one(self, caller: Caller, file_id: str) -> SentFile:
        """Raises FileUnknown."""
        async with self.database.reading() as connection:
            file = await file_by_id(connection, caller.account.id, file_id)
        if file is None:
            raise FileUnknown(f"There is no file {file_id!r}.")
        return file

    async def content(self, file: SentFile) -> bytes:
        """All that was sent. Raises FileGone."""
        try:
            content = await self.blobs.get(file.blob_key)
        except BlobGone:
            content = b""
        if len(content) != file.byte_count:
            log.error("a sent file is lost", file=file.id, bytes_found=len(content), bytes_sent=file.byte_count)
            raise FileGone(f"The bytes of the file {file.id!r} are gone; delete it and send it again.")
        return content

    async def page(self, caller: Caller, *, limit: int, after: str | None) -> tuple[list[SentFile], bool]:
        """Newest first, behind the file `after`; and whether more follow.

        Raises:
            FileUnknown: there is no file `after`.
        """
        if after is not None:
            await self.one(caller, after)
        async with self.database.reading() as connection:
            found = await page_of_files(connection, caller.account.id, limit=limit + 1, after=after)
        return found[:limit], len(found) > limit

    async def delete(self, caller: Caller, file_id: str) -> None:
        """Batches that were made of it are not touched: they have what they need.

        Raises:
            FileUnknown.
        """
        file = await self.one(caller, file_id)
        await self.blobs.delete(file.blob_key)
        async with self.database.writing() as transaction:
            await remove_file(transaction, file.id)
