"""`GET /metrics`, and the counting of requests around everything; it costs each of them microseconds."""

import hmac
import time

from fastapi import APIRouter, Request, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.dependencies import Given, token_of
from gateway.http.refusals import PathUnknown
from gateway.metrics import CONTENT_TYPE, Metrics
from gateway.settings import Settings
from storage.generations import count_open_states

UNROUTED = "none"

routes = APIRouter(include_in_schema=False)


@routes.get("/metrics")
async def read_metrics(request: Request, given: Given) -> Response:
    """For whoever operates this: with `PINXIT_METRICS_TOKEN` as a bearer token, or, where none is set, on an
    installation that only its own machine can reach. For anybody else there is no such path."""
    if not _may_read(request, given.settings):
        raise PathUnknown("Nothing is served at /metrics.")
    async with given.database.reading() as connection:
        given.metrics.set_open(await count_open_states(connection))
    return Response(given.metrics.written(), media_type=CONTENT_TYPE)


def _may_read(request: Request, settings: Settings) -> bool:
    if settings.metrics_token is None:
        return settings.is_local
    return hmac.compare_digest(token_of(request).encode(), settings.metrics_token.get_secret_value().encode())


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
