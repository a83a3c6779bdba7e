"""Cards of the data folder: written whole or not at all, and taken away with the files that lie beside them.

What `configs/` holds belongs to the product and stays. Files elsewhere on the machine are the operator's and stay too.
"""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from models import RequestInvalid, SettingInvalid
from models.guessing import did_you_mean

RESTART = "A running server sees it after a restart."


def write_card(card: Path, lines: Iterable[str]) -> None:
    """Raises SettingInvalid: the folder cannot be written."""
    card.parent.mkdir(parents=True, exist_ok=True)
    draft = card.with_suffix(".draft")
    draft.write_text("\n".join([*lines, ""]), encoding="utf-8")
    draft.rename(card)


def copied(file: Path, to: Path) -> Path:
    """A durable copy of `file` at `to`; whole or not at all.

    Raises:
        SettingInvalid: it could not be copied; nothing is left.
    """
    if to.exists() and to.samefile(file):
        return to
    to.parent.mkdir(parents=True, exist_ok=True)
    draft = to.with_suffix(".draft-copy")
    try:
        shutil.copyfile(file, draft)
        with draft.open("rb+") as written:
            os.fsync(written.fileno())
        draft.rename(to)
    except OSError as wrong:
        draft.unlink(missing_ok=True)
        raise SettingInvalid(f"{file.name} could not be copied into {to.parent}: {wrong.strerror}.") from None
    return to


def own_card(folder: Path, id: str, *, kind: str, known: Iterable[str]) -> Path:
    """The card of `id` in the data folder's `folder`.

    Raises:
        RequestInvalid: there is none; the message says whether `configs/` has it, or guesses.
    """
    card, names = folder / f"{id}.toml", list(known)
    if card.is_file():
        return card
    if id in names:
        raise RequestInvalid(f"{id!r} is part of the product's own configs, and stays.", field="id")
    raise RequestInvalid(f"There is no {kind} {id!r}.{did_you_mean(id, names)}", field="id")


def remove_card(card: Path, files: Path) -> str:
    """Take the card away, then what lies beside it if `files` does; a sentence about the files."""
    is_ours = files.resolve().parent == card.parent.resolve()
    card.unlink()
    if not is_ours:
        return f"Its files stay where they are: {files}."
    if files.is_dir():
        shutil.rmtree(files)
    else:
        files.unlink(missing_ok=True)
    return "Its files are gone too."
