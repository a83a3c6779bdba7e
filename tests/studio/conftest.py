"""The page in Debian's Chromium, over a small stand-in for the server that speaks the same JSON under the same CSP."""

import asyncio
import io
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from PIL import Image

STUDIO = Path(__file__).parents[2] / "gateway" / "studio"
CHROMIUM = Path("/usr/bin/chromium")
KEY = "px_live_studio"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)
STYLES = {
    "auto": ("Automatic", "Follows the style the prompt names; else the installation's default."),
    "analog-film": ("Analogue film", "An old camera and a roll of film."),
    "cinematic": ("Cinematic", "A still from a film: directed light, deep contrast, a wide frame."),
    "digital-art": ("Digital art", "A polished illustration with clear shapes and rich colour."),
    "line-art": ("Line art", "Ink lines on white, little or no colour."),
    "neon-punk": ("Neon punk", "Glowing tubes of colour against the dark."),
    "oil-painting": ("Oil painting", "Thick strokes on canvas, deep colour."),
    "photographic": ("Photographic", "As a good camera saw it."),
    "watercolor": ("Watercolour", "Wet paint on rough paper."),
    "anime": ("Anime", "Clean cel shading and bright skies."),
}


@dataclass
class House:
    """What the stand-in knows and how it behaves; tests change it between two looks at the page."""

    address: str = ""
    steps: int = 1
    asked: list[dict[str, Any]] = field(default_factory=list)
    generations: list[dict[str, Any]] = field(default_factory=list)
    polls: dict[str, int] = field(default_factory=dict)
    refusal: tuple[int, str, str, str | None] | None = None
    retry_after: str | None = None
    failure: str | None = None
    max_side: int = 1920
    is_held: bool = False
    ahead: int = 0
    warnings: list[dict[str, Any]] = field(default_factory=list)

    def finished(self, **members: Any) -> dict[str, Any]:
        body = {
            "generation_id": f"gen_{len(self.generations):016}", "status": "completed", "width": 512, "height": 512,
            "style": "auto", "style_resolved": "watercolor", "seed": 7, "quality": "standard", "model": "starter",
            "prompt": "a boat", "revised_prompt": "a boat, watercolour", "render_ms": 812, "cached": False,
            "created_at": "2026-11-21T08:00:00Z", "error": None, "progress": None, "queue_position": None, "warnings": self.warnings,
        }  # fmt: skip
        body |= members
        body["image_url"] = f"http://elsewhere.invalid/img/{body['width']}x{body['height']}-{body['seed']}.png"
        return body


class StandIn:
    """The few routes that the page calls."""

    def __init__(self, house: House) -> None:
        self.house = house

    def app(self) -> FastAPI:
        app = FastAPI()
        app.middleware("http")(self.with_policy)
        app.get("/")(self.index)
        app.get("/v1/styles")(self.styles)
        app.get("/v1/account")(self.account)
        app.get("/v1/generations")(self.page)
        app.get("/v1/generations/{name}")(self.one)
        app.post("/v1/generate", status_code=202)(self.generate)
        app.get("/img/{name}")(self.picture)
        app.mount("/studio", StaticFiles(directory=STUDIO))
        return app

    async def with_policy(self, request: Request, call_next: Any) -> Response:
        private = request.url.path.startswith("/v1/") and request.url.path != "/v1/styles"
        if private and request.headers.get("authorization") != f"Bearer {KEY}":
            answer = self.refused(401, "invalid_api_key", "This API key is not valid.", None)
        else:
            answer = await call_next(request)
        answer.headers["Content-Security-Policy"] = POLICY
        return answer

    def refused(self, status: int, code: str, message: str, param: str | None) -> JSONResponse:
        headers = {"Retry-After": self.house.retry_after} if self.house.retry_after else {}
        error = {"code": code, "message": message, "status": status, "param": param}
        return JSONResponse({"error": error}, status, headers=headers)

    async def index(self) -> FileResponse:
        return FileResponse(STUDIO / "index.html")

    async def styles(self) -> dict[str, Any]:
        listed = [
            {"id": name, "name": shown, "description": words, "thumbnail_url": None, "available": name != "anime"}
            for name, (shown, words) in STYLES.items()
        ]
        return {"object": "list", "data": listed}

    async def account(self) -> dict[str, Any]:
        return {"name": "home", "limits": {"max_side": self.house.max_side, "upscale": True}}

    async def page(self) -> dict[str, Any]:
        return {"object": "list", "data": self.house.generations[::-1], "has_more": False}

    async def generate(self, request: Request) -> Any:
        if self.house.refusal:
            return self.refused(*self.house.refusal)
        body = await request.json()
        self.house.asked.append(body)
        wanted = {"seed": 4829301, "width": 512, "height": 512, **body}
        members = {name: wanted[name] for name in ("prompt", "style", "seed", "width", "height")}
        resolved = "watercolor" if body["style"] == "auto" else body["style"]
        generation = self.house.finished(**members, style_resolved=resolved)
        self.house.generations.append(generation)
        return {"generation_id": generation["generation_id"], "status": "queued", "queue_position": self.house.ahead}

    async def one(self, name: str) -> dict[str, Any]:
        house = self.house
        found = next(one for one in house.generations if one["generation_id"] == name)
        step = house.polls[name] = house.polls.get(name, -1) + (0 if house.is_held else 1)
        if house.failure:
            return found | {"status": "failed", "image_url": None, "error": {"code": "x", "message": house.failure}}
        if house.ahead:
            return found | {"status": "queued", "image_url": None, "queue_position": house.ahead}
        if step <= house.steps:
            progress = {"phase": "denoising", "step": max(step, 0), "steps": house.steps}
            return found | {"status": "processing", "image_url": None, "progress": progress}
        return found

    async def picture(self, name: str) -> Response:
        width, height = map(int, name.partition("-")[0].split("x"))
        return Response(painted(width, height), media_type="image/png")


def painted(width: int, height: int) -> bytes:
    """A sea at dusk, enough to judge a page by."""
    small = Image.new("RGB", (32, 32))
    for y in range(32):
        for x in range(32):
            sun = max(0, 1 - ((x - 20) ** 2 + (y - 14) ** 2) / 60)
            sky = (232 - 3 * y + int(20 * sun), 150 - y + int(70 * sun), 110 + y)
            sea = (40 + int(120 * sun), 70 + 2 * (31 - y), 110 - y)
            small.putpixel((x, y), sky if y < 18 else sea)
    for y in range(8, 20):
        small.putpixel((9, y), (168, 42, 30) if y % 4 < 2 else (244, 236, 222))
        small.putpixel((10, y), (140, 32, 24) if y % 4 < 2 else (214, 206, 192))
    file = io.BytesIO()
    small.resize((width, height), Image.Resampling.BICUBIC).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")  # its event loop must end before the same worker runs asynchronous tests
def browser() -> Iterator[Any]:
    if not CHROMIUM.exists():
        pytest.skip(f"{CHROMIUM} is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture
def house() -> Iterator[House]:
    house = House()
    listening = socket.create_server(("127.0.0.1", 0))
    house.address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(StandIn(house).app(), log_level="error", ws="none", lifespan="off"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listening])))
    thread.start()
    yield house
    server.should_exit = True
    thread.join()
    listening.close()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser itself complained of: script errors and refusals of the security policy."""
    return []


@pytest.fixture
def page(browser: Any, house: House, complaints: list[str]) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda line: complaints.append(line.text) if _is_complaint(line) else None)
    yield page
    context.close()
    assert complaints == []


def _is_complaint(line: Any) -> bool:
    return line.type == "error" and "Failed to load resource" not in line.text
