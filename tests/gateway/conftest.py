"""The whole gateway over a real database in a fresh folder, painting with the fake engine, spoken to by HTTP."""

import functools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from plugins import documented_errors
from plugins.fake_engine import FakeEngine

from gateway.accounts import KeyOrder
from gateway.http import make_app
from gateway.identity import new_id
from gateway.settings import ROOT, Settings
from gateway.wiring import Installation, Server

BASE_URL = "http://127.0.0.1:8000"


class TestClock:
    """A clock that stands still until it is moved."""

    __test__ = False

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 21, 12, 0, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Gateway:
    """A running gateway and its parts."""

    http: httpx2.AsyncClient
    engine: FakeEngine
    installation: Installation
    server: Server
    clock: TestClock
    key: str

    async def new_key(self, account: str = "someone", **order: object) -> str:
        made = await self.installation.accounts.add_key(KeyOrder(account=account, **order))
        return made.token.text

    async def paint(
        self, *, key: str | None = None, headers: dict[str, str] | None = None, **body: object
    ) -> httpx2.Response:
        body = {"prompt": "a red lighthouse by the sea", **body}
        return await self.http.post(
            "/v1/generate", json=body, headers={"Authorization": f"Bearer {key or self.key}", **(headers or {})}
        )

    async def get(self, path: str, *, key: str | None = None, **params: object) -> httpx2.Response:
        return await self.http.get(path, params=params, headers={"Authorization": f"Bearer {key or self.key}"})


@functools.cache
def shipped() -> Installation:
    """The configuration of the repository, which no test changes: to read it for each test was a third of the time."""
    return Installation(settings=Settings(config_dir=ROOT / "configs"))


@asynccontextmanager
async def opened(folder: Path, **settings: object) -> AsyncIterator[Gateway]:
    """The second one on a database has no key of its own: that was printed by the first."""
    clock = TestClock()
    installation = Installation(settings=Settings(data_dir=folder / "data", **settings), clock=clock)
    if installation.settings.config_dir == shipped().settings.config_dir:
        vars(installation).update({part: getattr(shipped(), part) for part in ("styles", "plans", "prompt_filter")})
    installation.settings.data_dir.mkdir(parents=True)
    await installation.database.migrate()
    first = await installation.accounts.first_key()
    engine = FakeEngine(slots=installation.settings.slots)
    server = Server(installation=installation, engine=engine, base_url=BASE_URL)
    app = make_app(server.services, new_id=new_id)
    transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        server.running(),
        httpx2.AsyncClient(
            transport=transport, base_url=BASE_URL, event_hooks={"response": [documented_errors.check]}
        ) as http,
    ):
        key = first.token.text if first else ""
        yield Gateway(http=http, engine=engine, installation=installation, server=server, clock=clock, key=key)


@pytest.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[Gateway]:
    async with opened(tmp_path) as gateway:
        yield gateway


@pytest.fixture
async def open_gateway(tmp_path: Path) -> AsyncIterator[Callable[..., Awaitable[Gateway]]]:
    """Open a gateway with settings of the test's own."""
    async with AsyncExitStack() as stack:
        yield lambda **settings: stack.enter_async_context(opened(tmp_path, **settings))
