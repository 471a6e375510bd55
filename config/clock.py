"""The one clock: the database's, so that every process agrees on what a deadline means.

`fairplace_now()` reads `clock_timestamp()`; the owner role alone can make it say something else,
which is how a year passes in tests and in the demonstration.
"""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import DateTimeField, Func


class Now(Func):
    """`fairplace_now()` inside a queryset, read once per statement."""

    function = "fairplace_now"
    template = "(select %(function)s())"
    output_field = DateTimeField()


def now() -> datetime:
    """The moment by the database's clock, in UTC. Read it after the row is locked."""
    with connection.cursor() as cursor:
        cursor.execute("select fairplace_now()")
        return cursor.fetchone()[0]


def business_date(time_zone: str) -> date:
    """Today in an institution's own time zone (an IANA name)."""
    return now().astimezone(ZoneInfo(time_zone)).date()
