"""Can work be done here now? Tried, not asked: a full disk lets everything be read."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from models import Failed, machine_short
from storage import Blobs, Database

GOOD_FOR_S = 5.0
PATIENCE_S = 5.0
ROOM_BYTES = 1 << 20  # about what a picture takes
PROBE_KEY = "probe/ready"

log = structlog.get_logger()


@dataclass(slots=True, kw_only=True)
class Readiness:
    """Tries what every generation needs: a change in the database, a file where is painted, a file where pictures are
    kept. However often it is asked, it tries once in `GOOD_FOR_S` seconds. `seconds` is a clock that never jumps.
    """

    database: Database
    blobs: Blobs
    workspace: Path
    seconds: Callable[[], float]
    _found: Mapping[str, str] = field(default_factory=dict[str, str])
    _tried_at_s: float | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def faults(self) -> Mapping[str, str]:
        """What does not work now, `database`, `workspace` or `pictures`, with a sentence for each; empty: all does."""
        async with self._turn:
            if self._tried_at_s is None or self.seconds() - self._tried_at_s >= GOOD_FOR_S:
                self._found = await self._try_all()
                self._tried_at_s = self.seconds()
        return self._found

    async def _try_all(self) -> Mapping[str, str]:
        tries = {"database": self.database.try_writing, "workspace": self._try_workspace, "pictures": self._try_blobs}
        said = await asyncio.gather(*(_fault(name, attempt) for name, attempt in tries.items()))
        return {name: why for name, why in zip(tries, said, strict=True) if why is not None}

    async def _try_workspace(self) -> None:
        await asyncio.to_thread(_make_room, self.workspace)

    async def _try_blobs(self) -> None:
        await self.blobs.put(PROBE_KEY, b"ready")
        await self.blobs.delete(PROBE_KEY)


async def _fault(name: str, attempt: Callable[[], Awaitable[None]]) -> str | None:
    """The error's own text is for the log: it may hold paths and hosts."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            await attempt()
    except TimeoutError:
        return f"It did not answer within {PATIENCE_S:g} s."
    except (Failed, OSError) as failed:
        log.warning("not ready", part=name, reason=str(failed.__cause__ or failed))
        return failed.message if isinstance(failed, Failed) else "It cannot be written."
    return None


def _make_room(folder: Path) -> None:
    """Raises MachineShort, OSError: there is no room for a picture, or no right to write one."""
    with machine_short():
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        try:
            probe.write_bytes(bytes(ROOM_BYTES))
        finally:
            probe.unlink(missing_ok=True)
