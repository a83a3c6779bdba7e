"""How long a server takes over requests by its own clock: from a request's arrival to the last piece of its answer."""

import json
import time

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

SPENT = "/spent-ms"


class Stopwatch:
    """Around a whole application. `GET /spent-ms` answers with what was noted since it was last asked."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._spent_ms: list[float] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if scope["path"] == SPENT:
            spent_ms, self._spent_ms = self._spent_ms, []
            await Response(json.dumps(spent_ms), media_type="application/json")(scope, receive, send)
            return
        began = time.perf_counter()

        async def noting(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.body" and not message.get("more_body"):
                self._spent_ms.append((time.perf_counter() - began) * 1000)

        await self._app(scope, receive, noting)
