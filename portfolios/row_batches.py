"""Batches of a file's rows as columns, with what is wrong with the bad ones, and its trailer."""

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from portfolios.file_messages import RowError, row_error
from portfolios.mappings import Mapping
from portfolios.mappings.fields import FIELDS
from portfolios.table_reader import Reader
from portfolios.tables import Table

Refused = tuple[int, str, str, dict[str, Any]]
"""(place among the good rows, field that is to blame, code, params)."""


@dataclass(frozen=True, slots=True)
class Trailer:
    """The control totals of a file's last row; None for one that it does not give."""

    row: int
    count: int | None
    sum_minor: int | None


@dataclass(slots=True)
class RowBatch:
    """Some rows of a file.

    `columns` are the good rows' values by name, lists as long as `numbers`; who reads a kind of
    file says which. `cells` are the good rows as they came, as long as `numbers`; `rejected` are
    (row number, cells, messages in one text) of the bad rows. `rows_read` counts the good and bad
    rows of this batch, `last_row` is the number of the last one, `read_minor` is the sum of every
    amount that control totals are about and that could be read. `trailer` comes with the last
    batch.
    """

    numbers: list[int]
    cells: list[list[str]]
    columns: dict[str, list[Any]]
    last_row: int
    rows_read: int
    read_minor: int
    bytes_read: int
    problems: list[RowError] = field(default_factory=list)
    warnings: list[RowError] = field(default_factory=list)
    rejected: list[tuple[int, list[str], str]] = field(default_factory=list)
    trailer: Trailer | None = None

    def reject(self, refused: Sequence[Refused], mapping: Mapping) -> None:
        """Make bad rows of good ones, for what only the database knows; each is blamed once."""
        for place, name, code, params in refused:
            is_personal = FIELDS[mapping.kind][name].is_personal
            value = "" if is_personal else str(self.columns[name][place])
            column = mapping.column_of(name)
            problem = row_error(self.numbers[place], column, value, code, params)
            self.problems.append(problem)
            told = f"{column}: {problem.message}"
            self.rejected.append((problem.row, self.cells[place], told))
        self.problems.sort(key=lambda problem: problem.row)
        self.rejected.sort(key=lambda rejected: rejected[0])
        bad = {place for place, _name, _code, _params in refused}
        stays = [place not in bad for place in range(len(self.numbers))]
        self.numbers = list(itertools.compress(self.numbers, stays))
        self.cells = list(itertools.compress(self.cells, stays))
        self.columns = {
            name: list(itertools.compress(values, stays)) for name, values in self.columns.items()
        }


def with_trailer(
    batches: Iterable[RowBatch],
    table: Table,
    mapping: Mapping,
    reader: Reader,
    *,
    total_of: str,
    empty: RowBatch,
) -> Iterator[RowBatch]:
    """The batches of a table, its trailer in the last one, or in `empty` where there is none.

    A trailer's sum is that of the amounts of the field `total_of`.
    """
    held = None
    for batch in batches:
        if held is not None:
            yield held
        held = batch
    if table.trailer is not None:
        held = held or empty
        held.trailer = _trailer(*table.trailer, table, mapping, reader, total_of)
    if held is not None:
        yield held


def _trailer(
    row: int, texts: list[str], table: Table, mapping: Mapping, reader: Reader, total_of: str
) -> Trailer:
    """The figures after the trailer's word: the count, then the sum; one alone is the sum where it
    stands in the amount's column or is no whole number.
    """
    figures = [(place, text) for place, text in enumerate(texts) if place and text]
    place, total = figures[-1]
    count = re.sub("[^0-9.]", "", figures[0][1])
    is_sum = table.columns[place : place + 1] == [mapping.columns.get(total_of)]
    if len(figures) == 2:
        return Trailer(row, _count(count), reader.total_minor(total_of, total))
    if count.isdigit() and not is_sum:
        return Trailer(row, int(count), None)
    return Trailer(row, None, reader.total_minor(total_of, total))


def _count(text: str) -> int | None:
    return int(text) if text.isdigit() else None
