"""Files that an account has sent, as rows; their bytes lie beside the pictures, in a folder of the account."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, select

from storage.database import Connection, Transaction
from storage.rows import is_older, row_of
from storage.tables import files


@dataclass(frozen=True, slots=True, kw_only=True)
class SentFile:
    """What is known of a file without its bytes, which never change."""

    id: str
    account_id: str
    filename: str
    byte_count: int
    created_at: datetime

    @property
    def blob_key(self) -> str:
        return f"{files_folder(self.account_id)}{self.id}.jsonl"


FILES = "files/"
"""Below it lie the files of all accounts."""


def files_folder(account_id: str) -> str:
    """Where all files of the account lie."""
    return f"{FILES}{account_id}/"


async def add_file(transaction: Transaction, file: SentFile) -> None:
    await transaction.execute(insert(files).values(row_of(file)))


async def file_by_id(connection: Connection, account_id: str, id: str) -> SentFile | None:
    """One file of the account."""
    found = await connection.execute(select(files).where(files.c.id == id, files.c.account_id == account_id))
    row = found.mappings().one_or_none()
    return None if row is None else SentFile(**row)


async def page_of_files(
    connection: Connection, account_id: str, *, limit: int, after: str | None = None
) -> list[SentFile]:
    """The account's newest files, newest first, behind the one called `after`."""
    wanted = [files.c.account_id == account_id]
    if after is not None:
        wanted.append(is_older(files, after))
    query = select(files).where(*wanted).order_by(files.c.created_at.desc(), files.c.id.desc()).limit(limit)
    return [SentFile(**row) for row in (await connection.execute(query)).mappings()]


async def count_files(connection: Connection, account_id: str) -> int:
    query = select(func.count()).select_from(files).where(files.c.account_id == account_id)
    return await connection.scalar(query) or 0


async def known_files(connection: Connection, keys: Collection[str]) -> set[str]:
    """Those of the keys of blobs under which a file of an account lies."""
    ids = {key.rpartition("/")[2].partition(".")[0] for key in keys}
    rows = (await connection.execute(select(files).where(files.c.id.in_(ids)))).mappings()
    return {SentFile(**row).blob_key for row in rows} & set(keys)


async def remove_file(transaction: Transaction, id: str) -> None:
    await transaction.execute(delete(files).where(files.c.id == id))
