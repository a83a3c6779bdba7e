"""`pinxit accounts export`: everything that is stored about an account, in one ZIP file.

One JSON Lines file for each kind of row, the pictures, what they began from, their recipes, the files that were sent.
Rows are read page by page and pictures one by one, so memory holds little however much there is; a server may go on
meanwhile.
"""

import os
import zipfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import msgspec
from rich.console import Console

from gateway.accounts import CLI
from gateway.cli.accounts import with_access
from gateway.cli.painting import check_folder
from gateway.generations.inputs.source_images import key_of
from gateway.wiring import Access
from models import GenerationSpec, RequestInvalid
from storage import Account, BlobGone, Blobs, BlobUnavailable, Database
from storage.export import KINDS, Row, is_there, rows_of
from storage.files import files_folder

RECIPES = "recipes"


def export_account(account: str, output: Path) -> None:
    """Raises AccountUnknown, RequestInvalid, Failed; then no file is left."""
    check_folder(output)
    try:
        handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise RequestInvalid(f"{output}: there is such a file already.", field="output") from None
    with ExitStack() as unless_it_is_whole:
        unless_it_is_whole.callback(output.unlink)
        with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            counts = with_access(lambda access: _exported(access, account, archive))
        unless_it_is_whole.pop_all()
    written = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in counts.items() if count)
    Console(highlight=False, soft_wrap=True).print(f"{output}: {written}.")


async def _exported(access: Access, account: str, archive: zipfile.ZipFile) -> Mapping[str, int]:
    found = await access.accounts.hand_over(account, by=CLI)
    export = AccountExport(account=found, database=access.database, blobs=access.blobs, archive=archive)
    return await export.write()


@dataclass(frozen=True, kw_only=True)
class AccountExport:
    """Writes one account into `archive`. What is deleted while it is at work may be missing, or named without its file."""

    account: Account
    database: Database
    blobs: Blobs
    archive: zipfile.ZipFile
    rows_at_once: int = 100
    counts: dict[str, int] = field(default_factory=dict[str, int])

    async def write(self) -> Mapping[str, int]:
        """Returns how many rows of each kind there were.

        Raises:
            StoreUnavailable, BlobGone, BlobUnavailable.
        """
        for kind in KINDS:
            await self._write_rows(kind)
        async for row in self._rows("generations"):
            await self._write_recipes(row)
        async for row in self._rows("pictures"):
            name = f"pictures/{row['generation_id']}/{row['position']}.{row['format']}"
            await self._write_blob(name, row["blob_key"], row, kind="pictures")
        async for row in self._rows("files"):
            key = f"{files_folder(self.account.id)}{row['id']}.jsonl"
            await self._write_blob(f"files/{row['id']}.jsonl", key, row, kind="files")
        return self.counts

    async def _write_rows(self, kind: str) -> None:
        self.counts[kind] = 0
        with self.archive.open(f"{kind}.jsonl", "w", force_zip64=True) as lines:
            async for row in self._rows(kind):
                lines.write(_line_of(row))
                self.counts[kind] += 1

    async def _write_recipes(self, row: Row) -> None:
        """And what its pictures began from."""
        if row[RECIPES] is not None:
            self.archive.writestr(f"recipes/{row['id']}.json", row[RECIPES])
        for sha256 in _source_images_of(row["specs"]):
            key = key_of(row["painting_id"], sha256)
            await self._write_blob(f"beginnings/{row['id']}/{sha256}.png", key, row, kind="generations")

    async def _write_blob(self, name: str, key: str, row: Row, *, kind: str) -> None:
        """Raises BlobGone, BlobUnavailable: it cannot be read, and is not just deleted."""
        try:
            content = await self.blobs.get(key)
        except (BlobGone, BlobUnavailable):
            async with self.database.reading() as connection:
                if await is_there(connection, kind, row):
                    raise
            return
        self.archive.writestr(name, content, zipfile.ZIP_STORED)  # pictures do not shrink

    async def _rows(self, kind: str) -> AsyncIterator[Row]:
        after: Row | None = None
        while True:
            async with self.database.reading() as connection:
                page = await rows_of(connection, kind, self.account.id, after=after, limit=self.rows_at_once)
            for row in page:
                yield row
            if len(page) < self.rows_at_once:
                return
            after = page[-1]


def _line_of(row: Row) -> bytes:
    """Recipes have files of their own."""
    members = {name: _plain(value) for name, value in row.items() if name != RECIPES}
    return msgspec.json.encode(members) + b"\n"


def _plain(value: Any) -> Any:
    """Sets in order; bytes as the JSON or the text that they hold."""
    if isinstance(value, frozenset):
        return sorted(cast("frozenset[str]", value))
    if not isinstance(value, bytes):
        return value
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError:
        return value.decode(errors="replace")


def _source_images_of(specs: bytes) -> Sequence[str]:
    inits = (spec.init_image for spec in msgspec.json.decode(specs, type=tuple[GenerationSpec, ...]))
    found: Iterator[str | None] = (name for init in inits if init for name in (init.sha256, init.mask_sha256))
    return sorted({name for name in found if name is not None})
