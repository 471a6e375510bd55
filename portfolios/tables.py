"""Any table as a stream: CSV of any usual encoding and delimiter, or the first sheet of an XLSX.

What is wrong with the whole file raises `FileRefused` when the reading comes to it; what is wrong
with the shape of a row stands in its batch. Rows are numbered as a spreadsheet shows them: the
header is row 1.
"""

import csv
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO

from portfolios import rejected_rows, text_files, workbooks
from portfolios.file_messages import FileRefused, RowError, row_error

BATCH_ROWS = 2000
MOST_COLUMNS = 1000
TRAILER_WORDS = frozenset(
    "trailer trl total totals sum grandtotal 合计 总计 共计 汇总 尾记录".split()
)
_FIGURE = re.compile(r"-?[0-9][0-9.,' ]*")


@dataclass(slots=True)
class Batch:
    """Some rows of a table. `rows` are stripped cells, as many as the header has.

    Ragged rows are only in `ragged` (row number → cells as they came) and `problems`.
    `bytes_read` says how far the reading is in the file; it never falls.
    """

    numbers: list[int]
    rows: list[list[str]]
    problems: list[RowError] = field(default_factory=list)
    ragged: dict[int, list[str]] = field(default_factory=dict)
    bytes_read: int = 0


class Table:
    """A table with a header; `open_table` makes it.

    `columns` are the names in the header, `encoding` is one of Python's names, `delimiter` is
    empty for a workbook. `trailer`, known once `batches` is at its end, is (row number, cells) of
    a last row such as `TOTAL,1000,12345.67`, which is none of the rows.
    """

    def __init__(
        self,
        source: text_files.Text | workbooks.Workbook,
        rows: Iterator[list[str]],
        *,
        encoding: str = "",
        delimiter: str = "",
    ):
        self._source = source
        self._rows = rows
        self._pending: list[list[str]] = []
        self._next_row = 1
        self.encoding = encoding
        self.delimiter = delimiter
        self.trailer: tuple[int, list[str]] | None = None
        self.columns = self._header()
        self._is_corrected = rejected_rows.ERROR_COLUMN in self.columns
        if self._is_corrected:
            self.columns = [*map(rejected_rows.unescaped, self.columns)]

    def sample(self, n: int = 20) -> list[list[str]]:
        """The first `n` rows, blank and ragged ones left out; `batches` still gives them."""
        while True:
            numbers = range(len(self._pending))
            filled = self._filled(list(numbers), self._pending)[1]
            rows = [row for row in filled if len(row) == len(self.columns)]
            if len(rows) > n:
                return rows[:n]
            if not self._fetch(n + 1):
                if rows and is_trailer(rows[-1]):
                    rows.pop()
                return rows[:n]

    def batches(self, rows: int = BATCH_ROWS, *, after_row: int = 1) -> Iterator[Batch]:
        """The rows beyond number `after_row`, at most `rows` at a time; to be called once."""
        before = None
        for chunk in self._chunks(rows, after_row):
            # Whether a row is the last one is known only when there is no other.
            if before and before[0][-1] > after_row:
                yield self._batch(*before, after_row)
            before = chunk
        if before is None:
            return
        numbers, cells, bytes_read = before
        if is_trailer(cells[-1]):
            self.trailer = numbers.pop(), cells.pop()
        if numbers and numbers[-1] > after_row:
            yield self._batch(numbers, cells, bytes_read, after_row)

    def _header(self) -> list[str]:
        while self._fetch(1):
            header = [cell.strip() for cell in self._pending.pop()]
            self._next_row += 1
            if any(header):
                return header
        raise FileRefused("EMPTY_FILE")

    def _fetch(self, count: int) -> bool:
        """Read up to `count` more rows into `_pending`; whether there was one."""
        known = len(self._pending)
        try:
            self._pending.extend(itertools.islice(self._rows, count))
        except csv.Error as error:
            row = self._next_row + len(self._pending)
            raise FileRefused("UNREADABLE_FILE", row=row) from error
        except FileRefused as error:
            error.row = self._next_row + len(self._pending)
            raise
        return len(self._pending) > known

    def _chunks(
        self, count: int, after_row: int
    ) -> Iterator[tuple[list[int], list[list[str]], int]]:
        """(numbers, stripped cells, bytes read) of the rows that are not blank.

        Of chunks that end at `after_row` only the last row is given, which may be a trailer.
        """
        while True:
            if len(self._pending) < count:
                self._fetch(count - len(self._pending))
            raw, self._pending = self._pending[:count], self._pending[count:]
            if not raw:
                return
            first = self._next_row
            self._next_row += len(raw)
            if self._next_row - 1 <= after_row:
                while raw and not any(map(str.strip, raw[-1])):
                    raw.pop()
                first, raw = first + len(raw) - 1, raw[-1:]
            numbers, rows = self._filled(list(range(first, first + len(raw))), raw)
            if rows:
                yield numbers, rows, self._source.bytes_read

    def _filled(
        self, numbers: list[int], raw: list[list[str]]
    ) -> tuple[list[int], list[list[str]]]:
        """The rows that are not blank, stripped, as long as they are or, if of a workbook, as the
        header."""
        rows = [[*map(str.strip, row)] for row in raw]
        if self._is_corrected:
            rows = [[*map(rejected_rows.unescaped, row)] for row in rows]
        if not self.delimiter:
            rows = [_without_blank_end(row, len(self.columns)) for row in rows]
        if all(row and row[0] for row in rows):
            return numbers, rows
        there = [any(row) for row in rows]
        return list(itertools.compress(numbers, there)), list(itertools.compress(rows, there))

    def _batch(
        self, numbers: list[int], rows: list[list[str]], bytes_read: int, after_row: int
    ) -> Batch:
        if numbers[0] <= after_row:
            start = next(i for i, number in enumerate(numbers) if number > after_row)
            numbers, rows = numbers[start:], rows[start:]
        width = len(self.columns)
        batch = Batch(numbers, rows, bytes_read=bytes_read)
        if set(map(len, rows)) != {width}:
            batch.numbers, batch.rows = [], []
            for number, row in zip(numbers, rows, strict=True):
                if len(row) == width:
                    batch.numbers.append(number)
                    batch.rows.append(row)
                    continue
                batch.ragged[number] = row
                params = {"expected": width, "given": len(row)}
                error = row_error(number, "", str(len(row)), "WRONG_COLUMN_COUNT", params)
                batch.problems.append(error)
        return batch


def open_table(file: IO[bytes], *, required: Iterable[str] = (), delimiter: str = "") -> Table:
    """The table in a file that can seek; `delimiter` is found out where it is not given.

    Raises `EMPTY_FILE`, `WRONG_ENCODING`, `UNREADABLE_FILE`, `TOO_MANY_ROWS`,
    `WORKBOOK_TOO_LARGE`, `TOO_MANY_COLUMNS`, `MISSING_COLUMNS` (of `required`),
    `DUPLICATE_COLUMNS`; what comes later in the file is raised by `sample` and `batches`.
    """
    required = list(required)
    magic = file.read(len(workbooks.MAGIC))
    file.seek(-len(magic), 1)
    if magic == workbooks.MAGIC:
        workbook = workbooks.Workbook(file)
        table = Table(workbook, workbook.rows())
        while table.columns and not table.columns[-1]:
            table.columns.pop()
    else:
        text = text_files.Text(file)
        delimiter = delimiter or text_files.delimiter_of(text.first_lines(), required)
        reader = csv.reader(text.lines(), delimiter=delimiter, strict=True)
        table = Table(text, reader, encoding=text.encoding, delimiter=delimiter)
    if len(table.columns) > MOST_COLUMNS:
        raise FileRefused("TOO_MANY_COLUMNS", row=1, columns=f"{MOST_COLUMNS:,}")
    demand_columns(table.columns, required)
    counts = Counter(filter(None, table.columns))
    repeated = sorted(name for name, count in counts.items() if count > 1)
    if repeated:
        raise FileRefused("DUPLICATE_COLUMNS", row=1, columns=", ".join(repeated))
    return table


def demand_columns(columns: list[str], required: Iterable[str]) -> None:
    """Refuse a header without one of the `required` columns: `MISSING_COLUMNS`."""
    missing = [name for name in dict.fromkeys(required) if name not in columns]
    if missing:
        raise FileRefused("MISSING_COLUMNS", row=1, columns=", ".join(missing))


def is_trailer(cells: list[str]) -> bool:
    """Whether a row is a word such as `TOTAL`, then one or two figures and nothing else."""
    word, *others = cells
    if word.casefold().strip(":： ").replace(" ", "") not in TRAILER_WORDS:
        return False
    figures = [cell for cell in others if cell]
    return 1 <= len(figures) <= 2 and all(map(_FIGURE.fullmatch, figures))


def _without_blank_end(row: list[str], width: int) -> list[str]:
    """A workbook's row without the blank cells beyond the header: its sheet is a rectangle."""
    if len(row) > width and not any(row[width:]):
        return row[:width]
    return row
