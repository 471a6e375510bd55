"""Reading an agency's file of payments, one row at a time, by the conventions of `loan_files`."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import IO

from config import errors, money
from portfolios import loan_files
from portfolios.loan_files import Row, RowError

COLUMNS = ("loan_reference", "payment_reference", "amount", "currency", "value_date", "channel")


@dataclass(frozen=True, slots=True)
class RecoveryRow:
    """One payment of a file; `institution` is the short name of a bank, or empty."""

    row: int
    loan_reference: str
    reference: str
    amount_minor: int
    currency: str
    value_on: date
    channel: str
    institution: str


def read(
    file: IO[bytes], *, channels: frozenset[str], as_of: date
) -> Iterator[RecoveryRow | RowError]:
    """The payments of a CSV file with the columns `COLUMNS`, and the errors in its rows.

    A column `institution` may say of which bank the loan is, where two use the same reference.
    Amounts have a decimal point and no more decimals than their currency; dates are ISO 8601 and
    none is after `as_of`; a channel is one of `channels`. Raises as `loan_files.open_table`.
    """
    for row in loan_files.open_table(file, required=COLUMNS):
        if isinstance(row, RowError):
            yield row
            continue
        payment = _payment(row, channels, as_of)
        yield from [payment] if payment else row.problems


def _payment(row: Row, channels: frozenset[str], as_of: date) -> RecoveryRow | None:
    """The payment of a row, or None with `row.problems` filled."""

    def channel(text: str) -> str:
        name = text.lower().replace(" ", "_")
        if name not in channels:
            raise errors.InvalidInput(
                "UNKNOWN_CHOICE", f"A channel is one of {', '.join(sorted(channels))}."
            )
        return name

    def known(text: str) -> str:
        money.exponent(loan_files.present(text))
        return text

    loan_reference = row.take("loan_reference", loan_files.reference_text)
    reference = row.take("payment_reference", loan_files.reference_text)
    currency = row.take("currency", known)
    amount_minor = currency and row.take(
        "amount", lambda text: money.parse_amount(loan_files.present(text), currency)
    )
    value_on = row.take("value_date", lambda text: loan_files.past_date(text, ("%Y-%m-%d",), as_of))
    through = row.take("channel", channel)
    institution = row.cells.get("institution", "")
    if row.problems:
        return None
    return RecoveryRow(
        row.number,
        loan_reference,
        reference,
        amount_minor,
        currency,
        value_on,
        through,
        institution,
    )
