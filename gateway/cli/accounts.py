"""Accounts, keys, credits, plans and the audit log from a shell: straight on the database, beside a running server."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import fields
from datetime import datetime, timedelta
from typing import TypeVar

from rich.console import Console

from gateway.access import Plan, parse_token
from gateway.accounts import CLI, KeyChange, KeyOrder, KeyTerms, NewKey, TokenState
from gateway.cli.printing import Cell, print_json, print_rows
from gateway.settings import load_settings
from gateway.telemetry import start_logging
from gateway.wiring import Access, Installation
from gateway.wiring.starting import migrate, prepare_folder
from models import RequestInvalid
from storage import Account, ApiKey, Balance

Result = TypeVar("Result")

BOUNDS = ("expires_at", "rpm", "rpd", "max_open", "spend_cap", "models", "styles", "networks")


def create(order: KeyOrder, *, as_json: bool) -> None:
    made = with_access(lambda access: access.accounts.add_key(order))
    members = {"account": made.account.name, "plan": made.account.plan, "webhook_secret": made.account.webhook_secret}
    _show_secret(made, {**_key_row(made.key), **members}, as_json=as_json)


def rotate(key: str, *, overlap_s: int, as_json: bool) -> None:
    """Raises KeyUnknown, RequestInvalid."""
    id = id_of(key)
    made = with_access(lambda access: access.keys.rotate(id, by=CLI, overlap_s=overlap_s))
    _show_secret(made, _key_row(made.key), as_json=as_json)


def show_keys(account: str | None, *, as_json: bool) -> None:
    """Raises AccountUnknown."""
    rows = [_key_row(key) for key in with_access(lambda access: _keys_of(access, account))]
    print_rows("Keys", rows, as_json=as_json)


def show_key(key: str, *, as_json: bool) -> None:
    """Raises KeyUnknown."""
    id = id_of(key)
    print_rows(f"Key {id}", [_key_row(with_access(lambda access: access.keys.one(id)))], as_json=as_json)


def change_key(key: str, terms: KeyTerms, *, given: Collection[str], lifted: Collection[str], as_json: bool) -> None:
    """`given` of the name and the scopes, and every bound that `terms` sets; `lifted` are bounds to take away.

    Raises:
        KeyUnknown.
        RequestInvalid: no bound is called so, or one is set and lifted.
    """
    set_bounds = {name for name in BOUNDS if getattr(terms, name) is not None}
    if wrong := sorted(set(lifted) - set(BOUNDS) | set(lifted) & set_bounds):
        raise RequestInvalid(
            f"--lift: {wrong[0]!r} is not one of {', '.join(BOUNDS)}, or is set as well.", field="--lift"
        )
    change = KeyChange(terms=terms, names=frozenset({*given, *set_bounds, *lifted}))
    id = id_of(key)
    changed = with_access(lambda access: access.keys.change(id, change, by=CLI))
    print_rows(f"Key {id}", [_key_row(changed)], as_json=as_json)


def revoke(key: str) -> None:
    """Raises KeyUnknown."""
    id = id_of(key)
    with_access(lambda access: access.keys.revoke(id, by=CLI))
    _say(f"{id} is revoked.")


def verify(token: str, *, as_json: bool) -> bool:
    """Whether the token is good at this moment; says why not."""
    examined = with_access(lambda access: access.keys.examine(token))
    row: dict[str, Cell] = {"state": examined.state}
    if examined.key is not None:
        row |= _key_row(examined.key)
    print_rows("Token", [row], as_json=as_json)
    return examined.state is TokenState.VALID


def create_account(name: str, plan: str, *, as_json: bool) -> None:
    """Raises RequestInvalid."""
    account = with_access(lambda access: access.accounts.create(name, plan, by=CLI))
    show_account(account.id, as_json=as_json)


def show_accounts(*, as_json: bool) -> None:
    rows = [_account_row(account, balance) for account, balance in with_access(lambda access: access.accounts.page())]
    print_rows("Accounts", rows, as_json=as_json)


def show_account(account: str, *, as_json: bool) -> None:
    """Raises AccountUnknown."""
    found, balance = with_access(lambda access: access.accounts.one(account))
    row = {**_account_row(found, balance), "webhook_secret": found.webhook_secret}
    print_rows(f"Account {found.name}", [row], as_json=as_json)


def rotate_webhook_secret(account: str, *, as_json: bool) -> None:
    """Raises AccountUnknown."""
    overlap = timedelta(seconds=load_settings().webhook_overlap_s)
    with_access(lambda access: access.accounts.rotate_webhook_secret(account, overlap=overlap, by=CLI))
    show_account(account, as_json=as_json)


def move(account: str, plan: str) -> None:
    """Raises AccountUnknown, RequestInvalid."""
    moved = with_access(lambda access: access.accounts.move(account, plan, by=CLI))
    _say(f"{moved.name} is on plan {moved.plan}.")


def suspend(account: str) -> None:
    """Raises AccountUnknown."""
    suspended = with_access(lambda access: access.accounts.suspend(account, by=CLI))
    _say(f"{suspended.name} is suspended.")


def resume(account: str) -> None:
    """Raises AccountUnknown."""
    resumed = with_access(lambda access: access.accounts.resume(account, by=CLI))
    _say(f"{resumed.name} is not suspended.")


def change_credits(account: str, credits: int, *, note: str, as_json: bool) -> None:
    """Raises AccountUnknown, RequestInvalid, CreditsShort."""
    found, balance = with_access(lambda access: access.credits.change(account, credits, note=note, by=CLI))
    print_rows(f"Account {found.name}", [_account_row(found, balance)], as_json=as_json)


def show_ledger(account: str, *, limit: int, as_json: bool) -> None:
    """Raises AccountUnknown."""
    found = with_access(lambda access: access.credits.entries(account, limit=limit))
    rows: list[dict[str, Cell]] = [
        {
            "created_at": _moment(entry.created_at),
            "kind": entry.kind,
            "credits": entry.credits,
            "generation_id": entry.generation_id,
            "key_id": entry.key_id,
            "note": entry.note,
        }
        for entry in found
    ]
    print_rows(f"Ledger of {account}", rows, as_json=as_json)


def show_plans(*, as_json: bool) -> None:
    plans = Installation(settings=load_settings()).plans
    rows = [{field.name: getattr(plan, field.name) for field in fields(Plan)} for plan in plans.all()]
    print_rows("Plans", rows, as_json=as_json)


def show_audit(account: str | None, *, limit: int, as_json: bool) -> None:
    """Raises AccountUnknown."""
    found = with_access(lambda access: access.accounts.audit(account, limit=limit))
    rows: list[dict[str, Cell]] = [
        {
            "created_at": _moment(entry.created_at),
            "actor": entry.actor,
            "action": entry.action,
            "subject": entry.subject,
            "details": [f"{name}={_plain(value)}" for name, value in entry.details.items()],
            "request_id": entry.request_id,
        }
        for entry in found
    ]
    print_rows("Audit log", rows, as_json=as_json)


def erase_account(name: str) -> None:
    """Raises AccountUnknown."""
    count = with_access(lambda access: access.accounts.erase(name, by=CLI))
    Console(highlight=False, soft_wrap=True).print(
        f"{name} is erased. {count} generations go with their files within a minute of a running server."
    )


def with_access(act: Callable[[Access], Awaitable[Result]]) -> Result:
    """Run one use case on the installation's database, whether or not a server is running."""

    async def acting() -> Result:
        installation = Installation(settings=settings)
        try:
            await migrate(installation.database, settings)
            return await act(installation.access)
        finally:
            await installation.database.close()

    settings = load_settings()
    start_logging(form=settings.log_format, level="warning")
    prepare_folder(settings)
    return asyncio.run(acting())


def id_of(key: str) -> str:
    """Raises KeyRejected: it looks like a key, and has a typing error."""
    return parse_token(key).id if key.startswith("px_") else key


async def _keys_of(access: Access, account: str | None) -> list[ApiKey]:
    """Raises AccountUnknown."""
    found = None if account is None else (await access.accounts.one(account))[0]
    return await access.keys.page(found.id if found else None)


def _key_row(key: ApiKey) -> dict[str, Cell]:
    return {
        "id": key.id,
        "account_id": key.account_id,
        "name": key.name,
        "mode": key.mode,
        "scopes": sorted(key.scopes),
        "created_at": _moment(key.created_at),
        "expires_at": _moment(key.expires_at),
        "revoked_at": _moment(key.revoked_at),
        "last_used_at": _moment(key.last_used_at),
        "bounds": list(_bounds(key)),
    }


def _bounds(key: ApiKey) -> Iterator[str]:
    """What the key has of its own, such as `rpm=5`."""
    for name in ("rpm", "rpd", "max_open"):
        if getattr(key, name) is not None:
            yield f"{name}={getattr(key, name)}"
    if key.spend_cap is not None:
        yield f"spent={key.spent}/{key.spend_cap}"
    for name in ("models", "styles", "networks"):
        if getattr(key, name) is not None:
            yield f"{name}={'|'.join(sorted(getattr(key, name)))}"


def _account_row(account: Account, balance: Balance) -> dict[str, Cell]:
    return {
        "id": account.id,
        "name": account.name,
        "plan": account.plan,
        "suspended_at": _moment(account.suspended_at),
        "available": balance.available,
        "held": balance.held,
        "captured": balance.captured,
        "granted": balance.granted,
    }


def _plain(value: str | int | list[str] | None) -> str:
    return "|".join(map(str, value)) if isinstance(value, list) else str(value)


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="seconds") if moment else None


def _show_secret(made: NewKey, members: Mapping[str, Cell], *, as_json: bool) -> None:
    if as_json:
        print_json({"key": made.token.text, **members})
        return
    _say(f"Key for account {made.account.name!r}, shown this once:\n  [bold]{made.token.text}[/bold]")


def _say(text: str) -> None:
    Console(highlight=False, soft_wrap=True).print(text)
