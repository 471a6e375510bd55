"""Files of comma-separated values that spreadsheets open as they are meant."""

import csv
import io
from collections.abc import Iterable

from config.spreadsheets import inert

BYTE_ORDER_MARK = "\ufeff"
"""Stands at the beginning: by it spreadsheets recognise UTF-8."""


def lines(rows: Iterable[Iterable]) -> str:
    """Rows as text; no text in them is taken for a formula."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    for row in rows:
        writer.writerow([inert(value) if isinstance(value, str) else value for value in row])
    return written.getvalue()
