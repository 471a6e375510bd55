"""Reading the bank's receipts, one row at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import IO

from portfolios import cells, table_rows
from portfolios.file_messages import FileRefused, RowError
from portfolios.table_rows import Row

COLUMNS = ("receipt_reference", "loan_reference", "amount", "currency", "value_date")
DATE_FORMATS = ("%Y-%m-%d",)
LARGEST_RECEIPT_MINOR = cells.LARGEST_BALANCE_MINOR


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """One receipt of a file: money that came in for a loan."""

    row: int
    receipt_reference: str
    loan_reference: str
    amount_minor: int
    currency: str
    value_on: date


def read(file: IO[bytes], *, as_of: date) -> Iterator[ReceiptRow | RowError]:
    """The receipts of a table with the columns `COLUMNS`, and the errors in its rows.

    Amounts have a decimal point and no more decimals than their currency; dates are ISO 8601 and
    none is after `as_of`, today where the bank is. Raises as `tables.open_table`.
    """
    seen: dict[str, int] = {}
    for row in table_rows.read(file, required=COLUMNS):
        if isinstance(row, RowError):
            yield row
            continue
        receipt = _receipt(row, as_of=as_of, seen=seen)
        yield from [receipt] if receipt else row.problems


def _receipt(row: Row, *, as_of: date, seen: dict[str, int]) -> ReceiptRow | None:
    """The receipt of a row, or None with `row.problems` filled."""
    reference = row.take(
        "receipt_reference",
        lambda text: table_rows.unique(cells.reference_text(text), row.number, seen),
    )
    loan_reference = row.take("loan_reference", cells.reference_text)
    currency = row.take("currency", cells.iso_currency)
    amount_minor = currency and row.take("amount", lambda text: _amount(text, currency))
    value_on = row.take("value_date", lambda text: cells.day(text, DATE_FORMATS, as_of=as_of))
    if row.problems:
        return None
    return ReceiptRow(row.number, reference, loan_reference, amount_minor, currency, value_on)


def _amount(text: str, currency: str) -> int:
    amount_minor = cells.signed_amount_minor(cells.number(text), currency)
    if amount_minor <= 0:
        raise FileRefused("NOT_POSITIVE")
    if amount_minor > LARGEST_RECEIPT_MINOR:
        raise FileRefused("AMOUNT_TOO_LARGE")
    return amount_minor
