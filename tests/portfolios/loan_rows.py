"""Rows of loan files, and readers of them as the tests want them."""

import io
from datetime import date

import pytest

from config import errors
from portfolios import loan_files, tables
from portfolios.mappings import MAPPINGS, Mapping

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


SCORED = Mapping(
    name="scored", columns={"reference": "r", "balance": "b", "opened_on": "o", "score": "s"}
)
LENDINGCLUB_HEADER = "id,funded_amnt,total_rec_prncp,int_rate,issue_d,last_pymnt_d,addr_state,grade"
