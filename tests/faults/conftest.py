"""A server that is killed: real but for the network that paints, and quick to start."""

from collections.abc import Iterator

import pytest
from plugins.installation import FAULTY, Home


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    home = Home(folder=tmp_path_factory.mktemp("home"), program=FAULTY)
    yield home
    home.close()
