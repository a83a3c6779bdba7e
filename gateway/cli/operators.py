"""Commands around accounts: keys, accounts, credits. All work beside a running server."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli.overviews import Json, Limit, OneAccount, audit, plans, queue, safety, webhooks

Account = Annotated[str, typer.Argument(help="The account's name or id.")]
Key = Annotated[str, typer.Argument(help="The id (key_…) or the key itself.")]
Rpm = Annotated[int | None, typer.Option(min=1, help="Requests a minute, instead of the plan's.")]
Rpd = Annotated[int | None, typer.Option(min=1, help="Requests a day of this key.")]
MaxOpen = Annotated[int | None, typer.Option(min=1, help="Generations queued and painted at a time.")]
SpendCap = Annotated[int | None, typer.Option(min=0, help="Credits that it may spend in all.")]
Models = Annotated[str | None, typer.Option(help="The only models it may use, with commas between.")]
Styles = Annotated[str | None, typer.Option(help="The only styles it may use, with commas between.")]
Networks = Annotated[str | None, typer.Option(help="Where it may be used from: CIDR, with commas between.")]
Expires = Annotated[datetime | None, typer.Option(help="When it ends, ISO 8601, UTC.")]

EXIT_INVALID = 1

keys = typer.Typer(help="API keys.", no_args_is_help=True)
accounts = typer.Typer(help="Accounts: who pays.", no_args_is_help=True)
credits = typer.Typer(help="Credits and their ledger.", no_args_is_help=True)
operators = {
    "keys": keys,
    "accounts": accounts,
    "credits": credits,
    "plans": plans,
    "audit": audit,
    "queue": queue,
    "webhooks": webhooks,
    "safety": safety,
}


@keys.command("create")
def create_key(
    account: Annotated[str, typer.Option(help="The account's name; it is made if it is new.")],
    plan: Annotated[str | None, typer.Option(help="Plan of a new account (free).")] = None,
    mode: Annotated[str, typer.Option(help="live or test.")] = "live",
    scopes: Annotated[str, typer.Option(help="With commas between.")] = "generate,read,delete",
    credits: Annotated[int, typer.Option(help="Credits to grant.")] = 0,
    name: Annotated[str, typer.Option(help="What it is for.")] = "",
    rpm: Rpm = None,
    rpd: Rpd = None,
    max_open: MaxOpen = None,
    spend_cap: SpendCap = None,
    models: Models = None,
    styles: Styles = None,
    networks: Networks = None,
    expires: Expires = None,
    as_json: Json = False,
) -> None:
    """Make a key and show it once."""
    from gateway.access import parse_mode, parse_scopes
    from gateway.accounts import KeyOrder
    from gateway.cli.accounts import create

    order = KeyOrder(
        account=account,
        plan=plan,
        mode=parse_mode(mode),
        scopes=parse_scopes(_listed(scopes) or ()),
        credits=credits,
        name=name,
        rpm=rpm,
        rpd=rpd,
        max_open=max_open,
        spend_cap=spend_cap,
        models=_listed(models),
        styles=_listed(styles),
        networks=_listed(networks),
        expires_at=None if expires is None else expires.replace(tzinfo=UTC),
    )
    create(order, as_json=as_json)


@keys.command("list")
def list_keys(account: OneAccount = None, as_json: Json = False) -> None:
    """Show every key's public part and state; the secret is kept nowhere."""
    from gateway.cli.accounts import show_keys

    show_keys(account, as_json=as_json)


@keys.command("show")
def show_key(key: Key, as_json: Json = False) -> None:
    """Show one key's public part and state."""
    from gateway.cli.accounts import show_key as show

    show(key, as_json=as_json)


@keys.command("change")
def change_key(
    key: Key,
    name: Annotated[str | None, typer.Option(help="What it is for.")] = None,
    scopes: Annotated[str | None, typer.Option(help="With commas between.")] = None,
    rpm: Rpm = None,
    rpd: Rpd = None,
    max_open: MaxOpen = None,
    spend_cap: SpendCap = None,
    models: Models = None,
    styles: Styles = None,
    networks: Networks = None,
    expires: Expires = None,
    lift: Annotated[str | None, typer.Option(help="Bounds to take away, such as rpm,expires_at.")] = None,
    as_json: Json = False,
) -> None:
    """Give a key another name, other scopes or bounds; what is not named stays."""
    from gateway.access import DEFAULT_SCOPES, parse_scopes
    from gateway.accounts import KeyTerms
    from gateway.cli.accounts import change_key as change

    terms = KeyTerms(
        name=name or "",
        scopes=DEFAULT_SCOPES if scopes is None else parse_scopes(_listed(scopes) or ()),
        rpm=rpm,
        rpd=rpd,
        max_open=max_open,
        spend_cap=spend_cap,
        models=_listed(models),
        styles=_listed(styles),
        networks=_listed(networks),
        expires_at=None if expires is None else expires.replace(tzinfo=UTC),
    )
    named = {"name": name, "scopes": scopes}
    given = {member for member, value in named.items() if value is not None}
    change(key, terms, given=given, lifted=_listed(lift) or frozenset(), as_json=as_json)


@keys.command("rotate")
def rotate_key(
    key: Key,
    overlap_s: Annotated[int, typer.Option("--overlap", help="Seconds that the secret it has stays good.")] = 86400,
    as_json: Json = False,
) -> None:
    """Give a key a new secret and show it once; its id stays."""
    from gateway.cli.accounts import rotate

    rotate(key, overlap_s=overlap_s, as_json=as_json)


@keys.command("revoke")
def revoke_key(key: Key) -> None:
    """Make a key useless, on every running server within five seconds."""
    from gateway.cli.accounts import revoke

    revoke(key)


@keys.command("verify-token")
def verify_token(
    token: Annotated[str, typer.Argument(help="The key, or - to read it from standard input.")], as_json: Json = False
) -> None:
    """Say what a text is that looks like a key: valid, expired, revoked, suspended, unknown, malformed. Exit code 1: not valid."""
    from gateway.cli.accounts import verify

    text = sys.stdin.read().strip() if token == "-" else token  # noqa: S105 - no secret
    if not verify(text, as_json=as_json):
        raise typer.Exit(EXIT_INVALID)


@accounts.command("create")
def create_account(
    name: Annotated[str, typer.Argument(help="Unique.")],
    plan: Annotated[str, typer.Option(help="`pinxit plans list` shows them.")] = "free",
    as_json: Json = False,
) -> None:
    """Make an account without keys and credits."""
    from gateway.cli.accounts import create_account as create

    create(name, plan, as_json=as_json)


@accounts.command("list")
def list_accounts(as_json: Json = False) -> None:
    """Show every account with plan and credits."""
    from gateway.cli.accounts import show_accounts

    show_accounts(as_json=as_json)


@accounts.command("show")
def show_account(account: Account, as_json: Json = False) -> None:
    """Show one account, with the secret that signs its webhooks."""
    from gateway.cli.accounts import show_account as show

    show(account, as_json=as_json)


@accounts.command("rotate-webhook-secret")
def rotate_webhook_secret(account: Account, as_json: Json = False) -> None:
    """Give an account a new secret for its webhooks; the one it has signs beside it for PINXIT_WEBHOOK_OVERLAP_S."""
    from gateway.cli.accounts import rotate_webhook_secret as rotate

    rotate(account, as_json=as_json)


@accounts.command("plan")
def change_plan(account: Account, plan: Annotated[str, typer.Argument(help="`pinxit plans list` shows them.")]) -> None:
    """Put an account on another plan."""
    from gateway.cli.accounts import move

    move(account, plan)


@accounts.command("suspend")
def suspend_account(account: Account) -> None:
    """Refuse an account's keys, on every running server within five seconds."""
    from gateway.cli.accounts import suspend

    suspend(account)


@accounts.command("resume")
def resume_account(account: Account) -> None:
    """Let a suspended account's keys be good again."""
    from gateway.cli.accounts import resume

    resume(account)


@accounts.command("export")
def export_account(
    account: Account,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="A new .zip file; ID.zip otherwise.")] = None,
) -> None:
    """Write everything stored about an account into one ZIP file: rows as JSON Lines, pictures, recipes. No secrets."""
    from gateway.cli.exporting import export_account as export

    export(account, output or Path(f"{account}.zip"))


@accounts.command("erase")
def erase_account(
    account: Account, is_meant: Annotated[bool, typer.Option("--yes", help="Erase it, for good.")] = False
) -> None:
    """Forget an account: name, keys, prompts, pictures, webhooks. What it paid stays in the ledger, under its id."""
    from gateway.cli.accounts import erase_account as erase
    from models import RequestInvalid

    if not is_meant:
        raise RequestInvalid("Nothing brings an erased account back; say --yes if that is meant.", field="--yes")
    erase(account)


@credits.command("grant")
def grant_credits(
    account: Account,
    credits: Annotated[int, typer.Argument(help="How many; --take-back takes them away.", min=1)],
    note: Annotated[str, typer.Option(help="Why; its account can read it.")] = "",
    is_taken_back: Annotated[bool, typer.Option("--take-back", help="Withdraw credits that are not on hold.")] = False,
    as_json: Json = False,
) -> None:
    """Give an account credits, or take some back."""
    from gateway.cli.accounts import change_credits

    change_credits(account, -credits if is_taken_back else credits, note=note, as_json=as_json)


@credits.command("show")
def show_credits(account: Account, limit: Limit = 20, as_json: Json = False) -> None:
    """Show an account's ledger."""
    from gateway.cli.accounts import show_ledger

    show_ledger(account, limit=limit, as_json=as_json)


def _listed(names: str | None) -> frozenset[str] | None:
    return None if names is None else frozenset(name.strip() for name in names.split(","))
