"""One installation for each module of tests, and its server."""

from collections.abc import Iterator

import pytest
from plugins.installation import Home, RunningServer


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    home = Home(folder=tmp_path_factory.mktemp("home"))
    yield home
    home.close()


@pytest.fixture(scope="module")
def server(home: Home) -> RunningServer:
    """The module's server, started once."""
    return home.start()
