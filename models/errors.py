"""The error tree, named by what the caller can do about it.

    DomainError
    ├── Refused   the caller must change something; never retried
    └── Failed    we could not; `retryable` says whether trying again may help

Leaves live in the package that raises them. HTTP numbers stand in `gateway/http/edge/problems.py`
alone.
"""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar


class DomainError(Exception):
    """Anything this product reports on purpose. `code` is a stable public word, `message` is for
    people."""

    code: ClassVar[str]

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Refused(DomainError):
    """The caller must change something before asking again."""


class Failed(DomainError):
    """We could not do what was asked."""

    retryable: ClassVar[bool] = False


class RequestInvalid(Refused):
    """One field of the request breaks a rule; `field` is its public name."""

    code: ClassVar[str] = "invalid_parameter"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class ParameterMissing(RequestInvalid):
    code: ClassVar[str] = "missing_parameter"


class ParameterUnknown(RequestInvalid):
    code: ClassVar[str] = "unknown_parameter"


class ParameterUnsupported(RequestInvalid):
    """The member is known and would change the picture in a way that this server cannot follow."""

    code: ClassVar[str] = "unsupported_parameter"


class SizeInvalid(RequestInvalid):
    code: ClassVar[str] = "invalid_size"


class PromptTooLong(RequestInvalid):
    code: ClassVar[str] = "prompt_too_long"


class NegativePromptTooLong(RequestInvalid):
    code: ClassVar[str] = "negative_prompt_too_long"


class AdapterUnknown(RequestInvalid):
    """No LoRA of that name is in the catalogue."""

    code: ClassVar[str] = "lora_not_found"


class VaeUnknown(RequestInvalid):
    """No autoencoder of that name is in the catalogue."""

    code: ClassVar[str] = "vae_not_found"


class ModelUnknown(Refused):
    """No model of that name is in the catalogue."""

    code: ClassVar[str] = "model_not_found"


class SettingInvalid(DomainError):
    """The operator's configuration is wrong; the start stops with one line that names the
    setting."""

    code: ClassVar[str] = "invalid_setting"


class ModelUnavailable(Failed):
    """The model is known but cannot serve now."""

    code: ClassVar[str] = "model_unavailable"


class WeightsRejected(Failed):
    """The files of a model, LoRA, VAE or upscaler are not what they must be (missing, damaged, a
    pickle, made for another model); only who keeps them can change that."""

    code: ClassVar[str] = "model_unusable"


class OutOfMemory(Failed):
    """The device had no room for this picture; another attempt may find some."""

    code: ClassVar[str] = "overloaded"
    retryable: ClassVar[bool] = True


class MachineShort(Failed):
    """The machine had no room for this now: disk, memory or file descriptors; that passes."""

    code: ClassVar[str] = "overloaded"
    retryable: ClassVar[bool] = True


PASSING = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.EAGAIN, errno.EIO}
)
"""What a disk, the memory or the table of files says when it is full or fails for a while."""


def as_machine_short(wrong: BaseException) -> MachineShort | None:
    """None where it is something else. The text of the error, which may hold paths, is for the log
    alone."""
    if isinstance(wrong, MemoryError) or (isinstance(wrong, OSError) and wrong.errno in PASSING):
        return MachineShort("The machine has no room for this now (disk, memory or open files).")
    return None


@contextmanager
def machine_short() -> Iterator[None]:
    """A passing fault of the machine becomes MachineShort, in whatever it strikes; everything else
    stays."""
    try:
        yield
    except (OSError, MemoryError) as wrong:
        if (short := as_machine_short(wrong)) is not None:
            raise short from wrong
        raise


class EngineStopped(Failed):
    """The engine's process died or was killed while it worked on this picture."""

    code: ClassVar[str] = "internal_error"
    retryable: ClassVar[bool] = True


class PaintingCrashed(Failed):
    """The server itself stopped each time it painted this picture."""

    code: ClassVar[str] = "painting_crashed"


class PaintingBroken(Failed):
    """The engine gave back something that is not a picture (NaN, a wrong shape, an unexpected
    error)."""

    code: ClassVar[str] = "internal_error"
