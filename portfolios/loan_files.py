"""Reading loan files: a table in, batches of loans as columns out, and what is wrong with rows."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from portfolios import loan_doubts
from portfolios.columns import Bad
from portfolios.good_rows import GoodRows
from portfolios.mappings import Mapping
from portfolios.mappings.fields import CURRENCY, FIELDS, LOANS, PARTS_OF_BALANCE
from portfolios.row_batches import RowBatch, with_trailer
from portfolios.table_reader import Read, Reader, target_of
from portfolios.tables import BATCH_ROWS, Batch, Table

LONGEST_ATTRIBUTE = 200


def read(
    table: Table,
    mapping: Mapping,
    *,
    currency: str,
    as_of: date,
    batch_rows: int = BATCH_ROWS,
    after_row: int = 1,
) -> Iterator[RowBatch]:
    """The loans of a table.

    The columns of a batch: `reference` str, `balance_minor` int, `principal_minor`,
    `interest_minor`, `fees_minor` int or None, `rate_ppm` int, `product` str, `is_secured` bool,
    `collateral` str, `opened_on` date, `defaulted_on` date or None, `days_past_due` int,
    `last_payment_on` date or None, `region`, `jurisdiction`, `grade` str, `score` int or None,
    `expected_recovery_ppm` int or None, `earlier_placements` int, `limitation_on` date or None,
    `attributes` dict of texts, and `customer_reference`, `borrower_name`, `phone`, `email`,
    `address`, `national_id` str. Its `read_minor` is the sum of balances.

    `currency` is the portfolio's, `as_of` today where the bank is: no date but the limitation's
    may be later. Days past due that are not given run to it from the default, else from the last
    payment, else from the opening. Rows up to number `after_row` are passed over.

    Raises `WRONG_CURRENCY`, `UNKNOWN_CURRENCY`, `MISSING_FIELD`, `MISSING_COLUMNS`, and what
    `Table.batches` raises. A bad row raises nothing.
    """
    reader = Reader(mapping, table, currency=currency, as_of=as_of)
    doubts = loan_doubts.Doubts(reader, table, mapping, as_of=as_of)
    batches = (
        _loans(batch, reader, mapping, doubts, as_of)
        for batch in table.batches(batch_rows, after_row=after_row)
    )
    empty = RowBatch([], [], _columns({}, 0), after_row, 0, 0, 0)
    return with_trailer(batches, table, mapping, reader, total_of="balance", empty=empty)


def _loans(
    batch: Batch, reader: Reader, mapping: Mapping, doubts: loan_doubts.Doubts, as_of: date
) -> RowBatch:
    read = reader.read(batch.rows)
    values = read.values
    _add_up_balance(read, mapping, len(batch.rows))
    _check_order_of_dates(read, mapping)
    _collect_attributes(read, mapping, len(batch.rows))
    columns = _columns(values, len(batch.rows))
    _count_days(columns, as_of)
    read_minor = sum(filter(None, columns["balance_minor"]))
    good = GoodRows(batch, read)
    columns = good.only(columns)
    return RowBatch(
        numbers=good.numbers,
        cells=good.cells,
        columns=columns,
        last_row=good.last_row,
        rows_read=good.rows_read,
        read_minor=read_minor,
        bytes_read=batch.bytes_read,
        problems=good.problems,
        warnings=doubts.about(good.numbers, columns, good.only(read.texts)),
        rejected=good.rejected,
    )


def _columns(values: dict[str, list[Any]], count: int) -> dict[str, list[Any]]:
    """Every target of a loan: what was read, or its default for each row."""
    columns = {
        target_of(field): values.get(target_of(field)) or [field.default] * count
        for field in FIELDS[LOANS].values()
        if field.kind != CURRENCY
    }
    columns["attributes"] = values.get("attributes") or [{}] * count
    return columns


def _add_up_balance(read: Read, mapping: Mapping, count: int) -> None:
    """The balance as the sum of its parts, where the file has it in no other way."""
    if "balance_minor" in read.values:
        return
    names = [name for name in PARTS_OF_BALANCE if f"{name}_minor" in read.values]
    parts = [read.values[f"{name}_minor"] for name in names]
    sources = {field.name: source for field, source in mapping.sources()}
    told = " + ".join(sources[name] for name in PARTS_OF_BALANCE if name in sources)
    sums: list[int] = []
    for index in range(count):
        known = [part[index] for part in parts if part[index] is not None]
        sums.append(sum(known))
        if not sums[-1] and index not in read.wrong:
            reason = Bad("NOTHING_OWED" if known else "MISSING_VALUE", {})
            read.blame(index, told, "0" if known else "", reason)
    read.values["balance_minor"] = sums


def _check_order_of_dates(read: Read, mapping: Mapping) -> None:
    """Nobody pays on a loan before it is opened."""
    opened, paid = read.values.get("opened_on"), read.values.get("last_payment_on")
    if not opened or not paid:
        return
    for index, (opened_on, paid_on) in enumerate(zip(opened, paid, strict=True)):
        if paid_on is not None and opened_on is not None and paid_on < opened_on:
            column = mapping.columns["last_payment_on"]
            read.blame(index, column, read.texts[column][index], Bad("DATES_OUT_OF_ORDER", {}))


def _collect_attributes(read: Read, mapping: Mapping, count: int) -> None:
    """Further columns as texts by name, without the blank ones."""
    names = [name for name in mapping.attributes if name in read.texts]
    if not names:
        return
    for name in names:
        texts = read.texts[name]
        if max(map(len, texts), default=0) > LONGEST_ATTRIBUTE:
            for index, text in enumerate(texts):
                if len(text) > LONGEST_ATTRIBUTE:
                    shown = "" if name in mapping.personal_columns else text
                    read.blame(index, name, shown, Bad("TOO_LONG", {"longest": LONGEST_ATTRIBUTE}))
    read.values["attributes"] = [
        {name: text for name, text in zip(names, texts, strict=True) if text}
        for texts in zip(*(read.texts[name] for name in names), strict=True)
    ]


def _count_days(columns: dict[str, list[Any]], as_of: date) -> None:
    """Days past due where the file does not say them; rows with a bad date are given 0."""
    given = columns["days_past_due"]
    if None not in given:
        return
    columns["days_past_due"] = [
        days
        if days is not None
        else max(0, (as_of - (defaulted_on or last_payment_on or opened_on or as_of)).days)
        for days, defaulted_on, last_payment_on, opened_on in zip(
            given,
            columns["defaulted_on"],
            columns["last_payment_on"],
            columns["opened_on"],
            strict=True,
        )
    ]
