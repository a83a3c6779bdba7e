"""The sender against real receivers, well-behaved and not; `receivers` and `sockets` come from conftest."""

import asyncio
import gzip
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable, Sequence
from ipaddress import ip_address, ip_network
from pathlib import Path

import httpx2
import pytest

from gateway.webhooks import Answer, Destinations, Message, open_sender
from gateway.webhooks.addresses import Address
from gateway.webhooks.http_sender import MAX_ANSWER_BYTES, HttpSender
from gateway.webhooks.outbound import guarded_client

HOSTILE_URLS = (Path(__file__).parent / "hostile_urls.txt").read_text(encoding="utf-8").split()
NAMES = {
    "hooks.example": ["127.0.0.1"],
    "six.example": ["::1"],
    "dead-then-alive.example": ["127.0.0.9", "127.0.0.1"],
    "public.example": ["93.184.216.34"],
    "mixed.example": ["93.184.216.34", "10.0.0.7"],
    "private.example": ["192.168.1.5"],
    "metadata.example": ["169.254.169.254"],
    "wrapped.example": ["::ffff:127.0.0.1"],
    "nat64.example": ["64:ff9b::5db8:d822"],
    "nat64-loopback.example": ["64:ff9b::7f00:1"],
    "empty.example": [],
}


class Names:
    """A resolver with a fixed table, which counts its questions."""

    def __init__(self, table: dict[str, list[str]]) -> None:
        self._table = table
        self.asked: list[str] = []

    async def __call__(self, host: str) -> Sequence[Address]:
        self.asked.append(host)
        if host not in self._table:
            raise OSError("Name or service not known")
        return [ip_address(address) for address in self._table[host]]


@pytest.fixture
def names() -> Names:
    return Names(NAMES)


Attempt = Callable[..., "asyncio.Future[Answer]"]


@pytest.fixture
async def attempt(sockets, names) -> AsyncIterator[Attempt]:
    """Send one message to a URL, by default in local mode and with all the time that a busy machine may take."""
    clients: list[httpx2.AsyncClient] = []

    async def send(
        url: str, *, destinations: Destinations | None = None, within_s: float = 30.0, **options: object
    ) -> Answer:
        rules = destinations or Destinations(allow_loopback=True)
        clients.append(guarded_client(rules, resolver=options.pop("resolver", names), inner=sockets, **options))
        sender = HttpSender(rules, client=clients[-1], total_timeout_s=within_s)
        return await sender.send(Message(url=url, body=b'{"a":1}', headers={"webhook-id": "evt_1"}))

    yield send
    for client in clients:
        await client.aclose()


async def test_a_receiver_gets_the_bytes_and_headers_under_its_own_name(receivers, attempt, sockets) -> None:
    receiver = await receivers.with_status("204 No Content")
    answer = await attempt(receiver.url(host="hooks.example"))
    assert answer == Answer(status=204)
    assert answer.is_success
    (got,) = receiver.requests
    assert (got.target, got.body) == ("/hook", b'{"a":1}')
    assert got.headers["host"] == f"hooks.example:{receiver.port}"
    assert got.headers["webhook-id"] == "evt_1"
    assert got.headers["content-type"] == "application/json"
    assert sockets.opened == ["127.0.0.1"]


async def test_a_receiver_on_ipv6_loopback_is_reached(receivers, attempt) -> None:
    receiver = await receivers.with_status("200 OK", host="::1")
    assert (await attempt(receiver.url(host="[::1]"))).is_success
    assert (await attempt(receiver.url(host="six.example"))).is_success


async def test_a_redirect_is_a_failure_and_nobody_follows_it(receivers, attempt) -> None:
    elsewhere = await receivers.with_status("200 OK")
    receiver = await receivers.with_status("301 Moved", f"Location: {elsewhere.url()}")
    answer = await attempt(receiver.url())
    assert answer == Answer(status=301)
    assert not answer.is_success
    assert elsewhere.requests == []


@pytest.mark.parametrize("status", ["500 Oops", "410 Gone", "404 Not Found", "302 Found", "100 Continue"])
async def test_any_status_but_2xx_is_a_failure(status: str, receivers, attempt) -> None:
    assert not (await attempt((await receivers.with_status(status)).url())).is_success


async def test_the_receivers_wish_to_wait_is_handed_on(receivers, attempt) -> None:
    receiver = await receivers.with_status("429 Too Many Requests", "Retry-After: 120")
    assert await attempt(receiver.url()) == Answer(status=429, retry_after="120")


async def test_a_silent_receiver_costs_the_total_time_and_no_more(receivers, attempt) -> None:
    answer = await asyncio.wait_for(attempt((await receivers.silent()).url(), within_s=0.5), timeout=30)
    assert answer == Answer(error="no complete answer within 0.5 s")


async def test_a_dripping_answer_does_not_outlast_the_total_time(receivers, attempt) -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.02)

    answer = await asyncio.wait_for(attempt((await receivers.acting(drip)).url(), within_s=0.5), timeout=30)
    assert answer.error == "no complete answer within 0.5 s"


async def test_a_reset_is_an_answer_not_an_exception(receivers, attempt) -> None:
    answer = await attempt((await receivers.resetting()).url())
    assert answer.status is None
    assert answer.error


async def test_a_closed_port_is_an_answer_not_an_exception(receivers, attempt) -> None:
    async with asyncio.timeout(60):
        server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        server.close()
        await server.wait_closed()
        answer = await attempt(f"http://127.0.0.1:{port}/hook")
    assert answer.error == "the connection could not be made, or broke"
    assert answer.detail.startswith("NetworkError")


@pytest.mark.parametrize(
    "raw", [b"\x16\x03\x01\x02\x00", b"SSH-2.0-OpenSSH_9.2\r\n\r\n", b"HTTP/1.1 banana\r\n\r\n", b"", b"HTTP/1.1 200 OK\r\nA" * 5]
)  # fmt: skip
async def test_an_answer_that_is_not_http_is_a_failure(raw: bytes, receivers, attempt) -> None:
    assert not (await attempt((await receivers.answering(raw)).url())).is_success


async def test_a_cut_body_is_a_failure(receivers, attempt) -> None:
    answer = await attempt((await receivers.answering(b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf")).url())
    assert not answer.is_success


async def test_an_endless_answer_is_left_after_64_kb(receivers, attempt) -> None:
    written = 0

    async def pour(writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while written < 100_000_000:
            writer.write(b"x" * 16384)
            written += 16384
            await writer.drain()

    answer = await attempt((await receivers.acting(pour)).url())
    assert answer.is_success
    assert written < 20_000_000, "the socket's buffers hold a little; nobody read the rest"


async def test_a_packed_answer_is_not_unpacked(receivers, attempt) -> None:
    bomb = gzip.compress(bytes(10 * MAX_ANSWER_BYTES))
    receiver = await receivers.with_status("200 OK", "Content-Encoding: gzip", body=bomb[:-8])
    assert (await attempt(receiver.url())).is_success
    assert receiver.requests[0].headers["accept-encoding"] == "identity"


async def test_each_attempt_opens_a_new_connection_and_asks_once(receivers, attempt, names, sockets) -> None:
    receiver = await receivers.with_status("200 OK")
    for _ in range(3):
        await attempt(receiver.url(host="hooks.example"))
    assert names.asked == ["hooks.example"] * 3
    assert sockets.opened == ["127.0.0.1"] * 3


async def test_a_dead_address_does_not_hide_the_next_one(receivers, attempt, sockets) -> None:
    receiver = await receivers.with_status("200 OK")
    assert (await attempt(receiver.url(host="dead-then-alive.example"))).is_success
    assert sockets.opened == ["127.0.0.9", "127.0.0.1"]


@pytest.mark.parametrize(
    "name",
    ["mixed.example", "private.example", "metadata.example", "wrapped.example", "nat64-loopback.example"],
)
async def test_a_name_with_any_refused_address_is_never_connected_to(name: str, attempt, sockets) -> None:
    for destinations in (Destinations(), Destinations(allow_loopback=True)):
        answer = await attempt(f"https://{name}/hook", destinations=destinations)
        assert "PINXIT_WEBHOOK_ALLOWED_NETWORKS" in answer.detail or "credentials" in answer.detail
        unknown = await attempt("https://unknown.example/hook", destinations=destinations)
        assert answer.error == unknown.error, "nobody reads our names and addresses through a webhook"
    assert sockets.opened == []


async def test_plain_http_reaches_a_name_in_an_opened_network_and_no_other(receivers, attempt, sockets) -> None:
    opened = Destinations(allowed_networks=(ip_network("127.0.0.0/8"),), allowed_ports=frozenset(range(1, 65536)))
    receiver = await receivers.with_status("204 No Content")
    assert (await attempt(receiver.url(host="hooks.example"), destinations=opened)).is_success
    sockets.opened.clear()
    refused = await attempt("http://public.example/hook", destinations=opened)
    assert "plain http" in refused.detail
    assert sockets.opened == []


async def test_a_name_outside_ascii_is_asked_for_in_its_own_form(receivers, attempt, names) -> None:
    receiver = await receivers.with_status("204 No Content")
    names._table["xn--bcher-kva.example"] = ["127.0.0.1"]
    assert (await attempt(receiver.url(host="bücher.example"))).is_success
    assert names.asked == ["xn--bcher-kva.example"]


async def test_a_name_on_loopback_is_refused_outside_local_mode(attempt, sockets) -> None:
    assert (await attempt("https://hooks.example/", destinations=Destinations())).error
    assert sockets.opened == []


async def test_in_local_mode_another_port_of_a_public_name_is_refused(attempt, sockets) -> None:
    assert "port 9000" in (await attempt("http://public.example:9000/")).detail
    assert sockets.opened == []


async def test_a_public_name_behind_nat64_is_tried(attempt, sockets) -> None:
    await attempt("https://nat64.example/", destinations=Destinations())
    assert sockets.opened == ["64:ff9b::5db8:d822"]


async def test_a_name_that_turns_private_between_question_and_connection_gains_nothing(attempt, sockets) -> None:
    asked = 0

    async def rebinding(_host: str) -> Sequence[Address]:
        nonlocal asked
        asked += 1
        return [ip_address("93.184.216.34" if asked == 1 else "127.0.0.1")]

    first = await attempt("https://rebind.example/", destinations=Destinations(), resolver=rebinding)
    assert (asked, sockets.opened) == (1, ["93.184.216.34"]), "connected to the very address that was judged"
    second = await attempt("https://rebind.example/", destinations=Destinations(), resolver=rebinding)
    assert (asked, sockets.opened) == (2, ["93.184.216.34"]), "the private answer was refused"
    assert first.error != second.error


async def test_a_slow_resolver_does_not_outlast_the_deadline(attempt, sockets) -> None:
    async def never(_host: str) -> Sequence[Address]:
        await asyncio.Event().wait()
        return []

    answer = await asyncio.wait_for(attempt("https://slow.example/", resolver=never, within_s=0.5), timeout=30)
    assert answer.error
    assert sockets.opened == []


@pytest.mark.parametrize("name", ["unknown.example", "empty.example", "x" * 70 + ".example", "xn--zzzzzz99999.example"])
async def test_a_name_nobody_knows_is_an_answer_not_an_exception(name: str, attempt, sockets) -> None:
    assert (await attempt(f"https://{name}/")).error
    assert sockets.opened == []


async def test_no_hostile_url_opens_a_socket(sockets, names) -> None:
    async with guarded_client(Destinations(), resolver=names, inner=sockets) as client:
        sender = HttpSender(Destinations(), client=client)
        for url in HOSTILE_URLS:
            assert (await sender.send(Message(url=url, body=b"{}", headers={}))).error, url
    assert (sockets.opened, names.asked) == ([], [])


async def test_the_client_alone_refuses_what_the_text_check_would_have_caught(sockets, names) -> None:
    async with guarded_client(Destinations(), resolver=names, inner=sockets) as client:
        for host in ("127.0.0.1", "[::1]", "[::ffff:10.0.0.1]", "169.254.169.254"):
            with pytest.raises(httpx2.ConnectError):
                await client.post(f"http://{host}/")
    assert sockets.opened == []


async def test_proxies_of_the_environment_are_ignored(receivers, attempt, monkeypatch) -> None:
    proxy, receiver = await receivers.with_status("200 OK"), await receivers.with_status("200 OK")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, proxy.url())
    assert (await attempt(receiver.url())).is_success
    assert (len(receiver.requests), proxy.requests) == (1, [])


async def test_the_sender_of_production_delivers_by_the_systems_resolver(receivers) -> None:
    receiver = await receivers.with_status("200 OK")
    sender = open_sender(Destinations(allow_loopback=True))
    answer = await sender.send(Message(url=receiver.url(host="localhost"), body=b"{}", headers={}))
    await sender.aclose()
    assert answer.is_success


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate and its key, for hooks.example alone, in one file."""
    folder = tmp_path_factory.mktemp("certificate")
    where = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    names = ["-subj", "/CN=hooks.example", "-addext", "subjectAltName=DNS:hooks.example"]
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    subprocess.run(["openssl", "req", *kind, *where, *names], check=True, capture_output=True)
    (folder / "both.pem").write_text((folder / "key.pem").read_text() + (folder / "certificate.pem").read_text())
    return folder / "both.pem"


@pytest.fixture
async def tls_receiver(receivers, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return await receivers.with_status("200 OK", context=context)


async def test_tls_is_checked_against_the_name_not_the_address(tls_receiver, attempt, certificate) -> None:
    answer = await attempt(
        tls_receiver.url(scheme="https", host="hooks.example"), tls=ssl.create_default_context(cafile=certificate)
    )
    assert answer == Answer(status=200)
    assert tls_receiver.server_names == ["hooks.example"]


async def test_a_certificate_for_another_name_is_refused(tls_receiver, attempt, certificate) -> None:
    answer = await attempt(
        tls_receiver.url(scheme="https", host="dead-then-alive.example"),
        tls=ssl.create_default_context(cafile=certificate),
    )
    assert "certificate" in answer.error.lower()
    assert tls_receiver.requests == []


async def test_a_certificate_nobody_vouches_for_is_refused(tls_receiver, attempt) -> None:
    answer = await attempt(tls_receiver.url(scheme="https", host="hooks.example"))
    assert "certificate" in answer.error.lower()
    assert tls_receiver.requests == []


async def test_how_an_answer_begins_is_kept_but_not_what_the_operators_own_network_said(
    receivers, attempt, certificate
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    receiver = await receivers.with_status("200 OK", body=b"x" * 5000, context=context)
    trusted = ssl.create_default_context(cafile=certificate)
    url = receiver.url(scheme="https", host="hooks.example")
    opened = Destinations(allowed_networks=(ip_network("127.0.0.0/8"),), allowed_ports=frozenset({receiver.port}))
    assert await attempt(url, tls=trusted) == Answer(status=200, excerpt=b"x" * 1024)
    assert await attempt(url, tls=trusted, destinations=opened) == Answer(status=200)
