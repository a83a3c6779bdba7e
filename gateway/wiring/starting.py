"""What a command needs before it begins: each thing is tried, and what does not work is one line that names its setting."""

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from gateway.setting_values import without_password
from gateway.settings import Settings
from models import SettingInvalid
from models.process.cuda import why_no_cuda
from storage import BlobUnavailable, Database, StoreUnavailable
from storage.blobs import open_blobs

PROBE_KEY = "probe/start"
PATIENCE_S = 30.0


@contextmanager
def folder_errors(folder: Path) -> Iterator[None]:
    """What the operating system refuses in the data folder, as one line.

    Raises:
        SettingInvalid.
    """
    try:
        yield
    except OSError as wrong:
        where = wrong.filename if isinstance(wrong.filename, str) else str(folder)
        raise SettingInvalid(f"PINXIT_DATA_DIR: {where} cannot be written ({wrong.strerror or wrong}).") from None


def prepare_folder(settings: Settings) -> None:
    """Make it, and write into it once. Raises SettingInvalid."""
    with folder_errors(settings.data_dir):
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        try:
            with tempfile.TemporaryFile(dir=settings.data_dir) as probe:
                probe.write(b"pinxit")
        except OSError as wrong:
            wrong.filename = str(settings.data_dir)
            raise


def check_device(settings: Settings) -> None:
    """Raises SettingInvalid: CUDA is forced, and is not there."""
    if settings.device == "cuda" and (why := why_no_cuda()) is not None:
        raise SettingInvalid(f"PINXIT_DEVICE: cuda cannot be used: {why}.")


async def migrate(database: Database, settings: Settings) -> None:
    """Open the database, and bring its tables to our form.

    Raises:
        SettingInvalid: it does not answer, refuses us, or is none.
    """
    try:
        await database.migrate()
    except StoreUnavailable as failed:
        shown = without_password(settings.database)
        raise SettingInvalid(f"PINXIT_DATABASE_URL: {shown} cannot be used ({_reason(failed)}).") from None


async def check_blobs(settings: Settings) -> None:
    """Write, read and delete one object where pictures are kept.

    Raises:
        SettingInvalid: with the store's own words.
    """
    url = settings.blobs
    try:
        async with asyncio.timeout(PATIENCE_S):
            blobs = open_blobs(url, is_patient=False)
            await blobs.put(PROBE_KEY, b"pinxit")
            await blobs.get(PROBE_KEY)
            await blobs.delete(PROBE_KEY)
    except TimeoutError:
        why = f"no answer within {PATIENCE_S:g} s"
    except BlobUnavailable as failed:
        why = _reason(failed)
    else:
        return
    raise SettingInvalid(f"PINXIT_BLOB_URL: {without_password(url)} cannot be used ({why}).")


def _reason(failed: StoreUnavailable | BlobUnavailable) -> str:
    """The store's own words, in one line."""
    cause = failed.__cause__ or failed
    words = str(getattr(cause, "orig", None) or cause) or type(cause).__name__
    words = words.partition("Debug source:")[0]  # obstore's, for its own developers
    return " ".join(words.split())[:300]
