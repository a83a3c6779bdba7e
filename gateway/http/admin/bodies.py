"""What the operator's API takes and shows."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from gateway.access import Plan
from gateway.accounts import MOST_CREDITS
from gateway.http.account.credit_bodies import BalanceBody, balance_body
from gateway.webhooks.destination import host_of
from gateway.wire import Moment
from storage import Account, AuditEntry, Balance, EndpointState
from storage.webhook_health import WebhookHealth

STRICT = ConfigDict(strict=True, extra="forbid")
Detail = str | int | bool | list[str] | None


class NewAccountBody(BaseModel):
    """An account to be made."""

    model_config = STRICT

    name: str = Field(description="Unique.", json_schema_extra={"minLength": 1, "maxLength": 100})
    plan: str | None = Field(None, description="free if not given.")


class ChangedAccountBody(BaseModel):
    """What changes of an account."""

    model_config = STRICT

    plan: str = Field(description="From the next request on.")


class CreditsBody(BaseModel):
    """Credits to grant, or below 0 to take back."""

    model_config = STRICT

    credits: int = Field(json_schema_extra={"minimum": -MOST_CREDITS, "maximum": MOST_CREDITS})
    note: str | None = Field(None, description="Why; its account can read it.", json_schema_extra={"maxLength": 100})


class AccountRowBody(BaseModel):
    """An account as its operator sees it. While `suspended_at` is set its keys are refused."""

    object: Literal["account"] = "account"
    id: str
    name: str
    plan: str
    created_at: Moment
    suspended_at: Moment | None
    credits: BalanceBody


class AuditBody(BaseModel):
    """Who (`actor`: a key's id, or `cli`) did what (`action`) to which object (`subject`)."""

    object: Literal["audit_entry"] = "audit_entry"
    number: int
    created_at: Moment
    actor: str
    action: str
    subject: str
    account_id: str | None
    request_id: str | None
    details: dict[str, Detail]


class PlanBody(BaseModel):
    """A plan as it counts now; null means without limit. `default_ttl_s` and `max_ttl_s` bound how long pictures live;
    without a `safety_policy` the server's is used."""

    object: Literal["plan"] = "plan"
    id: str
    rank: int
    requests_per_minute: int | None
    requests_per_day: int | None
    requests_per_month: int | None
    max_side: int
    max_images: int
    max_inference_steps: int | None
    max_batch_items: int | None
    max_open: int | None
    max_keys: int | None
    default_ttl_s: int | None
    max_ttl_s: int | None
    upscale: bool
    counts_credits: bool
    safety_policy: str | None = Field(description="Its own content policy; null takes the server's.")


class PlanListBody(BaseModel):
    object: Literal["list"] = "list"
    data: list[PlanBody]


class QueueLineBody(BaseModel):
    """How many generations of one account, state and priority are open; `oldest_at` is when the first was accepted."""

    account_id: str
    state: Literal["queued", "processing"]
    priority: Literal["interactive", "batch"]
    count: int
    oldest_at: Moment


class QueueBody(BaseModel):
    """What is queued and being painted; from `max_queued` on, new work is refused."""

    object: Literal["queue"] = "queue"
    open: int
    max_queued: int
    data: list[QueueLineBody]


class UnwellEndpointBody(BaseModel):
    """An endpoint that fails or is disabled, by the host of its address. `pending` deliveries are still tried; `failed` ones are
    given up or held, and sent only if its account asks for them."""

    id: str
    account_id: str
    host: str
    state: EndpointState
    failing_since: Moment | None
    disabled_reason: str | None
    pending: int
    failed: int


class WebhooksBody(BaseModel):
    """All deliveries of 30 days that have not arrived, and at most 100 endpoints that do not answer, the longest first."""

    object: Literal["webhook_health"] = "webhook_health"
    pending: int
    failed: int
    oldest_pending_at: Moment | None
    data: list[UnwellEndpointBody]


class ModelRowBody(BaseModel):
    """A model of the catalogue. `is_here` when its files are, `is_resident` while the engine holds it."""

    id: str
    family: str
    licence: str
    is_default: bool
    is_here: bool
    is_resident: bool


class ModelRowsBody(BaseModel):
    object: Literal["list"] = "list"
    data: list[ModelRowBody]


class RetentionBody(BaseModel):
    """How long things are kept: pictures by plan, what an Idempotency-Key made, decisions of the content policy."""

    object: Literal["retention"] = "retention"
    idempotency_s: int
    decision_texts_s: int = Field(description="Seconds that the words of flagged and refused requests are kept.")
    decisions_s: int = Field(description="Seconds that it is kept that a request was flagged or refused.")
    plans: dict[str, "RetentionOfPlanBody"]


class RetentionOfPlanBody(BaseModel):
    """Seconds; null keeps a picture until it is deleted."""

    default_ttl_s: int | None
    max_ttl_s: int | None


def account_row(found: tuple[Account, Balance]) -> AccountRowBody:
    account, balance = found
    return AccountRowBody(
        id=account.id,
        name=account.name,
        plan=account.plan,
        created_at=account.created_at,
        suspended_at=account.suspended_at,
        credits=balance_body(balance),
    )


def audit_body(entry: AuditEntry) -> AuditBody:
    return AuditBody(
        number=entry.number,
        created_at=entry.created_at,
        actor=entry.actor,
        action=entry.action,
        subject=entry.subject,
        account_id=entry.account_id,
        request_id=entry.request_id,
        details=dict(entry.details),
    )


def webhooks_body(health: WebhookHealth) -> WebhooksBody:
    """Without the addresses' paths, which may hold secrets."""
    data = [
        UnwellEndpointBody(
            id=one.id,
            account_id=one.account_id,
            host=host_of(one.url),
            state=one.state,
            failing_since=one.failing_since,
            disabled_reason=one.disabled_reason,
            pending=one.pending,
            failed=one.failed,
        )
        for one in health.endpoints
    ]
    return WebhooksBody(
        pending=health.pending, failed=health.failed, oldest_pending_at=health.oldest_pending_at, data=data
    )


def plan_body(plan: Plan) -> PlanBody:
    return PlanBody.model_validate(plan, from_attributes=True)
