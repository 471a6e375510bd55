"""Which rows of a batch are good, and the others with what is wrong in each."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from portfolios.file_messages import row_error
from portfolios.table_reader import Read
from portfolios.tables import Batch


class GoodRows:
    """The good rows' `numbers` and `cells`; of the bad ones `problems` and `rejected`, in order.

    `rejected` are (row number, cells as they came, all messages in one text); `rows_read` counts
    good and bad, `last_row` is the number of the last one.
    """

    def __init__(self, batch: Batch, read: Read):
        bad = {batch.numbers[index]: blames for index, blames in read.wrong.items()}
        self._is_good = [number not in bad for number in batch.numbers] if bad else None
        self.numbers: list[int] = self._only(batch.numbers)
        self.cells: list[list[str]] = self._only(batch.rows)
        self.rows_read = len(batch.numbers) + len(batch.ragged)
        self.last_row = max([*batch.numbers[-1:], *batch.ragged])
        self.problems = list(batch.problems)
        for number, blames in bad.items():
            for column, value, reason in blames:
                error = row_error(number, column, value, reason.code, reason.params)
                self.problems.append(error)
        self.problems.sort(key=lambda problem: problem.row)
        self.rejected = self._rejected(batch) if self.problems else []

    def only(self, columns: Mapping[str, Sequence[Any]]) -> dict[str, Any]:
        """The columns of all rows without the bad rows."""
        if self._is_good is None:
            return dict(columns)
        return {name: self._only(values) for name, values in columns.items()}

    def _only(self, values: Sequence[Any]) -> list[Any]:
        if self._is_good is None:
            return list(values)
        return list(itertools.compress(values, self._is_good))

    def _rejected(self, batch: Batch) -> list[tuple[int, list[str], str]]:
        messages: dict[int, list[str]] = {}
        for problem in self.problems:
            where = f"{problem.column}: " if problem.column else ""
            messages.setdefault(problem.row, []).append(f"{where}{problem.message}")
        cells = {**dict(zip(batch.numbers, batch.rows, strict=True)), **batch.ragged}
        return [(number, cells[number], "; ".join(told)) for number, told in messages.items()]
