"""Reads the cards of an installation: a TOML file each."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeGuard, TypeVar

import msgspec

from models.catalogue import AdapterCard, Catalogue, ModelCard, UpscalerCard, VaeCard
from models.errors import SettingInvalid
from models.guessing import did_you_mean
from models.sampling import Refiner

Card = TypeVar("Card")
DEFAULT = "default"  # a file beside the cards: the id of the model that `pinxit models default` chose


def load_catalogue(
    *folders: Path,
    root: Path,
    adapters: Sequence[Path] = (),
    vaes: Sequence[Path] = (),
    upscalers: Sequence[Path] = (),
) -> Catalogue:
    """Read every `*.toml` of `folders`, and of the folders `adapters`, `vaes` and `upscalers` what
    their names say (a later folder wins by id); relative paths inside count from `root`.

    When several models or upscalers call themselves the default, the last one read is it, so that
    one the operator added can replace the one in the box; what a file `default` of a folder names counts before that.

    Raises:
        SettingInvalid: a file is not valid TOML or breaks the card's form; the message names file and member.
    """
    cards = {card.id: _rooted(card, root) for card in _read_cards(folders, ModelCard)}
    defaults = [card.id for card in cards.values() if card.is_default]
    defaults += [id for folder in folders if (id := _chosen_default(folder)) is not None]
    if defaults[-1:] and defaults[-1] not in cards:
        raise SettingInvalid(
            f"models/{DEFAULT}: there is no model {defaults[-1]!r}.{did_you_mean(defaults[-1], cards)}"
        )
    loras = {card.id: replace(card, path=root / card.path) for card in _read_cards(adapters, AdapterCard)}
    autoencoders = {card.id: replace(card, path=root / card.path) for card in _read_cards(vaes, VaeCard)}
    networks = {card.id: replace(card, path=root / card.path) for card in _read_cards(upscalers, UpscalerCard)}
    chosen = [card for card in networks.values() if card.is_default]
    models = {id: replace(card, is_default=id in defaults[-1:]) for id, card in cards.items()}
    return Catalogue(models, loras, autoencoders, chosen[-1] if chosen else None)


def write_default(folder: Path, id: str) -> None:
    """Make `id` the model that paints where none is named, whatever the cards say; whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{DEFAULT}.draft"
    draft.write_text(f"{id}\n", encoding="utf-8")
    draft.rename(folder / DEFAULT)


def _chosen_default(folder: Path) -> str | None:
    file = folder / DEFAULT
    return file.read_text(encoding="utf-8").strip() if file.is_file() else None


def _read_cards(folders: Sequence[Path], form: type[Card]) -> Iterator[Card]:
    for file in (file for folder in folders for file in sorted(folder.glob("*.toml"))):
        try:
            table = tomllib.loads(file.read_text(encoding="utf-8"))
            card = msgspec.convert(table, form, dec_hook=_read_path)
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as wrong:
            raise SettingInvalid(f"{file.name}: {wrong}") from None
        _check_members(file.name, table, msgspec.to_builtins(card, enc_hook=str))
        yield card


def _check_members(file: str, table: Mapping[str, object], known: Mapping[str, object]) -> None:
    """A misspelt member would leave its default in force. `known` is the card as it was read."""
    for name, value in table.items():
        if name not in known:
            raise SettingInvalid(f"{file}: {name!r} is not a member here.{did_you_mean(name, known)}")
        if _is_table(value) and _is_table(inner := known[name]):
            _check_members(file, value, inner)


def _is_table(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, dict)


def _rooted(card: ModelCard, root: Path) -> ModelCard:
    return replace(
        card,
        path=root / card.path,
        vocabulary=root / card.vocabulary if card.vocabulary else None,
        vae=root / card.vae if card.vae else None,
        scorer=root / card.scorer if card.scorer else None,
        refiner=_rooted_refiner(card.refiner, root) if card.refiner else None,
        embeddings={word: root / file for word, file in card.embeddings.items()},
    )


def _rooted_refiner(refiner: Refiner, root: Path) -> Refiner:
    return replace(refiner, path=root / refiner.path if refiner.path else None)


def _read_path(kind: type, value: object) -> object:
    return Path(value) if kind is Path and isinstance(value, str) else value
