"""Small files of fixed columns, row by row: cells are taken one by one, what is wrong gathers."""

from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

from portfolios.file_messages import FileRefused, RowError, row_error
from portfolios.tables import open_table


class Row:
    """The cells of one row by column; what is wrong gathers in `problems`."""

    def __init__(self, number: int, cells: dict[str, str]):
        self.number = number
        self.cells = cells
        self.problems: list[RowError] = []

    def take(self, column: str, parse: Callable[[str], Any]) -> Any:
        """`parse` of the cell; None, and one more problem, where it refuses."""
        text = self.cells[column]
        try:
            return parse(text)
        except FileRefused as error:
            problem = row_error(self.number, column, text, error.code, error.params)
            self.problems.append(problem)
            return None


def read(file: IO[bytes], *, required: Iterable[str]) -> Iterator[Row | RowError]:
    """The rows of a table in their order; a ragged one is an error.

    Raises what `tables.open_table` does.
    """
    table = open_table(file, required=required)
    for batch in table.batches():
        problems = {problem.row: problem for problem in batch.problems}
        rows = {
            number: Row(number, dict(zip(table.columns, cells, strict=True)))
            for number, cells in zip(batch.numbers, batch.rows, strict=True)
        }
        for number in sorted([*problems, *rows]):
            yield problems.get(number) or rows[number]


def unique(reference: str, row: int, seen: dict[str, int]) -> str:
    """The reference, kept in `seen`; `DUPLICATE_REFERENCE` if an earlier row has it."""
    first = seen.setdefault(reference, row)
    if first != row:
        raise FileRefused("DUPLICATE_REFERENCE", row=row, first=first)
    return reference
