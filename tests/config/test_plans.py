"""Joins over many rows whose estimates are wrong."""

import pytest
from django.db import connection, transaction

from config import plans


def _setting() -> str:
    with connection.cursor() as cursor:
        cursor.execute("show enable_nestloop")
        return cursor.fetchone()[0]


def test_nested_loops_are_off_inside_and_on_again_afterwards(db):
    assert _setting() == "on"
    with plans.without_nested_loops():
        assert _setting() == "off"
    assert _setting() == "on"
    with pytest.raises(ZeroDivisionError), transaction.atomic(), plans.without_nested_loops():
        raise ZeroDivisionError
    assert _setting() == "on"


def test_tables_nobody_has_counted_are_joined_by_hashing(db):
    with connection.cursor() as cursor:
        cursor.execute("create temporary table a on commit drop as select 1 as x")
        cursor.execute("create temporary table b on commit drop as select 1 as x")
        with plans.without_nested_loops():
            cursor.execute("explain select from a where not exists (select from b where b.x = a.x)")
            plan = " ".join(line for (line,) in cursor.fetchall())
    assert "Nested Loop" not in plan
    assert "Hash" in plan or "Merge" in plan


def test_no_query_of_the_application_runs_in_parallel(db):
    """A policy asks the clock, which PostgreSQL refuses to a query that has begun in parallel."""
    with connection.cursor() as cursor:
        cursor.execute("show max_parallel_workers_per_gather")
        assert cursor.fetchone() == ("0",)
