"""The three policies: what each category's finding leads to, read from `configs/safety/policies.toml`."""

import hashlib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from models import SettingInvalid
from safety.verdict import Action

ALWAYS_BLOCKED = ("csae", "ncii")
"""No operator may weaken these: any signal blocks, in every policy."""

Threshold = Annotated[float, Meta(ge=0.0, le=1.0)]


class Ruling(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a finding of one category leads to from `threshold` on; `art_action` where art is the context."""

    action: Action
    threshold: Threshold = 0.0
    art_action: Action | None = None

    def on(self, score: float, *, is_art: bool) -> Action:
        if score < self.threshold:
            return Action.ALLOW
        return self.art_action if is_art and self.art_action is not None else self.action


class Policy:
    """One named policy: a ruling for each category, gravest category first."""

    def __init__(self, name: str, rulings: Mapping[str, Ruling]) -> None:
        """Raises SettingInvalid: a category that must always block does not."""
        self.name = name
        self._rulings = dict(rulings)
        for category in ALWAYS_BLOCKED:
            if self._rulings.get(category) != Ruling(action=Action.BLOCK):
                raise SettingInvalid(
                    f'policies.toml: {name}.{category} must be {{ action = "block" }} and nothing else.'
                )
        self.hash = hashlib.sha256(msgspec.json.encode([name, *self._rulings.items()])).hexdigest()

    def ruling(self, category: str) -> Ruling:
        """Raises SettingInvalid: a rule has a category that the policy does not know."""
        try:
            return self._rulings[category]
        except KeyError:
            raise SettingInvalid(f"policies.toml: {self.name} has no category {category!r}.") from None

    def gravity(self, category: str) -> int:
        """0 is the gravest."""
        return list(self._rulings).index(category)


def load_policies(file: Path) -> dict[str, Policy]:
    """Raises SettingInvalid: the file is missing, not TOML or breaks the form; the message names the member."""
    try:
        tables = tomllib.loads(file.read_text(encoding="utf-8"))
        rulings = msgspec.convert(tables, dict[str, dict[str, Ruling]])
    except (OSError, tomllib.TOMLDecodeError, msgspec.ValidationError) as wrong:
        raise SettingInvalid(f"{file.name}: {wrong}") from None
    return {name: Policy(name, table) for name, table in rulings.items()}
