"""What a batch buys: 100 pictures as one batch against 100 single calls, one after another and many at a time.

Once with the fake engine, so that only the shell counts, and once with the starter model, whose painting takes nearly
all of the time. Every call asks for a picture that nobody has asked for before, so that nothing comes from the cache.
"""

import itertools
import json
import os
import platform
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest
from plugins.installation import Home, free_port

ITEMS = 100
AT_A_TIME = 16
ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).with_name("results") / "batches-cpu.json"
PAINTERS = {
    "the fake engine": {"num_inference_steps": 1, "quality": "standard", "width": 512, "height": 512},
    "the starter model": {"num_inference_steps": 4, "quality": "standard", "width": 512, "height": 512},
}


def timed(work):
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@contextmanager
def without_painter(folder):
    """Address and key of a server of its own process that paints with the fake engine."""
    port = free_port()
    env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
    command = [sys.executable, "-m", "plugins.shell_server", str(folder), str(port)]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as server:
        yield f"http://127.0.0.1:{port}", server.stdout.readline().strip()
        server.kill()


@contextmanager
def with_starter(folder):
    """Address and key of `pinxit serve`."""
    home = Home(folder=folder)
    server = home.start()
    yield server.url, server.key
    home.close()


SERVERS = {"the fake engine": without_painter, "the starter model": with_starter}


@pytest.fixture(params=PAINTERS)
def painter(request):
    return request.param


@pytest.fixture
def http(painter, tmp_path):
    with (
        SERVERS[painter](tmp_path) as (url, key),
        httpx2.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {key}"},
            transport=httpx2.HTTPTransport(retries=20),
            timeout=600,
        ) as http,
    ):
        yield http


@pytest.mark.benchmark
def test_a_hundred_pictures_as_one_batch_against_a_hundred_calls(http, painter):
    seeds = itertools.count()

    def wishes():
        return [{"prompt": "a red boat", "seed": next(seeds), **PAINTERS[painter]} for _ in range(ITEMS)]

    def single(wish):
        answered = http.post("/v1/generate", json={**wish, "async": False})
        assert answered.status_code == 200, answered.text
        return answered.json()["generation_id"]

    def one_after_another():
        for wish in wishes():
            single(wish)

    def many_at_a_time():
        with ThreadPoolExecutor(AT_A_TIME) as callers:
            assert len(set(callers.map(single, wishes()))) == ITEMS

    def as_a_batch():
        batch_id = http.post("/v1/batches", json={"items": wishes()}).json()["batch_id"]
        while (batch := http.get(f"/v1/batches/{batch_id}").json())["status"] != "completed":
            time.sleep(0.1)
        assert batch["counts"]["completed"] == ITEMS
        assert len(http.get(f"/v1/batches/{batch_id}/results").text.splitlines()) == ITEMS

    many_at_a_time()  # all that is imported late is imported
    seconds = {
        "one batch, until the last result is fetched": timed(as_a_batch),
        f"single calls, {AT_A_TIME} at a time": timed(many_at_a_time),
        "single calls, one after another": timed(one_after_another),
    }
    keep(painter, seconds)
    assert min(seconds.values()) > 0


def keep(painter, seconds):
    """Print the figures and put them beside those of the other painter."""
    batch_s = next(iter(seconds.values()))
    figures = {
        "items": ITEMS,
        "machine": f"CPU, {platform.machine()}, Python {platform.python_version()}",
        "seconds": {name: round(taken, 1) for name, taken in seconds.items()},
        "times as long as one batch": {name: round(taken / batch_s, 2) for name, taken in seconds.items()},
    }
    kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps({**kept, painter: figures}, indent=2) + "\n")
    print(f"\n{painter}: {json.dumps(figures, indent=2)}")  # noqa: T201
