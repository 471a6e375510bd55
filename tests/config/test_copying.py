"""Texts as PostgreSQL reads them back: whatever marks are in them."""

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config import copying

pytestmark = pytest.mark.django_db

TEXTS = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"])
    | st.sampled_from('\\"{},\t\n\r'),
    max_size=8,
)
in_one_database = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60
)


@in_one_database
@given(values=st.lists(TEXTS))
def test_an_array_is_read_back_as_it_was(db, values):
    with connection.cursor() as cursor:
        cursor.execute("select %s::text[]", [copying.array(values)])
        assert cursor.fetchone()[0] == values


def test_words_that_mean_something_in_arrays_are_words():
    values = ["", "NULL", "{}", "\\N", " "]
    with connection.cursor() as cursor:
        cursor.execute("select %s::text[]", [copying.array(values)])
        assert cursor.fetchone()[0] == values


@in_one_database
@given(rows=st.lists(st.tuples(TEXTS, TEXTS), min_size=1))
def test_lines_are_read_back_as_they_were(db, rows):
    lines = copying.lines([copying.texts(list(column)) for column in zip(*rows, strict=True)])
    with connection.cursor() as cursor:
        cursor.execute("create temporary table if not exists pairs (first text, last text)")
        cursor.execute("truncate pg_temp.pairs")
        with cursor.copy("copy pg_temp.pairs from stdin") as copy:
            copy.write("\n".join([*lines, ""]).encode())
        cursor.execute("select first, last from pg_temp.pairs")
        assert sorted(cursor.fetchall()) == sorted(rows)
