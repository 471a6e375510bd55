"""Guessing a mapping: headers in English and Chinese, the EU's template, saved mappings, values."""

import csv
import dataclasses
import io
from datetime import date
from pathlib import Path

import pytest

from portfolios import loan_files, tables
from portfolios.mappings import MAPPINGS, Mapping, evidence, guessing, words
from portfolios.mappings.fields import DATE_FORMATS, FIELDS, LOANS, MAINTENANCE
from portfolios.mappings.guessing import Reason

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
EXACT, SYNONYM, PART = Reason("exact", 100), Reason("synonym", 90), Reason("synonym", 60)
SEEN = Reason("values", 40)


def explained(header, *rows, saved=(), kind=LOANS):
    sample = [row.split("|") for row in rows]
    return guessing.explained(header.split("|"), sample=sample, saved=saved, kind=kind)


def guessed(header, *rows, **options):
    return explained(header, *rows, **options).mapping


def test_a_chinese_header():
    found = explained(
        "序号|借据号|客户名称|身份证号码|联系电话|户籍地址|剩余本金|欠息|罚息|年利率(%)|产品名称|"
        "放款日期|违约日期|逾期天数|最后一次还款日期|所在省份|五级分类|信用评分|历史委外次数|"
        "诉讼时效到期日|是否抵押|币种|客户编号|担保人姓名|分行"
    )
    assert found.mapping.columns == {
        "reference": "借据号",
        "principal": "剩余本金",
        "interest": "欠息",
        "fees": "罚息",
        "rate": "年利率(%)",
        "product": "产品名称",
        "is_secured": "是否抵押",
        "opened_on": "放款日期",
        "defaulted_on": "违约日期",
        "days_past_due": "逾期天数",
        "last_payment_on": "最后一次还款日期",
        "region": "所在省份",
        "grade": "五级分类",
        "score": "信用评分",
        "earlier_placements": "历史委外次数",
        "limitation_on": "诉讼时效到期日",
        "customer_reference": "客户编号",
        "borrower_name": "客户名称",
        "phone": "联系电话",
        "address": "户籍地址",
        "national_id": "身份证号码",
        "currency": "币种",
    }
    assert set(found.mapping.columns.values()).isdisjoint({"担保人姓名", "分行", "序号"})
    assert found.mapping.attributes == ()
    assert found.mapping.rate_unit == "percent"
    assert found.mapping.missing_fields() == []
    assert {"principal", "interest", "fees", "opened_on"}.isdisjoint(found.mapping.optional)
    assert {"phone", "rate", "currency"} <= found.mapping.optional
    assert found.reasons["reference"] == SYNONYM


def test_an_english_header():
    found = explained("Loan Number|E-mail|Balance|Date of Default|opened_on|DPD|Interest Rate (%)")
    assert found.mapping.columns == {
        "reference": "Loan Number",
        "email": "E-mail",
        "balance": "Balance",
        "defaulted_on": "Date of Default",
        "opened_on": "opened_on",
        "days_past_due": "DPD",
        "rate": "Interest Rate (%)",
    }
    assert found.reasons["balance"] == found.reasons["opened_on"] == EXACT
    assert found.reasons["days_past_due"] == SYNONYM
    assert found.mapping.optional == {"email", "defaulted_on", "days_past_due", "rate"}


def test_a_longer_chinese_name_that_holds_a_known_one():
    found = explained("贷款编号|基准日本金余额|主借款客户姓名|紧急联系人手机号码|放款日期")
    assert found.mapping.columns["principal"] == "基准日本金余额"
    assert found.mapping.columns["borrower_name"] == "主借款客户姓名"
    assert found.reasons["principal"] == PART
    assert "phone" not in found.mapping.columns


def test_the_better_name_wins_and_a_column_serves_one_field():
    found = explained("id|loan_reference|balance|total balance|opened_on")
    assert found.mapping.columns["reference"] == "loan_reference"
    assert found.mapping.columns["balance"] == "balance"


def test_the_standard_template_is_guessed_as_it_is():
    standard = MAPPINGS["standard"]
    found = guessing.explained(list(standard.columns.values()), sample=[])
    assert found.mapping.columns == standard.columns
    assert set(found.reasons.values()) == {EXACT}


EU_NAMES = {
    "reference": "loan_identifier",
    "balance": "total_balance",
    "principal": "principal_balance",
    "interest": "accrued_interest_balance_on_book",
    "fees": "other_balances",
    "rate": "current_interest_rate",
    "product": "product_type",
    "opened_on": "date_of_origination",
    "defaulted_on": "date_of_default",
    "last_payment_on": "last_payment_date",
    "region": "geographic_region_of_registered_location",
    "jurisdiction": "governing_law_of_loan_agreement",
    "customer_reference": "counterparty_identifier",
    "borrower_name": "name_of_counterparty",
    "address": "address_of_registered_location",
    "national_id": "national_identifier",
    "currency": "loan_currency",
}


def test_the_names_of_the_template_of_the_eu():
    assert guessing.guess(list(EU_NAMES.values()), sample=[]).columns == EU_NAMES


def test_the_whole_template_of_the_eu():
    path = DATA / "templates" / "eba_npl_fields.csv"
    if not path.exists():
        pytest.skip("the template of ../shared/data/templates is not on this machine")
    with path.open(newline="") as file:
        fields = [
            row["field"] for row in csv.DictReader(file) if row["model"] in ("loan", "counterparty")
        ]
    assert guessing.guess(list(dict.fromkeys(fields)), sample=[]).columns == EU_NAMES


def test_the_lendingclub_file():
    path = DATA / "loans" / "lendingclub_charged_off.csv"
    if not path.exists():
        pytest.skip("the LendingClub file of ../shared/data/loans is not on this machine")
    with path.open("rb") as file:
        table = tables.open_table(file)
        found = guessing.explained(table.columns, sample=table.sample())
    assert found.mapping is MAPPINGS["lendingclub"]
    assert found.reasons["balance"] == EXACT


def test_a_saved_mapping_wins_where_all_its_columns_are_there():
    small = Mapping(name="small", columns={"reference": "balance", "opened_on": "d"})
    large = dataclasses.replace(small, name="large", computed={"balance": "a + b"})
    more = dataclasses.replace(large, name="more", attributes=("branch",))
    other = dataclasses.replace(more, name="other", kind=MAINTENANCE)
    saved = [small, more, large, other]
    found = explained("balance|d|a|b", saved=saved)
    assert found.mapping is large
    assert found.reasons == dict.fromkeys(
        ["reference", "opened_on", "balance"], Reason("saved", 100)
    )
    assert explained("balance|d|a|b|branch", saved=saved).mapping is more
    assert explained("balance|d|a", saved=saved).mapping is small
    assert explained("balance|a|b", saved=saved).mapping.columns == {"balance": "balance"}


def test_values_fill_what_no_header_names_but_never_a_person():
    rows = (
        "K-001|王芳|13800000000|330100196001010008|CNY|100.50|2020-01-02|a@b.cn",
        "K-002|张伟|13800000001|330100196001010016|CNY|7.00|2021-01-02|c@d.cn",
    )
    found = explained("c1|c2|c3|c4|c5|c6|c7|c8", *rows)
    assert found.mapping.columns == {
        "reference": "c1",
        "currency": "c5",
        "balance": "c6",
        "opened_on": "c7",
    }
    assert found.reasons["balance"] == found.reasons["currency"] == SEEN
    turned = explained("c3|c1", "13800000000|K-001", "13800000001|K-002")
    assert turned.mapping.columns == {"reference": "c1"}


def test_two_dates_or_amounts_are_not_drawn_by_lot():
    row = "K-001|1.50|2.50|2020-01-02|2021-01-02"
    found = guessed("a|b|c|d|e", row, row.replace("K-001", "K-002"))
    assert found.columns == {"reference": "a"}
    assert found.missing_fields() == ["balance", "opened_on"]


def test_days_with_points_are_no_amounts():
    row = "K-001|2020.01.02|2021.01.02"
    assert guessed("a|b|c", row, row.replace("K-001", "K-002")).columns == {"reference": "a"}


@pytest.mark.parametrize(
    ("columns", "formats", "sureness"),
    [
        ([["2024-01-31", "2024-12-01"]], ("%Y-%m-%d",), 95),
        ([["20240131"]], ("%Y%m%d",), 95),
        ([["31.01.2024"]], ("%d.%m.%Y",), 95),
        ([["2024/1/31"]], ("%Y/%m/%d",), 95),
        ([["2024年1月31日"]], ("%Y年%m月%d日",), 95),
        ([["Dec-2015"]], ("%b-%Y",), 95),
        ([["2024-01-31 00:00:00"]], ("%Y-%m-%d %H:%M:%S",), 95),
        ([["01/02/2024"]], ("%d/%m/%Y",), 50),
        ([["01/02/2024", "01/13/2024"]], ("%m/%d/%Y",), 95),
        ([["01/02/2024"], ["01/13/2024"]], ("%m/%d/%Y",), 95),
        ([["2024-01-31"], ["20240131"], ["2024-01-31"]], ("%Y-%m-%d", "%Y%m%d"), 95),
        ([["soon"], []], ("%Y-%m-%d",), 0),
        ([], ("%Y-%m-%d",), 0),
    ],
)
def test_date_formats(columns, formats, sureness):
    assert evidence.date_formats(columns) == (formats, sureness)


@pytest.mark.parametrize("format_", DATE_FORMATS)
def test_every_date_format_is_found_again(format_):
    days = [date(2023, 12, 31), date(1999, 2, 28)]
    formats, _ = evidence.date_formats([[day.strftime(format_) for day in days]])
    assert formats == (format_,)


@pytest.mark.parametrize(
    ("texts", "marks"),
    [
        (["1", "2.50", "0.123"], (".", "", 95)),
        (["1,50", "2"], (",", "", 95)),
        (["1,234", "2,345,678.90"], (".", ",", 95)),
        (["1,234"], (".", ",", 95)),
        (["1.234,50", "7"], (",", ".", 95)),
        (["1 234,50"], (",", " ", 95)),
        (["1'234.50"], (".", "'", 95)),
        (["1.50", "n/a"], (".", "", 48)),
        ([], (".", "", 0)),
    ],
)
def test_marks_of_numbers(texts, marks):
    assert evidence.marks(texts) == marks


@pytest.mark.parametrize(
    ("texts", "column", "unit"),
    [
        (["0.045", "0.18"], "利率", ("fraction", 80)),
        (["4.5", "0.9"], "利率", ("percent", 80)),
        (["45000"], "rate", ("ppm", 80)),
        (["0.5"], "rate (%)", ("percent", 95)),
        (["0.5%"], "rate", ("percent", 95)),
        (["45"], "rate_ppm", ("ppm", 95)),
        (["0", "x"], "rate", ("percent", 0)),
    ],
)
def test_units_of_rates(texts, column, unit):
    assert evidence.rate_unit(texts, column=column, decimal_mark=".") == unit


def test_units_in_the_names_of_amounts():
    found = guessed(
        "贷款编号|本金余额（万元）|利息(分)|fees_cents|放款日期|预期回收率|利率", "1||||||"
    )
    assert found.computed == {"principal": "`本金余额（万元）` * 10000"}
    assert found.units == {"interest": "minor", "fees": "minor", "expected_recovery": "percent"}
    assert found.missing_fields() == []
    content = "贷款编号,本金余额（万元）,利息(分),fees_cents,放款日期,预期回收率,利率\n"
    content += "A,1.25,7,8,2020-01-02,30,4\n"
    table = tables.open_table(io.BytesIO(content.encode()))
    [batch] = loan_files.read(table, found, currency="CNY", as_of=date(2026, 1, 1))
    assert batch.columns["balance_minor"] == [1_250_015]


def test_a_guess_from_values_reads_the_file():
    content = "Nr;Kapital;Zins;Beginn\nKD-1;1.000,50;0,045;31.12.2020\nKD-2;7,00;0,05;01.02.2021\n"
    table = tables.open_table(io.BytesIO(content.encode()))
    found = guessing.explained(table.columns, sample=table.sample())
    mapping = dataclasses.replace(
        found.mapping, columns=found.mapping.columns | {"rate": "Zins"}, rate_unit="fraction"
    )
    [batch] = loan_files.read(table, mapping, currency="EUR", as_of=date(2026, 1, 1))
    assert batch.columns["balance_minor"] == [100_050, 700]
    assert batch.columns["opened_on"] == [date(2020, 12, 31), date(2021, 2, 1)]
    assert found.reasons == {
        "reference": SEEN,
        "balance": SEEN,
        "opened_on": SEEN,
        "date_formats": Reason("values", 95),
        "decimal_mark": Reason("values", 95),
    }


def test_a_maintenance_file():
    found = guessed(
        "贷款编号|事件类型|还款金额|日期|最新余额|新手机号码|备注",
        "DK1|还款|5.00|2026-11-23|||x",
        kind=MAINTENANCE,
    )
    assert found.columns == {
        "reference": "贷款编号",
        "event": "事件类型",
        "amount": "还款金额",
        "value_on": "日期",
        "balance": "最新余额",
        "phone": "新手机号码",
        "note": "备注",
    }
    assert found.optional == {"amount", "value_on", "balance", "phone", "note"}
    assert Mapping.from_dict(found.to_dict()) == found


@pytest.mark.parametrize("kind", [LOANS, MAINTENANCE])
def test_every_field_has_names_and_its_own_name_finds_it(kind):
    assert set(words.NAMES[kind]) == set(FIELDS[kind])
    found = guessing.explained(list(FIELDS[kind]), sample=[], kind=kind)
    assert found.mapping.columns == {name: name for name in FIELDS[kind]}
    assert set(found.reasons.values()) == {EXACT}
