"""What the shell costs: `GET /v1/styles` with a key against a bare FastAPI route that returns the same bytes."""

import asyncio
import statistics
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest
from plugins.installation import free_port
from plugins.load import answers_per_second

ROUNDS = 5
SECONDS = 1.5
BARE = Path(__file__).parents[1] / "plugins" / "bare_route.py"


@pytest.fixture
def bare_url(server, tmp_path):
    """The yardstick, serving exactly our own bytes from a process of its own."""
    content = tmp_path / "styles.json"
    content.write_bytes(server.get("/v1/styles").content)
    port = free_port()
    process = subprocess.Popen([sys.executable, str(BARE), str(port), str(content)])
    url = f"http://127.0.0.1:{port}/v1/styles"
    for _ in range(400):
        try:
            httpx2.get(url)
            break
        except httpx2.TransportError:
            time.sleep(0.05)
    yield url
    process.kill()
    process.wait()


@pytest.mark.benchmark
def test_styles_with_a_key_against_a_bare_route(server, bare_url):
    server.paint()  # the engine has loaded and is idle
    ours, bare = [], []
    for _ in range(ROUNDS):
        bare.append(asyncio.run(answers_per_second(bare_url, {}, seconds=SECONDS)))
        ours.append(asyncio.run(answers_per_second(f"{server.url}/v1/styles", server.headers, seconds=SECONDS)))
    ratios = [one / other for one, other in zip(ours, bare, strict=True)]
    print(  # noqa: T201
        f"\nGET /v1/styles with a key (one SELECT): {statistics.median(ours):.0f}/s;"
        f" bare FastAPI route, no SQL: {statistics.median(bare):.0f}/s;"
        f" ratio {statistics.median(ratios):.2f} (of {ROUNDS} interleaved rounds: {min(ratios):.2f} to {max(ratios):.2f})"
    )
    assert min(ours) > 0
