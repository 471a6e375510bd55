"""What the values of a column say about it: dates, marks of numbers, units, kinds of texts."""

import re
from collections.abc import Sequence
from datetime import date

from config import money
from portfolios import cells
from portfolios.file_messages import FileRefused
from portfolios.mappings.events import EVENT_OF_WORD
from portfolios.mappings.fields import DATE_FORMATS

_MARKS = (
    (".", ""),
    (",", ""),
    (".", ","),
    (",", "."),
    (",", " "),
    (".", " "),
    (".", "'"),
    (",", "'"),
)
_AMOUNT = re.compile(r"[0-9][0-9.,' ]*[.,][0-9]{1,2}")
_REFERENCE = re.compile(r"(?=.*[0-9])[\w./-]{4,60}")
_PERSONAL = re.compile(r".*@.*|\+?[0-9 ()-]{11,15}|[0-9]{15}|[0-9]{17}[0-9Xx]")


def date_formats(columns: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], int]:
    """(formats that read all these columns of dates, sureness in per cent).

    The format that reads most columns comes first. A column that could be of two formats is
    read as another one that could not; if none decides, the day comes before the month.
    """
    left = [_formats_of(values) for values in columns if values]
    decided = {formats[0] for formats in left if len(formats) == 1}
    is_sure = True
    chosen: list[str] = []
    left = [formats for formats in left if formats]
    while left:
        best = max(
            DATE_FORMATS,
            key=lambda one: (sum(one in formats for formats in left), one in decided),
        )
        is_sure &= all(best in decided or len(formats) == 1 for formats in left if best in formats)
        chosen.append(best)
        left = [formats for formats in left if best not in formats]
    if not chosen:
        return ("%Y-%m-%d",), 0
    return tuple(chosen), 95 if is_sure else 50


def _formats_of(values: Sequence[str]) -> list[str]:
    return [one for one in DATE_FORMATS if all(_is_day(text, one) for text in values)]


def _is_day(text: str, format_: str) -> bool:
    try:
        cells.day(text, (format_,), as_of=date.max)
    except FileRefused:
        return False
    return True


def marks(texts: Sequence[str]) -> tuple[str, str, int]:
    """(decimal mark, thousands separator, sureness in per cent) of some numbers as texts.

    Three digits after a comma alone are thousands, one or two are decimals.
    """
    if not texts:
        return ".", "", 0
    shares = [
        sum(_is_number(text, mark, grouping) for text in texts) / len(texts)
        for mark, grouping in _MARKS
    ]
    best = max(shares)
    mark, grouping = _MARKS[shares.index(best)]
    return mark, grouping, round(95 * best)


def _is_number(text: str, mark: str, grouping: str) -> bool:
    try:
        value = cells.number(text, decimal_mark=mark, grouping=grouping)
    except FileRefused:
        return False
    return mark == "." or -int(value.as_tuple().exponent) <= 2


def rate_unit(texts: Sequence[str], *, column: str, decimal_mark: str) -> tuple[str, int]:
    """(unit, sureness in per cent) of rates or shares: by their name, their sign or their size."""
    if "%" in column or "percent" in column.casefold() or any(text.endswith("%") for text in texts):
        return "percent", 95
    if "ppm" in column.casefold():
        return "ppm", 95
    numbers = []
    for text in texts:
        try:
            numbers.append(cells.number(text, decimal_mark=decimal_mark))
        except FileRefused:
            continue
    highest = max(numbers, default=0)
    if highest == 0:
        return "percent", 0
    if highest <= 1:
        return "fraction", 80
    return ("ppm", 80) if highest > 1000 else ("percent", 80)


def are_currencies(values: Sequence[str]) -> bool:
    """Whether all are codes of ISO 4217."""
    return all(text in money.CURRENCIES for text in values)


def are_events(values: Sequence[str]) -> bool:
    """Whether all are words for events of a maintenance file."""
    return all(text.casefold().replace(" ", "_") in EVENT_OF_WORD for text in values)


def are_days(values: Sequence[str]) -> bool:
    """Whether one format reads all of them as days."""
    return bool(_formats_of(values))


def are_references(values: Sequence[str]) -> bool:
    """Whether all are different and may be references, neither amounts nor days."""
    return (
        len(set(values)) == len(values) > 1
        and all(map(_REFERENCE.fullmatch, values))
        and not are_amounts(values)
        and not are_days(values)
    )


def are_amounts(values: Sequence[str]) -> bool:
    """Whether all are numbers with one or two decimals, and not days such as 2024.01.31."""
    return all(map(_AMOUNT.fullmatch, values)) and not are_days(values)


def looks_personal(text: str) -> bool:
    """Whether a text may be a phone number, an identifier of a person or an e-mail address."""
    return bool(_PERSONAL.fullmatch(text))
