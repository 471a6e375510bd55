"""Reading the bank's daily news of its loans."""

import dataclasses
import io
from datetime import date

import pytest

from config import errors
from portfolios import maintenance_files, tables
from portfolios.mappings import MAINTENANCE_MAPPINGS, Mapping
from portfolios.mappings.events import EVENT_OF_WORD, EVENTS

TODAY = date(2026, 11, 23)
STANDARD = MAINTENANCE_MAPPINGS["standard"]
HEADER = (
    "loan_reference,event,amount,value_date,balance,borrower_name,phone,email,address,note,"
    "payment_reference"
)


def batches(*lines, mapping=STANDARD, **options):
    content = "\n".join([HEADER, *lines]).encode()
    table = tables.open_table(io.BytesIO(content))
    return list(maintenance_files.read(table, mapping, currency="CNY", as_of=TODAY, **options))


def test_news_of_every_kind():
    [batch] = batches(
        "L1,balance,,2026-11-22,1.50,,,,,,",
        "L2,Direct payment,20.00,2026-11-21,0,,,,,cash,P1",
        "L3,死亡,,,,,,,,,",
        "L4,contact,,,,,13800000000,,,,",
        "L5,结清,,,,,,,,,",
    )
    assert batch.numbers == [2, 3, 4, 5, 6]
    assert batch.columns == {
        "reference": ["L1", "L2", "L3", "L4", "L5"],
        "event": ["balance", "direct_payment", "deceased", "contact", "settled"],
        "amount_minor": [None, 2_000, None, None, None],
        "value_on": [date(2026, 11, 22), date(2026, 11, 21), TODAY, TODAY, TODAY],
        "balance_minor": [150, 0, None, None, None],
        "name": [""] * 5,
        "phone": ["", "", "", "13800000000", ""],
        "email": [""] * 5,
        "address": [""] * 5,
        "note": ["", "cash", "", "", ""],
        "payment_reference": ["", "P1", "", "", ""],
    }
    assert (batch.problems, batch.rejected) == ([], [])
    assert (batch.last_row, batch.rows_read) == (6, 5)


@pytest.mark.parametrize(
    ("line", "column", "value", "code"),
    [
        (",balance,,,5,,,,,,", "loan_reference", "", "MISSING_VALUE"),
        ("L1,,,,5,,,,,,", "event", "", "MISSING_VALUE"),
        ("L1,sold,,,5,,,,,,", "event", "sold", "UNKNOWN_CHOICE"),
        ("L1,balance,,,,,,,,,", "balance", "", "MISSING_VALUE"),
        ("L1,balance,,,-1,,,,,,", "balance", "-1", "NEGATIVE_AMOUNT"),
        ("L1,payment,,,,,,,,,P1", "amount", "", "MISSING_VALUE"),
        ("L1,payment,0,,,,,,,,P1", "amount", "", "NOT_POSITIVE"),
        ("L1,payment,1.005,,,,,,,,P1", "amount", "1.005", "TOO_MANY_DECIMALS"),
        ("L1,payment,5,2026-11-24,,,,,,,P1", "value_date", "2026-11-24", "FUTURE_DATE"),
        ("L1,payment,5.00,,,,,,,,", "payment_reference", "", "MISSING_VALUE"),
        ("L1,contact,,,,,,,,new,", "", "", "NOTHING_TO_CHANGE"),
        (f"L1,contact,,,,,{'1' * 61},,,,", "phone", "", "TOO_LONG"),
        (f"L1,plan,,,,,,,,{'x' * 501},", "note", "", "TOO_LONG"),
        ("L1,plan", "", "2", "WRONG_COLUMN_COUNT"),
    ],
)
def test_a_bad_row_names_its_column_value_and_reason(line, column, value, code):
    [batch] = batches(line, "L2,plan,,,,,,,,,")
    [problem] = batch.problems
    assert (problem.row, problem.column, problem.value, problem.code) == (2, column, value, code)
    assert batch.columns["reference"] == ["L2"]
    [(row, cells, _)] = batch.rejected
    assert (row, cells) == (2, line.split(","))


def test_a_file_of_balances_alone():
    mapping = dataclasses.replace(
        STANDARD,
        columns={"reference": "loan_reference", "balance": "balance"},
        constants={"event": "余额"},
    )
    [batch] = batches("L1,x,,,7.00,,,,,,", mapping=mapping)
    assert batch.columns["event"] == ["balance"]
    assert batch.columns["balance_minor"] == [700]


def test_batches_and_restarts():
    lines = [f"L{number},plan,,,,,,,,," for number in range(5)]
    told = [batch.columns["reference"] for batch in batches(*lines, batch_rows=2, after_row=3)]
    assert told == [["L2", "L3"], ["L4"]]


def test_a_mapping_needs_reference_and_event():
    with pytest.raises(errors.InvalidInput) as refused:
        Mapping.from_dict({"name": "x", "kind": "maintenance", "columns": {"reference": "r"}})
    assert (refused.value.code, refused.value.field) == ("MISSING_FIELD", "columns.event")


def test_every_event_is_its_own_word():
    assert {event: EVENT_OF_WORD[event] for event in EVENTS} == {event: event for event in EVENTS}
    assert all(word == word.casefold() for word in EVENT_OF_WORD)
