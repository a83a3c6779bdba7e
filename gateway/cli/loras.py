"""`pinxit loras`: the LoRAs there are to paint with."""

import json
import re
from pathlib import Path

from rich.console import Console

from gateway.cli.cards import RESTART, copied, own_card, remove_card, write_card
from gateway.cli.printing import Cell, print_rows
from gateway.settings import load_settings
from gateway.wiring import Installation
from models import Adapter, Family, RequestInvalid
from models.catalogue import ADAPTED
from models.single_file.fitting import check_fit
from models.single_file.lora import inspect_lora

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def read_choice(text: str) -> Adapter:
    """`id` or `id:weight`. Raises RequestInvalid."""
    id, _, weight = text.partition(":")
    try:
        return Adapter(id=id, weight=float(weight or 1.0))
    except ValueError:
        raise RequestInvalid(f"--lora is an id or id:weight, not {text!r}.", field="loras") from None


def show_loras(*, as_json: bool) -> None:
    rows: list[dict[str, Cell]] = [
        {
            "id": card.id,
            "family": card.family.value,
            "trigger": card.trigger or "",
            "licence": card.licence,
            "path": str(card.path),
        }
        for card in Installation(settings=load_settings()).catalogue.adapters()
    ]
    print_rows("LoRAs", rows, as_json=as_json)


def add_lora(file: Path, *, id: str | None, family: Family | None, trigger: str | None, licence: str) -> None:
    """Copy the LoRA into the data folder and write its card. `family` overrules what the file says.

    Raises:
        RequestInvalid: the id is taken or badly formed, or nothing tells the family.
        WeightsRejected: the file is no LoRA of ours, or fits no installed model of its family.
        SettingInvalid: it could not be copied.
    """
    settings = load_settings()
    name = id or re.sub(r"[^a-z0-9_-]+", "-", file.stem.lower()).strip("-_")[:64]
    if not _ID.fullmatch(name):
        raise RequestInvalid(f"{name!r} cannot be a LoRA's id: a-z, 0-9, dashes and underscores, up to 64.", field="id")
    if any(card.id == name for card in Installation(settings=settings).catalogue.adapters()):
        raise RequestInvalid(f"There is a LoRA {name!r} already; choose another --id.", field="id")
    seems = inspect_lora(file)
    made_for = family or seems
    if made_for is None:
        raise RequestInvalid(f"Nothing in {file.name} says which models it is made for; say --family.", field="family")
    if made_for not in ADAPTED:
        raise RequestInvalid(f"LoRAs are applied to {', '.join(ADAPTED)} models, not to {made_for}.", field="family")
    installed = Installation(settings=settings).catalogue.cards()
    check_fit(file, [card.path for card in installed if card.family is made_for])
    folder = settings.data_dir / "loras"
    copy = copied(file, folder / f"{name}.safetensors")
    members = {"id": name, "family": made_for.value, "path": str(copy.resolve()), "licence": licence}
    members |= {"trigger": trigger} if trigger is not None else {}
    write_card(
        folder / f"{name}.toml", (f"{key} = {json.dumps(text, ensure_ascii=False)}" for key, text in members.items())
    )
    _print(f"{name} ({made_for}) is in the catalogue. {RESTART}")


def remove_lora(id: str) -> None:
    """Raises RequestInvalid: there is no such LoRA, it is the product's own, or a style paints with it."""
    settings = load_settings()
    installation = Installation(settings=settings)
    loras = {card.id: card for card in installation.catalogue.adapters()}
    card = own_card(settings.data_dir / "loras", id, kind="LoRA", known=loras)
    for style in installation.styles.all():
        if any(id == adapter.id for block in style.families.values() for adapter in block.adapters):
            raise RequestInvalid(
                f"The style {style.id!r} paints with the LoRA {id!r}; change the style first.", field="id"
            )
    about_files = remove_card(card, loras[id].path)
    _print(f"{id} is out of the catalogue. {about_files} {RESTART}")


def _print(line: str) -> None:
    Console(highlight=False, markup=False, soft_wrap=True).print(line)
