"""Which files and pixels we have delivered: looked up by their hashes alone, whoever they were for."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, or_, select

from models import ImageFormat
from storage.database import Connection
from storage.generation import State
from storage.tables import generations, pictures


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A picture of ours, and nothing of whom it was made for or what was asked."""

    width: int
    height: int
    format: ImageFormat
    created_at: datetime


async def made_file(connection: Connection, file_sha256: str) -> Made | None:
    """The file with these bytes."""
    return await _first(connection, pictures.c.file_sha256 == file_sha256)


async def made_pixels(connection: Connection, pixel_sha256: str) -> Made | None:
    """The picture with these RGB bytes, with its marks or before them."""
    c = pictures.c
    return await _first(connection, or_(c.delivered_sha256 == pixel_sha256, c.pixel_sha256 == pixel_sha256))


async def _first(connection: Connection, is_it: ColumnElement[bool]) -> Made | None:
    p, g = pictures.c, generations.c
    query = (
        select(p.width, p.height, p.format, g.created_at)
        .join_from(pictures, generations, p.generation_id == g.id)
        .where(is_it, g.state == State.COMPLETED)
        .order_by(g.number)
        .limit(1)
    )
    row = (await connection.execute(query)).mappings().one_or_none()
    return None if row is None else Made(**row)
