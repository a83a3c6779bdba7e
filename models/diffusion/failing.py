"""What went wrong, in our own words."""

import logging

from models.errors import Failed, OutOfMemory, PaintingBroken, as_machine_short

log = logging.getLogger(__name__)

# How a full memory is worded, in lower case. The last one is also said of a dtype that the GPU's
# convolutions lack.
FULL = (
    "out of memory",
    "allocate memory",
    "alloc_failed",  # CUBLAS_STATUS_, CUDNN_STATUS_ and others
    "allocation_failed",  # cuDNN 9's names
    "unable to find an engine to execute this computation",
)


def as_failure(wrong: Exception) -> Failed:
    """Ours as they are; a full memory by whatever name as OutOfMemory; the rest, logged, as
    PaintingBroken."""
    if isinstance(wrong, Failed):
        return wrong
    if is_out_of_memory(wrong):
        log.warning("out of memory: %s", wrong)
        return OutOfMemory("The device has no room for this picture.")
    if (short := as_machine_short(wrong)) is not None:
        log.warning("the machine is short of something: %s", wrong)
        return short
    log.error("painting broke", exc_info=wrong)
    return PaintingBroken(f"The engine failed: {type(wrong).__name__}.")


def is_out_of_memory(wrong: Exception) -> bool:
    """torch has a class of its own for it where its allocator on CUDA is full; the CPU, and CUDA's
    libraries when they want memory for themselves, say it in words."""
    return (
        isinstance(wrong, MemoryError)
        or type(wrong).__name__ == "OutOfMemoryError"
        or (isinstance(wrong, RuntimeError) and any(words in str(wrong).lower() for words in FULL))
    )


def is_device_lost(wrong: Exception) -> bool:
    """CUDA has failed in a way after which nothing runs in this process any more; only a new one
    helps. A full memory is no such failure, though CUDA reports it in the same class when a
    kernel's code finds no room."""
    return type(wrong).__name__ == "AcceleratorError" and not is_out_of_memory(wrong)
