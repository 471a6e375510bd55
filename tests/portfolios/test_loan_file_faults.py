"""What can be wrong or odd in a loan file, each told with its row, column, value and code."""

import dataclasses
import io

import pytest

from config import errors
from portfolios import loan_files, tables
from portfolios.mappings import Mapping
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
    refusal,
    row_with,
    warnings,
)

PERSONAL = {"borrower_name", "phone", "email", "address", "national_id"}


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


def test_a_score_far_from_the_others():
    usual = [600 + number % 50 for number in range(1200)]
    assert warnings(scored(*usual), SCORED) == []
    assert warnings(scored(6, *usual, 6500, 700), SCORED) == [
        (2, "s", "6", "UNUSUAL_SCORE"),
        (1203, "s", "6500", "UNUSUAL_SCORE"),
    ]
    assert warnings(scored(*usual[:28], 6), SCORED) == []
    assert warnings(scored(*[600] * 100, 6), SCORED) == []


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


def test_nothing_owed_shows_where_it_comes_from():
    line = "A,100,100.01,0.1,2011-12-01,,NC,B"
    assert problems(f"{LENDINGCLUB_HEADER}\n{line}\n", LENDINGCLUB) == [
        (2, "funded_amnt - total_rec_prncp", "100 ; 100.01", "NOTHING_OWED")
    ]


def test_a_formula_without_a_result_is_a_bad_row():
    mapping = dataclasses.replace(
        LENDINGCLUB, computed={"balance": "funded_amnt / total_rec_prncp"}
    )
    line = "A,100,0,0.1,2011-12-01,,NC,B"
    good = "B,100,50,0.1,2011-12-01,,NC,B"
    content = f"{LENDINGCLUB_HEADER}\n{line}\n{good}\n"
    assert [problem[3] for problem in problems(content, mapping)] == ["NO_RESULT"]
