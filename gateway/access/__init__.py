"""Who may ask, and how often: keys, scopes, plans, rate windows and quotas.

token -> Caller (key, account, plan) -> scope -> minute window -> plan -> day and month inside the accepting
transaction. Owns the form of keys and the windows in memory. Must never touch credits: the ledger is storage's.
"""

from gateway.access.callers import Caller, Gatekeeper
from gateway.access.plans import Plan, Plans, PlanTooSmall, check_plan, load_plans
from gateway.access.quota import QuotaExceeded, count_request
from gateway.access.rate_limit import MinuteWindows, RateExceeded, Window
from gateway.access.scopes import DEFAULT_SCOPES, SCOPES, ScopeMissing, parse_scopes
from gateway.access.tokens import KeyMissing, KeyRejected, Mode, Token, make_token, parse_token

__all__ = [
    "DEFAULT_SCOPES",
    "SCOPES",
    "Caller",
    "Gatekeeper",
    "KeyMissing",
    "KeyRejected",
    "MinuteWindows",
    "Mode",
    "Plan",
    "PlanTooSmall",
    "Plans",
    "QuotaExceeded",
    "RateExceeded",
    "ScopeMissing",
    "Token",
    "Window",
    "check_plan",
    "count_request",
    "load_plans",
    "make_token",
    "parse_scopes",
    "parse_token",
]
