"""`pinxit keys` and `pinxit accounts`: straight on the database, beside a running server."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import TypeVar

from rich.console import Console

from gateway.access import parse_token
from gateway.accounts import Accounts, KeyOrder, NewKey
from gateway.cli.printing import Cell, print_json, print_rows
from gateway.settings import load_settings
from gateway.telemetry import start_logging
from gateway.wiring import Installation
from models import RequestInvalid
from storage import Account, ApiKey, Balance

Result = TypeVar("Result")


def create(order: KeyOrder, *, as_json: bool) -> None:
    made = _with_accounts(lambda accounts: accounts.add_key(order))
    if as_json:
        print_json({"key": made.token.text, **_key_row(made.key), **_account_members(made)})
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"Key for account {made.account.name!r}, shown this once:\n  [bold]{made.token.text}[/bold]")


def show_keys(account: str | None, *, as_json: bool) -> None:
    rows = [_key_row(key) for key in _with_accounts(lambda accounts: accounts.keys(account))]
    print_rows("Keys", rows, as_json=as_json)


def revoke(key: str) -> None:
    """Raises RequestInvalid: no such key, or it was revoked before."""
    id = parse_token(key).id if key.startswith("px_") else key
    if not _with_accounts(lambda accounts: accounts.revoke(id)):
        raise RequestInvalid(f"There is no valid key {id!r}.", field="key")
    Console(highlight=False).print(f"{id} is revoked.")


def show_accounts(*, as_json: bool) -> None:
    rows = [_account_row(account, balance) for account, balance in _with_accounts(lambda accounts: accounts.all())]
    print_rows("Accounts", rows, as_json=as_json)


def show_account(name: str, *, as_json: bool) -> None:
    """Raises RequestInvalid: no such account."""
    account, balance = _with_accounts(lambda accounts: accounts.named(name))
    row = {**_account_row(account, balance), "webhook_secret": account.webhook_secret}
    print_rows(f"Account {name}", [row], as_json=as_json)


def _with_accounts(act: Callable[[Accounts], Awaitable[Result]]) -> Result:
    async def acting() -> Result:
        installation = Installation(settings=settings)
        try:
            await installation.database.migrate()
            return await act(installation.accounts)
        finally:
            await installation.database.close()

    settings = load_settings()
    start_logging(form=settings.log_format, level="warning")
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    return asyncio.run(acting())


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
