"""Mixed requests on many connections at once: what was answered, how long it took, and what became of the memory.

`python -m plugins.load_run --requests 3000 --connections 100`, from the repository's root with `PYTHONPATH=.:tests`.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
from plugins.installation import FAULTY, Home, RunningServer
from plugins.kill_run import photo

SETTINGS = {"SYNC_WAIT_S": 60, "POLL_S": 0.1, "MAX_QUEUED": 400}
PATIENCE_S = 180

IN_TIME = "504 POST /v1/images"  # the contract's answer where a wait of 60 s ends behind a long queue


@dataclass
class Load:
    """What came back; `memory_mb` is the server's, before, at the half and after."""

    statuses: Counter = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    memory_mb: list[float] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)

    @property
    def failures(self) -> list[str]:
        return [
            status
            for status in self.statuses
            if not status.startswith(IN_TIME) and (status.startswith("5") or not status[0].isdigit())
        ]

    def lines(self) -> Iterator[str]:
        for status, count in sorted(self.statuses.items()):
            yield f"{status:<44} {count:>8}"
        ordered = sorted(self.seconds)
        for name, share in (("median", 0.5), ("95 %", 0.95), ("slowest", 1.0)):
            yield f"{'answered after, ' + name + ', s':<44} {ordered[min(len(ordered) - 1, int(len(ordered) * share))]:>8.2f}"
        yield f"{'memory before, half way, after, MB':<36} {' '.join(f'{mb:.0f}' for mb in self.memory_mb):>16}"
        yield f"{'5xx and broken connections':<44} {sum(self.statuses[one] for one in self.failures):>8}"


@dataclass
class LoadRun:
    """`requests` in all, `connections` of them at a time."""

    server: RunningServer
    requests: int
    connections: int
    chance: random.Random
    load: Load = field(default_factory=Load)

    async def run(self) -> Load:
        numbers = iter(range(self.requests))
        self._weigh()
        limits = httpx2.Limits(max_connections=self.connections, max_keepalive_connections=self.connections)
        async with httpx2.AsyncClient(timeout=PATIENCE_S, trust_env=False, limits=limits) as http:
            await asyncio.gather(*(self._caller(http, numbers) for _ in range(self.connections)))
        self._weigh()
        return self.load

    async def _caller(self, http: httpx2.AsyncClient, numbers: Iterator[int]) -> None:
        for number in numbers:
            if number == self.requests // 2:
                self._weigh()
            method, path, body = self._asked(number)
            began = time.monotonic()
            try:
                answered = await http.request(
                    method, f"{self.server.url}{path}", json=body, headers=self.server.headers
                )
            except httpx2.HTTPError as broken:
                self.load.statuses[type(broken).__name__] += 1
                continue
            self.load.seconds.append(time.monotonic() - began)
            self.load.statuses[f"{answered.status_code} {method} {path.split('/gen_')[0].split('?')[0]}"] += 1
            if path == "/v1/generate" and answered.status_code in {200, 202}:
                self.load.ids.append(answered.json()["generation_id"])

    def _asked(self, number: int) -> tuple[str, str, dict | None]:
        """Half of them ask for pictures, a third of these to wait for; one in ten is wrong."""
        seed = number % 300
        body = {"prompt": f"a boat {seed}", "seed": seed, "num_inference_steps": 1}
        known = self.chance.choice(self.load.ids) if self.load.ids else "gen_none"
        asks = {
            ("POST", "/v1/generate", (("async", True),)): 30,
            ("POST", "/v1/generate", ()): 10,
            ("POST", "/v1/generate", (("image", photo(seed)), ("async", True))): 5,
            ("POST", "/v1/images/generations", (("seed", None), ("num_inference_steps", None))): 5,
            ("POST", "/v1/generate", (("num_inference_steps", 0),)): 10,
            ("GET", f"/v1/generations/{known}", None): 25,
            ("GET", "/v1/generations?limit=5", None): 10,
            ("GET", self.chance.choice(("/v1/styles", "/v1/account", "/v1/models", "/readyz")), None): 5,
        }
        ((method, path, changes),) = self.chance.choices(list(asks), list(asks.values()))
        if changes is None:
            return method, path, None
        return method, path, {name: value for name, value in {**body, **dict(changes)}.items() if value is not None}

    def _weigh(self) -> None:
        status = Path(f"/proc/{self.server.process.pid}/status").read_text()
        self.load.memory_mb.append(int(status.partition("VmRSS:")[2].split()[0]) / 1024)


def run(folder: Path, *, requests: int, connections: int, seed: int) -> Load:
    """One run in an empty folder."""
    home = Home(folder=folder, program=FAULTY)
    try:
        server = home.start(**SETTINGS)
        while server.http.get(f"{server.url}/readyz").status_code != 200:
            time.sleep(0.1)
        return asyncio.run(
            LoadRun(server=server, requests=requests, connections=connections, chance=random.Random(seed)).run()  # noqa: S311 - repeatable
        )
    finally:
        home.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=3000)
    parser.add_argument("--connections", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pinxit-load-") as folder:
        load = run(Path(folder), requests=given.requests, connections=given.connections, seed=given.seed)
    print(f"load run, seed {given.seed}", *load.lines(), sep="\n")  # noqa: T201
    return 1 if load.failures else 0


if __name__ == "__main__":
    sys.exit(main())
