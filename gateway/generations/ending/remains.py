"""What a run that was killed left behind, and only it could have used: removed by the next start.

Half-painted pictures, their pixels and the source images beside them lie in the workspace; half-written files lie where
the blobs are written. The data folder belongs to one server at a time (`Installation.alone`), so nobody else needs them.
"""

import asyncio
import shutil
from dataclasses import dataclass
from pathlib import Path

import structlog

from gateway.clock import Clock
from models import Failed
from storage import Blobs

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Remains:
    """`is_single`: nobody else writes blobs where we do, else only what is hours old is known to be left."""

    workspace: Path
    blobs: Blobs
    clock: Clock
    is_single: bool

    async def sweep(self) -> int:
        """Remove them; how many folders and files that were. What cannot be removed is named in the log."""
        swept = await asyncio.to_thread(_emptied, self.workspace)
        if self.is_single:
            try:
                swept += await self.blobs.sweep_unfinished(self.clock())
            except Failed as unavailable:
                log.error("remains of the last run stay for now", reason=unavailable.message)
        return swept


def _emptied(folder: Path) -> int:
    """How many were in it."""
    if not folder.is_dir():
        return 0
    remains = list(folder.iterdir())
    for entry in remains:
        try:
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        except OSError as wrong:
            log.error("a picture of the last run cannot be removed", path=str(entry), reason=wrong.strerror)
    return len(remains)
