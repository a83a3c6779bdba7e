"""Every route of the operator's API."""

from gateway.http.admin import accounts, keys, overview

admin_routes = (accounts.routes, keys.routes, overview.routes)
