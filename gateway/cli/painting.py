"""`pinxit generate`: one picture without a server, on the same engine and by the same route."""

import asyncio
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import msgspec
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from gateway.cli.source_images import ImageFiles
from gateway.generations.accepting.moderating import moderation_input, source_picture
from gateway.settings import Settings
from gateway.telemetry import start_logging
from gateway.wiring import SEEDS, Installation
from models import (
    GenerationRequest,
    GenerationSpec,
    ImageFormat,
    Painting,
    Phase,
    Progress,
    Recipe,
    RequestInvalid,
)
from safety import Surface
from storage.encoding import encode, holds

FORMATS = {".jpg": ImageFormat.JPEG} | {f".{format.value}": format for format in ImageFormat}
NOTHING = ImageFiles()


def paint(
    settings: Settings,
    request: GenerationRequest,
    output: Path,
    *,
    recipe_file: Path | None = None,
    given_images: ImageFiles = NOTHING,
) -> None:
    """Paint into the file `output`; its ending decides the format. Progress goes to stderr, seed and file to stdout.

    `recipe_file` gets the picture's recipe as JSON, which `pinxit replay` reads. `given_images` is what it starts from.

    Raises:
        RequestInvalid: the ending is none we write, a folder is not there, or `given_images` breaks its rules.
        Refused, Failed: as the HTTP path.
    """
    start_logging(form=settings.log_format, level="warning")
    check_output(output)
    if recipe_file is not None:
        check_folder(recipe_file)
    installation = Installation(settings=settings)
    seed = secrets.randbelow(SEEDS) if request.seed is None else request.seed
    request = replace(request, init_image=given_images.init_image())
    route = installation.router.route(request, seed=seed)
    source = source_picture(request.init_image, masked_share=given_images.masked_share())
    installation.check_policy(moderation_input(request, route.specs, surface=Surface.COMMAND_LINE, source=source))
    for notice in (*given_images.notices(route.size_plan.target), *route.notices):
        Console(stderr=True, highlight=False, soft_wrap=True, markup=False).print(f"warning: {notice.message}")
    recipe = asyncio.run(painted(installation, route.specs[0], output, source_images=given_images.contents()))
    lines = [f"seed {seed}", f"file {output}"]
    if recipe_file is not None:
        recipe_file.write_bytes(msgspec.json.format(msgspec.json.encode(recipe)) + b"\n")
        lines.append(f"recipe {recipe_file}")
    Console(highlight=False, soft_wrap=True, markup=False).print("\n".join(lines))


def check_output(output: Path) -> None:
    """Before anything is painted.

    Raises:
        RequestInvalid: the ending is none we write, the folder is not there, or the name is a folder's.
    """
    if output.suffix.lower() not in FORMATS:
        raise RequestInvalid(f"{output.name}: the file must end in {', '.join(FORMATS)}.", field="output")
    check_folder(output)


def check_folder(file: Path) -> None:
    """Raises RequestInvalid: there is no folder to write the file to, or one of its name."""
    if file.is_dir():
        raise RequestInvalid(f"{file}: this is a folder.", field="output")
    if not file.absolute().parent.is_dir():
        raise RequestInvalid(f"{file}: there is no folder {file.parent}.", field="output")


async def painted(
    installation: Installation, spec: GenerationSpec, output: Path, *, source_images: Mapping[str, bytes] | None = None
) -> Recipe:
    """Paint one picture into the file `output` on an engine of its own.

    `source_images` are the files that `spec.init_image` names, by their SHA-256.

    Raises:
        Failed: as the engine.
    """
    engine = installation.engine()
    await engine.start()
    try:
        with tempfile.TemporaryDirectory(prefix="pinxit-") as folder, _bar() as bar:
            line = bar.add_task("loading", total=None)
            _lay_out(source_images or {}, Path(folder))
            painting = await engine.paint(
                spec, workspace=Path(folder), on_progress=lambda progress: _show(bar, line, progress)
            )
            await asyncio.to_thread(write, painting, output)
    finally:
        await engine.close()
    return painting.recipe


def _lay_out(source_images: Mapping[str, bytes], workspace: Path) -> None:
    for sha256, content in source_images.items():
        (workspace / sha256).write_bytes(content)


def write(painting: Painting, output: Path) -> None:
    """The finished picture as a file. Where its recipe does not fit into one of that kind, stderr is told, and it is
    written without."""
    format, text = FORMATS[output.suffix.lower()], {"pinxit": msgspec.json.encode(painting.recipe).decode()}
    output.write_bytes(encode(painting.pixels, painting.size, format, text=text))
    if not holds(format, text):
        Console(stderr=True, highlight=False, soft_wrap=True, markup=False).print(
            f"{output}: the recipe is too long for a {format.upper()} and is not in the file; a .png holds it."
        )


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
