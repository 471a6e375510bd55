"""XLSX workbooks as rows of texts: the first sheet, after a look for what would fill the memory.

A number that a cell shows as per cent is a text with the sign: 12.5%, not 0.125.
"""

import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time
from decimal import Decimal
from typing import IO, Any
from xml.parsers import expat

import python_calamine

from portfolios import cell_formats
from portfolios.file_messages import FileRefused

MAGIC = b"PK\x03\x04"
LARGEST_SHEET_ROWS = 100_000
_LARGEST_CONTENT_BYTES = 512 << 20
_MOST_CELLS = 12_000_000
_BLOCK_BYTES = 1 << 20
_LONGEST_REFERENCE = 40
_CELL = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]{1,3})([0-9]{1,7})["']""")
# What zipfile raises for damaged, encrypted or unusually packed files, and calamine for others.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    RuntimeError,
    python_calamine.CalamineError,
    OSError,
    ValueError,
    IndexError,
    expat.ExpatError,
)


class Workbook:
    """The first sheet of a workbook."""

    def __init__(self, file: IO[bytes]):
        self.size_bytes = file.seek(0, 2)
        file.seek(0)
        try:
            _demand_moderate(file)
            file.seek(0)
            sheet = python_calamine.CalamineWorkbook.from_filelike(file).get_sheet_by_index(0)
            with zipfile.ZipFile(file) as archive:
                self._percents = cell_formats.percent_cells(
                    archive, most_rows=LARGEST_SHEET_ROWS + 1
                )
        except _UNREADABLE as error:
            raise FileRefused("UNREADABLE_FILE", row=1) from error
        self._last_row = sheet.end[0] + 1 if sheet.end else 0
        if self._last_row > LARGEST_SHEET_ROWS + 1:
            raise FileRefused("TOO_MANY_ROWS", rows=f"{LARGEST_SHEET_ROWS:,}")
        self._sheet = sheet
        self._rows_read = 0

    @property
    def bytes_read(self) -> int:
        """How much of the file the rows read so far stand for."""
        return self.size_bytes * self._rows_read // max(1, self._last_row)

    def rows(self) -> Iterator[list[str]]:
        """The rows from the first one on, filled or not, all equally long."""
        # The rows begin at the first one, but at the first column in which anything stands.
        left = self._sheet.start[1] if self._sheet.start else 0
        for row in self._sheet.iter_rows():
            mask = self._percents.get(self._rows_read, 0) >> left & ~(-1 << len(row))
            self._rows_read += 1
            texts = [*map(text_of, row)]
            for place in range(mask.bit_length()):
                cell = row[place]
                if mask >> place & 1 and isinstance(cell, float):
                    texts[place] = _percent_text(cell)
            yield texts


def text_of(cell: Any) -> str:
    """A cell as text: days in ISO 8601, whole numbers without `.0`, other numbers with at most 15
    digits, `true` and `false`.
    """
    match cell:
        case str():
            return cell
        case float():
            # As many digits as spreadsheets show: 0.1 + 0.2 is 0.3 there.
            return str(int(cell)) if cell.is_integer() else format(Decimal(f"{cell:.15g}"), "f")
        case bool():
            return "true" if cell else "false"
        case int():
            return str(cell)
        case datetime() if cell.time() == time():
            return cell.date().isoformat()
        case datetime():
            return cell.isoformat(sep=" ", timespec="seconds")
        case date() | time():
            return cell.isoformat()
    return str(cell)


def _percent_text(cell: float) -> str:
    """A number that is shown as per cent, with the sign, so that nobody takes it for a fraction."""
    shown = Decimal(f"{cell:.15g}").scaleb(2).normalize()
    return f"{shown:f}%"


def _demand_moderate(file: IO[bytes]) -> None:
    """Refuse a workbook that grows too large: `WORKBOOK_TOO_LARGE`, `TOO_MANY_ROWS`.

    The sizes that it declares are summed up first, then held to while it is unpacked: Python's
    zipfile gives no more than was declared, and checks the sum of what it gave. A single cell far
    below and to the right would make the sheet as large as its area, so the largest are looked
    for as well.
    """
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if sum(member.file_size for member in members) > _LARGEST_CONTENT_BYTES:
            raise FileRefused("WORKBOOK_TOO_LARGE")
        for member in members:
            rows, columns = _extent(archive, member)
            if rows > LARGEST_SHEET_ROWS + 1:
                raise FileRefused("TOO_MANY_ROWS", rows=f"{LARGEST_SHEET_ROWS:,}")
            if rows * columns > _MOST_CELLS:
                raise FileRefused("WORKBOOK_TOO_LARGE")


def _extent(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> tuple[int, int]:
    """The largest row and column to which a cell of this part of the workbook refers."""
    rows, names = 0, {b""}
    before = b""
    with archive.open(member) as part:
        while block := part.read(_BLOCK_BYTES):
            found = _CELL.findall(before + block)
            names.update({name for name, _ in found})
            rows = max(rows, max((int(row) for _, row in found), default=0))
            before = block[-_LONGEST_REFERENCE:]
    return rows, max(cell_formats.column_number(name.decode()) + 1 for name in names)
