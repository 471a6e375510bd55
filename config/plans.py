"""How PostgreSQL is to plan a query whose estimates are known to be wrong."""

import contextlib
from collections.abc import Iterator

from django.db import connection, transaction


@contextlib.contextmanager
def without_nested_loops() -> Iterator[None]:
    """Inside, tables are joined by hashing or merging: time grows with the rows, not their square.

    Of loans that came a moment ago PostgreSQL knows nothing yet and expects one row; a nested
    loop over twenty thousand then takes minutes. For queries over many rows only.
    """
    # A transaction of its own: where what is inside fails, the setting goes with it.
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("set local enable_nestloop = off")
        yield
        with connection.cursor() as cursor:
            cursor.execute("set local enable_nestloop = on")
