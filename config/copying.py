"""Many rows to and from PostgreSQL by COPY.

To it: columns of values as the text that it reads. Lists of equal length in, a list of lines out.
Each kind of value has its own function, which works on a whole list: per value it costs a fraction
of what psycopg's own writer of rows does. From it: whole numbers as an array of records.
"""

import datetime
import json
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from django.db import connection

NULL = "\\N"
_ESCAPES = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})
_SPECIAL = ("\\", "\t", "\n", "\r")


def texts(values: Sequence[str]) -> list[str]:
    """Texts, the empty one as itself; none has a NUL, for which PostgreSQL has no text."""
    joined = "".join(values)
    if any(mark in joined for mark in _SPECIAL):
        return [value.translate(_ESCAPES) for value in values]
    return list(values)


def numbers(values: Iterable[int | None]) -> list[str]:
    return [NULL if value is None else str(value) for value in values]


def truths(values: Iterable[bool]) -> list[str]:
    return ["t" if value else "f" for value in values]


def days(values: Iterable[datetime.date | None]) -> list[str]:
    written: dict[datetime.date | None, str] = {None: NULL}
    found = []
    for value in values:
        text = written.get(value)
        if text is None:
            text = written[value] = value.isoformat()  # type: ignore[union-attr]
        found.append(text)
    return found


def identifiers(values: Iterable[object | None]) -> list[str]:
    return [NULL if value is None else str(value) for value in values]


def binaries(values: Iterable[bytes | None]) -> list[str]:
    return [NULL if value is None else f"\\\\x{value.hex()}" for value in values]


def documents(values: Iterable[dict]) -> list[str]:
    """JSON; most rows of most files have none."""
    return [
        json.dumps(value, ensure_ascii=False).translate(_ESCAPES) if value else "{}"
        for value in values
    ]


def lines(columns: Sequence[Sequence[str]]) -> list[str]:
    """The rows of these columns, each of which came from one of the functions above."""
    return list(map("\t".join, zip(*columns, strict=True)))


def array(values: Iterable[str]) -> str:
    """Texts as the text of an array, to be cast where it is used: `%s::text[]`."""
    values = list(values)
    if not values:
        return "{}"
    joined = "\0".join(values)
    if "\\" in joined or '"' in joined:
        joined = joined.replace("\\", r"\\").replace('"', r"\"")
    return '{"' + joined.replace("\0", '","') + '"}'


_HEADER_BYTES = 19
"""Signature, flags and length of the extension of a binary COPY, which has none."""
_TRAILER_BYTES = 2


def records(
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
