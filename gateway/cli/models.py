"""`pinxit models` and `pinxit styles`: what there is to paint with."""

import json
import re
from pathlib import Path

from rich.console import Console

from gateway.cli.cards import RESTART, own_card, remove_card, write_card
from gateway.cli.importing import alone, take_in
from gateway.cli.printing import Cell, print_rows
from gateway.cli.upscalers import FOLDER as UPSCALERS
from gateway.cli.upscalers import add_upscaler, holds_upscaler
from gateway.settings import ROOT, load_settings
from gateway.wiring import Installation
from models import SIDES, UPSCALE_FACTOR, ImageSize, RequestInvalid, Sampling
from models.card_files import write_default
from models.inspection import Inspection, inspect_folder
from models.single_file import Prediction

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
    if (upscaler := catalogue.upscaler) is not None:
        told: dict[str, Cell] = {"id": upscaler.id, "family": "upscaler", "default": True, "licence": upscaler.licence}
        rows.append({**told, "size": f"x{UPSCALE_FACTOR}", "path": _shown(upscaler.path)})
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


def add(path: Path, *, id: str | None, is_default: bool, prediction: Prediction | None) -> None:
    """Write the model's card into the data folder. A folder's weights stay where they are, as an upscaler's file does;
    a checkpoint's is converted first.

    Raises:
        RequestInvalid: the id is taken or badly formed, or `prediction` was given for a folder.
        WeightsRejected: it is no model of ours.
    """
    settings = load_settings()
    is_file = not path.is_dir()
    name = id or _name_from(path.resolve().stem if is_file else path.resolve().name)
    cards = Installation(settings=settings).catalogue.cards()
    if not _ID.fullmatch(name):
        raise RequestInvalid(f"{name!r} cannot be a model's id: a-z, 0-9, dots and dashes, 2 to 64.", field="id")
    if any(card.id == name for card in cards):
        raise RequestInvalid(f"There is a model {name!r} already; choose another --id.", field="id")
    if prediction and not is_file:
        raise RequestInvalid("A folder says itself what it predicts; --prediction is for files.", field="prediction")
    console = Console(highlight=False, markup=False, soft_wrap=True)
    if holds_upscaler(path):
        form = add_upscaler(path, name, settings, is_default=is_default)
        console.print(f"{name} (upscaler, {form.build}, x{form.scale}) is in the catalogue.")
        return
    catalogued = settings.data_dir / "models"
    catalogued.mkdir(parents=True, exist_ok=True)
    if is_file:
        folder = catalogued / name
        taken = [card.path for card in cards]
        with alone(catalogued):
            take_in(path, folder, prediction=prediction, taken=taken, console=console)
    else:
        folder = path
    inspection = inspect_folder(folder)
    write_card(catalogued / f"{name}.toml", _card_lines(name, folder, inspection, is_default=is_default))
    if is_default:
        write_default(catalogued, name)
    console.print(f"{name} ({inspection.family}, {inspection.native}) is in the catalogue.")


def make_default(id: str) -> None:
    """Raises ModelUnknown."""
    settings = load_settings()
    Installation(settings=settings).catalogue.get(id)
    write_default(settings.data_dir / "models", id)
    _print(f"{id} paints where a request names no model. {RESTART}")


def remove(id: str) -> None:
    """Take a model or an upscaler out of the catalogue, with the files that we made of it.

    Raises:
        RequestInvalid: there is none of that name, it is the product's own, or it is the default model.
    """
    settings = load_settings()
    catalogue = Installation(settings=settings).catalogue
    if (upscaler := settings.data_dir / UPSCALERS / f"{id}.toml").is_file():
        upscaler.unlink()
        _print(f"{id} (upscaler) is out of the catalogue. Its file stays where it is. {RESTART}")
        return
    known = [card.id for card in catalogue.cards()]
    card = own_card(settings.data_dir / "models", id, kind="model", known=known)
    if catalogue.default.id == id:
        others = " or ".join(repr(one) for one in known if one != id)
        raise RequestInvalid(f"{id!r} is the default; first `pinxit models default` {others}.", field="id")
    about_files = remove_card(card, catalogue.get(id).path)
    _print(f"{id} is out of the catalogue. {about_files} {RESTART}")


def _print(line: str) -> None:
    Console(highlight=False, markup=False, soft_wrap=True).print(line)


def _name_from(stem: str) -> str:
    return re.sub(r"[^a-z0-9.-]+", "-", stem.lower()).strip("-.")[:64]


def _card_lines(name: str, folder: Path, inspection: Inspection, *, is_default: bool) -> list[str]:
    native = inspection.native
    return [
        f"id = {_quoted(name)}",
        f'family = "{inspection.family}"',
        f"path = {_quoted(str(folder.resolve()))}",
        'licence = "as its files say"',
        f"native_pixels = {native.pixels}",
        f"size_multiple = {inspection.size_multiple}",
        f"default_size = {{ width = {_side(native)}, height = {_side(native)} }}",
        f"is_default = {json.dumps(is_default)}",
        *(_sampling_lines(inspection.sampling) if inspection.sampling else ()),
    ]


def _quoted(text: str) -> str:
    """A TOML string; JSON's own way with letters beyond 16 bits is not TOML's."""
    return json.dumps(text, ensure_ascii=False)


def _sampling_lines(sampling: Sampling) -> tuple[str, ...]:
    """For families that the styles do not know; the operator may change it."""
    steps = ", ".join(f"{quality} = {count}" for quality, count in sampling.steps.items())
    guidance = ", ".join(f"{quality} = {scale}" for quality, scale in sampling.guidance.items())
    return "", "[sampling]", f'sampler = "{sampling.sampler}"', f"steps = {{ {steps} }}", f"guidance = {{ {guidance} }}"


def _side(native: ImageSize) -> int:
    """The offered side nearest to the native one."""
    return min(SIDES, key=lambda side: abs(side - native.width))


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)
