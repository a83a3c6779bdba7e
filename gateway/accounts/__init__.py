"""What an operator does, and what callers do with their own keys: accounts, keys, credits, the audit log.

who asks (an Actor) -> use case -> one transaction with its line in the audit log -> the keys remembered are forgotten.
Command line and HTTP call the same use cases. Must never paint, nor decide whether a caller may ask: that is access's.
"""

from gateway.accounts.accounts import DEFAULT_PLAN, FIRST_ACCOUNT, Accounts, AccountUnknown, KeyOrder
from gateway.accounts.actors import CLI, Actor
from gateway.accounts.credits import Credits
from gateway.accounts.examining import TokenState
from gateway.accounts.keys import Keys, KeyUnknown, NewKey
from gateway.accounts.terms import DEFAULT_OVERLAP_S, MOST_CREDITS, MOST_OVERLAP_S, KeyChange, KeyTerms

__all__ = [
    "CLI",
    "DEFAULT_OVERLAP_S",
    "DEFAULT_PLAN",
    "FIRST_ACCOUNT",
    "MOST_CREDITS",
    "MOST_OVERLAP_S",
    "AccountUnknown",
    "Accounts",
    "Actor",
    "Credits",
    "KeyChange",
    "KeyOrder",
    "KeyTerms",
    "KeyUnknown",
    "Keys",
    "NewKey",
    "TokenState",
]
