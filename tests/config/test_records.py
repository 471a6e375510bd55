"""Rows of whole numbers from PostgreSQL, read as they come."""

import pytest

from config import records

pytestmark = pytest.mark.django_db

COLUMNS = (("small", "i4"), ("large", "i8"))


def test_rows_come_as_records_in_their_order():
    query = (
        "select n::int, n::bigint * 1000000007 from generate_series(-2, %(last)s) as n order by 1"
    )
    found = records.read(query, {"last": 100_000}, COLUMNS)
    assert len(found) == 100_003
    assert found["small"].tolist() == list(range(-2, 100_001))
    assert found["large"][-1] == 100_000 * 1_000_000_007


def test_no_row_is_no_record():
    assert len(records.read("select 1, 2::bigint where false", {}, COLUMNS)) == 0


@pytest.mark.parametrize(
    "query", ["select 1, 2", "select 1, null::bigint", "select 1", "select 1, 2::bigint, 3"]
)
def test_other_columns_are_refused(query):
    with pytest.raises(ValueError, match="other columns"):
        records.read(query, {}, COLUMNS)
