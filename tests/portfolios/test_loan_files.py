"""Reading loan files: the real LendingClub file, the standard template, and every bad input."""

import contextlib
import dataclasses
import io
import time
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import errors, money
from portfolios import loan_files, tables
from portfolios.loan_files import Trailer
from portfolios.mappings import MAPPINGS, Mapping
from portfolios.mappings.fields import AMOUNT_UNITS, DATE_FORMATS, RATE_UNITS
from tests.workbook_files import workbook

LENDINGCLUB_FILE = (
    Path(__file__).resolve().parents[3]
    / "shared"
    / "data"
    / "loans"
    / "lendingclub_charged_off.csv"
)
TODAY = date(2026, 11, 23)
STANDARD = MAPPINGS["standard"]
LENDINGCLUB = MAPPINGS["lendingclub"]
HEADER = (
    "loan_reference,borrower_name,phone,email,address,national_id,balance,rate,opened_on,"
    "last_payment_on,region,grade"
)
GOOD = (
    "L1,Ada Example,+1 555 0100,ada@example.com,1 Main St,123,1234.56,13.49,2024-01-31,"
    "2025-11-23,NY,B"
)


PERSONAL = {"borrower_name", "phone", "email", "address", "national_id"}


def batches(content, mapping=STANDARD, *, currency="USD", as_of=TODAY, **options):
    content = content if isinstance(content, bytes) else content.encode()
    table = tables.open_table(io.BytesIO(content), required=mapping.required_columns())
    found = list(loan_files.read(table, mapping, currency=currency, as_of=as_of, **options))
    for batch in found:
        assert {len(values) for values in batch.columns.values()} == {len(batch.numbers)}
        assert len(batch.numbers) + len(batch.rejected) == batch.rows_read
        assert {row for row, _, _ in batch.rejected} == {problem.row for problem in batch.problems}
    return found


def read(content, mapping=STANDARD, **context):
    """The loans of a file as dictionaries, with their rows."""
    return [
        {"row": number, **dict(zip(batch.columns, values, strict=True))}
        for batch in batches(content, mapping, **context)
        for number, *values in zip(batch.numbers, *batch.columns.values(), strict=True)
    ]


def problems(content, mapping=STANDARD, **context):
    """(row, column, value, code) of what is wrong."""
    return found(
        problem for batch in batches(content, mapping, **context) for problem in batch.problems
    )


def warnings(content, mapping=STANDARD, **context):
    """(row, column, value, code) of what is odd."""
    return found(
        warning for batch in batches(content, mapping, **context) for warning in batch.warnings
    )


def refusal(content, mapping=STANDARD, **context):
    with pytest.raises(errors.InvalidInput) as caught:
        batches(content, mapping, **context)
    return caught.value


def row_with(**changes):
    """The good row with some columns changed, as a line of the file."""
    cells = dict(zip(HEADER.split(","), GOOD.split(","), strict=True)) | changes
    return ",".join(f'"{cell}"' for cell in cells.values())


def found(rows):
    return [(row.row, row.column, row.value, row.code) for row in rows]


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


CHINESE = Mapping(
    name="chinese",
    columns={
        "reference": "贷款编号",
        "customer_reference": "客户编号",
        "borrower_name": "客户姓名",
        "national_id": "身份证号",
        "phone": "手机号",
        "principal": "本金余额",
        "interest": "利息",
        "fees": "费用(分)",
        "rate": "年利率",
        "is_secured": "是否抵押",
        "opened_on": "放款日期",
        "defaulted_on": "违约日期",
        "days_past_due": "逾期天数",
        "score": "评分",
        "expected_recovery": "预期回收率",
        "earlier_placements": "委外次数",
        "limitation_on": "诉讼时效",
        "currency": "币种",
    },
    optional=frozenset({"rate", "days_past_due", "currency", "score"}),
    units={"fees": "minor", "expected_recovery": "fraction"},
    date_formats=("%Y年%m月%d日", "%Y%m%d", "%Y/%m/%d"),
    grouping=",",
    attributes=("分行", "备注"),
)
CHINESE_ROW = {
    "贷款编号": "DK1",
    "客户编号": "C1",
    "客户姓名": "王芳",
    "身份证号": "11010519491231002X",
    "手机号": "13800000000",
    "本金余额": "1,234.56",
    "利息": "10",
    "费用(分)": "5",
    "年利率": "18%",
    "是否抵押": "是",
    "放款日期": "2020年1月2日",
    "违约日期": "20230405",
    "逾期天数": "1328",
    "评分": "612.0",
    "预期回收率": "0.125",
    "委外次数": "2",
    "诉讼时效": "2027/1/31",
    "币种": "人民币",
    "分行": "杭州",
    "备注": "",
}


def chinese(**changes):
    """A file of one Chinese row with some cells changed; None leaves the column out."""
    row = {name: value for name, value in (CHINESE_ROW | changes).items() if value is not None}
    return ",".join(row) + "\n" + ",".join(f'"{cell}"' for cell in row.values()) + "\n"


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


def test_blanks_and_columns_that_are_not_there():
    blank = dict.fromkeys(
        "利息,费用(分),年利率,是否抵押,违约日期,评分,预期回收率,委外次数,诉讼时效,币种".split(","),
        "",
    )
    absent = dict.fromkeys("年利率,逾期天数,币种,评分".split(","))
    for changes in (blank, blank | absent):
        [loan] = read(chinese(**changes), CHINESE, currency="CNY")
        assert (loan["balance_minor"], loan["principal_minor"]) == (123_456, 123_456)
        assert (loan["interest_minor"], loan["fees_minor"], loan["rate_ppm"]) == (None, None, 0)
        assert (loan["is_secured"], loan["score"], loan["earlier_placements"]) == (False, None, 0)
        assert (loan["defaulted_on"], loan["limitation_on"]) == (None, None)
        assert loan["expected_recovery_ppm"] is None


def test_a_loan_without_any_part_of_its_balance_is_a_bad_row():
    mapping = dataclasses.replace(
        CHINESE, optional=CHINESE.optional | {"principal", "interest", "fees"}
    )
    content = chinese(本金余额=None, 利息=None, **{"费用(分)": None})
    told = "本金余额 + 利息 + 费用(分)"
    assert problems(content, mapping, currency="CNY") == [(2, told, "", "MISSING_VALUE")]


def test_what_every_loan_needs_is_never_optional():
    mapping = dataclasses.replace(STANDARD, optional=frozenset(STANDARD.columns))
    refused = refusal("phone\n1\n", mapping)
    assert refused.message == "The file has no column loan_reference, balance, opened_on."


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


@pytest.mark.parametrize(
    ("changes", "column", "value", "code"),
    [
        ({"是否抵押": "也许"}, "是否抵押", "也许", "UNKNOWN_CHOICE"),
        ({"逾期天数": "-1"}, "逾期天数", "-1", "INVALID_WHOLE_NUMBER"),
        ({"逾期天数": "1.5"}, "逾期天数", "1.5", "INVALID_WHOLE_NUMBER"),
        ({"评分": "A"}, "评分", "A", "INVALID_WHOLE_NUMBER"),
        ({"委外次数": "9999"}, "委外次数", "9999", "INVALID_WHOLE_NUMBER"),
        ({"预期回收率": "1.01"}, "预期回收率", "1.01", "INVALID_RATE"),
        ({"币种": "USD"}, "币种", "USD", "WRONG_CURRENCY"),
        ({"币种": "圆"}, "币种", "圆", "UNKNOWN_CURRENCY"),
        ({"违约日期": "2026/12/1"}, "违约日期", "2026/12/1", "FUTURE_DATE"),
        ({"放款日期": "2024131"}, "放款日期", "2024131", "INVALID_DATE"),
        ({"放款日期": "2020-01-02"}, "放款日期", "2020-01-02", "INVALID_DATE"),
        ({"费用(分)": "5.5"}, "费用(分)", "5.5", "MINOR_UNITS_ARE_WHOLE"),
        ({"利息": "-1"}, "利息", "-1", "NEGATIVE_AMOUNT"),
        ({"本金余额": "1,23.00"}, "本金余额", "1,23.00", "INVALID_NUMBER"),
        ({"备注": "长" * 201}, "备注", "长" * 80, "TOO_LONG"),
        ({"手机号": "1" * 61}, "手机号", "", "TOO_LONG"),
        (
            {"本金余额": "", "利息": "", "费用(分)": ""},
            "本金余额 + 利息 + 费用(分)",
            "",
            "MISSING_VALUE",
        ),
        (
            {"本金余额": "0", "利息": "", "费用(分)": ""},
            "本金余额 + 利息 + 费用(分)",
            "0",
            "NOTHING_OWED",
        ),
    ],
)
def test_a_bad_cell_of_a_chinese_file(changes, column, value, code):
    content = chinese(**changes)
    assert problems(content, CHINESE, currency="CNY") == [(2, column, value, code)]
    assert read(content, CHINESE, currency="CNY") == []


@pytest.mark.parametrize(
    ("changes", "column", "value", "code"),
    [
        ({"身份证号": "110105194912310021"}, "身份证号", "", "WRONG_CHECK_DIGIT"),
        ({"身份证号": "1101"}, "身份证号", "", "IMPROBABLE_LENGTH"),
        ({"手机号": "+86 138"}, "手机号", "", "IMPROBABLE_LENGTH"),
        ({"手机号": "1" * 16}, "手机号", "", "IMPROBABLE_LENGTH"),
        ({"放款日期": "1949年10月1日"}, "放款日期", "1949年10月1日", "OLD_DATE"),
        ({"违约日期": "20200101"}, "违约日期", "20200101", "DEFAULT_BEFORE_OPENING"),
        ({"逾期天数": "2518"}, "逾期天数", "2518", "MORE_DAYS_THAN_OPEN"),
        ({"逾期天数": "1296"}, "逾期天数", "1296", "FEWER_DAYS_THAN_DEFAULT"),
    ],
)
def test_what_is_odd_is_taken_with_a_warning(changes, column, value, code):
    content = chinese(**changes)
    assert (2, column, value, code) in warnings(content, CHINESE, currency="CNY")
    assert problems(content, CHINESE, currency="CNY") == []
    assert len(read(content, CHINESE, currency="CNY")) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"身份证号": "11010519491231002x"},
        {"身份证号": "AB1234567"},
        {"手机号": "+86 (571) 8888-0000"},
        {"逾期天数": "2517"},
        {"逾期天数": "1297"},
        {"放款日期": "1950年1月1日"},
    ],
)
def test_what_is_just_not_odd(changes):
    assert warnings(chinese(**changes), CHINESE, currency="CNY") == []


def test_a_balance_that_its_parts_do_not_make_up():
    mapping = dataclasses.replace(CHINESE, columns=CHINESE.columns | {"balance": "余额"})
    for given_, expected in (("1,244.61", []), ("1,244.60", ["PARTS_DIFFER"])):
        content = chinese(余额=given_)
        codes = [code for *_, code in warnings(content, mapping, currency="CNY")]
        assert codes == expected
    content = chinese(余额="1,234.56", 利息="", **{"费用(分)": ""})
    assert warnings(content, mapping, currency="CNY") == []


def scored(*scores):
    lines = [f"L{number},5.00,2020-01-01,{score}" for number, score in enumerate(scores)]
    return "\n".join(["r,b,o,s", *lines])


SCORED = Mapping(
    name="scored", columns={"reference": "r", "balance": "b", "opened_on": "o", "score": "s"}
)


def test_a_score_far_from_the_others():
    usual = [600 + number % 50 for number in range(1200)]
    assert warnings(scored(*usual), SCORED) == []
    assert warnings(scored(6, *usual, 6500, 700), SCORED) == [
        (2, "s", "6", "UNUSUAL_SCORE"),
        (1203, "s", "6500", "UNUSUAL_SCORE"),
    ]
    assert warnings(scored(*usual[:28], 6), SCORED) == []
    assert warnings(scored(*[600] * 100, 6), SCORED) == []


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
    ("changes", "column", "value", "code"),
    [
        ({"loan_reference": " "}, "loan_reference", "", "MISSING_VALUE"),
        ({"loan_reference": "x" * 61}, "loan_reference", "x" * 61, "TOO_LONG"),
        ({"loan_reference": "x" * 500}, "loan_reference", "x" * 80, "TOO_LONG"),
        ({"balance": ""}, "balance", "", "MISSING_VALUE"),
        ({"balance": "0"}, "balance", "0", "NOTHING_OWED"),
        ({"balance": "-0.01"}, "balance", "-0.01", "NEGATIVE_AMOUNT"),
        ({"balance": "NaN"}, "balance", "NaN", "INVALID_NUMBER"),
        ({"balance": "1e5"}, "balance", "1e5", "INVALID_NUMBER"),
        ({"balance": "1,234.56"}, "balance", "1,234.56", "INVALID_NUMBER"),
        ({"balance": "7654.889999999999"}, "balance", "7654.889999999999", "TOO_MANY_DECIMALS"),
        ({"balance": "100000000000.01"}, "balance", "100000000000.01", "AMOUNT_TOO_LARGE"),
        ({"balance": "9" * 40}, "balance", "9" * 40, "AMOUNT_TOO_LARGE"),
        ({"rate": "100.0001"}, "rate", "100.0001", "INVALID_RATE"),
        ({"rate": "-1"}, "rate", "-1", "INVALID_RATE"),
        ({"rate": "13 pct"}, "rate", "13 pct", "INVALID_NUMBER"),
        ({"rate": ""}, "rate", "", "MISSING_VALUE"),
        ({"opened_on": ""}, "opened_on", "", "MISSING_VALUE"),
        ({"opened_on": "2024-02-30"}, "opened_on", "2024-02-30", "INVALID_DATE"),
        ({"opened_on": "31/01/2024"}, "opened_on", "31/01/2024", "INVALID_DATE"),
        ({"opened_on": "1899-12-31"}, "opened_on", "1899-12-31", "INVALID_DATE"),
        ({"last_payment_on": "2026-11-24"}, "last_payment_on", "2026-11-24", "FUTURE_DATE"),
        ({"last_payment_on": "2024-01-30"}, "last_payment_on", "2024-01-30", "DATES_OUT_OF_ORDER"),
        ({"region": "x" * 21}, "region", "x" * 21, "TOO_LONG"),
        ({"grade": "x" * 11}, "grade", "x" * 11, "TOO_LONG"),
        ({"borrower_name": "x" * 201}, "borrower_name", "", "TOO_LONG"),
        ({"national_id": "1" * 61}, "national_id", "", "TOO_LONG"),
    ],
)
def test_a_bad_row_names_its_column_value_and_reason(changes, column, value, code):
    good = row_with(loan_reference="L2")
    [batch] = batches(f"{HEADER}\n{row_with(**changes)}\n{good}\n")
    [problem] = batch.problems
    assert found([problem]) == [(2, column, value, code)]
    assert 10 < len(problem.message) <= 300
    assert batch.columns["reference"] == ["L2"]
    [(row, cells, message)] = batch.rejected
    assert (row, message) == (2, f"{column}: {problem.message}")
    assert dict(zip(HEADER.split(","), cells, strict=True)) == dict(
        zip(HEADER.split(","), GOOD.split(","), strict=True)
    ) | {name: text.strip() for name, text in changes.items()}


def test_every_bad_column_of_a_row_is_told():
    bad = row_with(balance="0", rate="101", opened_on="soon", phone="1" * 61)
    [batch] = batches(f"{HEADER}\n{bad}")
    assert found(batch.problems) == [
        (2, "balance", "0", "NOTHING_OWED"),
        (2, "rate", "101", "INVALID_RATE"),
        (2, "opened_on", "soon", "INVALID_DATE"),
        (2, "phone", "", "TOO_LONG"),
    ]
    assert batch.rejected[0][2] == (
        "balance: Nothing is owed on this loan.; "
        "rate: A rate is between 0 and 100 %.; "
        "opened_on: This is not a date as expected, such as 2026-11-23.; "
        "phone: This has more than 60 characters."
    )


def test_a_reference_that_repeats_is_left_to_the_database():
    assert len(read("\n".join([HEADER, row_with(), row_with()]))) == 2


def test_a_row_of_another_length():
    [batch] = batches(f"{HEADER}\n{GOOD},more\nL2,x\n{row_with(loan_reference='L3')}\n")
    assert found(batch.problems) == [
        (2, "", "13", "WRONG_COLUMN_COUNT"),
        (3, "", "2", "WRONG_COLUMN_COUNT"),
    ]
    assert batch.columns["reference"] == ["L3"]
    assert batch.rejected[1] == (
        3,
        ["L2", "x"],
        "The header has 12 columns, this row has 2.",
    )


def test_a_personal_value_is_never_shown_by_whatever_field_it_is_read():
    mapping = Mapping(
        name="twice",
        columns={"reference": "r", "opened_on": "o", "phone": "p", "grade": "p"},
        computed={"balance": "b - p"},
    )
    content = "r,o,p,b\nL1,2020-01-01,13800000000,5\nL2,2020-01-01,call me,5\n"
    assert {problem[:3] for problem in problems(content, mapping)} == {
        (2, "p", ""),
        (2, "b - p", ""),
        (3, "p", ""),
    }


def test_every_missing_column_is_named():
    refused = refusal("loan_reference,phone\nL1,1\n")
    assert refused.message == "The file has no column balance, rate, opened_on."
    table = tables.open_table(io.BytesIO(b"loan_reference,phone\nL1,1\n"))
    with pytest.raises(errors.InvalidInput) as later:
        next(loan_files.read(table, STANDARD, currency="USD", as_of=TODAY))
    assert later.value.message == refused.message


def test_a_mapping_that_cannot_be_used_for_the_file():
    assert refusal("id\n", dataclasses.replace(LENDINGCLUB, computed={})).code == "MISSING_COLUMNS"
    assert refusal(LENDINGCLUB_HEADER, LENDINGCLUB, currency="EUR").code == "WRONG_CURRENCY"
    assert refusal(HEADER, STANDARD, currency="XXX").code == "UNKNOWN_CURRENCY"
    incomplete = dataclasses.replace(LENDINGCLUB, computed={})
    assert refusal(LENDINGCLUB_HEADER, incomplete).code == "MISSING_FIELD"
    constant = dataclasses.replace(LENDINGCLUB, constants={"limitation_on": "soon"})
    refused = refusal(LENDINGCLUB_HEADER, constant)
    assert (refused.code, refused.field) == ("INVALID_DATE", "constants.limitation_on")


LENDINGCLUB_HEADER = "id,funded_amnt,total_rec_prncp,int_rate,issue_d,last_pymnt_d,addr_state,grade"


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


def test_nothing_owed_shows_where_it_comes_from():
    line = "A,100,100.01,0.1,2011-12-01,,NC,B"
    assert problems(f"{LENDINGCLUB_HEADER}\n{line}\n", LENDINGCLUB) == [
        (2, "funded_amnt - total_rec_prncp", "100 ; 100.01", "NOTHING_OWED")
    ]


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


def test_a_formula_without_a_result_is_a_bad_row():
    mapping = dataclasses.replace(
        LENDINGCLUB, computed={"balance": "funded_amnt / total_rec_prncp"}
    )
    line = "A,100,0,0.1,2011-12-01,,NC,B"
    good = "B,100,50,0.1,2011-12-01,,NC,B"
    content = f"{LENDINGCLUB_HEADER}\n{line}\n{good}\n"
    assert [problem[3] for problem in problems(content, mapping)] == ["NO_RESULT"]


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


def test_fifty_thousand_rows_are_read_in_a_second():
    lines = (row_with(loan_reference=f"L{number}") for number in range(50_000))
    content = "\n".join([HEADER, *lines]).encode()
    before = time.process_time()
    total = sum(sum(batch.columns["balance_minor"]) for batch in batches(content))
    # Generous beside the half second it takes: a slow machine is no bug, a quadratic loop is.
    assert time.process_time() - before < 5
    assert total == 50_000 * 123_456
