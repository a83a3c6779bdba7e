"""Batches over HTTP: send one, look at it until it has ended."""

import asyncio
import json
from dataclasses import dataclass

import httpx2
import pytest

FINAL = {"completed", "canceled"}


@dataclass
class Batches:
    """The batch endpoints of a gateway, as one caller uses them."""

    gateway: object
    key: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    async def send(self, items: list[object], *, headers: dict[str, str] | None = None, **batch: object):
        return await self.gateway.http.post(
            "/v1/batches", json={"items": items, **batch}, headers={**self.headers, **(headers or {})}
        )

    async def send_file(self, content: str | bytes, media_type: str, **query: str) -> httpx2.Response:
        return await self.gateway.http.post(
            "/v1/batches", content=content, params=query, headers={**self.headers, "Content-Type": media_type}
        )

    async def get(self, path: str, **query: object) -> httpx2.Response:
        return await self.gateway.get(path, key=self.key, **query)

    async def read(self, batch_id: str) -> dict:
        return (await self.get(f"/v1/batches/{batch_id}")).json()

    async def cancel(self, batch_id: str) -> httpx2.Response:
        return await self.gateway.http.post(f"/v1/batches/{batch_id}/cancel", headers=self.headers)

    async def ended(self, batch_id: str) -> dict:
        return await self.until(batch_id, lambda batch: batch["status"] in FINAL)

    async def until(self, batch_id: str, is_so) -> dict:
        for _ in range(4000):
            batch = await self.read(batch_id)
            if is_so(batch):
                return batch
            await asyncio.sleep(0.005)
        raise AssertionError(batch)

    async def results(self, batch_id: str) -> list[dict]:
        text = (await self.get(f"/v1/batches/{batch_id}/results")).text
        return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def batches(gateway) -> Batches:
    return Batches(gateway, gateway.key)


@pytest.fixture
def batches_of():
    """For a gateway or a key of the test's own."""
    return lambda gateway, key=None: Batches(gateway, key or gateway.key)


def counts(**named: int) -> dict[str, int]:
    states = ("queued", "processing", "completed", "failed", "canceled", "refused")
    return {"total": sum(named.values()), **{state: named.get(state, 0) for state in states}}
