"""An HTTP client that cannot be led to a private address: the guard stands where the socket is opened.

    name -> resolved once, with a deadline -> every answer judged -> connected to the literal address

Host header and SNI stay the name. There is no second look-up that could answer otherwise.
"""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from ipaddress import ip_address
from typing import Any

import httpcore2
import httpx2

from gateway.webhooks.addresses import Address, behind_nat64
from gateway.webhooks.destination import Destinations

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 15.0
MAX_CONNECTIONS = 64
MAX_QUESTIONS = 16

Resolver = Callable[[str], Awaitable[Sequence[Address]]]


class DestinationRefused(httpx2.ConnectError):
    """The name leads where nothing may be sent, or nowhere; no connection was opened. Its text is for the log."""


class SystemResolver:
    """Asks the system for every address of a host, in its order of preference.

    In threads of its own: a question that nobody waits for any more holds its thread until the system gives up, and
    strangers choose which names are asked for.
    """

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(MAX_QUESTIONS, thread_name_prefix="resolver")

    async def __call__(self, host: str) -> Sequence[Address]:
        ask = partial(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, ask)
        return tuple(dict.fromkeys(ip_address(str(entry[4][0]).partition("%")[0]) for entry in found))


class GuardedBackend(httpcore2.AsyncNetworkBackend):
    """Opens sockets for httpcore2, to permitted addresses alone."""

    def __init__(
        self, destinations: Destinations, *, is_plain: bool, resolver: Resolver, inner: httpcore2.AsyncNetworkBackend
    ) -> None:
        """`is_plain`: for connections without TLS."""
        self._destinations = destinations
        self._is_plain = is_plain
        self._resolver = resolver
        self._inner = inner

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore2's signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S if timeout is None else timeout):
                addresses = await self._permitted(host, port)
                return await self._first_open(addresses, port, local_address, socket_options)
        except TimeoutError:
            raise httpcore2.ConnectTimeout(f"{host} was not reached in time") from None

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)

    async def _permitted(self, host: str, port: int) -> Sequence[Address]:
        """Every address of `host`; if one of them is refused, none is used."""
        addresses = await self._addresses(host)
        for address in addresses:
            if reason := self._destinations.refusal(behind_nat64(address), port, is_plain=self._is_plain):
                raise DestinationRefused(reason)
        return addresses

    async def _addresses(self, host: str) -> Sequence[Address]:
        with contextlib.suppress(ValueError):
            return (ip_address(host),)
        try:
            addresses = await self._resolver(host)
        except (OSError, UnicodeError) as unknown:
            raise DestinationRefused(f"{host} was not found: {unknown}") from unknown
        if not addresses:
            raise DestinationRefused(f"{host} has no address")
        return addresses

    async def _first_open(
        self,
        addresses: Sequence[Address],
        port: int,
        local_address: str | None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None,
    ) -> httpcore2.AsyncNetworkStream:
        """Try the addresses in turn, each with an equal share of the time, so a dead one does not hide the next."""
        share_s = CONNECT_TIMEOUT_S / len(addresses)
        failed: httpcore2.ConnectError | httpcore2.ConnectTimeout = httpcore2.ConnectError("no address")
        for address in addresses:
            try:
                return await self._inner.connect_tcp(str(address), port, share_s, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as reason:
                failed = reason
        raise failed


class _Transport(httpx2.AsyncBaseTransport):
    """httpx2 over pools with our backend, one for each scheme; its own transport has no place for one."""

    def __init__(self, pools: Mapping[str, httpcore2.AsyncConnectionPool]) -> None:
        self._pools = pools

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        with _as_httpx2_errors():
            answer = await self._pools[request.url.scheme].handle_async_request(
                httpcore2.Request(
                    method=request.method,
                    url=httpcore2.URL(
                        scheme=request.url.raw_scheme,
                        host=request.url.raw_host,
                        port=request.url.port,
                        target=request.url.raw_path,
                    ),
                    headers=request.headers.raw,
                    content=request.stream,
                    extensions=request.extensions,
                )
            )
        # The connection is among the extensions; httpcore2 leaves their type open.
        extensions: dict[str, Any] = {**answer.extensions}  # pyright: ignore[reportUnknownMemberType]
        return httpx2.Response(answer.status, headers=answer.headers, stream=_Body(answer), extensions=extensions)

    async def aclose(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()


class _Body(httpx2.AsyncByteStream):
    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _as_httpx2_errors():
            async for part in self._answer.aiter_stream():
                yield part

    async def aclose(self) -> None:
        await self._answer.aclose()


@contextlib.contextmanager
def _as_httpx2_errors() -> Generator[None]:
    try:
        yield
    except httpcore2.TimeoutException as error:
        raise httpx2.TimeoutException(str(error) or "no answer in time") from error
    except httpcore2.NetworkError as error:
        raise httpx2.NetworkError(str(error) or "the connection broke") from error
    except (httpcore2.ProtocolError, httpcore2.UnsupportedProtocol) as error:
        raise httpx2.ProtocolError(str(error) or "the answer is not HTTP") from error


@cache
def _root_certificates() -> ssl.SSLContext:
    """The usual ones, read once: that takes as long as all the rest of a client."""
    return httpx2.create_ssl_context(trust_env=False)


def guarded_client(
    destinations: Destinations,
    *,
    resolver: Resolver | None = None,
    inner: httpcore2.AsyncNetworkBackend | None = None,
    tls: ssl.SSLContext | None = None,
) -> httpx2.AsyncClient:
    """A client for URLs that strangers gave us: no proxy, no redirects, no environment, no reused connections.

    `resolver` None asks the system; `inner` opens the sockets (tests count them); `tls` replaces the usual root
    certificates.
    """
    opener = inner or httpcore2.AnyIOBackend()
    asked = resolver or SystemResolver()
    pools = {
        scheme: httpcore2.AsyncConnectionPool(
            ssl_context=tls or _root_certificates(),
            max_connections=MAX_CONNECTIONS,
            max_keepalive_connections=0,
            network_backend=GuardedBackend(destinations, is_plain=scheme == "http", resolver=asked, inner=opener),  # pyright: ignore[reportArgumentType]
        )
        for scheme in ("http", "https")
    }
    return httpx2.AsyncClient(
        transport=_Transport(pools),
        trust_env=False,
        follow_redirects=False,
        timeout=httpx2.Timeout(READ_TIMEOUT_S, connect=CONNECT_TIMEOUT_S),
    )
