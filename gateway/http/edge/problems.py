"""Every error this product speaks, and its HTTP number. Numbers stand here and nowhere else."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from gateway.access import (
    AccountSuspended,
    KeyMissing,
    KeyRejected,
    PlanTooSmall,
    QuotaExceeded,
    RateExceeded,
    ScopeMissing,
    TooManyOpen,
)
from gateway.accounts import AccountUnknown, KeyUnknown
from gateway.batches import BatchUnknown, FileGone, FileUnknown, TooManyFiles
from gateway.generations import (
    AlreadyFinished,
    CursorInvalid,
    GenerationUnknown,
    IdempotencyClash,
    IdempotencyInProgress,
    NotCompleted,
    QueueFull,
)
from gateway.http.edge.refusals import (
    FileInvalid,
    FormInvalid,
    GenerationCanceled,
    GenerationTimeout,
    HeadTooLarge,
    HttpInvalid,
    HttpsRequired,
    InternalError,
    JsonInvalid,
    MediaTypeUnsupported,
    MethodNotAllowed,
    ModerationBlocked,
    PathUnknown,
    PayloadTooLarge,
    RangeNotSatisfiable,
    RequestTooSlow,
    ServerStopping,
    TooManyConnections,
)
from gateway.image_decoder import DecoderStopped, ImageInvalid
from gateway.webhooks import DeliveryUnknown, EndpointDisabled, EndpointUnknown, TooManyEndpoints, WebhookUrlInvalid
from gateway.wire import ErrorBody, ErrorDetail
from models import (
    AdapterUnknown,
    DomainError,
    EngineStopped,
    Failed,
    MachineShort,
    ModelUnavailable,
    ModelUnknown,
    NegativePromptTooLong,
    OutOfMemory,
    PaintingBroken,
    PaintingCrashed,
    ParameterMissing,
    ParameterUnknown,
    ParameterUnsupported,
    PromptTooLong,
    RequestInvalid,
    SettingInvalid,
    SizeInvalid,
    VaeUnknown,
    WeightsRejected,
)
from router import StyleUnknown
from safety import PromptBlocked
from storage import BlobDamaged, BlobGone, BlobUnavailable, CreditsShort, StoreUnavailable
from storage.links import SignatureInvalid, UrlExpired

RETRY_AFTER_S = 5


class Kind(StrEnum):
    """The word clients of the OpenAI family sort errors by."""

    INVALID = "invalid_request_error"
    IMAGE = "image_generation_user_error"
    AUTHENTICATION = "authentication_error"
    PERMISSION = "permission_error"
    CREDITS = "insufficient_quota"
    RATE = "rate_limit_error"
    SERVER = "server_error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """How one error looks over HTTP. `retry_after_s` is sent where the error itself brings none."""

    status: int
    title: str
    kind: Kind = Kind.INVALID
    retry_after_s: int | None = None


PROBLEMS: Mapping[type[DomainError], Problem] = {
    JsonInvalid: Problem(status=400, title="Invalid JSON"),
    HttpInvalid: Problem(status=400, title="Invalid HTTP"),
    FormInvalid: Problem(status=400, title="Invalid form"),
    ParameterMissing: Problem(status=400, title="Missing parameter"),
    RequestInvalid: Problem(status=400, title="Invalid parameter"),
    ParameterUnknown: Problem(status=400, title="Unknown parameter"),
    ParameterUnsupported: Problem(status=400, title="Unsupported parameter"),
    PromptTooLong: Problem(status=400, title="Prompt too long"),
    NegativePromptTooLong: Problem(status=400, title="Negative prompt too long"),
    StyleUnknown: Problem(status=400, title="Unknown style"),
    SizeInvalid: Problem(status=400, title="Invalid size"),
    AdapterUnknown: Problem(status=400, title="Unknown LoRA"),
    VaeUnknown: Problem(status=400, title="Unknown VAE"),
    ImageInvalid: Problem(status=400, title="Invalid image"),
    WebhookUrlInvalid: Problem(status=400, title="Invalid webhook URL"),
    CursorInvalid: Problem(status=400, title="Invalid cursor"),
    FileInvalid: Problem(status=400, title="Invalid file"),
    PromptBlocked: Problem(status=400, title="Content policy violation"),
    ModerationBlocked: Problem(status=400, title="Moderation blocked", kind=Kind.IMAGE),
    KeyMissing: Problem(status=401, title="Missing API key", kind=Kind.AUTHENTICATION),
    KeyRejected: Problem(status=401, title="Invalid API key", kind=Kind.AUTHENTICATION),
    CreditsShort: Problem(status=402, title="Insufficient credits", kind=Kind.CREDITS),
    AccountSuspended: Problem(status=403, title="Account suspended", kind=Kind.PERMISSION),
    ScopeMissing: Problem(status=403, title="Insufficient scope", kind=Kind.PERMISSION),
    PlanTooSmall: Problem(status=403, title="Plan upgrade required", kind=Kind.PERMISSION),
    SignatureInvalid: Problem(status=403, title="Invalid signature", kind=Kind.PERMISSION),
    UrlExpired: Problem(status=403, title="URL expired", kind=Kind.PERMISSION),
    HttpsRequired: Problem(status=403, title="HTTPS required", kind=Kind.PERMISSION),
    TooManyEndpoints: Problem(status=403, title="Too many endpoints", kind=Kind.PERMISSION),
    TooManyFiles: Problem(status=403, title="Too many files", kind=Kind.PERMISSION),
    GenerationUnknown: Problem(status=404, title="Not found"),
    KeyUnknown: Problem(status=404, title="Not found"),
    AccountUnknown: Problem(status=404, title="Not found"),
    BatchUnknown: Problem(status=404, title="Not found"),
    FileUnknown: Problem(status=404, title="Not found"),
    PathUnknown: Problem(status=404, title="Not found"),
    ModelUnknown: Problem(status=404, title="Model not found"),
    EndpointUnknown: Problem(status=404, title="Not found"),
    DeliveryUnknown: Problem(status=404, title="Not found"),
    MethodNotAllowed: Problem(status=405, title="Method not allowed"),
    RequestTooSlow: Problem(status=408, title="Request timeout"),
    IdempotencyInProgress: Problem(status=409, title="Idempotency in progress"),
    NotCompleted: Problem(status=409, title="Not completed"),
    AlreadyFinished: Problem(status=409, title="Already finished"),
    GenerationCanceled: Problem(status=410, title="Generation canceled"),  # 409 would be retried, and painted again
    BlobGone: Problem(status=410, title="Image gone", kind=Kind.SERVER),
    BlobDamaged: Problem(status=410, title="Image damaged", kind=Kind.SERVER),
    FileGone: Problem(status=410, title="File gone", kind=Kind.SERVER),
    EndpointDisabled: Problem(status=409, title="Endpoint disabled"),
    PayloadTooLarge: Problem(status=413, title="Payload too large"),
    MediaTypeUnsupported: Problem(status=415, title="Unsupported media type"),
    RangeNotSatisfiable: Problem(status=416, title="Range not satisfiable"),
    IdempotencyClash: Problem(status=422, title="Idempotency key reused"),
    RateExceeded: Problem(status=429, title="Rate limit exceeded", kind=Kind.RATE),
    QuotaExceeded: Problem(status=429, title="Quota exceeded", kind=Kind.RATE),
    TooManyOpen: Problem(status=429, title="Concurrency limit exceeded", kind=Kind.RATE),
    QueueFull: Problem(status=429, title="Queue full", kind=Kind.RATE),
    HeadTooLarge: Problem(status=431, title="Head too large"),
    InternalError: Problem(status=500, title="Internal error", kind=Kind.SERVER),
    EngineStopped: Problem(status=500, title="Internal error", kind=Kind.SERVER),
    PaintingCrashed: Problem(status=500, title="Painting crashed", kind=Kind.SERVER),
    PaintingBroken: Problem(status=500, title="Internal error", kind=Kind.SERVER),
    WeightsRejected: Problem(status=500, title="Model unusable", kind=Kind.SERVER),
    SettingInvalid: Problem(status=500, title="Invalid setting", kind=Kind.SERVER),
    MachineShort: Problem(status=503, title="Overloaded", kind=Kind.SERVER, retry_after_s=RETRY_AFTER_S),
    OutOfMemory: Problem(status=503, title="Overloaded", kind=Kind.SERVER, retry_after_s=RETRY_AFTER_S),
    DecoderStopped: Problem(status=503, title="Overloaded", kind=Kind.SERVER, retry_after_s=RETRY_AFTER_S),
    TooManyConnections: Problem(status=503, title="Overloaded", kind=Kind.SERVER, retry_after_s=RETRY_AFTER_S),
    ServerStopping: Problem(status=503, title="Overloaded", kind=Kind.SERVER, retry_after_s=RETRY_AFTER_S),
    StoreUnavailable: Problem(status=503, title="Overloaded", kind=Kind.SERVER, retry_after_s=RETRY_AFTER_S),
    BlobUnavailable: Problem(status=503, title="Overloaded", kind=Kind.SERVER, retry_after_s=RETRY_AFTER_S),
    ModelUnavailable: Problem(status=503, title="Model unavailable", kind=Kind.SERVER, retry_after_s=RETRY_AFTER_S),
    GenerationTimeout: Problem(status=504, title="Generation timeout", kind=Kind.SERVER, retry_after_s=RETRY_AFTER_S),
}


def problem_of(error: DomainError) -> Problem:
    """The row of the error's own class; a class without a row is a defect that a test finds."""
    return PROBLEMS[type(error)]


def codes_of(status: int) -> set[str]:
    """Every code that an answer of this status may hold."""
    return {error.code for error, problem in PROBLEMS.items() if problem.status == status}


def example_bodies() -> dict[str, ErrorBody]:
    """By code, an error as it is answered, its message being what the code means."""
    meanings = {error.code: (" ".join((error.__doc__ or "").split()), problem) for error, problem in PROBLEMS.items()}
    return {
        code: _body(problem, code, meaning, request_id="req_Kz9mN4pQr2xTvW", types="http://127.0.0.1:8000/errors")
        for code, (meaning, problem) in meanings.items()
    }


def problem_body(error: DomainError, *, request_id: str, types: str) -> ErrorBody:
    """`types` is the address under which every code has a page, such as `https://…/errors`."""
    body = _body(problem_of(error), error.code, error.message, request_id=request_id, types=types)
    body.error.param = getattr(error, "field", None)
    body.error.category = getattr(error, "category", None)
    return body


def _body(problem: Problem, code: str, message: str, *, request_id: str, types: str) -> ErrorBody:
    return ErrorBody(
        error=ErrorDetail(
            code=code,
            message=message,
            status=problem.status,
            type=problem.kind,
            param=None,
            request_id=request_id,
            category=None,
        ),
        type=f"{types}/{code}",
        title=problem.title,
        status=problem.status,
        detail=message,
        instance=request_id,
    )


def problem_headers(error: DomainError) -> dict[str, str]:
    """What a client must be told beside the body: how to log in, which methods, when to come back."""
    problem = problem_of(error)
    headers: dict[str, str] = {}
    if problem.kind is Kind.AUTHENTICATION:
        headers["WWW-Authenticate"] = 'Bearer realm="pinxit"'
    if is_in_vain(error):
        headers["x-should-retry"] = "false"
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = ", ".join(error.allowed)
    if isinstance(error, RangeNotSatisfiable):
        headers["Content-Range"] = f"bytes */{error.size}"
    retry_after_s = getattr(error, "retry_after_s", problem.retry_after_s)
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    return headers


def is_in_vain(error: DomainError) -> bool:
    """Its status makes clients of OpenAI's family ask again by themselves, which would change nothing."""
    status = problem_of(error).status
    if isinstance(error, Failed):
        return not error.retryable and problem_of(error).retry_after_s is None
    return isinstance(error, QuotaExceeded) or (status == 409 and not hasattr(error, "retry_after_s"))
