"""What can go wrong where things are kept."""

from typing import ClassVar

from models import Failed, Refused


class StoreUnavailable(Failed):
    """The database does not answer; nothing was written."""

    code: ClassVar[str] = "overloaded"
    retryable: ClassVar[bool] = True


class BlobUnavailable(Failed):
    """The place of the pictures does not answer."""

    code: ClassVar[str] = "overloaded"
    retryable: ClassVar[bool] = True


class BlobGone(Failed):
    """The picture was kept, and its file is not there any more."""

    code: ClassVar[str] = "image_gone"


class BlobDamaged(Failed):
    """The picture's file is not what was kept; it is not handed out."""

    code: ClassVar[str] = "image_damaged"


class CreditsShort(Refused):
    """The account has fewer credits than the request costs."""

    code: ClassVar[str] = "insufficient_credits"
