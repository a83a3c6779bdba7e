"""One server, started as a user starts it, for every client; the clients are fetched while it starts."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from plugins.client_folders import Client, RegistryUnreachable, unpacked
from plugins.installation import Home, RunningServer

AT_ONCE = 3


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    home = Home(folder=tmp_path_factory.mktemp("clients"))
    yield home
    home.close()


@pytest.fixture(scope="session")
def coming(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[Client]]]:
    """Every client that the collected tests name, on its way."""
    named = [item.callspec.params.get("name") for item in request.session.items if hasattr(item, "callspec")]
    with ThreadPoolExecutor(AT_ONCE) as threads:
        yield {name: threads.submit(unpacked, name) for name in dict.fromkeys(named) if name}


@pytest.fixture(scope="session")
def server(coming: dict[str, Future[Client]], home: Home) -> RunningServer:
    return home.start()


@pytest.fixture
def client(name: str, coming: dict[str, Future[Client]]) -> Client:
    """The client that the test names."""
    try:
        return coming[name].result()
    except (RegistryUnreachable, FileNotFoundError) as reason:
        pytest.skip(f"{name}: {reason}")
