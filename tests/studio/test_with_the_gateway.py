"""The page over the gateway itself: its routes, its policy, its database; only the engine is a fake."""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from plugins.fake_engine import FakeEngine

from gateway.http import make_app
from gateway.identity import new_id
from gateway.settings import Settings
from gateway.wiring import Installation, Server

PROMPT = "a red lighthouse by the sea at sunset"


@dataclass
class Serving:
    """Where the gateway is, and the key of its first account."""

    address: str
    key: str
    engine: FakeEngine = field(default_factory=FakeEngine)
    loop: asyncio.AbstractEventLoop | None = None

    def release(self) -> None:
        """The engine belongs to the server's thread."""
        self.loop.call_soon_threadsafe(self.engine.release)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Serving]:
    listening = socket.create_server(("127.0.0.1", 0))
    serving = Serving(address=f"http://127.0.0.1:{listening.getsockname()[1]}", key="")
    ready, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        installation = Installation(settings=Settings(data_dir=tmp_path / "data"))
        installation.settings.data_dir.mkdir(parents=True)
        await installation.database.migrate()
        first = await installation.accounts.first_key()
        serving.key = first.token.text
        serving.loop = asyncio.get_running_loop()
        server = Server(installation=installation, engine=serving.engine, base_url=serving.address)
        app = make_app(server.services, new_id=new_id)
        http = uvicorn.Server(uvicorn.Config(app, log_level="error", ws="none", lifespan="off"))
        async with server.running():
            answering = asyncio.create_task(http.serve(sockets=[listening]))
            ready.set()
            await asyncio.to_thread(stop.wait)
            http.should_exit = True
            await answering

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(timeout=120)
    yield serving
    stop.set()
    thread.join()
    with contextlib.suppress(OSError):
        listening.close()


def test_a_newcomer_paints_sees_the_picture_and_finds_it_again(gateway: Serving, page: Any) -> None:
    page.goto(f"{gateway.address}/#key={gateway.key}")
    page.get_by_role("button", name="Key of").wait_for()
    page.get_by_label("What should be painted?").fill(PROMPT)
    page.get_by_role("radio", name="Watercolour").check()
    page.get_by_label("Seed", exact=True).fill("7")
    page.get_by_role("button", name="Generate").click()
    page.locator("#plate").wait_for(timeout=60_000)
    assert page.locator("#picture").evaluate("image => image.naturalWidth") >= 512
    plate = page.locator("#plate").inner_text()
    assert "seed 7" in plate
    assert "Watercolour" in plate
    page.reload()
    page.locator("#plate-title", has_text=PROMPT).wait_for()
    assert page.get_by_role("navigation", name="Painted before").get_by_role("button").count() == 1


def test_a_picture_is_seen_while_it_is_painted(gateway: Serving, page: Any) -> None:
    gateway.engine.hold()
    page.goto(f"{gateway.address}/#key={gateway.key}")
    page.get_by_role("button", name="Key of").wait_for()
    page.get_by_label("What should be painted?").fill(PROMPT)
    page.get_by_role("button", name="Generate").click()
    page.get_by_text("Reading your words").wait_for()
    assert page.locator("#preview").is_hidden()
    gateway.release()
    page.locator("#plate").wait_for(timeout=60_000)
    assert page.locator("#preview").get_attribute("src").startswith("data:image/jpeg;base64,")
    assert page.locator("#preview").is_hidden()


def test_what_the_gateway_refuses_is_said_in_its_words(gateway: Serving, page: Any) -> None:
    page.goto(f"{gateway.address}/#key={gateway.key}")
    page.get_by_role("button", name="Key of").wait_for()
    page.get_by_text("More", exact=True).click()
    page.get_by_label("What should be painted?").fill(PROMPT)
    page.get_by_label("What must not be in it").fill("x" * 501)
    page.get_by_role("button", name="Generate").click()
    page.get_by_text("501 characters").wait_for()
    assert page.get_by_label("What must not be in it").get_attribute("aria-invalid") == "true"


def test_a_wrong_key_is_refused_in_words(gateway: Serving, page: Any) -> None:
    page.goto(f"{gateway.address}/#key=px_live_nonsense")
    page.get_by_role("button", name="Use another key").wait_for()
    assert "key" in page.locator("#trouble-says").inner_text().lower()
