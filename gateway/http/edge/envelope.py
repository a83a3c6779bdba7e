"""What every answer carries, around the whole application: a request id, safe headers, one size limit, one last edge.

Plain ASGI, so that it costs microseconds.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.http.edge.body_limits import MAX_FILE_BYTES, MAX_FORM_BYTES, MULTIPART
from gateway.http.edge.raw_problems import raw_problem
from gateway.http.edge.refusals import HttpsRequired, InternalError, PathUnknown, PayloadTooLarge
from gateway.identity import NewId
from models import DomainError, RequestInvalid, as_machine_short

MAX_BODY_BYTES = 1_000_000
CHECKED_PATH = "/v1/provenance/check"  # takes a picture as a body
# A1111's clients know no forms: their pictures are base64 in JSON (docs/decisions/0012).
PICTURES_IN_JSON = frozenset({"/sdapi/v1/img2img", "/sdapi/v1/png-info"})
TABLES = frozenset({"text/csv", "application/jsonl", "application/x-ndjson", "application/x-jsonlines"})
# The API's answers are data: nothing in them may run or load anything. Pages set their own policy.
API_CONTENT_POLICY = "default-src 'none'; frame-ancestors 'none'"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyLimits:
    """What the operator decides: the largest file of a batch, and JSON in which pictures are base64."""

    table_bytes: int
    picture_json_bytes: int


class Envelope:
    """Gives each request an id (`scope["state"]["request_id"]`) and turns what escapes into an error body."""

    def __init__(self, app: ASGIApp, *, new_id: NewId, types: str, public_url: str | None, limits: BodyLimits) -> None:
        self._app = app
        self._new_id = new_id
        self._types = types
        self._limits = limits
        self._requires_https = public_url is not None and urlsplit(public_url).scheme == "https"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = self._new_id("req")
        scope.setdefault("state", {})["request_id"] = request_id
        answer = _Answer(scope, send, request_id)
        try:
            self._refuse_plain_http(scope)
            _refuse_nul(scope)
            await self._app(scope, _Counted(scope, receive, most=self._most_bytes(scope)), answer.send)
        except DomainError as error:
            await self._send_problem(error, answer, request_id)
        except Exception as wrong:  # the last edge: a defect of ours must still answer in the contract's form
            if (short := as_machine_short(wrong)) is not None and not answer.has_begun:
                log.warning("the machine is short", request_id=request_id, path=scope["path"], reason=str(wrong))
                await self._send_problem(short, answer, request_id)
                return
            log.exception("request broke", request_id=request_id, path=scope["path"])
            if answer.has_begun:
                raise
            await self._send_problem(InternalError("Something broke on our side."), answer, request_id)

    def _refuse_plain_http(self, scope: Scope) -> None:
        is_probe = scope["path"] in {"/healthz", "/readyz", "/metrics"}
        if self._requires_https and scope["scheme"] != "https" and not is_probe:
            raise HttpsRequired("This service speaks https only.")

    def _most_bytes(self, scope: Scope) -> int:
        """Files may be larger than bodies that are parsed as a whole."""
        media_type = Headers(scope=scope).get("content-type", "").partition(";")[0].strip().lower()
        if media_type == MULTIPART:
            return MAX_FORM_BYTES
        if media_type in TABLES:
            return self._limits.table_bytes
        if scope["path"] == CHECKED_PATH and media_type.startswith("image/"):
            return MAX_FILE_BYTES
        return self._limits.picture_json_bytes if scope["path"] in PICTURES_IN_JSON else MAX_BODY_BYTES

    async def _send_problem(self, error: DomainError, answer: "_Answer", request_id: str) -> None:
        status, headers, body = raw_problem(error, request_id=request_id, types=self._types)
        await answer.send({"type": "http.response.start", "status": status, "headers": headers})
        await answer.send({"type": "http.response.body", "body": body})


def _refuse_nul(scope: Scope) -> None:
    """No text we keep holds a NUL, and PostgreSQL cannot even be asked for one."""
    if "\x00" in scope["path"]:
        raise PathUnknown("Nothing is served at a path with a NUL character.")
    if b"%00" in scope["query_string"]:
        raise RequestInvalid("The query must not contain the NUL character.")


class _Answer:
    """Adds the headers of every answer, among them what a route left in the request's state: rate window, replay."""

    def __init__(self, scope: Scope, send: Send, request_id: str) -> None:
        self._state = scope["state"]
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
            for name, value in self._state.get("rate_headers", ()):
                headers[name] = value
            if self._state.get("is_replay"):
                headers["Idempotent-Replayed"] = "true"
        await self._send(message)


class _Counted:
    """Counts the body as it arrives, declared or chunked.

    Raises (when called):
        PayloadTooLarge: more arrived, or was announced, than `most`.
    """

    def __init__(self, scope: Scope, receive: Receive, *, most: int) -> None:
        self._receive = receive
        self._most = self._left = most
        self._announced = Headers(scope=scope).get("content-length", "0")

    async def __call__(self) -> Message:
        if self._announced.isdigit() and int(self._announced) > self._most:
            raise self._too_large()
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            raise self._too_large()
        return message

    def _too_large(self) -> PayloadTooLarge:
        return PayloadTooLarge(f"Such a body may have at most {self._most} bytes; pictures go as files of a form.")
