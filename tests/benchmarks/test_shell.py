"""What the shell costs, with the engine out of the way: routes of ours against bare FastAPI routes, in one run.

The bare ones return the same bytes: with the same SQL, by the same functions of `storage`, or without any.
"""

import asyncio
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import msgspec
import pytest
from plugins.figures import keep
from plugins.installation import free_port
from plugins.load import answers_per_second
from plugins.stopwatch import SPENT
from sqlalchemy import select

from storage import Database, Generation
from storage.tables import generations

pytestmark = pytest.mark.benchmark

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"}
ROUNDS = 5
SECONDS = 1.5
BODY = json.dumps({"prompt": "a red lighthouse by the sea", "seed": 7}).encode()
ALONE = 300
INSIDE_MS_BARS = {"GET /img": 1.0, "cache hit": 2.0}


@dataclass(frozen=True, kw_only=True)
class Route:
    """One of ours and its yardsticks."""

    ours: str
    with_sql: str | None
    without_sql: str
    body: bytes | None = None


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two servers on databases of their own with the same rows."""

    ours: str
    bare: str
    headers: dict[str, str]
    picture: str

    def route(self, name: str) -> Route:
        return {
            "GET /v1/styles": Route(ours=f"{self.ours}/v1/styles", with_sql=None, without_sql=f"{self.bare}/styles"),
            "GET /img": Route(
                ours=f"{self.ours}/img/{self.picture}",
                with_sql=f"{self.bare}/picture-with-sql/{self.picture}",
                without_sql=f"{self.bare}/picture",
            ),
            "cache hit": Route(
                ours=f"{self.ours}/v1/generate",
                with_sql=f"{self.bare}/hit-with-sql",
                without_sql=f"{self.bare}/hit",
                body=BODY,
            ),
        }[name]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder, yardstick = tmp_path_factory.mktemp("ours"), tmp_path_factory.mktemp("bare")
    port, bare_port = free_port(), free_port()
    ours = started("plugins.shell_server", str(folder), str(port))
    assert ours.stdout is not None
    headers = {"Authorization": f"Bearer {ours.stdout.readline().strip()}"}
    url = f"http://127.0.0.1:{port}"
    until_it_answers(f"{url}/healthz")
    with httpx2.Client(base_url=url, headers=headers, trust_env=False) as http:
        first = http.post("/v1/generate", content=BODY, headers={"Content-Type": "application/json"}).json()
        hit = http.post("/v1/generate", content=BODY, headers={"Content-Type": "application/json"})
        assert hit.json()["cached"]
        name = first["image_url"].rpartition("/")[2]
        (yardstick / "hit").write_bytes(hit.content)
        (yardstick / "picture").write_bytes(http.get(f"/img/{name}").content)
        (yardstick / "styles").write_bytes(http.get("/v1/styles").content)
    with sqlite3.connect(folder / "data" / "pinxit.db") as theirs, sqlite3.connect(yardstick / "pinxit.db") as copy:
        theirs.backup(copy)
    theirs.close()
    copy.close()
    painted = asyncio.run(generation(yardstick / "pinxit.db", first["generation_id"]))
    (yardstick / "painted").write_bytes(msgspec.json.encode(painted))
    bare = started("plugins.bare_route", str(bare_port), str(yardstick))
    until_it_answers(f"http://127.0.0.1:{bare_port}/styles")
    yield Pair(ours=url, bare=f"http://127.0.0.1:{bare_port}", headers=headers, picture=name)
    for server in (ours, bare):
        server.kill()
        server.communicate()


def started(module: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments], env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
    )


def until_it_answers(url: str) -> None:
    for _ in range(400):
        try:
            httpx2.get(url, trust_env=False)
        except httpx2.TransportError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"{url} does not answer")


async def generation(file: Path, id: str) -> Generation:
    database = Database(f"sqlite:///{file}")
    async with database.reading() as connection:
        rows = await connection.execute(select(generations).where(generations.c.id == id))
        found = Generation(**rows.mappings().one())
    await database.close()
    return found


def rate(url: str, pair: Pair, body: bytes | None) -> float:
    return asyncio.run(answers_per_second(url, pair.headers, seconds=SECONDS, body=body))


@pytest.mark.parametrize("name", ["GET /v1/styles", "GET /img", "cache hit"])
def test_a_route_of_ours_against_bare_ones(pair: Pair, name: str) -> None:
    route = pair.route(name)
    against_sql, against_none, ours = [], [], []
    for _ in range(ROUNDS):
        ours.append(rate(route.ours, pair, route.body))
        against_none.append(ours[-1] / rate(route.without_sql, pair, route.body))
        if route.with_sql is not None:
            against_sql.append(ours[-1] / rate(route.with_sql, pair, route.body))
    ratios = [{"what": f"{name}, a bare route without SQL", "ratio": statistics.median(against_none)}]
    if against_sql:
        ratios.insert(
            0, {"what": f"{name}, a bare route with the same SQL", "ratio": statistics.median(against_sql), "bar": 0.6}
        )
    figures = {"ratios": ratios, "ours_per_s": ours, "rounds": against_sql or against_none}
    if name != "GET /v1/styles":
        figures |= alone(pair, route)
        figures["inside_ms_bar"] = INSIDE_MS_BARS[name]
    keep(name, figures, chart="shell")
    print(f"\n{name}: {json.dumps(figures)}")  # noqa: T201
    assert min(ours) > 0


def alone(pair: Pair, route: Route) -> dict[str, float]:
    """Medians of one call after the other over one connection: as the client sees it, as the server does (from the
    request's arrival to the last piece of the answer), and as the bare route's server does."""
    inside_ms, spent_ms = spent_inside(pair, route.ours, route.body)
    figures = {"alone_ms": statistics.median(spent_ms), "inside_ms": statistics.median(inside_ms)}
    if route.with_sql is not None:
        figures["bare_inside_ms"] = statistics.median(spent_inside(pair, route.with_sql, route.body)[0])
    return figures


def spent_inside(pair: Pair, url: str, body: bytes | None) -> tuple[list[float], list[float]]:
    """Each call by the server's own clock, and by ours."""
    spent_ms = []
    noted = url[: url.index("/", len("http://"))] + SPENT
    with httpx2.Client(headers=pair.headers, trust_env=False) as http:
        http.get(noted)
        for _ in range(ALONE):
            began = time.perf_counter()
            if body is None:
                http.get(url)
            else:
                http.post(url, content=body, headers={"Content-Type": "application/json"})
            spent_ms.append((time.perf_counter() - began) * 1000)
        inside_ms: list[float] = http.get(noted).json()
    assert len(inside_ms) == ALONE
    return inside_ms, spent_ms
