"""Lexicons: groups of words by language and the rules over them, read from TOML."""

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from models import SettingInvalid

Name: TypeAlias = Annotated[str, Meta(pattern=r"\A[a-z0-9_.]+\Z")]
Phrase: TypeAlias = Annotated[str, Meta(min_length=1, max_length=2000)]


class Group(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Phrases that mean much the same.

    A phrase is words in order; a word ending in `*` stands for all that begin so; `#minor` is a number from 1 to 17;
    of words with `|` between, any one may stand there ("put|dress her|the_man in": `_` joins words to one choice).
    A match inside a match of `except` does not count.
    """

    phrases: tuple[Phrase, ...]
    exceptions: tuple[Phrase, ...] = msgspec.field(default=(), name="except")


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When an input is a finding of `category`.

    One phrase of each group in `all` must stand in the prompt, at most `window` words apart (0: anywhere), and one of
    each group in `negative` in the negative prompt. With `needs_source` the rule holds only where the painting begins
    from a picture; it may then ask something of the negative prompt alone. Phrases of `unless` within `unless_window`
    words excuse it; where `negatable`, so does a negation just before ("without ...").
    """

    id: Name
    category: str
    all: tuple[Name, ...] = ()
    negative: tuple[Name, ...] = ()
    window: Annotated[int, Meta(ge=0, le=100)] = 0
    needs_source: bool = False
    unless: tuple[Name, ...] = ()
    unless_window: Annotated[int, Meta(ge=1, le=100)] = 8
    negatable: bool = False
    score: Annotated[float, Meta(ge=0.0, le=1.0)] = 1.0

    def __post_init__(self) -> None:
        """Raises ValueError, which msgspec turns into its own error."""
        if not self.all and not self.negative:
            raise ValueError(f"the rule {self.id!r} asks nothing: `all` or `negative` is needed")

    @property
    def groups(self) -> tuple[str, ...]:
        """Every group that it names."""
        return (*self.all, *self.negative, *self.unless)


class Sequence(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A phrase of two parts, which counts as one of `group`: a phrase of `first` and behind it one of `then`.

    Both stand in one clause, at most `window` words apart, with no phrase of `breaks` between and none of `unless_next`
    right behind.
    """

    group: Name
    first: Name
    then: Name
    window: Annotated[int, Meta(ge=0, le=20)]
    breaks: tuple[Name, ...] = ()
    unless_next: tuple[Name, ...] = ()

    @property
    def needs(self) -> tuple[str, ...]:
        """Every group that it looks for."""
        return (self.first, self.then, *self.breaks, *self.unless_next)


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schema: Literal[1]
    language: str
    negations: tuple[Phrase, ...] = ()
    minor_numbers: tuple[Phrase, ...] = ()
    fillers: tuple[Phrase, ...] = ()
    groups: dict[Name, Group] = {}
    sequences: tuple[Sequence, ...] = ()
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """Every file's words together: a group is the union over the languages, so switching language in the middle of a
    sentence helps nobody. `hash` covers all of it."""

    groups: dict[str, Group]
    sequences: tuple[Sequence, ...]
    rules: tuple[Rule, ...]
    fillers: frozenset[str]
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
        _check_names(name, file, groups)
    return Lexicon(
        groups=groups,
        sequences=tuple(sequence for file in read.values() for sequence in file.sequences),
        rules=tuple(rule for file in read.values() for rule in file.rules),
        fillers=frozenset(word for file in read.values() for word in file.fillers),
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


def _check_names(name: str, file: _File, groups: Mapping[str, Group]) -> None:
    of_rules = ((f"the rule {rule.id!r}", rule.groups) for rule in file.rules)
    of_sequences = ((f"a sequence of {one.group!r}", one.needs) for one in file.sequences)
    for who, needed in (*of_rules, *of_sequences):
        unknown = [group for group in needed if group not in groups]
        if unknown:
            raise SettingInvalid(f"{name}: {who} names the unknown group {unknown[0]!r}.")
