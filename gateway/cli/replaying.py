"""`pinxit replay`: a picture painted again from its recipe alone, without a server, and held against it.

The file may come from anywhere. It is read within bounds, believed within bounds (`models.replay`), and what stands in
it reaches the terminal only as plain text.
"""

import asyncio
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import cast

import msgspec
from rich.console import Console

from gateway.cli.painting import check_output, painted
from gateway.cli.source_images import ImageFiles, content_of
from gateway.generations import check_repaintable
from gateway.generations.accepting.moderating import source_picture
from gateway.settings import Settings
from gateway.telemetry import start_logging
from gateway.wiring import Installation
from models import GenerationSpec, InitImage, Recipe, RequestInvalid
from models.replay import Comparison, check_bounds, compare
from safety import ModerationInput, Surface
from storage.encoding import read_text

MAX_RECIPE_BYTES = 4 << 20
MAX_REASON_CHARACTERS = 200


def replay_file(settings: Settings, file: Path, output: Path, *, index: int, given_images: ImageFiles) -> bool:
    """Paint recipe number `index` of `file` into the file `output`, print what differs; True if no pixel does.

    Raises:
        RequestInvalid: `file` holds no such recipe, or it needs other files than those given.
        Refused, Failed: as the HTTP path.
    """
    start_logging(form=settings.log_format, level="warning")
    check_output(output)
    recipe = _chosen(file, index)
    if output.exists() and output.samefile(file):
        raise RequestInvalid(f"{output}: this is the file to compare with; choose another -o.", field="output")
    source_images = _beginnings(recipe.spec.init_image, given_images)
    installation = Installation(settings=settings)
    check_repaintable((recipe.spec,), installation.catalogue)
    installation.check_policy(_judged_of(recipe.spec, given_images))
    again = asyncio.run(painted(installation, recipe.spec, output, source_images=source_images))
    comparison = compare(recipe, again)
    Console(highlight=False, soft_wrap=True, markup=False).print(_said(comparison, output))
    return comparison.is_identical


def _judged_of(spec: GenerationSpec, given_images: ImageFiles) -> ModerationInput:
    """Of a recipe nobody knows in which words it was asked for."""
    return ModerationInput(
        surface=Surface.COMMAND_LINE,
        prompt=spec.prompt,
        negative_prompt=spec.negative_prompt,
        final_prompts=(spec.prompt,),
        final_negative_prompts=(spec.negative_prompt,),
        source=source_picture(spec.init_image, masked_share=given_images.masked_share()),
        adapters=tuple(adapter.id for adapter in spec.all_adapters),
        model=spec.model,
        style="none",
        is_replay=True,
    )


def _chosen(file: Path, index: int) -> Recipe:
    """One recipe of the file, within the bounds of ours."""
    recipes = recipes_in(content_of(file), name=file.name)
    if index >= len(recipes):
        raise _refused(file.name, f"it holds {len(recipes)} of them; --index counts from 0.")
    check_bounds(recipes[index].spec)
    return recipes[index]


def recipes_in(content: bytes, *, name: str) -> tuple[Recipe, ...]:
    """The recipes of a JSON file (one, a list, or the answer of `GET .../recipe`), or the one inside a picture.

    Raises:
        RequestInvalid: there is none, or one that is broken; `name` is what the file is called.
    """
    text = content if content.lstrip()[:1] in (b"{", b"[") else _text_of_picture(content, name=name)
    if len(text) > MAX_RECIPE_BYTES:
        raise _refused(name, f"a recipe file may have {MAX_RECIPE_BYTES >> 20} MB.")
    try:
        found: object = msgspec.json.decode(text)
        if isinstance(found, dict):
            members = cast("dict[str, object]", found)
            found = members.get("recipes", [members])
        recipes = msgspec.convert(found, tuple[Recipe, ...])
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as wrong:
        raise _refused(name, f"this is no recipe of ours: {wrong}.") from None
    if not recipes:
        raise _refused(name, "there is no recipe in it; a picture has one when it is completed.")
    return recipes


def _text_of_picture(content: bytes, *, name: str) -> bytes:
    try:
        text = read_text(content).get("pinxit")
    except ValueError:
        raise _refused(name, "this is neither JSON nor a whole PNG, JPEG, WebP or AVIF file.") from None
    if text is None:
        raise _refused(name, "this picture holds no recipe; some programs drop it when they save a copy.")
    return text.encode()


def _beginnings(needed: InitImage | None, given: ImageFiles) -> Mapping[str, bytes]:
    """The contents that the recipe names, by their SHA-256.

    Raises:
        RequestInvalid: a file is missing, is not the one that was used, or is not needed.
    """
    wanted = (
        ("--init-image", needed.sha256 if needed else None, given.image),
        ("--mask", needed.mask_sha256 if needed else None, given.mask),
    )
    contents: dict[str, bytes] = {}
    for option, sha256, file in wanted:
        if (sha256 is None) != (file is None):
            raise RequestInvalid(f"This recipe needs {'no' if sha256 is None else 'its'} {option}.", field=option)
        if sha256 is not None and file is not None:
            content = content_of(file)
            if hashlib.sha256(content).hexdigest() != sha256:
                raise RequestInvalid(f"{file}: not the file that was painted from, by its SHA-256.", field=option)
            contents[sha256] = content
    return contents


def _said(comparison: Comparison, output: Path) -> str:
    lines = [f"identical: {'true' if comparison.is_identical else 'false'}", *map(str, comparison.differences)]
    return "\n".join([*map(_plain, lines), f"file {output}"])


def _refused(name: str, why: str) -> RequestInvalid:
    return RequestInvalid(_plain(f"{name}: {why}"[:MAX_REASON_CHARACTERS]), field="file")


def _plain(text: str) -> str:
    """One line that no terminal acts upon."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
