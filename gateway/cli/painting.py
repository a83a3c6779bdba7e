"""`pinxit generate`: one picture without a server, on the same engine and by the same route."""

import asyncio
import secrets
import tempfile
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from gateway.settings import Settings
from gateway.telemetry import start_logging
from gateway.wiring import SEEDS, Installation
from models import GenerationRequest, ImageFormat, Painting, Phase, Progress, RequestInvalid
from storage.encoding import encode

FORMATS = {".png": ImageFormat.PNG, ".jpg": ImageFormat.JPEG, ".jpeg": ImageFormat.JPEG, ".webp": ImageFormat.WEBP}


def paint(settings: Settings, request: GenerationRequest, output: Path) -> None:
    """Paint into the file `output`; its ending decides the format. Progress goes to stderr, seed and file to stdout.

    Raises:
        RequestInvalid: the ending is none we write.
        Refused, Failed: as the HTTP path.
    """
    start_logging(form=settings.log_format, level="warning")
    if output.suffix.lower() not in FORMATS:
        raise RequestInvalid(f"{output.name}: the file must end in {', '.join(FORMATS)}.", field="output")
    painting_text = asyncio.run(_paint(settings, request, output))
    Console(highlight=False, soft_wrap=True).print(painting_text)


async def _paint(settings: Settings, request: GenerationRequest, output: Path) -> str:
    installation = Installation(settings=settings)
    seed = secrets.randbelow(SEEDS) if request.seed is None else request.seed
    route = installation.router.route(request, seed=seed)
    installation.prompt_filter.check(
        request.prompt, negative_prompt=route.negative_prompt_used, final_prompt=route.revised_prompt
    )
    engine = installation.engine()
    await engine.start()
    try:
        with tempfile.TemporaryDirectory(prefix="pinxit-") as folder, _bar() as bar:
            line = bar.add_task("loading", total=None)
            painting = await engine.paint(
                route.specs[0],
                workspace=Path(folder),
                on_progress=lambda progress: _show(bar, line, progress),
            )
            await asyncio.to_thread(_write, painting, output)
    finally:
        await engine.close()
    return f"seed {seed}\nfile {output}"


def _write(painting: Painting, output: Path) -> None:
    text = {"pinxit": msgspec.json.encode(painting.recipe).decode()}
    output.write_bytes(encode(painting.pixels, painting.size, FORMATS[output.suffix.lower()], text=text))


def _bar() -> Bar:
    return Bar(
        TextColumn("{task.description:<10}"),
        BarColumn(),
        TextColumn("{task.completed:.0f}"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )


def _show(bar: Bar, line: object, progress: Progress) -> None:
    is_counting = progress.phase is Phase.DENOISING
    bar.update(
        line,  # type: ignore[arg-type]
        description=progress.phase.value,
        completed=progress.step,
        total=progress.steps if is_counting else None,
    )
