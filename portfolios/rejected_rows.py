"""The rows of a file that were left out, as they came, with what is wrong in each."""

import csv
import io
import itertools
from collections.abc import Iterable

from portfolios import loan_files
from portfolios.loan_files import RowError

ERROR_COLUMN = "error"


def write(text: str, problems: Iterable[RowError], *, required: Iterable[str]) -> str:
    """CSV with the file's own columns and delimiter, and one more, `error`.

    `text` is a file that `loan_files.read` has read to its end and `problems` what it found; rows
    are matched by their number. Once put right, the result can be read as it is.
    """
    wrong: dict[int, list[str]] = {}
    for problem in problems:
        where = f"{problem.column}: " if problem.column else ""
        wrong.setdefault(problem.row, []).append(f"{where}{problem.message}")
    text = text.removeprefix("\ufeff")
    delimiter = loan_files.delimiter_of(text.partition("\n")[0], required)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    header = next(rows)
    written = io.StringIO()
    writer = csv.writer(written, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow([*header, ERROR_COLUMN])
    for number, values in zip(itertools.count(2), rows, strict=False):
        if number in wrong:
            missing = [""] * (len(header) - len(values))
            own, beyond = values[: len(header)], values[len(header) :]
            writer.writerow([*own, *missing, "; ".join(wrong[number]), *beyond])
    return written.getvalue()
