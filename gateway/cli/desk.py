"""`pinxit keys` and `pinxit accounts`: straight on the database, beside a running server."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TypeVar

from rich.console import Console

from gateway.access import parse_token
from gateway.accounts import CLI, KeyOrder, NewKey
from gateway.cli.printing import Cell, print_json, print_rows
from gateway.reception import Reception
from gateway.settings import load_settings
from gateway.telemetry import start_logging
from gateway.wiring import Installation
from storage import Account, ApiKey, Balance

Result = TypeVar("Result")


def create(order: KeyOrder, *, as_json: bool) -> None:
    made = at_desk(lambda reception: reception.accounts.add_key(order))
    if as_json:
        print_json({"key": made.token.text, **_key_row(made.key), **_account_members(made)})
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"Key for account {made.account.name!r}, shown this once:\n  [bold]{made.token.text}[/bold]")


def show_keys(account: str | None, *, as_json: bool) -> None:
    rows = [_key_row(key) for key in at_desk(lambda reception: _keys_of(reception, account))]
    print_rows("Keys", rows, as_json=as_json)


def revoke(key: str) -> None:
    """Raises KeyUnknown."""
    id = id_of(key)
    at_desk(lambda reception: reception.keys.revoke(id, by=CLI))
    Console(highlight=False).print(f"{id} is revoked.")


def show_accounts(*, as_json: bool) -> None:
    rows = [_account_row(account, balance) for account, balance in at_desk(lambda reception: reception.accounts.page())]
    print_rows("Accounts", rows, as_json=as_json)


def show_account(name: str, *, as_json: bool) -> None:
    """Raises AccountUnknown."""
    account, balance = at_desk(lambda reception: reception.accounts.one(name))
    row = {**_account_row(account, balance), "webhook_secret": account.webhook_secret}
    print_rows(f"Account {name}", [row], as_json=as_json)


def at_desk(act: Callable[[Reception], Awaitable[Result]]) -> Result:
    """Run one use case on the installation's database, whether or not a server is running."""

    async def acting() -> Result:
        installation = Installation(settings=settings)
        try:
            await installation.database.migrate()
            return await act(installation.reception)
        finally:
            await installation.database.close()

    settings = load_settings()
    start_logging(form=settings.log_format, level="warning")
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    return asyncio.run(acting())


def id_of(key: str) -> str:
    """Raises KeyRejected: it looks like a key, and has a typing error."""
    return parse_token(key).id if key.startswith("px_") else key


async def _keys_of(reception: Reception, account: str | None) -> list[ApiKey]:
    """Raises AccountUnknown."""
    found = None if account is None else (await reception.accounts.one(account))[0]
    return await reception.keys.page(found.id if found else None)


def _key_row(key: ApiKey) -> dict[str, Cell]:
    return {
        "id": key.id,
        "account_id": key.account_id,
        "mode": key.mode,
        "scopes": sorted(key.scopes),
        "created_at": _moment(key.created_at),
        "expires_at": _moment(key.expires_at),
        "revoked_at": _moment(key.revoked_at),
        "last_used_at": _moment(key.last_used_at),
    }


def _account_row(account: Account, balance: Balance) -> dict[str, Cell]:
    return {
        "id": account.id,
        "name": account.name,
        "plan": account.plan,
        "available": balance.available,
        "held": balance.held,
        "captured": balance.captured,
        "granted": balance.granted,
    }


def _account_members(made: NewKey) -> Mapping[str, Cell]:
    return {"account": made.account.name, "plan": made.account.plan, "webhook_secret": made.account.webhook_secret}


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
