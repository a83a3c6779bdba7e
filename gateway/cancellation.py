"""Work that a cancellation must not cut in two."""

import asyncio
from collections.abc import Coroutine
from typing import TypeVar

Result = TypeVar("Result")


async def unbroken(work: Coroutine[None, None, Result]) -> Result:
    """Let `work` end before a cancellation is heard: what was made is recorded, what is written is written to its end."""
    working = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await asyncio.wait([working])
        raise
