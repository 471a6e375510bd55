"""The anonymised tape as people read it, and as a file."""

import csv
import io
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice

from babel import numbers
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from config.spreadsheets import inert
from frontend.templatetags import fairplace
from marketplace import anonymity
from marketplace import tape as tapes
from marketplace.models import Listing, Tape

LINES_AT_ONCE = 5_000
ALWAYS_SHOWN = ("balance", "days_past_due")


def headings() -> dict[str, str]:
    """What the columns of a tape are called."""
    return {
        "balance": _("Balance"),
        "days_past_due": _("Days past due"),
        "region": _("Region"),
        "product": _("Product"),
        "grade": _("Grade"),
        "score": _("Score"),
        "earlier_placements": _("Earlier placements"),
        "secured": _("Secured"),
        "expected_recovery": _("Expected recovery"),
    }


def table(listing: Listing, tape: Tape, count: int) -> dict:
    """`{headings, rows: [[cell…, loans]]}`: the combinations with the most loans, in words.

    A column that says the same of all loans is left out, unless it is balance or age.
    """
    shown = {
        name: heading
        for name, heading in headings().items()
        if name in ALWAYS_SHOWN or len(_labels(tape, name)) > 1
    }
    return {
        "headings": list(shown.values()),
        "rows": [
            (
                [words(name, cell[name], listing.currency) for name in shown],
                fairplace.integer(cell["loans"]),
            )
            for cell in tapes.largest(tape.cells, count)
        ],
    }


def _labels(tape: Tape, name: str) -> list[str]:
    return tape.cells["labels"][tape.cells["columns"].index(name)]


def words(name: str, label: str, currency: str) -> str:
    """A label of a column of the tape in the active language."""
    if label == anonymity.ANY:
        return pgettext("of a tape", "any")
    if label == anonymity.OTHER:
        return _("Other")
    if not label:
        return _("Not given")
    if name == "secured":
        return _("yes") if label == "yes" else _("no")
    if name not in tapes.BANDS:
        return label
    low, high = _edges(label)
    if name == "balance":
        return _amounts(low, high, currency)
    if name == "expected_recovery":
        return _span(fairplace.rate(low), None if high is None else fairplace.rate(high), not low)
    last = None if high is None else high - 1
    if low == last:
        return fairplace.integer(low)
    return _span(fairplace.integer(low), None if last is None else fairplace.integer(last), False)


def _edges(label: str) -> tuple[int, int | None]:
    low, high = label.split("-")
    return int(low), int(high) if high else None


def _span(low: str, high: str | None, is_first: bool) -> str:
    if high is None:
        return f"{low}+"
    return f"< {high}" if is_first else f"{low}–{high}"


def _amounts(low: int, high: int | None, currency: str) -> str:
    """Short, and with one sign of currency: seven of these stand under a chart's bars."""
    first = _amount(low, currency)
    if high is None:
        return f"{first}+"
    if not low:
        return f"< {_amount(high, currency)}"
    last = numbers.format_compact_decimal(
        fairplace.major(high, currency), locale=fairplace.locale(), fraction_digits=1
    )
    return f"{first}–{last}"


def _amount(amount_minor: int, currency: str) -> str:
    return numbers.format_compact_currency(
        fairplace.major(amount_minor, currency),
        currency,
        locale=fairplace.locale(),
        fraction_digits=1,
    )


def file_lines(listing: Listing, tape: Tape) -> Iterator[bytes]:
    """A CSV file with a line for each loan on the tape, in pieces; nothing is asked on the way.

    Bands are half-open intervals, `[500, 1000)` and `[25000, )`, in the currency's main unit,
    days, points, placements and per cent: no spreadsheet takes them for a day of the year.
    """
    told = {
        (name, label): _interval(name, label, listing.currency)
        for name in tapes.COLUMNS
        for label in _labels(tape, name)
    }
    yield "\ufeff".encode() + _csv([[*tapes.COLUMNS, "currency"]])
    lines = tapes.lines(tape.cells, tape.seed)
    while batch := list(islice(lines, LINES_AT_ONCE)):
        yield _csv(
            [*(told[pair] for pair in zip(tapes.COLUMNS, line, strict=True)), listing.currency]
            for line in batch
        )


def _csv(rows) -> bytes:
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows(rows)
    return written.getvalue().encode()


def _interval(name: str, label: str, currency: str) -> str:
    if name not in tapes.BANDS or label in ("", anonymity.ANY):
        return inert(label)
    low, high = _edges(label)
    return f"[{_plain(name, low, currency)}, {_plain(name, high, currency)})"


def _plain(name: str, edge: int | None, currency: str) -> str:
    if edge is None:
        return ""
    if name == "balance":
        return f"{fairplace.major(edge, currency).normalize():f}"
    if name == "expected_recovery":
        return f"{(Decimal(edge) / fairplace.PPM_PER_CENT).normalize():f}"
    return str(edge)
