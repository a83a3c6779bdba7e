"""Counts every request around everything; it costs each of them microseconds."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.metrics import Metrics

UNROUTED = "none"


class Metered:
    """Counts every answer by its route's template."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.perf_counter(), 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, noting)
        finally:
            seconds = time.perf_counter() - began
            self._metrics.count_request(scope["method"], _template(scope), status, seconds=seconds)


def _template(scope: Scope) -> str:
    """Routing has left its route in the scope; of a mounted folder, its root."""
    route = scope.get("route")
    return getattr(route, "path", None) or scope.get("root_path") or UNROUTED
