"""From our values to rows, and inserts that give way to what is there."""

from collections.abc import Mapping
from dataclasses import fields
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, Table, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from storage.database import Connection

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def row_of(value: "DataclassInstance") -> Mapping[str, object]:
    """Every member under its name, unlike `asdict` without going into them."""
    return {field.name: getattr(value, field.name) for field in fields(value)}


def is_older(table: Table, id: str) -> ColumnElement[bool]:
    """Rows that come behind the one called `id` where the newest is first; none where there is no such row."""
    last = table.alias("last")
    place = select(last.c.created_at, last.c.id).where(last.c.id == id).scalar_subquery()
    return tuple_(table.c.created_at, table.c.id) < place


def careful_insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT."""
    return insert_for(connection.dialect.name, table)


def insert_for(dialect: str, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Both databases spell ON CONFLICT alike; SQLAlchemy keeps them apart."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)
