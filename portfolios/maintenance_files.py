"""Reading maintenance files: the bank's daily news of its loans, by loan reference."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from portfolios.columns import Bad
from portfolios.file_messages import RowError
from portfolios.good_rows import GoodRows
from portfolios.mappings import Mapping
from portfolios.mappings.fields import CURRENCY, FIELDS, MAINTENANCE
from portfolios.table_reader import Read, Reader, target_of
from portfolios.tables import BATCH_ROWS, Batch, Table

CONTACT_FIELDS = ("name", "phone", "email", "address")


@dataclass(slots=True)
class MaintenanceBatch:
    """Some rows of a maintenance file; see `loan_files.LoanBatch`.

    `columns`: `reference` str, `event` one of `mappings.events.EVENTS`, `amount_minor` int or
    None, `value_on` date, `balance_minor` int or None, `name`, `phone`, `email`, `address`,
    `note` str.
    """

    numbers: list[int]
    columns: dict[str, list[Any]]
    last_row: int
    rows_read: int
    bytes_read: int
    problems: list[RowError] = field(default_factory=list)
    rejected: list[tuple[int, list[str], str]] = field(default_factory=list)


def read(
    table: Table,
    mapping: Mapping,
    *,
    currency: str,
    as_of: date,
    batch_rows: int = BATCH_ROWS,
    after_row: int = 1,
) -> Iterator[MaintenanceBatch]:
    """The news in a table whose mapping is of the kind `maintenance`.

    A day that is not given is `as_of`. A direct payment needs its amount, a balance the balance, a
    contact something new about the person. Raises as `loan_files.read`.
    """
    reader = Reader(mapping, table, currency=currency, as_of=as_of)
    for batch in table.batches(batch_rows, after_row=after_row):
        yield _news(batch, reader, mapping, as_of)


def _news(batch: Batch, reader: Reader, mapping: Mapping, as_of: date) -> MaintenanceBatch:
    read = reader.read(batch.rows)
    columns = {
        target_of(field): read.values.get(target_of(field)) or [field.default] * len(batch.rows)
        for field in FIELDS[MAINTENANCE].values()
        if field.kind != CURRENCY
    }
    columns["value_on"] = [day or as_of for day in columns["value_on"]]
    _check_events(read, columns, mapping)
    good = GoodRows(batch, read)
    return MaintenanceBatch(
        numbers=good.numbers,
        columns=good.only(columns),
        last_row=good.last_row,
        rows_read=good.rows_read,
        bytes_read=batch.bytes_read,
        problems=good.problems,
        rejected=good.rejected,
    )


def _check_events(read: Read, columns: dict[str, list[Any]], mapping: Mapping) -> None:
    """Each event comes with what it needs."""
    sources = {field.name: source for field, source in mapping.sources()}
    for index, event in enumerate(columns["event"]):
        if index in read.wrong:
            continue
        amount_minor = columns["amount_minor"][index]
        if event == "direct_payment" and not amount_minor:
            code = "MISSING_VALUE" if amount_minor is None else "NOT_POSITIVE"
            read.blame(index, sources.get("amount", "amount"), "", Bad(code, {}))
        elif event == "balance" and columns["balance_minor"][index] is None:
            read.blame(index, sources.get("balance", "balance"), "", Bad("MISSING_VALUE", {}))
        elif event == "contact" and not any(columns[name][index] for name in CONTACT_FIELDS):
            read.blame(index, "", "", Bad("NOTHING_TO_CHANGE", {}))
