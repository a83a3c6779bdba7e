"""`pinxit serve`: from nothing to a listening server."""

import asyncio
import concurrent.futures
import os
import shlex
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import structlog
import uvicorn
import uvloop
from rich.console import Console

from gateway.accounts import NewKey
from gateway.http import make_app
from gateway.http.app import VERSION
from gateway.http.edge.connection import protocol_of
from gateway.http.edge.connections import Connections, limits_within, raised_descriptor_limit
from gateway.identity import new_id
from gateway.settings import Settings
from gateway.telemetry import start_logging
from gateway.wiring import Installation, Server
from gateway.wiring.starting import check_blobs, folder_errors, migrate
from models import DomainError

log = structlog.get_logger()

EXAMPLE_PROMPT = "a red lighthouse by the sea at sunset"
EXAMPLE_SEED = 7
DRAIN_S = 5
FIRST_KEY = "first-key"
EXIT_REFUSED = 2


def serve(
    settings: Settings, listener: socket.socket, *, installing: Callable[..., Installation] = Installation
) -> None:
    """Answer on `listener` until interrupted; `installing` makes the installation of the settings.

    Raises:
        SettingInvalid: another server holds the data folder, or a configuration file is wrong.
    """
    start_logging(form=settings.log_format, level=settings.log_level)
    installation = installing(settings=settings)
    loop = asyncio.Runner(loop_factory=uvloop.new_event_loop)
    try:
        with installation.alone(), loop:
            loop.run(_serve(installation, listener))
    except KeyboardInterrupt:  # comes after everything has stopped in order
        raise SystemExit(128 + signal.SIGINT) from None
    except DomainError as refused:
        if settings.log_format != "json":
            raise
        log.critical("not started", reason=refused.message)
        raise SystemExit(EXIT_REFUSED) from None


async def _serve(installation: Installation, listener: socket.socket) -> None:
    await migrate(installation.database, installation.settings)
    await installation.check_plans()
    await check_blobs(installation.settings)
    engine = installation.engine()
    first = await installation.accounts.first_key()
    base_url = base_url_of(installation.settings, port=listener.getsockname()[1])
    server = Server(installation=installation, engine=engine, base_url=base_url)
    app = make_app(server.services, new_id=new_id, lifespan=server.running)
    if (warning := server.own_address.warning) is not None:
        log.warning("callers elsewhere may get addresses that do not work", why=warning)
    _greet(base_url, first, folder=installation.settings.data_dir)
    connections = connections_of(server)
    connections.begin(asyncio.get_running_loop())
    config = uvicorn.Config(
        app,
        http=protocol_of(connections),
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN_S,
        proxy_headers=installation.settings.public_url is not None,
    )
    await Stoppable(config, server, connections).serve(sockets=[listener])


class Stoppable(uvicorn.Server):
    """Whoever waits for a picture is answered when the first signal comes; a second one stops at once."""

    def __init__(self, config: uvicorn.Config, server: Server, connections: Connections) -> None:
        super().__init__(config)
        self._connections = connections
        self._loop = asyncio.get_running_loop()
        self._server = server
        self._stopping_at_once: concurrent.futures.Future[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        inst = self._server.installation
        log.info(
            "started",
            version=VERSION,
            address=self._server.base_url,
            listens=[":".join(map(str, listener.getsockname()[:2])) for listener in sockets or ()],
            device=inst.settings.device,
            models=[card.id for card in inst.catalogue.cards()],
            database=inst.settings.database.partition(":")[0],
            pictures=inst.settings.blobs.partition(":")[0],
            data_dir=str(inst.settings.data_dir),
            connections=self._connections.limits.most,
            pid=os.getpid(),
        )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        log.info("stopping", waits_s=DRAIN_S, connections=len(self.server_state.connections))
        self._server.stopping.set()
        await super().shutdown(sockets)
        log.info("stopped", pid=os.getpid())

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - as signals are handled
        self._captured_signals.append(sig)
        if self.should_exit and self._stopping_at_once is None:
            self._stopping_at_once = asyncio.run_coroutine_threadsafe(self._stop_at_once(sig), self._loop)
        self.should_exit = True

    async def _stop_at_once(self, sig: int) -> None:
        """The engine's child ends by itself when we are gone."""
        log.warning("stopping at once", signal=signal.Signals(sig).name)
        try:
            await self._server.give_up_claims()
        finally:
            os._exit(128 + sig)


def connections_of(server: Server) -> Connections:
    """As many as the settings say and the machine lets us hold."""
    settings = server.installation.settings
    limits = limits_within(
        raised_descriptor_limit(),
        most=settings.max_connections,
        shares_addresses=settings.is_loopback or settings.public_url is not None,
    )
    types = server.services.urls.errors
    connections = Connections(limits=limits, seconds=time.monotonic, metrics=server.metrics, new_id=new_id, types=types)
    server.metrics.watch_connections(lambda: len(connections), most=limits.most)
    return connections


def base_url_of(settings: Settings, *, port: int) -> str:
    """The public address where one is set, else the one we listen on."""
    if settings.public_url is not None:
        return settings.public_url
    host = "127.0.0.1" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 - compared, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _greet(base_url: str, first: NewKey | None, *, folder: Path) -> None:
    """Where the page is; on the very first start also the key: shown where somebody looks, else in a file of `folder`,
    since what is no terminal is often a log that many may read.

    Raises:
        SettingInvalid: the file cannot be written.
    """
    console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    is_shown = first is not None and sys.stdout.isatty()
    key = first.token.text if first and is_shown else "YOUR_KEY"
    page = f"{base_url}/#key={key}" if is_shown else f"{base_url}/"
    console.print(f"\n[bold]pinxit[/bold] paints at [bold]{page}[/bold]")
    if first and is_shown:
        console.print(f"\nYour key, shown this once:\n  [bold]{key}[/bold]")
        console.print(f"Your webhook secret:\n  {first.account.webhook_secret}")
    elif first:
        with folder_errors(folder):
            file = _write_key(folder, first.token.text)
        console.print(f"\nYour key is in a file that its owner alone may read:\n  {file}", markup=False)
        key = f"$(cat {shlex.quote(str(file))})"
    console.print("\nPaint from a shell:")
    console.print(
        f'  curl -s {base_url}/v1/generate -H "Authorization: Bearer {key}"'
        f' -H \'Content-Type: application/json\' -d \'{{"prompt": "{EXAMPLE_PROMPT}", "seed": {EXAMPLE_SEED}}}\'\n',
        markup=False,
    )


def _write_key(folder: Path, key: str) -> Path:
    """One line. Raises OSError."""
    file = folder / FIRST_KEY
    file.unlink(missing_ok=True)  # of an earlier database
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(f"{key}\n")
        opened.flush()
        os.fsync(opened.fileno())
    return file
