"""What a batch buys: 100 pictures as one batch against 100 single calls, one after another and many at a time.

The fake engine paints, so that only the shell counts: with a real one nearly all of the time is the painting's, and the same.
"""

import json
import os
import platform
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2
import pytest
from plugins.installation import free_port

ITEMS = 100
AT_A_TIME = 16
WISH = {"num_inference_steps": 1, "quality": "standard", "width": 512, "height": 512}
ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).with_name("results") / "batches-cpu.json"


def timed(work):
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@pytest.fixture
def http(tmp_path):
    """To a started server of its own process."""
    port = free_port()
    env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
    command = [sys.executable, "-m", "plugins.shell_server", str(tmp_path), str(port)]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as server:
        key = server.stdout.readline().strip()
        with httpx2.Client(
            base_url=f"http://127.0.0.1:{port}",
            headers={"Authorization": f"Bearer {key}"},
            transport=httpx2.HTTPTransport(retries=20),
            timeout=600,
        ) as http:
            yield http
        server.kill()


@pytest.mark.benchmark
def test_a_hundred_pictures_as_one_batch_against_a_hundred_calls(http):
    wishes = [{"prompt": f"{i} red boats", **WISH} for i in range(ITEMS)]

    def single(wish, **more):
        answered = http.post("/v1/generate", json={**wish, **more})
        assert answered.status_code in {200, 202}, answered.text
        return answered.json()["generation_id"]

    def one_after_another():
        for wish in wishes:
            single(wish)

    def many_at_a_time():
        with ThreadPoolExecutor(AT_A_TIME) as callers:
            assert len(set(callers.map(single, wishes))) == ITEMS

    def as_a_batch():
        batch_id = http.post("/v1/batches", json={"items": wishes}).json()["batch_id"]
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
    batch_s = next(iter(seconds.values()))
    ratios = {name: round(taken / batch_s, 2) for name, taken in seconds.items()}
    figures = {
        "items": ITEMS,
        "machine": f"CPU, {platform.machine()}, Python {platform.python_version()}",
        "seconds": {name: round(taken, 1) for name, taken in seconds.items()},
        "times as long as one batch": ratios,
    }
    RESULTS.write_text(json.dumps(figures, indent=2) + "\n")
    print(f"\n{json.dumps(figures, indent=2)}")  # noqa: T201
    assert min(seconds.values()) > 0
