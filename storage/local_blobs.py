"""Blobs as files of a folder, written so that a power cut leaves all of a file or nothing."""

import asyncio
import os
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import ParamSpec, TypeVar

from storage.blob_checks import check_content, check_file, missing_is_gone
from storage.errors import BlobGone, BlobUnavailable

UNFINISHED = ".unfinished"
"""The folder, among the keys, of what is being written: what a killed writer left is found without looking everywhere."""

MOST_CHECKED = 10_000
"""Files of which it is remembered that they were whole."""

P = ParamSpec("P")
T = TypeVar("T")


class LocalBlobs:
    """Keeps the promise of `storage.blobs.Blobs` in `folder`, which is made when first written to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._checked: OrderedDict[Path, tuple[tuple[int, ...], str]] = OrderedDict()

    async def put(self, key: str, content: bytes | Path) -> None:
        await _in_thread(_write_durably, self._path(key), content, by=self._folder / UNFINISHED)

    async def get(self, key: str, *, sha256: str | None = None) -> bytes:
        return await _in_thread(_read, self._path(key), sha256)

    async def size(self, key: str) -> int | None:
        try:
            return (await _in_thread(_form_of, self._path(key)))[1]
        except BlobGone:
            return None

    async def checked_path(self, key: str, *, sha256: str) -> Path | None:
        path = self._path(key)
        form = await _in_thread(_form_of, path)
        if self._checked.get(path) != (form, sha256):
            await _in_thread(check_file, path, sha256)
            self._checked[path] = (form, sha256)
            while len(self._checked) > MOST_CHECKED:
                self._checked.popitem(last=False)
        return path

    def local_path(self, key: str) -> Path | None:
        path = self._path(key)
        return path if path.is_file() else None

    async def written_before(self, moment: datetime, prefix: str) -> AsyncIterator[str]:
        """A folder at a time, so that nobody waits for all of a large one."""
        folders = [self._path(prefix)]
        while folders:
            folder = folders.pop()
            below, files = await _in_thread(_looked_into, folder, moment.timestamp())
            folders += below
            for file in files:
                yield file.relative_to(self._folder).as_posix()

    async def sweep_unfinished(self, before: datetime) -> int:
        return await _in_thread(_sweep, self._folder / UNFINISHED, before.timestamp())

    async def delete(self, key: str) -> None:
        await _in_thread(_remove, self._path(key), is_folder=key.endswith("/"))

    def _path(self, key: str) -> Path:
        """Raises ValueError for a key that leaves the folder; keys are ours, so that is a defect."""
        parts = PurePosixPath(key).parts
        if not parts or key.startswith("/") or ".." in parts:
            raise ValueError(f"{key!r} is not a key of a blob.")
        return self._folder.joinpath(*parts)


async def _in_thread(do: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """A thread cannot be stopped; who is cancelled meanwhile may still count on it having ended."""
    work = asyncio.ensure_future(asyncio.to_thread(do, *args, **kwargs))
    try:
        return await asyncio.shield(work)
    except asyncio.CancelledError:
        await asyncio.gather(work, return_exceptions=True)
        raise
    except OSError as failure:
        raise BlobUnavailable("The folder of pictures cannot be read or written.") from failure


def _read(path: Path, sha256: str | None) -> bytes:
    with missing_is_gone():
        content = path.read_bytes()
    check_content(content, sha256)
    return content


def _form_of(path: Path) -> tuple[int, ...]:
    """What changes when the file does."""
    with missing_is_gone():
        found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _write_durably(path: Path, content: bytes | Path, *, by: Path) -> None:
    """Write under a temporary name in `by`, force it to the disk, rename it, force the new name to the disk."""
    _make_folders(path.parent)
    _make_folders(by)
    handle, name = tempfile.mkstemp(dir=by, suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            if isinstance(content, bytes):
                file.write(content)
            else:
                with content.open("rb") as source:
                    shutil.copyfileobj(source, file)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)  # there only if it could not be renamed
    _force_names(path.parent)


def _make_folders(folder: Path) -> None:
    """Make what is missing of the path; each new name is forced to the disk too."""
    if folder.is_dir():
        return
    _make_folders(folder.parent)
    folder.mkdir(exist_ok=True)
    _force_names(folder.parent)


def _force_names(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _looked_into(folder: Path, before_s: float) -> tuple[list[Path], list[Path]]:
    """The folders in it, and its files that were written before; what goes meanwhile is not there."""
    below: list[Path] = []
    files: list[Path] = []
    try:
        for entry in os.scandir(folder):
            if entry.is_dir(follow_symlinks=False):
                below.append(Path(entry.path))
            elif not entry.name.startswith(".") and entry.stat(follow_symlinks=False).st_mtime < before_s:
                files.append(Path(entry.path))
    except FileNotFoundError:
        return below, files
    return below, files


def _sweep(folder: Path, before_s: float) -> int:
    _, files = _looked_into(folder, before_s)
    for file in files:
        file.unlink(missing_ok=True)
    return len(files)


def _remove(path: Path, *, is_folder: bool) -> None:
    if not is_folder:
        path.unlink(missing_ok=True)
    elif path.is_dir():
        shutil.rmtree(path)
