"""Rows of whole numbers out of PostgreSQL, as an array of records."""

from collections.abc import Mapping, Sequence

import numpy as np
from django.db import connection

_HEADER_BYTES = 19
"""Signature, flags and length of the extension of a binary COPY, which has none."""
_TRAILER_BYTES = 2


def read(
    query: str, parameters: Mapping[str, object], columns: Sequence[tuple[str, str]]
) -> np.ndarray:
    """The rows of a query whose columns are all whole numbers and never null, as records.

    `columns` are (name, `i4` or `i8`) in the query's order. A binary COPY of fixed widths is read
    as it comes: each row is a count of fields, and each field its length and its bytes
    (PostgreSQL's documentation of COPY, "Binary Format"). Raises ValueError where a row is not of
    these widths.
    """
    layout: list[tuple[str, str]] = [("fields", ">i2")]
    for name, kind in columns:
        layout += [(f"{name} length", ">i4"), (name, f">{kind}")]
    row = np.dtype(layout)
    received = bytearray()
    statement = f"copy ({query}) to stdout (format binary)"
    # Past Django's wrapper for DEBUG, which has no COPY.
    with connection.cursor() as cursor, cursor.cursor.copy(statement, parameters) as copy:
        for block in copy:
            received += block
    body = memoryview(received)[_HEADER_BYTES : len(received) - _TRAILER_BYTES]
    if len(body) % row.itemsize:
        raise ValueError("a row has other columns than it should")
    rows = np.frombuffer(body, dtype=row)
    widths = {f"{name} length": int(kind[1]) for name, kind in columns}
    if any((rows[name] != width).any() for name, width in widths.items()):
        raise ValueError("a row has other columns than it should")
    found = np.empty(len(rows), dtype=[(name, f"={kind}") for name, kind in columns])
    for name, _kind in columns:
        found[name] = rows[name]
    return found
