"""Reading loan files: the standard template, other mappings, workbooks, and the real file."""

import dataclasses
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from portfolios.mappings import Mapping
from portfolios.row_batches import Trailer
from tests.portfolios.loan_rows import (
    CHINESE,
    GOOD,
    HEADER,
    LENDINGCLUB,
    LENDINGCLUB_HEADER,
    SCORED,
    STANDARD,
    TODAY,
    batches,
    chinese,
    found,
    problems,
    read,
    row_with,
    warnings,
)
from tests.workbook_files import Percent, workbook

LENDINGCLUB_FILE = (
    Path(__file__).resolve().parents[3]
    / "shared"
    / "data"
    / "loans"
    / "lendingclub_charged_off.csv"
)


def test_a_row_of_the_standard_template():
    assert read(f"{HEADER}\n{GOOD}\n") == [
        {
            "row": 2,
            "reference": "L1",
            "balance_minor": 123_456,
            "principal_minor": None,
            "interest_minor": None,
            "fees_minor": None,
            "rate_ppm": 134_900,
            "product": "",
            "is_secured": False,
            "collateral": "",
            "opened_on": date(2024, 1, 31),
            "defaulted_on": None,
            "days_past_due": 365,
            "last_payment_on": date(2025, 11, 23),
            "region": "NY",
            "jurisdiction": "",
            "grade": "B",
            "score": None,
            "expected_recovery_ppm": None,
            "earlier_placements": 0,
            "limitation_on": None,
            "attributes": {},
            "customer_reference": "",
            "borrower_name": "Ada Example",
            "phone": "+1 555 0100",
            "email": "ada@example.com",
            "address": "1 Main St",
            "national_id": "123",
        }
    ]


def test_only_what_a_loan_cannot_do_without_is_required():
    [loan] = read("loan_reference,balance,rate,opened_on\nL1,5,0,2026-11-23\n")
    assert (loan["reference"], loan["balance_minor"], loan["rate_ppm"]) == ("L1", 500, 0)
    assert (loan["last_payment_on"], loan["days_past_due"]) == (None, 0)
    assert (loan["borrower_name"], loan["region"], loan["product"]) == ("", "", "")


def test_every_field_of_a_loan_in_a_chinese_file():
    [loan] = read(chinese().encode("gb18030"), CHINESE, currency="CNY")
    assert warnings(chinese(), CHINESE, currency="CNY") == []
    assert loan == {
        "row": 2,
        "reference": "DK1",
        "balance_minor": 124_461,
        "principal_minor": 123_456,
        "interest_minor": 1_000,
        "fees_minor": 5,
        "rate_ppm": 180_000,
        "product": "",
        "is_secured": True,
        "collateral": "",
        "opened_on": date(2020, 1, 2),
        "defaulted_on": date(2023, 4, 5),
        "days_past_due": 1_328,
        "last_payment_on": None,
        "region": "",
        "jurisdiction": "",
        "grade": "",
        "score": 612,
        "expected_recovery_ppm": 125_000,
        "earlier_placements": 2,
        "limitation_on": date(2027, 1, 31),
        "attributes": {"分行": "杭州"},
        "customer_reference": "C1",
        "borrower_name": "王芳",
        "phone": "13800000000",
        "email": "",
        "address": "",
        "national_id": "11010519491231002X",
    }


def test_days_past_due_run_from_the_default_else_the_last_payment_else_the_opening():
    mapping = dataclasses.replace(
        CHINESE, columns=CHINESE.columns | {"last_payment_on": "最后还款日"}
    )

    def days(**changes):
        content = chinese(**{"最后还款日": "", "逾期天数": "", **changes})
        [loan] = read(content, mapping, currency="CNY")
        return loan["days_past_due"]

    assert days() == (TODAY - date(2023, 4, 5)).days
    assert days(最后还款日="2024年1月1日") == (TODAY - date(2023, 4, 5)).days
    assert days(最后还款日="2024年1月1日", 违约日期="") == (TODAY - date(2024, 1, 1)).days
    assert days(违约日期="") == (TODAY - date(2020, 1, 2)).days
    assert days(逾期天数="1300") == 1300


def test_rows_in_any_order_of_columns_keep_their_numbers():
    content = (
        'rate ,"loan_reference",opened_on,balance,address,note\n'
        '5,"L;1",2020-01-01,10.00,"1, Main St\nSpringfield",x\n'
        "\n"
        ",,,,,\n"
        "5, L2 ,2020-01-01,10.00,,\n"
    )
    loans = read(content)
    assert [(loan["row"], loan["reference"]) for loan in loans] == [(2, "L;1"), (5, "L2")]
    assert loans[0]["address"] == "1, Main St\nSpringfield"


def test_amounts_in_other_currencies():
    assert (
        read(f"{HEADER}\n{row_with(balance='1234')}", currency="JPY")[0]["balance_minor"] == 1_234
    )
    assert (
        read(f"{HEADER}\n{row_with(balance='1.234')}", currency="KWD")[0]["balance_minor"] == 1_234
    )


def test_a_mapping_for_a_file_from_elsewhere():
    mapping = Mapping(
        name="elsewhere",
        columns={
            "reference": "Nr",
            "rate": "Zins",
            "opened_on": "Beginn",
            "last_payment_on": "Letzte",
        },
        computed={"balance": "(Kapital + Zinsen) / 1 - Gezahlt * 0.5"},
        date_formats=("%d.%m.%Y",),
        decimal_mark=",",
    )
    content = "Nr;Kapital;Zinsen;Gezahlt;Zins;Beginn;Letzte\nA1;1000,50;10;0,01;4,5;31.12.2020;\n"
    [loan] = read(content, mapping, currency="EUR")
    # 1010.495 rounds once, up.
    assert (loan["balance_minor"], loan["rate_ppm"]) == (101_050, 45_000)
    assert loan["opened_on"] == date(2020, 12, 31)


@pytest.mark.parametrize(
    ("funded", "received", "expected"),
    [
        ("25000", "17345.110000000001", 765_489),
        ("25000.0", "0.0", 2_500_000),
        ("100", "99.995", 1),
        ("100", "99.99500000000001", "NOTHING_OWED"),
        ("100", "100", "NOTHING_OWED"),
        ("100", "100.01", "NOTHING_OWED"),
        ("-100", "-200", "NEGATIVE_AMOUNT"),
        ("100", "", "MISSING_VALUE"),
        ("100", "nan", "INVALID_NUMBER"),
    ],
)
def test_unpaid_principal_is_derived_and_rounded_once(funded, received, expected):
    line = f"A,{funded},{received},0.11539999999999999,2011-12-01,,NC,B"
    content = f"{LENDINGCLUB_HEADER}\n{line}\n"
    if isinstance(expected, str):
        assert problems(content, LENDINGCLUB)[0][3] == expected
    else:
        [loan] = read(content, LENDINGCLUB)
        assert (loan["balance_minor"], loan["rate_ppm"]) == (expected, 115_400)
        assert loan["product"] == "personal loan"


@pytest.fixture(scope="module")
def lendingclub_loans():
    if not LENDINGCLUB_FILE.exists():
        pytest.skip("the LendingClub file of ../shared/data/loans is not on this machine")
    return read(LENDINGCLUB_FILE.read_bytes(), LENDINGCLUB)


def test_the_real_file_is_read_to_the_last_cent(lendingclub_loans):
    assert len(lendingclub_loans) == 6_431
    assert sum(loan["balance_minor"] for loan in lendingclub_loans) == 4_874_126_227
    assert sum(loan["last_payment_on"] is None for loan in lendingclub_loans) == 83
    assert Counter(loan["grade"] for loan in lendingclub_loans)["B"] == 1_518
    assert Counter(loan["region"] for loan in lendingclub_loans)["CA"] == 1_232
    assert len({loan["region"] for loan in lendingclub_loans}) == 49
    assert len({loan["reference"] for loan in lendingclub_loans}) == 6_431


def test_the_first_loan_of_the_real_file(lendingclub_loans):
    given_ = {name: value for name, value in lendingclub_loans[0].items() if value}
    assert given_ == {
        "row": 2,
        "reference": "LC000001",
        "balance_minor": 111_370,
        "rate_ppm": 77_500,
        "opened_on": date(2007, 12, 1),
        "last_payment_on": date(2009, 6, 1),
        "days_past_due": 6_384,
        "region": "NC",
        "grade": "A",
        "product": "personal loan",
    }


def test_a_workbook_is_read_as_its_text_would_be():
    rows = [
        HEADER.split(","),
        [
            "L1",
            "Ada",
            15550100,
            None,
            None,
            None,
            1234.5,
            13.49,
            date(2024, 1, 31),
            date(2025, 1, 1),
            "NY",
            "B",
        ],
        ["L2", None, None, None, None, None, 7, 0, "2024-01-31", None, None, None],
        ["L3", None, None, None, None, None, 0.001, 0, date(2024, 1, 31), None, None, None],
    ]
    mapping = dataclasses.replace(STANDARD, date_formats=("%d.%m.%Y",))
    [batch] = batches(workbook(rows), mapping)
    assert batch.numbers == [2, 3]
    assert batch.columns["balance_minor"] == [123_450, 700]
    assert batch.columns["opened_on"] == [date(2024, 1, 31)] * 2
    assert batch.columns["phone"] == ["15550100", ""]
    assert found(batch.problems) == [(4, "balance", "0.001", "TOO_MANY_DECIMALS")]


@pytest.mark.parametrize("unit", ["percent", "fraction", "ppm"])
def test_a_sign_says_that_a_rate_is_in_per_cent_whatever_the_mappings_unit(unit):
    mapping = dataclasses.replace(STANDARD, rate_unit=unit, date_formats=("%d.%m.%Y",))
    given = {"fraction": 0.07, "percent": 7, "ppm": 70_000}[unit]
    rows = [HEADER.split(",")]
    for number, rate in enumerate((Percent(0.125), "12.5 %", given)):
        row = [f"L{number}", *[None] * 5, 7, rate, date(2024, 1, 31), None, None, None]
        rows.append(row)
    [batch] = batches(workbook(rows), mapping)
    assert batch.problems == []
    assert batch.columns["rate_ppm"] == [125_000, 125_000, 70_000]
    share = Mapping(
        name="x",
        columns={"reference": "r", "opened_on": "o"},
        computed={"balance": "owed * part"},
    )
    rows = [["r", "o", "owed", "part"], ["L1", date(2020, 1, 1), 200, Percent(0.125)]]
    [batch] = batches(workbook(rows), share)
    assert batch.columns["balance_minor"] == [25_00]


def test_a_point_in_a_workbook_is_never_a_thousands_separator():
    mapping = dataclasses.replace(SCORED, decimal_mark=",", grouping=".")
    rows = [["r", "b", "o", "s"], ["L1", 1.5, date(2020, 1, 1), None]]
    rows += [["L2", 1.234, date(2020, 1, 1), None], ["L3", "1.234,50", date(2020, 1, 1), None]]
    rows += [["合计", 3, 1236.5, None]]
    [batch] = batches(workbook(rows), mapping)
    assert batch.columns["balance_minor"] == [150]
    assert found(batch.problems) == [
        (3, "b", "1.234", "TOO_MANY_DECIMALS"),
        (4, "b", "1.234,50", "INVALID_NUMBER"),
    ]
    assert batch.trailer == Trailer(5, 3, 123_650)
    [loan] = read("r;b;o;s\nL2;1.234;2020-01-01;\n", mapping)
    assert loan["balance_minor"] == 123_400


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("TRAILER,2,10.50", Trailer(4, 2, 1_050)),
        ('合计,2,"1,010.50"', Trailer(4, 2, 101_050)),
        ("TOTAL,2", Trailer(4, 2, None)),
        ("TOTAL,,,,,,10.50", Trailer(4, None, 1_050)),
        ("TOTAL,,,,,,10", Trailer(4, None, 1_000)),
        ("TOTAL,10.50", Trailer(4, None, 1_050)),
        ('TOTAL,"1,000",1e5', None),
    ],
)
def test_control_totals_come_with_the_last_batch(line, expected):
    content = "\n".join([HEADER, row_with(), row_with(loan_reference="L2"), line])
    for size in (1, 2, 2000):
        found_batches = batches(content, batch_rows=size)
        assert [batch.trailer for batch in found_batches[:-1]] == [None] * (len(found_batches) - 1)
        assert found_batches[-1].trailer == expected
        assert sum(len(batch.numbers) for batch in found_batches) == 2


def test_control_totals_of_a_file_without_loans():
    [batch] = batches(f"{HEADER}\nTRAILER,0,0\n")
    assert (batch.trailer, batch.numbers, batch.rows_read) == (Trailer(2, 0, 0), [], 0)
    assert batches(f"{HEADER}\n") == []
