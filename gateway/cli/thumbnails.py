"""`pinxit styles paint-thumbnails`: one prompt in every style, small, beside the styles' files."""

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from gateway.generations.accepting.moderating import moderation_input
from gateway.settings import Settings
from gateway.telemetry import start_logging
from gateway.wiring import Installation
from models import Engine, GenerationRequest, ImageFormat, Progress
from router import THUMBNAILS, Style
from safety import Surface
from storage.encoding import encode, encode_again
from storage.links import THUMBNAIL


def paint_thumbnails(settings: Settings, *, prompt: str, seed: int) -> None:
    """Paint each style that a model here can paint into `thumbs/<id>.webp`; a server shows them from its next start.

    Raises:
        Refused, Failed: as the HTTP path.
    """
    start_logging(form=settings.log_format, level="warning")
    installation = Installation(settings=settings)
    folder = settings.config_dir / "styles" / THUMBNAILS
    folder.mkdir(exist_ok=True)
    asyncio.run(_paint_all(installation, folder, GenerationRequest(prompt=prompt, seed=seed)))


async def _paint_all(installation: Installation, folder: Path, request: GenerationRequest) -> None:
    console = Console(highlight=False, soft_wrap=True, markup=False)
    engine = installation.engine()
    await engine.start()
    try:
        for style in installation.styles.all():
            if style.card_in(installation.catalogue) is None:
                console.print(f"{style.id}: no model here paints it")
                continue
            file = folder / f"{style.id}.webp"
            file.write_bytes(await _thumbnail(installation, engine, request, style))
            console.print(str(file))
    finally:
        await engine.close()


async def _thumbnail(installation: Installation, engine: Engine, request: GenerationRequest, style: Style) -> bytes:
    route = installation.router.route(replace(request, style=style.id), seed=request.seed or 0)
    installation.check_policy(moderation_input(request, route.specs, surface=Surface.COMMAND_LINE, source=None))
    with tempfile.TemporaryDirectory(prefix="pinxit-") as workspace:
        painting = await engine.paint(route.specs[0], workspace=Path(workspace), on_progress=_ignore)
        picture = await asyncio.to_thread(encode, painting.pixels, painting.size, ImageFormat.PNG, text={})
    return encode_again(picture, ImageFormat.WEBP, width=THUMBNAIL.width, quality=THUMBNAIL.quality)


def _ignore(_: Progress) -> None:
    """Nobody watches."""
