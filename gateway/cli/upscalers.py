"""`pinxit models add FILE` where the file is an upscaler: its card, and which one enlarges."""

import json
from pathlib import Path

from gateway.settings import Settings
from models import UPSCALE_FACTOR, RequestInvalid
from models.single_file import read_header
from models.single_file.upscaler import UpscalerForm, inspect_upscaler, is_upscaler

FOLDER = "upscalers"


def holds_upscaler(path: Path) -> bool:
    """Raises WeightsRejected: a file that is no safetensors file."""
    return path.is_file() and is_upscaler(read_header(path))


def add_upscaler(file: Path, name: str, settings: Settings, *, is_default: bool) -> UpscalerForm:
    """Write the card into the data folder; the file stays where it is. The default one enlarges from the next start on.

    Raises:
        RequestInvalid: the id is taken, or the network enlarges by another factor than ours.
        WeightsRejected: it is no network that we know.
    """
    catalogued = settings.data_dir / FOLDER
    if any((folder / f"{name}.toml").exists() for folder in (catalogued, settings.config_dir / FOLDER)):
        raise RequestInvalid(f"There is an upscaler {name!r} already; choose another --id.", field="id")
    form = inspect_upscaler(file)
    if form.scale != UPSCALE_FACTOR:
        raise RequestInvalid(f"{file.name} enlarges {form.scale} times; `upscale` is {UPSCALE_FACTOR} times.")
    told = {"id": name, "path": str(file.resolve()), "licence": "as its files say", "is_default": is_default}
    catalogued.mkdir(parents=True, exist_ok=True)
    draft = catalogued / f"{name}.draft"
    lines = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in told.items()]
    draft.write_text("\n".join([*lines, ""]), encoding="utf-8")
    draft.rename(draft.with_suffix(".toml"))
    return form
