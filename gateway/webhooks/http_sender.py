"""The sender over HTTP: at most 5 s to connect, 15 s in all, 64 kB of an answer that nobody unpacks."""

import asyncio
import contextlib
import ssl
from ipaddress import ip_address

import httpx2

from gateway.webhooks.destination import Destinations, WebhookUrlInvalid
from gateway.webhooks.outbound import DestinationRefused
from gateway.webhooks.sender import Answer, Message

TOTAL_TIMEOUT_S = 15.0
MAX_ANSWER_BYTES = 64 * 1024
MAX_EXCERPT_BYTES = 1024
HEADERS = {"Content-Type": "application/json", "User-Agent": "pinxit-webhooks/1", "Accept-Encoding": "identity"}


class HttpSender:
    """POSTs through a guarded client; the URL's text is judged again, for rules may have changed since it was given."""

    def __init__(
        self, destinations: Destinations, *, client: httpx2.AsyncClient, total_timeout_s: float = TOTAL_TIMEOUT_S
    ) -> None:
        self._destinations = destinations
        self._client = client
        self._total_timeout_s = total_timeout_s

    async def send(self, message: Message) -> Answer:
        try:
            self._destinations.check_url(message.url)
            async with asyncio.timeout(self._total_timeout_s):
                return await self._post(message)
        except WebhookUrlInvalid as refused:
            return Answer(error=refused.message)
        except TimeoutError:
            return Answer(error=f"no complete answer within {self._total_timeout_s:g} s")
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, UnicodeError) as broken:
            return Answer(error=_in_our_words(broken), detail=f"{type(broken).__name__}: {broken}")

    async def aclose(self) -> None:
        await self._client.aclose()

    async def _post(self, message: Message) -> Answer:
        headers = {**HEADERS, **message.headers}
        async with self._client.stream("POST", message.url, content=message.body, headers=headers) as response:
            may_quote = self._may_quote(response)  # while the connection is open
            received, excerpt = 0, b""
            async for part in response.aiter_raw():
                received += len(part)
                excerpt = (excerpt + part)[:MAX_EXCERPT_BYTES]
                if received >= MAX_ANSWER_BYTES:
                    break
            return Answer(
                status=response.status_code,
                retry_after=response.headers.get("retry-after"),
                excerpt=excerpt if may_quote else b"",
            )

    def _may_quote(self, response: httpx2.Response) -> bool:
        """False also when the receiver has broken the connection off already, and with it who it was."""
        with contextlib.suppress(OSError):
            peer = response.extensions["network_stream"].get_extra_info("server_addr")
            return peer is not None and self._destinations.may_quote(ip_address(peer[0]))
        return False


def _in_our_words(broken: Exception) -> str:
    """For whoever asked for the webhook, who may be a stranger: nothing of our network, and of no library's texts."""
    if isinstance(broken, DestinationRefused):
        return "the name was not found, or leads to an address that webhooks may not go to"
    if _was_tls(broken):
        return "its TLS certificate was not accepted, or it speaks no TLS"
    match broken:
        case httpx2.TimeoutException():
            return "no answer in time"
        case httpx2.ProtocolError():
            return "the answer was no HTTP, or broke off"
        case httpx2.InvalidURL() | UnicodeError():
            return "the address cannot be read"
        case _:
            return "the connection could not be made, or broke"


def _was_tls(broken: BaseException | None) -> bool:
    while broken is not None:
        if isinstance(broken, ssl.SSLError):
            return True
        broken = broken.__cause__ or broken.__context__
    return False
