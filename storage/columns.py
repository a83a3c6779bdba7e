"""How our values lie in columns, and the database's own clock."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, TypeVar

from sqlalchemy import BigInteger, Dialect, Integer, Text
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

# SQLite gives out row numbers only in a column it calls INTEGER.
RowNumber = BigInteger().with_variant(Integer, "sqlite")

Choice = TypeVar("Choice", bound=StrEnum)


class Moment(TypeDecorator[datetime]):
    """An aware datetime as whole milliseconds since the epoch, UTC; what is finer is cut off."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else (value - EPOCH) // MILLISECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else EPOCH + value * MILLISECOND


class Word(TypeDecorator[Choice]):
    """One member of a `StrEnum` as its own text."""

    impl = Text
    cache_ok = True

    def __init__(self, choices: type[Choice]) -> None:
        super().__init__()
        self.choices = choices

    def process_bind_param(self, value: Choice | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else self.choices(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> Choice | None:  # noqa: ARG002
        return None if value is None else self.choices(value)


class Words(TypeDecorator[frozenset[str]]):
    """A set of words as text, sorted, with blanks between; no word may hold a blank."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: frozenset[str] | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else " ".join(sorted(value))

    def process_result_value(self, value: str | None, dialect: Dialect) -> frozenset[str] | None:  # noqa: ARG002
        return None if value is None else frozenset(value.split())


class DatabaseTime(FunctionElement[datetime]):
    """Now by the database's clock, plus the milliseconds given; the same for every process that asks."""

    type = Moment()
    inherit_cache = True

    def __init__(self, *, after_ms: int = 0) -> None:
        super().__init__(after_ms)


@compiles(DatabaseTime, "sqlite")
def _sqlite_time(element: DatabaseTime, compiler: SQLCompiler, **options: Any) -> str:
    now = "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"
    return f"({now} + {compiler.process(element.clauses, **options)})"


@compiles(DatabaseTime, "postgresql")
def _postgresql_time(element: DatabaseTime, compiler: SQLCompiler, **options: Any) -> str:
    now = "CAST(FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000) AS BIGINT)"
    return f"({now} + {compiler.process(element.clauses, **options)})"
