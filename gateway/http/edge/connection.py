"""One connection: uvicorn's protocol over httptools, with the bounds and the form of errors that it lacks."""

import asyncio
import ipaddress
from enum import Enum, auto
from functools import partial
from typing import Any, cast

import httptools
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from gateway.http.edge.connections import Connections, Dropped
from gateway.http.edge.raw_problems import whole_answer
from gateway.http.edge.refusals import HeadTooLarge, HttpInvalid, RequestTooSlow, TooManyConnections
from models import DomainError

REFUSED_LINGER_S = 2
REFUSED_LINGER_BYTES = 1_000_000


class Part(Enum):
    """What of a request comes next. GAP: nothing has begun. REFUSED: nothing counts any more, it is read and dropped so
    that the caller can read why."""

    GAP = auto()
    HEAD = auto()
    BODY = auto()
    REFUSED = auto()


class PipelineTooLong(Exception):
    """More requests than we keep were sent before the first was answered."""


class Connection(HttpToolsProtocol):
    """Counts head, framing and what no route reads; closes what is silent or too slow, at `check`."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        all_connections: Connections,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.address = ""
        self._all = all_connections
        self._limits = all_connections.limits
        self._running: RequestResponseCycle | None = None
        self._part, self._since = Part.GAP, all_connections.seconds()
        self._head_bytes = self._body_bytes = self._framing = self._overhead = self._lingered = 0
        self._window_bytes = 0
        self._unsent, self._unsent_since = 0, 0.0

    # what the transport says

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.address = _network_of(self.client[0]) if self.client else ""
        if not self._all.admit(self):
            self.transport.write(self._answer(TooManyConnections("All connections are taken.")))
            self._part = Part.REFUSED
            self.hang_up()

    def connection_lost(self, exc: Exception | None) -> None:
        self._all.leave(self)
        self._abandon()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unset_keepalive_if_required()
        if self._part is Part.REFUSED or self.transport.is_closing():
            self._lingered += len(data)
            if self._lingered > REFUSED_LINGER_BYTES:
                self.transport.abort()
            return
        before, body_before = self._part, self._body_bytes
        try:
            self.parser.feed_data(data)  # pyright: ignore[reportOptionalMemberAccess] - it is there until the end
        except httptools.HttpParserUpgrade:
            self.cycle.keep_alive = False  # nothing else is spoken here: it is answered as if it had not asked
        except httptools.HttpParserError as broken:
            self._refuse_for(broken)
            return
        self._count(len(data), before, body_before)

    # what the parser says

    def on_message_begin(self) -> None:
        self._enter(Part.HEAD)
        self._head_bytes = self._body_bytes = self._framing = self._overhead = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._part is Part.BODY:
            return  # a trailer: nobody here reads any, and it must not pass for a header
        self._head_bytes += len(name) + len(value)
        if self._head_bytes > self._limits.head_bytes or len(self.headers) >= self._limits.headers:
            raise self._head_too_large()
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._enter(Part.BODY)
        if len(self.pipeline) >= self._limits.pipelined:
            raise PipelineTooLong
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._body_bytes += len(body)
        self._window_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._enter(Part.GAP)
        super().on_message_complete()

    # what the application says

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        self._since, self._lingered = self._all.seconds(), 0
        super().on_response_complete()

    def shutdown(self) -> None:
        """No new request; who waits for an answer gets it."""
        if self._part is Part.REFUSED:
            self.transport.close()
        else:
            super().shutdown()

    # what all connections ask

    @property
    def is_waiting(self) -> bool:
        """No request of it is being answered or has come whole."""
        return not self._is_answering and self._part is not Part.BODY

    @property
    def _is_answering(self) -> bool:
        return self._running is not None and not self._running.response_complete

    def hang_up(self) -> None:
        self._abandon()
        self.transport.close()

    def check(self, now: float) -> None:
        """Close this connection if it has brought nothing, or read nothing, for longer than it may."""
        if self._reads_nothing(now):
            self._all.note(Dropped.ANSWER_NOT_READ)
            self.transport.abort()
        elif self.transport.is_closing():
            return
        elif self._part is Part.REFUSED:
            if now - self._since > REFUSED_LINGER_S:
                self.transport.close()
        elif self._part is Part.BODY:
            self._check_body(now)
        elif now - self._since > self._limits.head_s:
            self._check_head()

    def _check_head(self) -> None:
        if self._part is Part.HEAD:
            self._refuse(RequestTooSlow("The head of the request did not come in time."), Dropped.SLOW_HEAD)
        elif not self._is_answering:
            self._all.note(Dropped.SILENT)
            self.hang_up()

    def _check_body(self, now: float) -> None:
        if not self._is_answering:
            if now - self._since > self._limits.linger_s:
                self._all.note(Dropped.UNREAD_BODY)
                self.hang_up()
        elif self.flow.read_paused:  # it waits for us
            self._since, self._window_bytes = now, 0
        elif now - self._since > self._limits.body_window_s:
            if self._window_bytes < self._limits.body_window_bytes:
                self._refuse(RequestTooSlow("The body of the request came too slowly."), Dropped.SLOW_BODY)
            self._since, self._window_bytes = now, 0

    def _reads_nothing(self, now: float) -> bool:
        unsent = self.transport.get_write_buffer_size()
        if not unsent or not self._unsent or unsent < self._unsent:
            self._unsent_since = now
        self._unsent = unsent
        return bool(unsent) and now - self._unsent_since > self._limits.unread_s

    # bounds

    def _enter(self, part: Part) -> None:
        self._part, self._since, self._window_bytes = part, self._all.seconds(), 0

    def _count(self, read: int, before: Part, body_before: int) -> None:
        """What one read added to the state that it ends in. Its own size bounds what cannot be told apart in it."""
        if self._part is Part.HEAD:
            self._head_bytes += read if before is not Part.BODY else 0
            if self._head_bytes > self._limits.head_bytes:
                self._refuse(self._head_too_large(), Dropped.HEAD_TOO_LARGE)
        elif self._part is Part.BODY and before is Part.BODY:
            came = max(0, self._body_bytes - body_before)
            self._framing = 0 if came else self._framing + read
            self._overhead += read - came
            self._check_framing()
            if not self._is_answering:
                self._lingered += read
                if self._lingered > self._limits.linger_bytes:
                    self._all.note(Dropped.UNREAD_BODY)
                    self.hang_up()

    def _check_framing(self) -> None:
        most = self._limits.framing_bytes
        if self._framing > most or self._overhead > most + self._limits.framing_per_body_byte * self._body_bytes:
            refusal = HttpInvalid("The body has too long chunk extensions or trailers.")
            self._refuse(refusal, Dropped.TOO_MUCH_FRAMING)

    def _head_too_large(self) -> HeadTooLarge:
        most = f"{self._limits.head_bytes} bytes and {self._limits.headers} headers"
        return HeadTooLarge(f"Request line and headers may have at most {most}.")

    # refusing

    def _refuse_for(self, broken: httptools.HttpParserError) -> None:
        cause = broken.__context__
        if isinstance(cause, HeadTooLarge):
            self._refuse(cause, Dropped.HEAD_TOO_LARGE)
        elif isinstance(cause, PipelineTooLong):
            self._refuse(HttpInvalid("Too many requests were sent ahead."), Dropped.PIPELINE_TOO_LONG)
        else:
            self._refuse(HttpInvalid("This is not a request of HTTP/1.1 as we read it."), Dropped.MALFORMED)

    def _refuse(self, error: DomainError, why: Dropped) -> None:
        """Answer if nothing else is being answered, then read no more."""
        self._all.note(why)
        if self.transport.is_closing():
            return
        is_answered = self._running is not None and self._running is self.cycle and self._running.response_complete
        if self._part is Part.BODY and is_answered:
            self.hang_up()  # this request has its answer; a second one would be taken for the next request's
            return
        is_own = self._running is self.cycle and self._running is not None and not self._running.response_started
        if self._is_answering and not (is_own and self._part is Part.BODY):
            self.hang_up()  # nothing may come between the bytes of another answer
            return
        self.transport.write(self._answer(error))
        self._enter(Part.REFUSED)
        self._lingered = 0
        self._abandon()
        self.flow.resume_reading()
        self.transport.write_eof()

    def _abandon(self) -> None:
        """The application sees that its caller has gone. uvicorn notes that for the newest request only."""
        for cycle in (self._running, *(cycle for cycle, _ in self.pipeline)):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        self.pipeline.clear()

    def _answer(self, error: DomainError) -> bytes:
        return whole_answer(error, request_id=self._all.new_id("req"), types=self._all.types)


def protocol_of(all_connections: Connections) -> type[asyncio.Protocol]:
    """What uvicorn calls for each connection; it takes anything that can be called as the class is."""
    return cast("type[asyncio.Protocol]", partial(Connection, all_connections=all_connections))


def _network_of(host: str) -> str:
    """One caller's address: of IPv6 the network of 64 bits that a single customer gets."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return host if address.version == 4 else str(ipaddress.ip_network((int(address) >> 64 << 64, 64)).network_address)
