"""The whole server but its painter, on a port: `python -m plugins.shell_server FOLDER PORT`.

What it paints with is the fake engine, so that only our own code is spoken to, and counts; else it serves as
`pinxit serve` does: the same event loop, the same connections. It prints two keys, a line
each: the owner's, and one of the owner's that may do everything.
"""

import asyncio
import sys
from pathlib import Path

import uvicorn
import uvloop
from plugins.fake_engine import FakeEngine
from plugins.stopwatch import Stopwatch

from gateway.access.scopes import SCOPES
from gateway.accounts import FIRST_ACCOUNT, KeyOrder
from gateway.cli.serving import connections_of
from gateway.http import make_app
from gateway.http.edge.connection import protocol_of
from gateway.identity import new_id
from gateway.settings import Settings
from gateway.telemetry import start_logging
from gateway.wiring import Installation, Server


async def serve(folder: Path, port: int) -> None:
    start_logging(form="console", level="warning")
    installation = Installation(settings=Settings(data_dir=folder / "data"))
    installation.settings.data_dir.mkdir(parents=True, exist_ok=True)
    await installation.database.migrate()
    first = await installation.accounts.first_key()
    assert first is not None
    engine = FakeEngine(slots=installation.settings.slots)
    server = Server(installation=installation, engine=engine, base_url=f"http://127.0.0.1:{port}")
    app = make_app(server.services, new_id=new_id, lifespan=server.running)
    almighty = await installation.accounts.add_key(KeyOrder(account=FIRST_ACCOUNT, scopes=SCOPES))
    print(first.token.text, almighty.token.text, sep="\n", flush=True)  # noqa: T201
    connections = connections_of(server)
    connections.begin(asyncio.get_running_loop())
    config = uvicorn.Config(
        Stopwatch(app),
        port=port,
        http=protocol_of(connections),
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        lifespan="on",
    )
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    uvloop.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
