"""Reading the bank's receipts, one row at a time, by the conventions of `loan_files`."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import IO

from config import errors, money
from portfolios import loan_files
from portfolios.loan_files import Row, RowError

COLUMNS = ("receipt_reference", "loan_reference", "amount", "currency", "value_date")
LARGEST_RECEIPT_MINOR = loan_files.LARGEST_BALANCE_MINOR


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
    """The receipts of a CSV file with the columns `COLUMNS`, and the errors in its rows.

    Amounts have a decimal point and no more decimals than their currency; dates are ISO 8601 and
    none is after `as_of`, today where the bank is. Raises as `loan_files.open_table`.
    """
    seen: dict[str, int] = {}
    for row in loan_files.open_table(file, required=COLUMNS):
        if isinstance(row, RowError):
            yield row
            continue
        receipt = _receipt(row, as_of=as_of, seen=seen)
        yield from [receipt] if receipt else row.problems


def _receipt(row: Row, *, as_of: date, seen: dict[str, int]) -> ReceiptRow | None:
    """The receipt of a row, or None with `row.problems` filled."""
    reference = row.take(
        "receipt_reference",
        lambda text: loan_files.unique(loan_files.reference_text(text), row.number, seen),
    )
    loan_reference = row.take("loan_reference", loan_files.reference_text)
    currency = row.take("currency", _currency)
    amount_minor = currency and row.take("amount", lambda text: _amount(text, currency))
    value_on = row.take("value_date", lambda text: loan_files.past_date(text, ("%Y-%m-%d",), as_of))
    if row.problems:
        return None
    return ReceiptRow(row.number, reference, loan_reference, amount_minor, currency, value_on)


def _currency(text: str) -> str:
    money.exponent(loan_files.present(text))
    return text


def _amount(text: str, currency: str) -> int:
    amount_minor = money.parse_amount(loan_files.present(text), currency)
    if amount_minor <= 0:
        raise errors.InvalidInput("NOT_POSITIVE", "A receipt is an amount above zero.")
    if amount_minor > LARGEST_RECEIPT_MINOR:
        raise errors.InvalidInput("AMOUNT_TOO_LARGE", "No receipt is as large as this.")
    return amount_minor
