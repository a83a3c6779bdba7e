"""The yardstick: FastAPI routes that return the bytes they were given, with and without our SQL, and do nothing else.

Run as `python -m plugins.bare_route PORT FOLDER`. FOLDER holds `pinxit.db` with one completed generation, and the bytes
to answer with: `styles`, `picture`, `hit`; `painted` is that generation.
"""

import itertools
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import uvicorn
from fastapi import FastAPI, Request, Response
from plugins.stopwatch import Stopwatch

from storage import Database, Generation
from storage.endpoints import endpoints_of
from storage.generations import accept, picture_named
from storage.sharing import find_painted, pictures_of, show
from storage.usage import Counter, count_uses

COUNTERS = (Counter("account", "day", None), Counter("account", "month", None), Counter("key", "day", None))


def bare(folder: Path) -> FastAPI:
    database, app, numbers = Database(f"sqlite:///{folder / 'pinxit.db'}"), FastAPI(), itertools.count()
    sought = msgspec.json.decode((folder / "painted").read_bytes(), type=Generation)
    styles, picture, hit = ((folder / name).read_bytes() for name in ("styles", "picture", "hit"))

    @app.get("/styles")
    async def read_styles() -> Response:
        return Response(styles, media_type="application/json")

    @app.get("/picture")
    async def read_picture() -> Response:
        return Response(picture, media_type="image/png")

    @app.get("/picture-with-sql/{name}")
    async def read_picture_with_sql(name: str) -> Response:
        async with database.reading() as connection:
            assert await picture_named(connection, name) is not None
        return Response(picture, media_type="image/png")

    @app.post("/hit")
    async def paint(request: Request) -> Response:
        await request.body()
        return Response(hit, media_type="application/json")

    @app.post("/hit-with-sql")
    async def paint_with_sql(request: Request) -> Response:
        """The statements of a cache hit, by the functions that Pinxit runs them with."""
        await request.body()
        id = f"gen_bare{next(numbers)}"
        async with database.writing() as transaction:
            painted = await find_painted(transaction, sought)
            assert painted is not None
            shown = await pictures_of(transaction, painted, by=id)
            await accept(transaction, replace(painted, id=id, is_sharer=True, metadata={}))
            await count_uses(transaction, COUNTERS)
            await show(transaction, shown)
            await endpoints_of(transaction, painted.account_id)
        return Response(hit, media_type="application/json")

    return app


if __name__ == "__main__":
    port, folder = int(sys.argv[1]), Path(sys.argv[2])
    uvicorn.run(
        Stopwatch(bare(folder)),
        port=port,
        log_level="error",
        access_log=False,
        server_header=False,
        loop="uvloop",
        http="httptools",
    )
