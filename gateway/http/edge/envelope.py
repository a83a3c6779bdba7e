"""What every answer carries, around the whole application: a request id, safe headers, one size limit, one last edge.

Plain ASGI, so that it costs microseconds.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.edge.body_limits import (
    CHECKED_PATH,
    MAX_BYTES_OF_ALL,
    MAX_BYTES_OF_STRANGERS,
    BodiesHeld,
    BodyLimits,
    Counted,
)
from gateway.http.edge.proxy_signs import ProxySigns
from gateway.http.edge.raw_problems import raw_problem
from gateway.http.edge.refusals import HttpsRequired, InternalError, MediaTypeUnsupported, PathUnknown, ServerStopping
from gateway.identity import NewId
from models import DomainError, RequestInvalid, as_machine_short

# The API's answers are data: nothing in them may run or load anything. Pages set their own policy.
API_CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'"
HSTS = "max-age=31536000"  # a year; of this name alone, its neighbours may be others'

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What holds for every call. `stopping` is set when the server begins to stop."""

    public_url: str | None
    bodies: BodyLimits
    signs: ProxySigns
    stopping: asyncio.Event


class Envelope:
    """Gives each request an id (`scope["state"]["request_id"]`) and turns what escapes into an error body.

    `types` says below which address a call finds the pages of errors.
    """

    def __init__(self, app: ASGIApp, *, new_id: NewId, types: Callable[[HTTPConnection], str], rules: Rules) -> None:
        self._app = app
        self._new_id = new_id
        self._types = types
        self._rules = rules
        self._requires_https = rules.public_url is not None and urlsplit(rules.public_url).scheme == "https"
        self._held_of_all = BodiesHeld(MAX_BYTES_OF_ALL)
        self._held_of_strangers = BodiesHeld(MAX_BYTES_OF_STRANGERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = self._new_id("req")
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        state["is_proxied"] = self._rules.signs.show(scope["headers"])
        answer = _Answer(scope, send, request_id, is_https=self._requires_https and scope["scheme"] == "https")
        body = self._counted(scope, receive)
        try:
            self._refuse_plain_http(scope)
            _refuse_nul(scope)
            _refuse_encoded(scope)
            await self._app(scope, body, answer.send)
        except DomainError as error:
            await self._send_problem(error, answer, request_id)
        except asyncio.CancelledError:
            if answer.has_begun or not self._rules.stopping.is_set():
                raise
            await self._send_problem(ServerStopping("The server stopped before it had read this."), answer, request_id)
        except Exception as wrong:  # the last edge: a defect of ours must still answer in the contract's form
            refusal = _logged(wrong, request_id, scope["path"], is_answerable=not answer.has_begun)
            if refusal is None:
                raise
            await self._send_problem(refusal, answer, request_id)
        finally:
            body.close()

    def _counted(self, scope: Scope, receive: Receive) -> Counted:
        held = self._held_of_strangers if scope["path"] == CHECKED_PATH else self._held_of_all
        return Counted(scope, receive, most=self._rules.bodies.most_of(scope), held=held)

    def _refuse_plain_http(self, scope: Scope) -> None:
        is_probe = scope["path"] in {"/healthz", "/readyz", "/metrics"}
        if self._requires_https and scope["scheme"] != "https" and not is_probe:
            raise HttpsRequired("This service speaks https only.")

    async def _send_problem(self, error: DomainError, answer: "_Answer", request_id: str) -> None:
        answer.state["error_code"] = error.code
        status, headers, body = raw_problem(error, request_id=request_id, types=self._types(answer.call))
        await answer.send({"type": "http.response.start", "status": status, "headers": headers})
        await answer.send({"type": "http.response.body", "body": body})


def _logged(wrong: Exception, request_id: str, path: str, *, is_answerable: bool) -> DomainError | None:
    """What a defect is answered with; None where an answer has begun."""
    if is_answerable and (short := as_machine_short(wrong)) is not None:
        log.warning("the machine is short", request_id=request_id, path=path, reason=str(wrong))
        return short
    log.error("request broke", request_id=request_id, path=path, exc_info=wrong)
    return InternalError("Something broke on our side.") if is_answerable else None


def _refuse_nul(scope: Scope) -> None:
    """No text we keep holds a NUL, and PostgreSQL cannot even be asked for one."""
    if "\x00" in scope["path"]:
        raise PathUnknown("Nothing is served at a path with a NUL character.")
    if b"%00" in scope["query_string"]:
        raise RequestInvalid("The query must not contain the NUL character.")


def _refuse_encoded(scope: Scope) -> None:
    """Nothing here unpacks bodies: a small one could become as large as it likes."""
    encoding = Headers(scope=scope).get("content-encoding", "identity").strip().lower()
    if encoding not in {"identity", ""}:
        raise MediaTypeUnsupported("Bodies with a `Content-Encoding` are not read here: send it as it is, not packed.")


class _Answer:
    """Adds the headers of every answer, among them what a route left in the request's state: rate window, replay."""

    def __init__(self, scope: Scope, send: Send, request_id: str, *, is_https: bool) -> None:
        self._is_https = is_https
        self.call = HTTPConnection(scope)
        self.state = scope["state"]
        self._send = send
        self._request_id = request_id
        self.has_begun = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            headers = MutableHeaders(scope=message)
            headers["X-Request-Id"] = self._request_id
            headers["X-Content-Type-Options"] = "nosniff"
            headers.setdefault("Content-Security-Policy", API_CONTENT_POLICY)
            headers.setdefault("Referrer-Policy", "no-referrer")
            headers.setdefault("Cache-Control", "no-store")
            if self._is_https:
                headers["Strict-Transport-Security"] = HSTS
            for name, value in self.state.get("rate_headers", ()):
                headers[name] = value
            if self.state.get("is_replay"):
                headers["Idempotent-Replayed"] = "true"
        await self._send(message)
