"""The yardstick: a FastAPI route that returns the bytes it was given, and nothing else.

Run as `python bare_route.py PORT FILE`.
"""

import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI, Response

if __name__ == "__main__":
    port, content = int(sys.argv[1]), Path(sys.argv[2]).read_bytes()
    app = FastAPI()

    @app.get("/v1/styles")
    async def styles() -> Response:
        return Response(content, media_type="application/json")

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="error", access_log=False, loop="uvloop")
