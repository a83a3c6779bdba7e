"""What is going on, from a shell: the queue, and how webhooks do."""

from datetime import datetime

from gateway.cli.accounts import with_access
from gateway.cli.printing import Cell, print_rows
from gateway.webhooks.destination import host_of
from gateway.wiring import Access
from storage.open_work import OpenWork, open_work
from storage.webhook_health import WebhookHealth, webhook_health


def show_queue(*, as_json: bool) -> None:
    rows: list[dict[str, Cell]] = [
        {
            "account_id": line.account_id,
            "state": line.state,
            "priority": line.priority,
            "count": line.count,
            "oldest_at": _moment(line.oldest_at),
        }
        for line in with_access(_open_work)
    ]
    print_rows("Queue", rows, as_json=as_json)


def show_webhooks(*, as_json: bool) -> None:
    health = with_access(_webhook_health)
    whole: dict[str, Cell] = {
        "id": "all deliveries",
        "account_id": None,
        "host": None,
        "state": None,
        "failing_since": None,
        "disabled_reason": None,
        "pending": health.pending,
        "failed": health.failed,
    }
    rows: list[dict[str, Cell]] = [
        {
            "id": one.id,
            "account_id": one.account_id,
            "host": host_of(one.url),
            "state": one.state,
            "failing_since": _moment(one.failing_since),
            "disabled_reason": one.disabled_reason,
            "pending": one.pending,
            "failed": one.failed,
        }
        for one in health.endpoints
    ]
    print_rows("Webhooks that have not arrived, and endpoints that do not answer", [whole, *rows], as_json=as_json)


async def _open_work(access: Access) -> list[OpenWork]:
    async with access.database.reading() as connection:
        return await open_work(connection)


async def _webhook_health(access: Access) -> WebhookHealth:
    async with access.database.reading() as connection:
        return await webhook_health(connection)


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None
