"""Rejected rows: written with what is wrong, put right in a spreadsheet, read again."""

import io
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portfolios import loan_files, rejected_rows, tables
from portfolios.mappings import Mapping

MAPPING = Mapping(
    name="ours",
    columns={"reference": "r", "balance": "b", "opened_on": "o", "phone": "p"},
    optional=frozenset({"phone"}),
)
AS_OF = date(2026, 11, 23)


def opened(text):
    return tables.open_table(io.BytesIO(text.encode()), delimiter=",")


def rejected(text):
    """What is written about the bad rows of a file."""
    table = tables.open_table(io.BytesIO(text.encode()))
    written = ""
    for batch in loan_files.read(table, MAPPING, currency="EUR", as_of=AS_OF, batch_rows=1):
        written += rejected_rows.write(
            batch.rejected, columns=table.columns, delimiter=table.delimiter, header=not written
        )
    return written


def test_the_rows_keep_their_columns_and_delimiter_and_say_what_is_wrong():
    text = 'r;b;o;x;p\nL1;0;soon;"a;b";1\nL2;5;2020-01-01;;\nL3;1\nL4;1;2020-01-01;;;more\n'
    assert rejected(text) == (
        "r;b;o;x;p;error\r\n"
        'L1;0;soon;"a;b";1;"b: Nothing is owed on this loan.; '
        'o: This is not a date as expected, such as 2026-11-23."\r\n'
        "L3;1;;;;The header has 5 columns, this row has 2.\r\n"
        "L4;1;2020-01-01;;;The header has 5 columns, this row has 6.;more\r\n"
    )


def test_once_put_right_they_can_be_read_and_rejected_again():
    first = rejected("r,b,o,p\nL1,0,2020-01-01,+49 5\nL2,0,2020-01-01,\n")
    corrected = first.replace("L1,0", "L1,7")
    table = opened(corrected)
    [batch] = loan_files.read(table, MAPPING, currency="EUR", as_of=AS_OF)
    assert (batch.columns["reference"], batch.columns["phone"]) == (["L1"], ["+49 5"])
    assert rejected(corrected) == (
        "r,b,o,p,error\r\nL2,0,2020-01-01,,b: Nothing is owed on this loan.\r\n"
    )


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+1 555 0100", "'+1 555 0100"),
        ("-cmd", "'-cmd"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("＝1", "'＝1"),
        ("'=1", "''=1"),
        ("+491234", "+491234"),
        ("-5.50", "-5.50"),
        ("'s-Hertogenbosch", "'s-Hertogenbosch"),
        ("a=b", "a=b"),
        ("", ""),
    ],
)
def test_no_text_becomes_a_formula(cell, written):
    text = rejected_rows.write([(2, [cell, "x"], "")], columns=["a", "b"], delimiter="")
    assert text == f"a,b,error\r\n{written},x,\r\n"
    assert opened(text).sample() == [[cell, "x", ""]]


def test_neither_does_a_header_nor_a_message():
    text = rejected_rows.write([(2, ["1"], "=a: wrong")], columns=["=a"], delimiter=",")
    assert text == "'=a,error\r\n1,'=a: wrong\r\n"
    assert opened(text).columns == ["=a", "error"]


def test_an_apostrophe_in_a_file_of_somebody_else_is_kept():
    [batch] = opened("a,b\n'=1,x\n").batches()
    assert batch.rows == [["'=1", "x"]]


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8).map(str.strip)


@given(st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=9))
def test_any_cells_are_the_same_when_they_are_read_again(rows):
    rejected_now = [(number, list(cells), "wrong") for number, cells in enumerate(rows)]
    text = rejected_rows.write(rejected_now, columns=["a", "b", "c"], delimiter=",")
    [batch] = opened(text).batches()
    assert batch.rows == [[*cells, "wrong"] for cells in rows]
