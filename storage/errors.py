"""What can go wrong where things are kept."""

from typing import ClassVar

from models import Failed, Refused


class StoreUnavailable(Failed):
    """The database does not answer; nothing was written."""

    code: ClassVar[str] = "overloaded"
    retryable: ClassVar[bool] = True


class BlobUnavailable(Failed):
    """The place of the pictures does not answer, or has no such picture."""

    code: ClassVar[str] = "overloaded"
    retryable: ClassVar[bool] = True


class CreditsShort(Refused):
    """The account has fewer credits than the request costs."""

    code: ClassVar[str] = "insufficient_credits"
