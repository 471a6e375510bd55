"""Mappings as data, what they may say, and formulas."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import errors
from portfolios.mappings import MAINTENANCE_MAPPINGS, MAPPINGS, Formula, Mapping

SMALLEST = {
    "name": "ours",
    "columns": {"reference": "Nr", "balance": "Saldo", "opened_on": "Beginn"},
}
FULL = {
    "name": "full",
    "kind": "loans",
    "columns": {
        "reference": "贷款编号",
        "opened_on": "放款日期",
        "phone": "手机号",
        "fees": "费用",
    },
    "computed": {"balance": "`本金 (元)` + 利息", "rate": "`月利率` * 12"},
    "constants": {"currency": "CNY", "product": "信用卡", "is_secured": "否"},
    "optional": ["fees", "phone"],
    "units": {"balance": "minor", "fees": "major", "expected_recovery": "ppm"},
    "rate_unit": "fraction",
    "date_formats": ["%Y年%m月%d日", "%Y%m%d"],
    "decimal_mark": ",",
    "grouping": ".",
    "true_words": ["是"],
    "false_words": ["否"],
    "attributes": ["分行", "客户经理"],
}


def test_a_mapping_is_the_same_after_it_was_stored():
    for mapping in [*MAPPINGS.values(), *MAINTENANCE_MAPPINGS.values()]:
        assert Mapping.from_dict(mapping.to_dict()) == mapping
    assert Mapping.from_dict(FULL).to_dict() == FULL


def test_what_is_left_out_is_as_usual():
    mapping = Mapping.from_dict(SMALLEST)
    assert mapping == Mapping(name="ours", columns=SMALLEST["columns"])
    assert (mapping.rate_unit, mapping.decimal_mark, mapping.currency) == ("percent", ".", None)


def test_a_mapping_knows_its_columns():
    mapping = Mapping.from_dict(FULL)
    assert mapping.required_columns() == ["贷款编号", "放款日期", "本金 (元)", "利息", "月利率"]
    assert mapping.all_columns() == {
        *(
            "贷款编号",
            "放款日期",
            "手机号",
            "费用",
            "本金 (元)",
            "利息",
            "月利率",
            "分行",
            "客户经理",
        )
    }
    assert mapping.personal_columns == {"手机号"}
    assert mapping.currency == "CNY"
    assert MAPPINGS["lendingclub"].currency == "USD"


@pytest.mark.parametrize(
    ("columns", "missing"),
    [
        ({"reference": "a", "balance": "b", "opened_on": "c"}, []),
        ({"reference": "a", "interest": "b", "opened_on": "c"}, []),
        ({"balance": "b"}, ["reference", "opened_on"]),
        ({}, ["reference", "balance", "opened_on"]),
    ],
)
def test_the_fields_that_every_loan_needs(columns, missing):
    assert Mapping(name="", columns=columns).missing_fields() == missing


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"name": 5}, "INVALID_MAPPING", "name"),
        ({"more": {}}, "INVALID_MAPPING", None),
        ({"columns": ["Nr"]}, "INVALID_MAPPING", "columns"),
        ({"columns": {"reference": None}}, "INVALID_MAPPING", "columns"),
        ({"attributes": "Nr"}, "INVALID_MAPPING", "attributes"),
        ({"kind": "receipts"}, "INVALID_MAPPING", "kind"),
        ({"constants": {"product": "x" * 201}}, "INVALID_MAPPING", "constants"),
        ({"constants": {"product": "a\0b"}}, "INVALID_MAPPING", "constants"),
        ({"constants": {"a\0b": "x"}}, "INVALID_MAPPING", "constants"),
        ({"name": "\ud800"}, "INVALID_MAPPING", "name"),
        ({"columns": {"colour": "x"}}, "UNKNOWN_FIELD", "columns.colour"),
        ({"constants": {"colour": "x"}}, "UNKNOWN_FIELD", "constants.colour"),
        ({"units": {"colour": "major"}}, "UNKNOWN_FIELD", "units.colour"),
        ({"units": {"product": "major"}}, "UNKNOWN_FIELD", "units.product"),
        ({"optional": ["colour"]}, "UNKNOWN_FIELD", "optional"),
        ({"columns": {"reference": "Nr"}}, "MISSING_FIELD", "columns.balance"),
        ({"columns": {"reference": ""}}, "MISSING_FIELD", "columns.reference"),
        ({"computed": {"balance": "a + b"}}, "TWO_SOURCES", "computed.balance"),
        ({"constants": {"opened_on": "2020-01-01"}}, "TWO_SOURCES", "constants.opened_on"),
        ({"constants": {"phone": "1"}}, "NO_CONSTANT", "constants.phone"),
        ({"constants": {"score": "1"}}, "NO_CONSTANT", "constants.score"),
        ({"computed": {"region": "a"}}, "NO_FORMULA", "computed.region"),
        ({"computed": {"fees": "a +"}}, "INVALID_FORMULA", "computed.fees"),
        ({"units": {"balance": "percent"}}, "UNKNOWN_UNIT", "units.balance"),
        ({"units": {"rate": "minor"}}, "UNKNOWN_UNIT", "units.rate"),
        ({"rate_unit": "minor"}, "UNKNOWN_UNIT", "rate_unit"),
        ({"decimal_mark": ";"}, "INVALID_MARKS", "decimal_mark"),
        ({"decimal_mark": ",", "grouping": ","}, "INVALID_MARKS", "decimal_mark"),
        ({"grouping": "x"}, "INVALID_MARKS", "decimal_mark"),
        ({"date_formats": []}, "INVALID_DATE_FORMAT", "date_formats"),
        ({"date_formats": ["%d.%m"]}, "INVALID_DATE_FORMAT", "date_formats"),
        ({"date_formats": ["%Y-%m-%d %Z"]}, "INVALID_DATE_FORMAT", "date_formats"),
        ({"date_formats": ["%Y-%m-%d%"]}, "INVALID_DATE_FORMAT", "date_formats"),
        ({"date_formats": ["%Y-%m-%m"]}, "INVALID_DATE_FORMAT", "date_formats"),
        ({"constants": {"currency": "XXX"}}, "UNKNOWN_CURRENCY", "constants.currency"),
        (
            {"columns": {**SMALLEST["columns"], "phone": "T"}, "attributes": ["T"]},
            "PERSONAL_ATTRIBUTE",
            "attributes",
        ),
        ({"attributes": ["a", "a"]}, "INVALID_MAPPING", "attributes"),
        ({"attributes": [f"a{number}" for number in range(51)]}, "INVALID_MAPPING", "attributes"),
    ],
)
def test_what_is_no_mapping(changes, code, field):
    with pytest.raises(errors.InvalidInput) as refused:
        Mapping.from_dict({**SMALLEST, **changes})
    assert (refused.value.code, refused.value.field) == (code, field)
    assert refused.value.message


@pytest.mark.parametrize("data", [None, [], "x", {}, {"name": "x"}, {"columns": {}}])
def test_other_shapes_are_no_mapping(data):
    with pytest.raises(errors.InvalidInput) as refused:
        Mapping.from_dict(data)
    assert refused.value.code == "INVALID_MAPPING"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*FULL, "other"]), JSON))
def test_any_json_is_a_mapping_or_refused(changes):
    try:
        mapping = Mapping.from_dict({**FULL, **changes})
    except errors.InvalidInput:
        return
    assert Mapping.from_dict(mapping.to_dict()) == mapping


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("`Loan Amount` - `Paid so far`", ["Loan Amount", "Paid so far"]),
        ("`本金（元）`*10000 + 利息", ["本金（元）", "利息"]),
        ("ﬁrst + Ａ", ["ﬁrst", "Ａ"]),
        ("2e3 * e3", ["e3"]),
        ("c1 - c0", ["c1", "c0"]),
        ("`a # b` - c", ["a # b", "c"]),
    ],
)
def test_formulas_take_column_names_as_they_are(text, names):
    formula = Formula(text)
    assert formula.names == names
    assert formula.values({name: [Decimal(1), Decimal(2)] for name in names}, 2)[1] is not None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a - b", Decimal("7.50")),
        ("a-(b+1)*2", Decimal("3.00")),
        ("-a / 4", Decimal("-2.5")),
        ("+a * 0.1", Decimal("1.0")),
        ("a - b - b", Decimal("5.00")),
        ("3", Decimal(3)),
    ],
)
def test_formulas(text, expected):
    assert Formula(text).value({"a": Decimal(10), "b": Decimal("2.50")}) == expected


def test_a_formula_knows_its_columns():
    assert Formula("a - b * (c + a)").names == ["a", "b", "c", "a"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a +",
        "a ** 9",
        "a // b",
        "a % b",
        "a.real",
        "a[0]",
        "f(a)",
        "__import__('os')",
        "lambda: a",
        "[a]",
        "'a'",
        "a if b else c",
        "a < b",
        "True",
        "1j",
        "1e999",
        "a := 1",
        "(a for a in b)",
        "f'{a}'",
        "a; b",
        "a # b",
        "`a",
        "``",
        "℘ + 1",
        "\x00",
        "a + " * 60 + "a",
    ],
)
def test_anything_but_arithmetic_is_refused(text):
    with pytest.raises(errors.InvalidInput) as refused:
        Formula(text)
    assert refused.value.code == "INVALID_FORMULA"
