"""Control totals of a file: what its sender, or its own last row, says that it holds."""

import dataclasses

from django.utils.translation import gettext_lazy as _

from config import errors
from portfolios.models import LoanImport


@dataclasses.dataclass(frozen=True)
class Totals:
    """Control totals that the sender of a file gave with it; None where none was given."""

    rows: int | None = None
    balance_minor: int | None = None


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
