"""What went wrong, in our own words."""

import logging

from models.errors import Failed, OutOfMemory, PaintingBroken

log = logging.getLogger(__name__)


def as_failure(wrong: Exception) -> Failed:
    """Ours as they are; a full memory by whatever name as OutOfMemory; the rest, logged, as PaintingBroken."""
    if isinstance(wrong, Failed):
        return wrong
    if is_out_of_memory(wrong):
        return OutOfMemory("The device has no room for this picture.")
    log.error("painting broke", exc_info=wrong)
    return PaintingBroken(f"The engine failed: {type(wrong).__name__}.")


def is_out_of_memory(wrong: Exception) -> bool:
    """torch says it in a class of its own on CUDA, in words on the CPU."""
    return (
        isinstance(wrong, MemoryError)
        or type(wrong).__name__ == "OutOfMemoryError"
        or (isinstance(wrong, RuntimeError) and "allocate memory" in str(wrong))
    )


def is_device_lost(wrong: Exception) -> bool:
    """CUDA has failed in a way after which nothing runs in this process any more; only a new one helps."""
    return type(wrong).__name__ == "AcceleratorError"
