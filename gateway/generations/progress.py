"""What is going on right now, in this process: steps done, and who waits for which generation to end."""

import asyncio
from collections import defaultdict
from contextlib import suppress

from models import Phase, Progress


class ProgressBoard:
    """Progress of generations being painted here, and a bell for those who wait."""

    def __init__(self) -> None:
        self._progress: dict[str, Progress] = {}
        self._bells: dict[str, set[asyncio.Event]] = defaultdict(set)

    def note(self, generation_id: str, progress: Progress) -> None:
        self._progress[generation_id] = progress

    def read(self, generation_id: str) -> Progress:
        return self._progress.get(generation_id, Progress(phase=Phase.WAITING))

    def ended(self, generation_id: str) -> None:
        """Forget the generation and ring for everybody who waits for it."""
        self._progress.pop(generation_id, None)
        for bell in self._bells.pop(generation_id, ()):
            bell.set()

    async def wait(self, generation_id: str, timeout_s: float) -> None:
        """Return when the generation ends in this process, or after `timeout_s`."""
        bell = asyncio.Event()
        self._bells[generation_id].add(bell)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await bell.wait()
        finally:
            self._bells[generation_id].discard(bell)
            if not self._bells[generation_id]:
                del self._bells[generation_id]
