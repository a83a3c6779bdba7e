"""Errors that only HTTP knows: about the form of a message, not about painting."""

from collections.abc import Iterable
from typing import ClassVar

from models import Failed, Refused, RequestInvalid


class JsonInvalid(RequestInvalid):
    """The body is not JSON, or not a JSON object."""

    code: ClassVar[str] = "invalid_json"


class FormInvalid(RequestInvalid):
    """The body is declared as `multipart/form-data` and is none, or has too many parts."""

    code: ClassVar[str] = "invalid_form"


class FileInvalid(RequestInvalid):
    """The file that was sent cannot be read as what it is declared to be."""

    code: ClassVar[str] = "invalid_file"


class HttpInvalid(Refused):
    """What was sent cannot be read as a request of HTTP/1.1."""

    code: ClassVar[str] = "invalid_http"


class HeadTooLarge(Refused):
    """Request line and headers are larger, or more, than we read."""

    code: ClassVar[str] = "head_too_large"


class RequestTooSlow(Refused):
    """The request came too slowly, or stopped coming."""

    code: ClassVar[str] = "request_timeout"


class TooManyConnections(Failed):
    """There are as many connections as we hold."""

    code: ClassVar[str] = "overloaded"
    retryable: ClassVar[bool] = True


class ServerStopping(Failed):
    """The server stops while this call waits; what was accepted is finished after its next start."""

    code: ClassVar[str] = "overloaded"
    retryable: ClassVar[bool] = True


class PathUnknown(Refused):
    """Nothing is served at this path."""

    code: ClassVar[str] = "not_found"


class MethodNotAllowed(Refused):
    """The path exists, the method does not fit it."""

    code: ClassVar[str] = "method_not_allowed"

    def __init__(self, message: str, *, allowed: Iterable[str]) -> None:
        super().__init__(message)
        self.allowed = tuple(sorted(allowed))


class PayloadTooLarge(Refused):
    """The body is larger than we read."""

    code: ClassVar[str] = "payload_too_large"


class MediaTypeUnsupported(Refused):
    """The body is not declared as what this path reads: JSON, or a form where there are pictures."""

    code: ClassVar[str] = "unsupported_media_type"


class HttpsRequired(Refused):
    """A plain http request to an installation whose public address is https."""

    code: ClassVar[str] = "https_required"


class RangeNotSatisfiable(Refused):
    """The byte range asked for lies outside the picture."""

    code: ClassVar[str] = "range_not_satisfiable"

    def __init__(self, message: str, *, size: int) -> None:
        super().__init__(message)
        self.size = size


class InternalError(Failed):
    """A defect of ours; the log has the trace under the request's id."""

    code: ClassVar[str] = "internal_error"


class GenerationTimeout(Failed):
    """The wait ran out on a surface that knows no "accepted"; the painting goes on."""

    code: ClassVar[str] = "generation_timeout"
    retryable: ClassVar[bool] = True


class GenerationCanceled(Refused):
    """Somebody canceled the generation while this call waited for it."""

    code: ClassVar[str] = "generation_canceled"


class ModerationBlocked(Refused):
    """`PromptBlocked` in the word that clients of OpenAI's image endpoints know."""

    code: ClassVar[str] = "moderation_blocked"

    def __init__(self, message: str, *, category: str) -> None:
        super().__init__(message)
        self.category = category
