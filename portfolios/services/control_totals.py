"""Control totals of a file: what its sender, or its own last row, says that it holds."""

import dataclasses

from django.utils.translation import gettext_lazy as _

from config import errors
from portfolios.models import LoanImport
from portfolios.row_batches import RowBatch

COLUMN_OF = {
    LoanImport.Kind.LOANS: "balance_minor",
    LoanImport.Kind.MAINTENANCE: "amount_minor",
}
"""The column whose sum is told: what loans owe, or what was paid."""


@dataclasses.dataclass(frozen=True)
class Totals:
    """Control totals that the sender of a file gave with it; None where none was given.

    `sum_minor` is of the balances of loans, or of the amounts in a maintenance file.
    """

    rows: int | None = None
    sum_minor: int | None = None


def good_minor(loan_import: LoanImport, batch: RowBatch) -> int:
    """The sum over the good rows of a batch."""
    return sum(filter(None, batch.columns[COLUMN_OF[LoanImport.Kind(loan_import.kind)]]))


def differ(loan_import: LoanImport) -> bool:
    """Whether a checked file is not what its sender, or its own last row, says it is."""
    trailer = loan_import.report.get("trailer") or {}
    rows = {loan_import.expected_rows, trailer.get("count"), None}
    sums = {loan_import.expected_minor, trailer.get("sum_minor"), None}
    found_minor = loan_import.report.get("read_minor")
    return not (rows <= {None, loan_import.rows_read} and sums <= {None, found_minor})


def demand(loan_import: LoanImport) -> None:
    """Raise `TOTALS_DIFFER` where a checked file is not what it is said to be."""
    if differ(loan_import):
        raise errors.InvalidInput(
            "TOTALS_DIFFER",
            _("The rows or their sum are not what was announced, so nothing can be imported."),
            field="file",
        )
