"""Who may ask, and how often: keys, scopes, plans, rate windows and quotas.

token -> Caller (key, account, plan) -> scope -> minute window -> plan -> day and month inside the accepting
transaction. Owns the form of keys, the windows in memory and what is
remembered of keys for seconds. Must never touch credits: the ledger is storage's.
"""

from gateway.access.bounds import check_change, check_within, within
from gateway.access.callers import AccountSuspended, Caller, Gatekeeper, hashes_of
from gateway.access.known_keys import KnownKeys
from gateway.access.last_uses import LastUses
from gateway.access.plans import Plan, Plans, PlanTooSmall, check_plan, expiry, load_plans
from gateway.access.quota import QuotaExceeded, TooManyOpen, check_open, count_request
from gateway.access.rate_limit import MinuteWindows, RateExceeded, Window
from gateway.access.scopes import DEFAULT_SCOPES, SCOPES, ScopeMissing, parse_scopes
from gateway.access.tokens import KeyMissing, KeyRejected, Mode, Token, TokenHashes, make_token, parse_mode, parse_token

__all__ = [
    "DEFAULT_SCOPES",
    "SCOPES",
    "AccountSuspended",
    "Caller",
    "Gatekeeper",
    "KeyMissing",
    "KeyRejected",
    "KnownKeys",
    "LastUses",
    "MinuteWindows",
    "Mode",
    "Plan",
    "PlanTooSmall",
    "Plans",
    "QuotaExceeded",
    "RateExceeded",
    "ScopeMissing",
    "Token",
    "TokenHashes",
    "TooManyOpen",
    "Window",
    "check_change",
    "check_open",
    "check_plan",
    "check_within",
    "count_request",
    "expiry",
    "hashes_of",
    "load_plans",
    "make_token",
    "parse_mode",
    "parse_scopes",
    "parse_token",
    "within",
]
