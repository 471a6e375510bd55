"""A log line tells what happened and nothing of the people in the database."""

import logging

import pytest
from django.db import IntegrityError, connection

from config import logs


def formatted(message: str, **extra) -> str:
    record = logging.LogRecord("fairplace", logging.ERROR, __file__, 1, message, (), **extra)
    return logs.Formatter().format(record)


def test_a_line_is_one_line_in_utc():
    line = formatted("first\nsecond\r", exc_info=None)
    assert line.endswith("Z ERROR fairplace first\\nsecond\\r")
    assert "\n" not in line


@pytest.mark.django_db
def test_the_row_that_a_constraint_refused_is_left_out():
    person = "@".join(("ann", "example.org"))
    twice = "insert into cache_entry values (%s, '', now()), (%s, '', now())"
    with connection.cursor() as cursor, pytest.raises(IntegrityError) as caught:
        cursor.execute(twice, [person, person])
    assert person in str(caught.value)
    text = formatted("failed", exc_info=(caught.type, caught.value, caught.tb))
    assert "duplicate key value violates unique constraint" in text
    assert "IntegrityError" in text
    assert person not in text
