"""Counts every request around everything; it costs each of them microseconds."""

import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.metrics import Metrics

UNROUTED = "none"
MAX_PATH = 200

log = structlog.get_logger()


class Metered:
    """Counts every answer by its route's template, and every refusal by its code; logs each call where that is wanted."""

    def __init__(self, app: ASGIApp, metrics: Metrics, *, logs_requests: bool) -> None:
        self._app = app
        self._metrics = metrics
        self._logs_requests = logs_requests

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
            if (code := scope["state"].get("error_code")) is not None:
                self._metrics.count_refusal(code)
            if self._logs_requests:
                _log(scope, status, seconds=seconds)


def _log(scope: Scope, status: int, *, seconds: float) -> None:
    """Without query and body. The name of a picture is all that one needs to see it, so of those the template is shown."""
    state, template = scope["state"], _template(scope)
    client = scope.get("client")
    log.info(
        "request",
        request_id=state.get("request_id"),
        method=scope["method"],
        path=template if template.startswith("/img/") else scope["path"][:MAX_PATH],
        status=status,
        code=state.get("error_code"),
        ms=round(seconds * 1000),
        account=state.get("account"),
        key=state.get("key"),
        address=client[0] if client else None,
    )


def _template(scope: Scope) -> str:
    """Routing has left its route in the scope; of a mounted folder, its root."""
    route = scope.get("route")
    return getattr(route, "path", None) or scope.get("root_path") or UNROUTED
