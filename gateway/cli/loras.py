"""`pinxit loras`: the LoRAs there are to paint with."""

import json
import re
from pathlib import Path

from rich.console import Console

from gateway.cli.printing import Cell, print_rows
from gateway.settings import load_settings
from gateway.wiring import Installation
from models import Adapter, Family, RequestInvalid
from models.catalogue import ADAPTED
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
    """Write the LoRA's card into the data folder; the file stays where it is. `family` overrules what the file says.

    Raises:
        RequestInvalid: the id is taken or badly formed, or nothing tells the family.
        WeightsRejected: the file is no LoRA of ours.
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
    told = {"id": name, "family": made_for.value, "path": str(file.resolve()), "licence": licence, "trigger": trigger}
    lines = (f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in told.items() if value is not None)
    folder = settings.data_dir / "loras"
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{name}.draft"
    draft.write_text("\n".join([*lines, ""]), encoding="utf-8")
    draft.rename(draft.with_suffix(".toml"))
    Console(highlight=False, markup=False, soft_wrap=True).print(f"{name} ({made_for}) is in the catalogue.")
