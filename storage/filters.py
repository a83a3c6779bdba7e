"""Which generations of an account are listed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement

from storage.generation import State
from storage.tables import generations


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """None leaves out nothing. From `created_from` on, before `created_before`; `metadata` are pairs that all must be
    there, under keys of letters, digits, `_`, `.` and `-`."""

    state: State | None = None
    style: str | None = None
    created_from: datetime | None = None
    created_before: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=dict[str, str])

    def conditions(self) -> list[ColumnElement[bool]]:
        c = generations.c
        wanted = [c.metadata[key].as_string() == value for key, value in self.metadata.items()]
        if self.state is not None:
            wanted.append(c.state == self.state)
        if self.style is not None:
            wanted.append(c.style == self.style)
        if self.created_from is not None:
            wanted.append(c.created_at >= self.created_from)
        if self.created_before is not None:
            wanted.append(c.created_at < self.created_before)
        return wanted


EVERYTHING = Filters()
