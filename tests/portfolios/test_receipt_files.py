"""Reading the bank's receipts."""

import io
from datetime import date

import pytest

from config import errors
from portfolios import receipt_files
from portfolios.receipt_files import ReceiptRow
from tests.workbook_files import workbook

TODAY = date(2026, 11, 23)
HEADER = "receipt_reference,loan_reference,amount,currency,value_date"


def read(content, *, as_of=TODAY):
    content = content if isinstance(content, bytes) else content.encode()
    return list(receipt_files.read(io.BytesIO(content), as_of=as_of))


def test_receipts_in_several_currencies():
    content = (
        f"{HEADER}\n"
        "R1,L1,100.50,USD,2026-11-01\n"
        "R2,L1,100,JPY,2026-11-23\n"
        "R3,L2,0.001,KWD,2026-11-02\n"
    )
    assert read(content) == [
        ReceiptRow(2, "R1", "L1", 10_050, "USD", date(2026, 11, 1)),
        ReceiptRow(3, "R2", "L1", 100, "JPY", date(2026, 11, 23)),
        ReceiptRow(4, "R3", "L2", 1, "KWD", date(2026, 11, 2)),
    ]


def test_other_delimiters_and_columns_of_no_interest():
    content = "value_date;bank;currency;amount;loan_reference;receipt_reference\n"
    content += "2026-11-01;B;USD;1.00;L1;R1\n"
    assert read(content) == [ReceiptRow(2, "R1", "L1", 100, "USD", date(2026, 11, 1))]


@pytest.mark.parametrize(
    ("line", "column", "value", "code"),
    [
        (",L1,1.00,USD,2026-11-01", "receipt_reference", "", "MISSING_VALUE"),
        ("R1,,1.00,USD,2026-11-01", "loan_reference", "", "MISSING_VALUE"),
        (f"R1,{'x' * 99},1.00,USD,2026-11-01", "loan_reference", "x" * 80, "TOO_LONG"),
        ("R1,L1,,USD,2026-11-01", "amount", "", "MISSING_VALUE"),
        ("R1,L1,0,USD,2026-11-01", "amount", "0", "NOT_POSITIVE"),
        ("R1,L1,-5,USD,2026-11-01", "amount", "-5", "NOT_POSITIVE"),
        ("R1,L1,5.001,USD,2026-11-01", "amount", "5.001", "TOO_MANY_DECIMALS"),
        ("R1,L1,ten,USD,2026-11-01", "amount", "ten", "INVALID_NUMBER"),
        ("R1,L1,100000000000.01,USD,2026-11-01", "amount", "100000000000.01", "AMOUNT_TOO_LARGE"),
        ("R1,L1,1.00,usd,2026-11-01", "currency", "usd", "UNKNOWN_CURRENCY"),
        ("R1,L1,1.00,,2026-11-01", "currency", "", "MISSING_VALUE"),
        ("R1,L1,1.00,USD,", "value_date", "", "MISSING_VALUE"),
        ("R1,L1,1.00,USD,01.11.2026", "value_date", "01.11.2026", "INVALID_DATE"),
        ("R1,L1,1.00,USD,2026-11-24", "value_date", "2026-11-24", "FUTURE_DATE"),
        ("R1,L1,1.00,USD", "", "4", "WRONG_COLUMN_COUNT"),
    ],
)
def test_a_bad_row_names_its_column_value_and_reason(line, column, value, code):
    [problem, receipt] = read(f"{HEADER}\n{line}\nR9,L9,1.00,USD,2026-11-01\n")
    assert (problem.row, problem.column, problem.value, problem.code) == (2, column, value, code)
    assert problem.message
    assert receipt == ReceiptRow(3, "R9", "L9", 100, "USD", date(2026, 11, 1))


def test_a_receipt_that_repeats_is_refused_the_second_time():
    line = "R1,L1,1.00,USD,2026-11-01"
    [receipt, problem] = read(f"{HEADER}\n{line}\n{line}\n")
    assert receipt.receipt_reference == "R1"
    assert (problem.row, problem.code) == (3, "DUPLICATE_REFERENCE")


def test_other_encodings_and_workbooks():
    line = "R1,Zürich 1,1.50,USD,2026-11-01"
    expected = [ReceiptRow(2, "R1", "Zürich 1", 150, "USD", date(2026, 11, 1))]
    assert read(f"{HEADER}\n{line}\n".encode("cp1252")) == expected
    rows = [HEADER.split(","), ["R1", "Zürich 1", 1.5, "USD", date(2026, 11, 1)]]
    assert read(workbook(rows)) == expected


def test_rows_and_errors_come_in_their_order():
    good = "L1,1.00,USD,2026-11-01"
    content = f"{HEADER}\nR1,{good}\nR2\nR3,{good}\nTOTAL,2,2.00\n"
    told = [(row.row, type(row).__name__) for row in read(content)]
    assert told == [(2, "ReceiptRow"), (3, "RowError"), (4, "ReceiptRow")]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "EMPTY_FILE"),
        (b"receipt_reference,amount\nR1,1\n", "MISSING_COLUMNS"),
        (f"{HEADER}\nR1,L\x81,1.00,USD,2026-11-01\n".encode("latin-1"), "WRONG_ENCODING"),
        (f'{HEADER}\nR1,L1,1.00,USD,2026-11-01\n"R2'.encode(), "UNREADABLE_FILE"),
    ],
)
def test_a_file_that_cannot_be_read(content, code):
    with pytest.raises(errors.InvalidInput) as refused:
        read(content)
    assert refused.value.code == code
