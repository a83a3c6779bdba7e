"""How webhooks do over all accounts: what is on its way, what has been given up, which endpoints do not answer."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select

from storage.database import Connection
from storage.webhook_tables import EndpointState, deliveries, endpoints

MOST_ENDPOINTS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class UnwellEndpoint:
    """An endpoint that fails or is disabled; `pending` of its deliveries are still tried, `failed` are given up or held."""

    id: str
    account_id: str
    url: str
    state: EndpointState
    failing_since: datetime | None
    disabled_reason: str | None
    pending: int
    failed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookHealth:
    """All deliveries that have not arrived, as far as the log reaches back; `oldest_pending_at` is when the first of them
    was written."""

    pending: int
    failed: int
    oldest_pending_at: datetime | None
    endpoints: tuple[UnwellEndpoint, ...]


async def webhook_health(connection: Connection) -> WebhookHealth:
    """With at most 100 endpoints, those that fail for longest first."""
    d, e = deliveries.c, endpoints.c
    is_pending, not_arrived = d.due_at.is_not(None), d.delivered_at.is_(None)
    pending, failed = func.count(case((is_pending, 1))), func.count(d.id) - func.count(case((is_pending, 1)))
    totals = select(pending, failed, func.min(case((is_pending, d.created_at)))).where(not_arrived)
    waiting, dead, oldest = (await connection.execute(totals)).one()
    shown = (e.id, e.account_id, e.url, e.state, e.failing_since, e.disabled_reason)
    unwell = (
        select(*shown, pending.label("pending"), failed.label("failed"))
        .join_from(endpoints, deliveries, (d.endpoint_id == e.id) & not_arrived, isouter=True)
        .where(e.state != EndpointState.ACTIVE)
        .group_by(*shown)
        .order_by(e.failing_since.is_(None), e.failing_since, e.id)
        .limit(MOST_ENDPOINTS)
    )
    found = (await connection.execute(unwell)).mappings()
    return WebhookHealth(
        pending=waiting,
        failed=dead,
        oldest_pending_at=oldest,
        endpoints=tuple(UnwellEndpoint(**row) for row in found),
    )
