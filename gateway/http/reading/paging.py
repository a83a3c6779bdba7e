"""Pages of what is listed: `limit`, an opaque `cursor`, and the list as the contract shows it."""

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Generic, Literal, TypeVar

from fastapi import Depends, Query
from pydantic import BaseModel

from gateway.generations import CursorInvalid

Row = TypeVar("Row")
Body = TypeVar("Body", bound=BaseModel)

_NUMBER = re.compile(r"n([1-9][0-9]{0,17})")  # any such number fits into the databases' 64 bits
_ID = re.compile(r"i(\w{1,64})", re.ASCII)


class ListBody(BaseModel, Generic[Body]):
    """One page, newest first; `next_cursor` fetches the following one."""

    object: Literal["list"] = "list"
    data: list[Body]
    has_more: bool
    next_cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The page asked for. The cursor stays good while rows are added."""

    limit: int
    cursor: str | None

    @property
    def rows(self) -> int:
        """How many to read: one more than are shown tells whether more follow."""
        return self.limit + 1

    def before_number(self) -> int | None:
        """Raises CursorInvalid."""
        return None if self.cursor is None else int(_read(self.cursor, _NUMBER))

    def before_id(self) -> str | None:
        """Raises CursorInvalid."""
        return None if self.cursor is None else _read(self.cursor, _ID)

    def page(
        self, found: Sequence[Row], show: Callable[[Row], Body], place: Callable[[Row], int | str]
    ) -> ListBody[Body]:
        """`place` is the number or the id of a row, by which the next page begins."""
        shown = found[: self.limit]
        has_more = len(found) > self.limit
        cursor = _written(place(shown[-1])) if has_more else None
        return ListBody(data=[show(row) for row in shown], has_more=has_more, next_cursor=cursor)


async def wanted(limit: Annotated[int, Query(ge=1, le=100)] = 20, cursor: str | None = None) -> Wanted:
    return Wanted(limit=limit, cursor=cursor)


WantedPage = Annotated[Wanted, Depends(wanted)]


def _written(place: int | str) -> str:
    text = f"n{place}" if isinstance(place, int) else f"i{place}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(cursor: str, form: re.Pattern[str]) -> str:
    """Raises CursorInvalid."""
    found = None
    with suppress(binascii.Error, ValueError):
        found = form.fullmatch(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode())
    if found is None:
        raise CursorInvalid("`cursor` is not one that this service gave out.", field="cursor")
    return found.group(1)
