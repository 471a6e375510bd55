"""The summary of a loan file, however its rows are cut into batches."""

import io
import json
from datetime import date

import pytest

from portfolios import loan_files, tables
from portfolios.file_summary import DISTINCT_MAX, Summary
from portfolios.mappings import Mapping
from portfolios.mappings.fields import LOANS

MAPPING = Mapping(
    name="ours",
    columns={
        "reference": "r",
        "balance": "b",
        "opened_on": "o",
        "phone": "p",
        "score": "s",
        "region": "g",
    },
    attributes=("x",),
)
CONTENT = """r,b,o,p,s,g,x
L1,5.00,2020-01-02,13800000000,600,NY,
L2,7.00,2019-01-02,1,,CA,a
L3,0,2019-01-02,1,5,ZZ,
L4,1.00,1949-01-02,,599,,
L5,1
TOTAL,4,13.00
"""


def summary(content, **options):
    table = tables.open_table(io.BytesIO(content.encode()))
    found = Summary(LOANS)
    for batch in loan_files.read(
        table, MAPPING, currency="EUR", as_of=date(2026, 11, 23), **options
    ):
        found.add(batch)
    return json.loads(json.dumps(found.to_dict()))


@pytest.mark.parametrize("batch_rows", [1, 2, 2000])
def test_a_summary(batch_rows):
    columns = summary(CONTENT, batch_rows=batch_rows)
    assert columns["phone"] == {"filled": 2, "blank": 1}
    assert columns["balance_minor"] == {
        "filled": 3,
        "blank": 0,
        "lowest": 100,
        "highest": 700,
        "distinct": 3,
        "first": [500, 700, 100],
    }
    assert columns["opened_on"]["lowest"] == "1949-01-02"
    assert columns["score"] == {
        "filled": 2,
        "blank": 1,
        "lowest": 599,
        "highest": 600,
        "distinct": 2,
        "first": [600, 599],
    }
    assert columns["region"]["first"] == ["NY", "CA"]
    assert columns["attributes"] == {
        "filled": 1,
        "blank": 2,
        "lowest": None,
        "highest": None,
        "distinct": None,
        "first": [{"x": "a"}],
    }
    assert columns["grade"]["filled"] == 0
    assert "13800000000" not in json.dumps(columns)


def test_distinct_values_are_counted_up_to_a_thousand():
    lines = [f"L{number},5.00,2020-01-02,,,," for number in range(DISTINCT_MAX)]
    head = "r,b,o,p,s,g,x\n"
    assert summary(head + "\n".join(lines))["reference"]["distinct"] == 1_000
    lines.append("more,5.00,2020-01-02,,,,")
    assert summary(head + "\n".join(lines))["reference"]["distinct"] is None


def test_a_file_without_rows():
    assert summary("r,b,o,p,s,g,x\n") == {}
