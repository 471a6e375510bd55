"""Laws of reading loan files: any bytes, any cells, amounts, days, rates and batches."""

import contextlib
import dataclasses
from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from config import errors, money
from portfolios.mappings.fields import AMOUNT_UNITS, DATE_FORMATS, RATE_UNITS
from tests.portfolios.loan_rows import (
    GOOD,
    HEADER,
    LENDINGCLUB,
    LENDINGCLUB_HEADER,
    SCORED,
    TODAY,
    batches,
    problems,
    read,
    row_with,
)


@given(st.binary(max_size=300), st.sampled_from([b"", HEADER.encode() + b"\n"]))
def test_any_bytes_give_rows_or_a_refusal(content, start):
    with contextlib.suppress(errors.InvalidInput):
        batches(start + content)


CELLS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)


@given(st.lists(st.tuples(CELLS, CELLS, CELLS, CELLS), max_size=8))
def test_any_cells_give_loans_or_errors_of_their_row(table):
    lines = [",".join('"' + cell.replace('"', '""') + '"' for cell in cells) for cells in table]
    content = "\n".join(["loan_reference,balance,rate,opened_on", *lines])
    found_batches = batches(content)
    rows = {number for batch in found_batches for number in batch.numbers}
    bad = {problem.row for batch in found_batches for problem in batch.problems}
    assert rows.isdisjoint(bad)
    assert rows | bad == {
        number for number, cells in enumerate(table, start=2) if any(cell.strip() for cell in cells)
    }
    assert all(len(problem.value) <= 80 for batch in found_batches for problem in batch.problems)


AMOUNTS = st.integers(1, 10**13)
GROUPINGS = st.sampled_from([(".", ""), (",", ""), (".", ","), (",", "."), (",", " "), (".", "'")])


@given(
    st.lists(AMOUNTS, min_size=1, max_size=5),
    GROUPINGS,
    st.sampled_from(AMOUNT_UNITS),
    st.sampled_from(["USD", "JPY", "KWD"]),
    st.booleans(),
)
def test_amounts_survive_the_way_through_a_file(amounts, marks, unit, currency, is_short):
    mark, grouping = marks
    decimals = money.exponent(currency) if unit == "major" else 0

    def written(amount_minor):
        whole, part = divmod(amount_minor, 10**decimals)
        text = f"{whole:,}".replace(",", grouping)
        digits = f"{part:0{decimals}d}" if decimals else ""
        digits = digits.rstrip("0") if is_short else digits
        return text + (mark + digits if digits else "")

    mapping = dataclasses.replace(
        SCORED,
        columns={"reference": "r", "balance": "b", "opened_on": "o"},
        units={"balance": unit},
        decimal_mark=mark,
        grouping=grouping,
    )
    lines = [f"L{i};{written(amount)};2020-01-01" for i, amount in enumerate(amounts)]
    loans = read("\n".join(["r;b;o", *lines]), mapping, currency=currency)
    assert [loan["balance_minor"] for loan in loans] == amounts


@given(
    st.lists(st.dates(date(1900, 1, 1), TODAY), min_size=1, max_size=5),
    st.sampled_from(DATE_FORMATS),
)
def test_dates_survive_the_way_through_a_file(days, format_):
    if "%d" not in format_:
        days = [day.replace(day=1) for day in days]
    mapping = dataclasses.replace(SCORED, date_formats=(format_,))
    lines = [f"L{i}|5|{day.strftime(format_)}|" for i, day in enumerate(days)]
    loans = read("\n".join(["r|b|o|s", *lines]), mapping)
    assert [loan["opened_on"] for loan in loans] == days


@given(st.lists(st.integers(0, money.PPM), min_size=1, max_size=5), st.sampled_from(RATE_UNITS))
def test_rates_survive_the_way_through_a_file(rates, unit):
    decimals = {"fraction": 6, "percent": 4, "ppm": 0}[unit]
    mapping = dataclasses.replace(
        SCORED,
        columns={"reference": "r", "balance": "b", "opened_on": "o", "rate": "s"},
        rate_unit=unit,
    )
    lines = [
        f"L{i},5,2020-01-01,{Decimal(rate).scaleb(-decimals):f}" for i, rate in enumerate(rates)
    ]
    loans = read("\n".join(["r,b,o,s", *lines]), mapping)
    assert [loan["rate_ppm"] for loan in loans] == rates


@given(
    st.integers(1, 10**12),
    st.integers(0, 10**12),
)
def test_cents_survive_a_formula(funded, received):
    line = f"A,{Decimal(funded) / 100:f},{Decimal(received) / 100:f},0.1,2011-12-01,,NC,B"
    content = f"{LENDINGCLUB_HEADER}\n{line}\n"
    if funded > received:
        assert read(content, LENDINGCLUB)[0]["balance_minor"] == funded - received
    else:
        assert problems(content, LENDINGCLUB)[0][3] == "NOTHING_OWED"


LINES = st.lists(
    st.sampled_from(
        [
            GOOD,
            row_with(balance="0"),
            row_with(balance="1,5", rate=""),
            row_with(opened_on="1940-01-01"),
            row_with(last_payment_on="2024-01-30", phone="1"),
            row_with(balance="7", national_id="1" * 18),
            "",
            "L2,x",
        ]
    ),
    max_size=25,
)


@given(LINES, st.integers(1, 7), st.integers(0, 30), st.booleans())
def test_the_size_of_batches_does_not_matter_and_after_row_gives_the_tail(
    lines, size, after_row, is_total
):
    content = "\n".join([HEADER, *lines, *(["TOTAL,5,1.00"] if is_total else [])])

    def told(**options):
        found_batches = batches(content, **options)
        return (
            [
                (number, values)
                for batch in found_batches
                for number, *values in zip(batch.numbers, *batch.columns.values(), strict=True)
            ],
            [problem for batch in found_batches for problem in batch.problems],
            [warning for batch in found_batches for warning in batch.warnings],
            [row for batch in found_batches for row in batch.rejected],
            [batch.trailer for batch in found_batches if batch.trailer],
        )

    loans, wrong, odd, rejected, trailers = told()
    assert told(batch_rows=size) == (loans, wrong, odd, rejected, trailers)
    assert told(batch_rows=size, after_row=after_row) == (
        [loan for loan in loans if loan[0] > after_row],
        [problem for problem in wrong if problem.row > after_row],
        [warning for warning in odd if warning.row > after_row],
        [row for row in rejected if row[0] > after_row],
        trailers,
    )


def test_batches_say_how_far_they_are():
    lines = [row_with(loan_reference=f"L{number}") for number in range(5)]
    content = "\n".join([HEADER, *lines])
    told = [(batch.last_row, batch.rows_read) for batch in batches(content, batch_rows=2)]
    assert told == [(3, 2), (5, 2), (6, 1)]
    assert batches(content)[-1].bytes_read == len(content)


def test_a_file_of_many_batches_is_read_to_the_last_cent():
    lines = (row_with(loan_reference=f"L{number}") for number in range(50_000))
    found = batches("\n".join([HEADER, *lines]))
    assert len(found) > 1
    assert sum(sum(batch.columns["balance_minor"]) for batch in found) == 50_000 * 123_456
