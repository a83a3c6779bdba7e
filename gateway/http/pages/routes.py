"""The pages for people: the studio at `/`, the reference at `/docs`, one page per error code. All work offline."""

import re
from dataclasses import asdict
from html import escape
from importlib.util import find_spec
from pathlib import Path
from string import Template

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from starlette.responses import FileResponse, HTMLResponse
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send

from gateway.http.answering.ranges import forget_range
from gateway.http.edge.problems import PROBLEMS
from gateway.http.edge.refusals import PathUnknown
from gateway.http.pages.explanations import EXPLANATIONS
from gateway.http.reading.dependencies import Services
from models.guessing import did_you_mean

STUDIO = Path(__file__).parents[2] / "studio"
ERROR_PAGE = STUDIO / "error.html"
# Nothing inline, nothing from elsewhere.
STUDIO_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self';"
    " form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
# Swagger UI writes style attributes; everything else is as strict.
REFERENCE_POLICY = STUDIO_POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")


async def in_one_piece(request: Request) -> None:
    """Pages are small: nobody needs a part of one."""
    forget_range(request.scope)


routes = APIRouter(include_in_schema=False, dependencies=[Depends(in_one_piece)])


@routes.api_route("/", methods=["GET", "HEAD"])
async def studio() -> Response:
    return FileResponse(STUDIO / "index.html", headers={"Content-Security-Policy": STUDIO_POLICY})


@routes.api_route("/docs", methods=["GET", "HEAD"])
async def reference() -> Response:
    return FileResponse(STUDIO / "docs.html", headers={"Content-Security-Policy": REFERENCE_POLICY})


@routes.api_route("/favicon.ico", methods=["GET", "HEAD"])
async def icon() -> Response:
    return FileResponse(STUDIO / "mark.svg", media_type="image/svg+xml")


@routes.get("/errors/{code}")
async def error_page(request: Request, code: str) -> Response:
    """Where the `type` of an error body points: what the code means, what to do, an example. For a browser as HTML."""
    known = EXPLANATIONS.get(code)
    if known is None:
        hint = did_you_mean(code, EXPLANATIONS)
        raise PathUnknown(f"No error has the code {code!r}.{hint}")
    status, title = next((p.status, p.title) for error, p in PROBLEMS.items() if error.code == code)
    if "text/html" in request.headers.get("accept", ""):
        page = ERROR_PAGE.read_text(encoding="utf-8")
        texts = {"code": code, "heading": f"{status} {title}", **asdict(known)}
        content = Template(page).substitute({name: _marked_up(text) for name, text in texts.items()})
        return HTMLResponse(content, headers={"Content-Security-Policy": STUDIO_POLICY})
    lines = (code, f"{status} {title}", "", known.means, known.remedy, "", "Example:", f"    {known.example}", "")
    return Response("\n".join(lines), media_type="text/plain; charset=utf-8")


def _marked_up(text: str) -> str:
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text))


def mount_files(app: FastAPI, services: Services) -> None:
    """The files that the pages load, and the styles' thumbnails."""
    swagger = find_spec("fastapi_offline")
    if swagger is not None and swagger.origin is not None:  # found without importing it
        app.mount("/docs/files", _Files(Path(swagger.origin).parent / "static"))
    app.mount("/studio", _Files(STUDIO))
    thumbnails = services.settings.config_dir / "styles" / "thumbs"
    if thumbnails.is_dir():
        app.mount("/styles/thumbs", _Files(thumbnails))


class _Files:
    """Static files that a browser asks about again each time, so that an update is seen at once."""

    def __init__(self, folder: Path) -> None:
        self._files = StaticFiles(directory=folder)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        forget_range(scope)
        response = await self._files.get_response(self._files.get_path(scope), scope)
        response.headers["Cache-Control"] = "no-cache"
        response.headers["Content-Security-Policy"] = REFERENCE_POLICY
        await response(scope, receive, send)
