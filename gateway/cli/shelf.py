"""`pinxit models` and `pinxit styles`: what there is to paint with."""

import json
import re
from pathlib import Path

from rich.console import Console

from gateway.cli.printing import Cell, print_rows
from gateway.settings import ROOT, load_settings
from gateway.wiring import Installation
from models import SIDES, ImageSize, RequestInvalid
from models.inspection import Inspection, inspect_folder

_ID = re.compile(r"[a-z0-9][a-z0-9.-]{1,63}")


def show_models(*, as_json: bool) -> None:
    catalogue = Installation(settings=load_settings()).catalogue
    rows: list[dict[str, Cell]] = [
        {
            "id": card.id,
            "family": card.family.value,
            "default": card.is_default,
            "licence": card.licence,
            "size": str(card.default_size),
            "path": _shown(card.path),
        }
        for card in catalogue.cards()
    ]
    print_rows("Models", rows, as_json=as_json)


def show_styles(*, as_json: bool) -> None:
    installation = Installation(settings=load_settings())
    rows: list[dict[str, Cell]] = [
        {
            "id": entry.id,
            "name": entry.name,
            "available": entry.available,
            "aliases": entry.aliases,
            "description": entry.description,
        }
        for entry in installation.styles.entries(installation.catalogue)
    ]
    print_rows("Styles", rows, as_json=as_json)


def add(folder: Path, *, id: str | None, is_default: bool) -> None:
    """Write the model's card into the data folder; the weights stay where they are.

    Raises:
        RequestInvalid: the id is taken or badly formed.
        WeightsRejected: the folder is no model of ours.
    """
    settings = load_settings()
    name = id or re.sub(r"[^a-z0-9.-]+", "-", folder.resolve().name.lower()).strip("-")
    if not _ID.fullmatch(name):
        raise RequestInvalid(f"{name!r} cannot be a model's id: a-z, 0-9, dots and dashes, 2 to 64.", field="id")
    if any(card.id == name for card in Installation(settings=settings).catalogue.cards()):
        raise RequestInvalid(f"There is a model {name!r} already; choose another --id.", field="id")
    inspection = inspect_folder(folder)
    shelf = settings.data_dir / "models"
    shelf.mkdir(parents=True, exist_ok=True)
    (shelf / f"{name}.toml").write_text(_card_text(name, folder, inspection, is_default=is_default))
    Console(highlight=False).print(f"{name} ({inspection.family}, {inspection.native}) is in the catalogue.")


def _card_text(name: str, folder: Path, inspection: Inspection, *, is_default: bool) -> str:
    native = inspection.native
    return "\n".join(
        (
            f"id = {json.dumps(name)}",
            f'family = "{inspection.family}"',
            f"path = {json.dumps(str(folder.resolve()))}",
            'licence = "as its files say"',
            f"native_pixels = {native.pixels}",
            f"default_size = {{ width = {_side(native)}, height = {_side(native)} }}",
            f"is_default = {json.dumps(is_default)}",
            "",
        )
    )


def _side(native: ImageSize) -> int:
    """The offered side nearest to the native one."""
    return min(SIDES, key=lambda side: abs(side - native.width))


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
