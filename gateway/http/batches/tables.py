"""Tables as RFC 4180 has them and as spreadsheets write them. Pure.

Spreadsheets put a `sep=` line or blank lines before the header, leave columns without a name, fill rows with empty
cells, separate by semicolons or tabs, and save text as UTF-16.
"""

import codecs
import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from gateway.http.edge.refusals import FileInvalid

BOM = codecs.BOM_UTF8
DELIMITERS = (",", ";", "\t")
SEPARATOR_LINE = "sep="


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """`number` counts from 1, blank lines included, as a spreadsheet shows it."""

    number: int
    cells: Sequence[str]

    def misfit(self, header: Sequence[str]) -> str | None:
        """Why the row does not fit under the header; None: it does."""
        needed = max((place for place, name in enumerate(header, start=1) if name), default=0)
        if len(self.cells) < needed:
            return f"Row {self.number} has {len(self.cells)} cells, and the header {needed}."
        for place, cell in enumerate(self.cells):
            if cell.strip() and (place >= len(header) or not header[place]):
                return f"Row {self.number} has {cell[:40]!r} in column {place + 1}, which has no name in the header."
        return None


def rows_of(content: bytes) -> Iterator[Row]:
    """Every row with any text in it; the first is the header.

    Raises:
        FileInvalid: the bytes are no text, or quotes do not match.
    """
    text = _text_of(content)
    delimiter, text, skipped = _delimiter_of(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield Row(number=reader.line_num + skipped, cells=cells)
    except csv.Error as wrong:
        raise FileInvalid(f"The file is not valid CSV: {wrong} (line {reader.line_num + skipped}).") from None


def _text_of(content: bytes) -> str:
    is_utf16 = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    try:
        return content.decode("utf-16" if is_utf16 else "utf-8-sig")
    except UnicodeDecodeError as wrong:
        raise FileInvalid(
            f"The file is not UTF-8: byte {wrong.start} is no part of a character. Spreadsheets call it `CSV UTF-8`."
        ) from None


def _delimiter_of(text: str) -> tuple[str, str, int]:
    """What separates cells, the text from its first row on, and how many lines were left out before it."""
    first, _, rest = text.partition("\n")
    if first.strip().lower().startswith(SEPARATOR_LINE) and len(first.strip()) == len(SEPARATOR_LINE) + 1:
        return first.strip()[-1], rest, 1
    header = next((line for line in text.splitlines() if line.strip()), "")
    unquoted = "".join(header.split('"')[::2])
    return max(DELIMITERS, key=unquoted.count), text, 0
