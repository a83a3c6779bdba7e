"""Lexicons: groups of words by language and the rules over them, read from TOML."""

import hashlib
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from models import SettingInvalid

Name: TypeAlias = Annotated[str, Meta(pattern=r"\A[a-z0-9_.]+\Z")]
Phrase: TypeAlias = Annotated[str, Meta(min_length=1, max_length=100)]


class Group(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Phrases that mean much the same.

    A phrase is words in order; a word ending in `*` stands for all that begin so; `#minor` is a number from 1 to 17.
    A match inside a match of `except` does not count.
    """

    phrases: tuple[Phrase, ...]
    exceptions: tuple[Phrase, ...] = msgspec.field(default=(), name="except")


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a text is a finding of `category`.

    One phrase of each group in `all` must stand in the prompt, at most `window` words apart (0: anywhere), and one of
    each group in `negative` in the negative prompt. Phrases of `unless` within `unless_window` words excuse it; where
    `negatable`, so does a negation just before ("without ...").
    """

    id: Name
    category: str
    all: Annotated[tuple[Name, ...], Meta(min_length=1)]
    negative: tuple[Name, ...] = ()
    window: Annotated[int, Meta(ge=0, le=100)] = 0
    unless: tuple[Name, ...] = ()
    unless_window: Annotated[int, Meta(ge=1, le=100)] = 8
    negatable: bool = False
    score: Annotated[float, Meta(ge=0.0, le=1.0)] = 1.0


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schema: Literal[1]
    language: str
    negations: tuple[Phrase, ...] = ()
    minor_numbers: tuple[Phrase, ...] = ()
    groups: dict[Name, Group] = {}
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """Every file's words together: a group is the union over the languages, so switching language in the middle of a
    sentence helps nobody. `hash` covers all of it."""

    groups: dict[str, Group]
    rules: tuple[Rule, ...]
    negations: frozenset[str]
    minor_numbers: frozenset[str]
    hash: str


def load_lexicon(files: Iterable[Path]) -> Lexicon:
    """Raises SettingInvalid: a file is not TOML, breaks the form, or a rule names a group that no file has."""
    read = {file.name: _read_file(file) for file in sorted(files)}
    groups: dict[str, Group] = {}
    for file in read.values():
        for name, group in file.groups.items():
            groups[name] = _united(groups[name], group) if name in groups else group
    for name, file in read.items():
        _check_rules(name, file.rules, groups)
    return Lexicon(
        groups=groups,
        rules=tuple(rule for file in read.values() for rule in file.rules),
        negations=frozenset(word for file in read.values() for word in file.negations),
        minor_numbers=frozenset(word for file in read.values() for word in file.minor_numbers),
        hash=hashlib.sha256(msgspec.json.encode(read, order="sorted")).hexdigest(),
    )


def _read_file(file: Path) -> _File:
    try:
        return msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), _File)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as wrong:
        raise SettingInvalid(f"{file.name}: {wrong}") from None


def _united(one: Group, other: Group) -> Group:
    return Group(phrases=one.phrases + other.phrases, exceptions=one.exceptions + other.exceptions)


def _check_rules(name: str, rules: Iterable[Rule], groups: dict[str, Group]) -> None:
    for rule in rules:
        unknown = [group for group in (*rule.all, *rule.negative, *rule.unless) if group not in groups]
        if unknown:
            raise SettingInvalid(f"{name}: the rule {rule.id!r} names the unknown group {unknown[0]!r}.")
