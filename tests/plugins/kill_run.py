"""Kills the server and its engine in turn while mixed requests come in, then looks whether every promise was kept.

`python -m plugins.kill_run --kills 100 --seed 1`, from the repository's root with `PYTHONPATH=.:tests`. All that is not
real is the network that paints (`plugins.fault_child`). Chance decides the requests and the moments, from the seed.
"""

import argparse
import asyncio
import base64
import hashlib
import io
import json
import os
import queue
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
from PIL import Image
from plugins.fault_child import pixels_of
from plugins.installation import FAULTY, FINAL, Home, RunningServer, free_port
from plugins.webhook_receiver import Receiver, receiving

CLIENTS = 10
CREDITS = 1_000_000
PAUSES_S = (0.3, 3.0)
RECOVERY_S = 600  # a client may meet several kills on its way, on two busy cores
SETTINGS = {"SYNC_WAIT_S": 3, "LEASE_S": 3, "POLL_S": 0.1, "WEBHOOK_RETRY_S": "0.2,0.5,1,2,5,10,20"}


@dataclass
class Ask:
    """One request, sent again under the same key until it is answered; `ids` are what it was answered with."""

    key: str
    path: str
    body: dict
    seed: int
    n: int
    ids: set[str] = field(default_factory=set)


@dataclass
class Report:
    """What happened and what was broken; printed as a table."""

    counts: Counter = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    recoveries_s: list[float] = field(default_factory=list)

    def check(self, is_so: object, what: str) -> None:
        if not is_so:
            self.broken.append(what)

    def lines(self) -> Iterator[str]:
        for name, count in sorted(self.counts.items()):
            yield f"{name:<44} {count:>8}"
        if self.recoveries_s:
            slowest = sorted(self.recoveries_s)
            yield f"{'restart to first answer, median s':<44} {slowest[len(slowest) // 2]:>8.2f}"
            yield f"{'restart to first answer, slowest s':<44} {slowest[-1]:>8.2f}"
        yield f"{'broken promises':<44} {len(self.broken):>8}"
        yield from (f"  {one}" for one in self.broken[:50])


def photo(seed: int) -> str:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), tuple(hashlib.sha256(f"photo {seed}".encode()).digest()[:3])).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def asks(chance: random.Random) -> Iterator[Ask]:
    """Without end: native and OpenAI's, waiting and not, of one picture and more, from a photo; some twice."""
    for number in range(1_000_000):
        seed = chance.randrange(40) if chance.random() < 0.1 else 1000 + 10 * number
        n = chance.choice((1, 1, 1, 2, 3))
        steps = chance.choice((2, 4, 8))
        key = f"order-{number}"
        common = {"prompt": f"a boat {seed}", "seed": seed, "n": n, "num_inference_steps": steps}
        match chance.randrange(4):
            case 0:
                yield Ask(key, "/v1/generate", {**common, "async": True}, seed, n)
            case 1:
                yield Ask(key, "/v1/generate", {**common, "format": chance.choice(("png", "webp"))}, seed, n)
            case 2:
                yield Ask(key, "/v1/generate", {**common, "image": photo(seed), "async": True}, seed, n)
            case _:
                body = {"model": "gpt-image-1", "prompt": common["prompt"], "n": n, "size": "512x512"}
                yield Ask(key, "/v1/images/generations", {**body, "response_format": "url"}, -1, n)


@dataclass
class KillRun:
    """`kills` of the server and of the engine's child, in turn."""

    home: Home
    kills: int
    chance: random.Random
    receiver: Receiver
    port: int = field(default_factory=free_port)
    report: Report = field(default_factory=Report)
    sent: list[Ask] = field(default_factory=list)
    key: str = ""
    is_over: bool = False

    async def run(self) -> Report:
        server = await self._started()
        self._make_account()
        source = asks(self.chance)
        clients = [asyncio.create_task(self._client(source)) for _ in range(CLIENTS)]
        for number in range(self.kills):
            await asyncio.sleep(self.chance.uniform(*PAUSES_S))
            server = await self._killed(server, is_child=number % 2 == 1)
        self.is_over = True
        await asyncio.gather(*clients)
        await self._look_at_everything(server)
        return self.report

    async def _started(self) -> RunningServer:
        began = time.monotonic()
        server = await asyncio.to_thread(lambda: self.home.start(PORT=self.port, **SETTINGS))
        self.report.recoveries_s.append(time.monotonic() - began)
        return server

    def _make_account(self) -> None:
        made = self.home.command(
            "keys", "create", "--account", "anna", "--plan", "enterprise", "--credits", str(CREDITS)
        )
        self.key = next(word for word in made.stdout.split() if word.startswith("px_live_"))

    async def _killed(self, server: RunningServer, *, is_child: bool) -> RunningServer:
        if is_child:
            for child in server.children():
                os.kill(child, signal.SIGKILL)
            self.report.counts["kills of the engine"] += 1
            return server
        server.stop(signal.SIGKILL)
        self.report.counts["kills of the server"] += 1
        return await self._started()

    async def _client(self, source: Iterator[Ask]) -> None:
        async with httpx2.AsyncClient(timeout=30, trust_env=False) as http:
            while not self.is_over:
                ask = next(source)
                self.sent.append(ask)
                await self._until_answered(http, ask)

    async def _until_answered(self, http: httpx2.AsyncClient, ask: Ask) -> None:
        """As a client that retries: what is sent again carries the same Idempotency-Key."""
        deadline = time.monotonic() + RECOVERY_S
        while time.monotonic() < deadline:
            try:
                answered = await http.post(
                    f"http://127.0.0.1:{self.port}{ask.path}",
                    json=ask.body | self._hook(ask),
                    headers={"Authorization": f"Bearer {self.key}", "Idempotency-Key": ask.key},
                )
            except httpx2.HTTPError:
                self.report.counts["connections lost"] += 1
                await asyncio.sleep(0.1)
                continue
            self.report.counts[f"answers {answered.status_code}"] += 1
            body = answered.json()
            if (id := body.get("generation_id")) is not None:
                ask.ids.add(id)
                return
            code = body["error"]["code"]
            if answered.status_code in {409, 429, 500, 503, 504}:
                self.report.counts[f"answers {answered.status_code} {code}"] += 1
                if code in {"internal_error", "painting_crashed"}:
                    return
                await asyncio.sleep(0.2)
                continue
            self.report.check(False, f"{ask.key} was answered {answered.status_code} {code}")
            return
        self.report.check(False, f"{ask.key} was never answered")

    def _hook(self, ask: Ask) -> dict:
        return {"webhook_url": self.receiver.url} if ask.path == "/v1/generate" else {}

    async def _look_at_everything(self, server: RunningServer) -> None:
        await asyncio.to_thread(self._wait_for_the_end)
        rows = self._rows(
            "SELECT g.id, g.state, g.cost, g.webhook_url, i.key, g.error_code, g.attempt, g.picture_count FROM generations g"
            " LEFT JOIN idempotency i ON i.generation_id = g.id"
        )
        self._check_keys(rows)
        self._check_credits(rows)
        self._check_events(rows)
        await asyncio.to_thread(self._check_pictures, server)
        left = [*(self.home.folder / "data" / "work").iterdir()]
        self.report.check(not left, f"left in the workspace: {left}")

    def _wait_for_the_end(self) -> None:
        deadline = time.monotonic() + RECOVERY_S
        while time.monotonic() < deadline:
            if not self._rows("SELECT id FROM generations WHERE state IN ('queued', 'processing')") and not self._rows(
                "SELECT id FROM deliveries WHERE due_at IS NOT NULL"
            ):
                return
            time.sleep(0.2)
        self.report.check(False, "something is still open, or undelivered")

    def _check_keys(self, rows: list[sqlite3.Row]) -> None:
        by_key = {row["key"]: row for row in rows if row["key"] is not None}
        for ask in self.sent:
            self.report.check(len(ask.ids) <= 1, f"{ask.key} made {ask.ids}")
            for id in ask.ids:
                row = by_key.get(ask.key)
                self.report.check(row is not None and row["id"] == id, f"{ask.key}: {id} was acknowledged and is lost")
        for row in rows:
            self.report.counts[f"generations {row['state']} {row['error_code'] or ''}".strip()] += 1
            self.report.check(row["state"] in FINAL, f"{row['id']} is {row['state']}")
        self.report.counts["keys"] = len(self.sent)
        self.report.counts["attempts"] = sum(row["attempt"] for row in rows)

    def _check_credits(self, rows: list[sqlite3.Row]) -> None:
        """Each completed one is paid once, by who had it painted; nothing is held."""
        ((account,),) = (self._rows("SELECT id FROM accounts WHERE name = 'anna'"),)
        (balance,) = self._rows("SELECT available, held, captured, granted FROM accounts WHERE name = 'anna'")
        cost = sum(row["cost"] for row in rows if row["state"] == "completed")
        twice = self._rows("SELECT generation_id FROM ledger WHERE kind = 'capture' GROUP BY 1 HAVING count(*) > 1")
        self.report.check(balance["held"] == 0, f"{balance['held']} credits of {account['id']} are held by nothing")
        self.report.check(balance["captured"] == cost, f"{balance['captured']} captured, {cost} due")
        self.report.check(balance["available"] + cost == balance["granted"] == CREDITS, "credits do not add up")
        self.report.check(not twice, f"paid twice: {[row[0] for row in twice]}")
        self.report.counts["credits captured"] = balance["captured"]

    def _check_events(self, rows: list[sqlite3.Row]) -> None:
        """One event of each end that somebody was to hear of, heard with one body however often."""
        bodies: dict[str, set[bytes]] = {}
        subjects: dict[str, set[str]] = {}
        while True:
            try:
                headers, body = self.receiver.arrived.get_nowait()
            except queue.Empty:
                break
            event = next(value for name, value in headers.items() if name.lower() == "webhook-id")
            bodies.setdefault(event, set()).add(body)
            subjects.setdefault(json.loads(body)["generation_id"], set()).add(event)
            self.report.counts["webhooks received"] += 1
        for row in rows:
            if row["webhook_url"] is not None:
                heard = subjects.get(row["id"], set())
                self.report.check(len(heard) == 1, f"{row['id']}: {len(heard)} events")
        self.report.check(all(len(copies) == 1 for copies in bodies.values()), "an event came with two bodies")
        self.report.counts["events"] = len(bodies)

    def _check_pictures(self, server: RunningServer) -> None:
        """Each is the one that its seed says, at its place, in the bytes that were recorded."""
        shown = self._rows("SELECT generation_id, position, name, seed, width, height, file_sha256 FROM pictures")
        places = {(row["generation_id"], row["position"]) for row in shown}
        for row in self._rows("SELECT id, picture_count FROM generations WHERE state = 'completed'"):
            complete = all((row["id"], position) in places for position in range(row["picture_count"]))
            self.report.check(complete, f"{row['id']} lacks a picture")
        for row in shown:
            content = server.http.get(f"{server.url}/img/{row['name']}").content
            is_right = hashlib.sha256(content).hexdigest() == row["file_sha256"]
            if is_right and row["name"].endswith(".png"):
                with Image.open(io.BytesIO(content)) as image:
                    is_right = image.tobytes() == pixels_of(row["seed"], row["width"] * row["height"])
            self.report.check(is_right, f"{row['generation_id']}: picture {row['position']} is wrong")
        self.report.counts["pictures right"] = len(shown) - sum("is wrong" in one for one in self.report.broken)
        self.report.counts["pictures"] = len(shown)

    def _rows(self, query: str) -> list[sqlite3.Row]:
        with sqlite3.connect(
            f"file:{self.home.folder / 'data' / 'pinxit.db'}?mode=ro", uri=True, timeout=30
        ) as database:
            database.row_factory = sqlite3.Row
            found = database.execute(query).fetchall()
        database.close()
        return found


def run(folder: Path, *, kills: int, seed: int) -> Report:
    """One run in an empty folder."""
    home = Home(folder=folder, program=FAULTY)
    try:
        with receiving(Receiver()) as receiver:
            chance = random.Random(seed)  # noqa: S311 - a run can be repeated
            return asyncio.run(KillRun(home=home, kills=kills, chance=chance, receiver=receiver).run())
    finally:
        home.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pinxit-kills-") as folder:
        report = run(Path(folder), kills=given.kills, seed=given.seed)
    print(f"kill run, seed {given.seed}", *report.lines(), sep="\n")  # noqa: T201
    return 1 if report.broken else 0


if __name__ == "__main__":
    sys.exit(main())
