"""Fixtures for every test: an empty, migrated database on SQLite and on PostgreSQL, a fresh one each time.

`database_url` runs a test once for each; mark it with `@pytest.mark.parametrize("database_kind", ["sqlite"],
indirect=True)` for one of them only.
"""

import asyncio
import importlib.util
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import structlog

from storage import Database
from storage.tables import metadata
from tests.plugins.postgresql import Cluster, NotInstalled, running_cluster


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Only in the process that prints: with xdist the workers' reports arrive there too."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None and not hasattr(config, "workerinput"):
        config.pluginmanager.register(FailuresAtOnce(terminal), "failures-at-once")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="count in full, as `make faults` does; else a quarter")


@pytest.fixture(scope="session")
def count(request: pytest.FixtureRequest) -> Callable[[int], int]:
    """How often to repeat what is worth repeating: in full, or a quarter where the whole suite runs."""
    is_full = bool(request.config.getoption("--full"))
    return lambda times: times if is_full else max(1, times // 4)


class FailuresAtOnce:
    """Prints where and why a test failed when it fails: a run that is stopped has named its failures."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            why = crash.message if crash is not None else str(report.longrepr)
            self._terminal.write_line(f"\n{report.outcome} in {report.when}: {report.nodeid}: {why[:2000]}", red=True)


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """A command that is run in the tests' own process sets up logging; the next test shall not be silent for it."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Cluster]:
    """A PostgreSQL server for the whole run; skips where there is none."""
    if importlib.util.find_spec("asyncpg") is None:
        pytest.skip("asyncpg is not installed")
    try:
        with running_cluster() as cluster:
            yield cluster
    except NotInstalled as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql: Cluster) -> str:
    """The URL of a database with tables; tests take turns with it."""
    url = postgresql.create("pinxit")
    migrate_apart(url)
    return url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file to copy."""
    file = tmp_path_factory.mktemp("migrated") / "pinxit.db"
    migrate_apart(f"sqlite:///{file}")
    return file


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh, migrated, empty database."""
    if database_kind == "sqlite":
        file = tmp_path / "pinxit.db"
        shutil.copy(request.getfixturevalue("migrated_sqlite"), file)
        return f"sqlite:///{file}"
    url: str = request.getfixturevalue("migrated_postgresql")
    cluster: Cluster = request.getfixturevalue("postgresql")
    cluster.execute("pinxit", f"TRUNCATE {', '.join(metadata.tables)} RESTART IDENTITY")
    return url


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = Database(database_url)
    yield opened
    await opened.close()


def migrate_apart(url: str) -> None:
    """In a thread with its own event loop, for session fixtures have none."""

    async def migrate() -> None:
        opened = Database(url)
        await opened.migrate()
        await opened.close()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, migrate()).result()
