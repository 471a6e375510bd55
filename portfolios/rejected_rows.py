"""The rows of a file that were left out, as they came, with what is wrong in each."""

import csv
import io
import re
from collections.abc import Iterable

ERROR_COLUMN = "error"
_FORMULA = re.compile(r"'*[=+\-@＝＋－＠]")
_ESCAPED = re.compile(r"''*[=+\-@＝＋－＠]")
_NUMBER = re.compile(r"[+-]?[0-9][0-9.,]*%?")


def write(
    rows: Iterable[tuple[int, list[str], str]],
    *,
    columns: list[str],
    delimiter: str,
    header: bool = True,
) -> str:
    """`rows` of `LoanBatch.rejected` as CSV text with the file's columns and one more, `error`.

    Without `header` it continues what was written before. An empty `delimiter` (a workbook's) is
    a comma. A text that a spreadsheet would take for a formula gets an apostrophe in front, which
    is taken away when a file with a column `error` is read: once put right, the result can be
    read as it is.
    """
    kept = [index for index, name in enumerate(columns) if name != ERROR_COLUMN]
    written = io.StringIO()
    writer = csv.writer(written, delimiter=delimiter or ",", lineterminator="\r\n")
    if header:
        writer.writerow([*(_escaped(columns[index]) for index in kept), ERROR_COLUMN])
    for _number, cells, told in rows:
        padded = cells + [""] * (len(columns) - len(cells))
        own, beyond = [padded[index] for index in kept], padded[len(columns) :]
        writer.writerow([*map(_escaped, [*own, told, *beyond])])
    return written.getvalue()


def unescaped(cell: str) -> str:
    """The cell as it was before `write` put an apostrophe in front of it, if it did."""
    return cell[1:] if _ESCAPED.match(cell) else cell


def _escaped(cell: str) -> str:
    return "'" + cell if _FORMULA.match(cell) and not _NUMBER.fullmatch(cell) else cell
