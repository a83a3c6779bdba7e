"""What wakes workers. A queue carries no truth: the database knows every open generation, and is polled anyway."""

from typing import Protocol


class GenerationQueue(Protocol):
    """Tells workers that there is something to claim. Losing or doubling a message is harmless."""

    async def announce(self, generation_id: str) -> None:
        """Say, after the commit, that this generation waits. Never raises for a lost queue."""

    def nudge(self) -> None:
        """Wake the waiting worker of this process: a slot is free."""

    async def wait(self, timeout_s: float) -> None:
        """Return when something was announced since the last wait, or after `timeout_s`."""
