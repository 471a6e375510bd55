"""Reading maintenance files: the bank's daily news of its loans, by loan reference."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from portfolios.columns import Bad
from portfolios.good_rows import GoodRows
from portfolios.mappings import Mapping
from portfolios.mappings.fields import CURRENCY, FIELDS, MAINTENANCE
from portfolios.row_batches import RowBatch, with_trailer
from portfolios.table_reader import Read, Reader, target_of
from portfolios.tables import BATCH_ROWS, Batch, Table

CONTACT_FIELDS = ("name", "phone", "email", "address")


def read(
    table: Table,
    mapping: Mapping,
    *,
    currency: str,
    as_of: date,
    batch_rows: int = BATCH_ROWS,
    after_row: int = 1,
) -> Iterator[RowBatch]:
    """The news in a table whose mapping is of the kind `maintenance`.

    The columns of a batch: `reference` str, `event` one of `mappings.events.EVENTS`,
    `amount_minor` int or None, `value_on` date, `payment_reference` str, `balance_minor` int or
    None, `name`, `phone`, `email`, `address`, `note` str. Its `read_minor` is the sum of amounts.

    A day that is not given is `as_of`. A direct payment needs its amount and the bank's reference
    of it, by which it is never counted twice; a balance needs the balance, a contact something
    new about the person. Raises as `loan_files.read`.
    """
    reader = Reader(mapping, table, currency=currency, as_of=as_of)
    batches = (
        _news(batch, reader, mapping, as_of)
        for batch in table.batches(batch_rows, after_row=after_row)
    )
    empty = RowBatch([], [], _columns({}, 0), after_row, 0, 0, 0)
    return with_trailer(batches, table, mapping, reader, total_of="amount", empty=empty)


def _news(batch: Batch, reader: Reader, mapping: Mapping, as_of: date) -> RowBatch:
    read = reader.read(batch.rows)
    columns = _columns(read.values, len(batch.rows))
    columns["value_on"] = [day or as_of for day in columns["value_on"]]
    read_minor = sum(filter(None, columns["amount_minor"]))
    _check_events(read, columns, mapping)
    good = GoodRows(batch, read)
    return RowBatch(
        numbers=good.numbers,
        cells=good.cells,
        columns=good.only(columns),
        last_row=good.last_row,
        rows_read=good.rows_read,
        read_minor=read_minor,
        bytes_read=batch.bytes_read,
        problems=good.problems,
        rejected=good.rejected,
    )


def _columns(values: dict[str, list[Any]], count: int) -> dict[str, list[Any]]:
    """Every target of a row of news: what was read, or its default for each row."""
    return {
        target_of(field): values.get(target_of(field)) or [field.default] * count
        for field in FIELDS[MAINTENANCE].values()
        if field.kind != CURRENCY
    }


def _check_events(read: Read, columns: dict[str, list[Any]], mapping: Mapping) -> None:
    """Each event comes with what it needs."""
    sources = {field.name: source for field, source in mapping.sources()}
    for index, event in enumerate(columns["event"]):
        if index in read.wrong:
            continue
        if event == "direct_payment":
            amount_minor = columns["amount_minor"][index]
            if not amount_minor:
                code = "MISSING_VALUE" if amount_minor is None else "NOT_POSITIVE"
                read.blame(index, sources.get("amount", "amount"), "", Bad(code, {}))
            if not columns["payment_reference"][index]:
                column = sources.get("payment_reference", "payment_reference")
                read.blame(index, column, "", Bad("MISSING_VALUE", {}))
        elif event == "balance" and columns["balance_minor"][index] is None:
            read.blame(index, sources.get("balance", "balance"), "", Bad("MISSING_VALUE", {}))
        elif event == "contact" and not any(columns[name][index] for name in CONTACT_FIELDS):
            read.blame(index, "", "", Bad("NOTHING_TO_CHANGE", {}))
