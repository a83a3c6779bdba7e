"""The operator's API, for keys with the scope `admin`: accounts, keys of any account, credits, what there is, the audit log, decisions
of the content policy.

A route -> the use case that the command line calls too -> a body of its own. Must never show a secret, nor anything that
an account's callers keep to themselves, such as their prompts: but for the words that the content policy flagged or refused.
"""

from gateway.http.admin.routing import admin_routes

__all__ = ["admin_routes"]
