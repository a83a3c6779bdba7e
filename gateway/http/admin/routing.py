"""Every route of the operator's API."""

from gateway.http.admin import accounts, decisions, keys, overview

admin_routes = (accounts.routes, keys.routes, overview.routes, decisions.routes)
