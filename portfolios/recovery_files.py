"""Reading an agency's file of payments, one row at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import IO

from portfolios import cells, table_rows
from portfolios.file_messages import FileRefused, RowError
from portfolios.table_rows import Row

COLUMNS = ("loan_reference", "payment_reference", "amount", "currency", "value_date", "channel")
DATE_FORMATS = ("%Y-%m-%d",)


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
    """The payments of a table with the columns `COLUMNS`, and the errors in its rows.

    A column `institution` may say of which bank the loan is, where two use the same reference.
    Amounts have a decimal point and no more decimals than their currency; dates are ISO 8601 and
    none is after `as_of`; a channel is one of `channels`. Raises as `tables.open_table`.
    """
    for row in table_rows.read(file, required=COLUMNS):
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
            raise FileRefused("UNKNOWN_CHOICE", choices=", ".join(sorted(channels)))
        return name

    loan_reference = row.take("loan_reference", cells.reference_text)
    reference = row.take("payment_reference", cells.reference_text)
    currency = row.take("currency", cells.iso_currency)
    amount_minor = currency and row.take(
        "amount", lambda text: cells.signed_amount_minor(cells.number(text), currency)
    )
    value_on = row.take("value_date", lambda text: cells.day(text, DATE_FORMATS, as_of=as_of))
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
