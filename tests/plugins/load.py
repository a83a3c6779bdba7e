"""How many times a second a server answers one request over a few kept connections."""

import asyncio
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

CONNECTIONS = 8


async def answers_per_second(
    url: str, headers: Mapping[str, str], *, seconds: float, body: bytes | None = None
) -> float:
    """Ask over and over from `CONNECTIONS` connections, with POST where there is a JSON `body`; every answer must be a 200."""
    parts = urlsplit(url)
    lines = [f"{'GET' if body is None else 'POST'} {parts.path} HTTP/1.1", f"Host: {parts.netloc}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    request = "\r\n".join([*lines, "", ""]).encode() + (body or b"")
    until = time.perf_counter() + seconds
    counts = await asyncio.gather(
        *(_ask(parts.hostname or "", parts.port or 80, request, until=until) for _ in range(CONNECTIONS))
    )
    return sum(counts) / seconds


async def _ask(host: str, port: int, request: bytes, *, until: float) -> int:
    reader, writer = await asyncio.open_connection(host, port)
    count = 0
    while time.perf_counter() < until:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.split(b":")[1]))
        count += 1
    writer.close()
    await writer.wait_closed()
    return count
