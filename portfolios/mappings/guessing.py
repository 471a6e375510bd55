"""Guessing a mapping from the header and the first rows of a file."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from portfolios.mappings import MAINTENANCE_MAPPINGS, MAPPINGS, evidence
from portfolios.mappings.fields import (
    AMOUNT,
    DAY,
    FIELDS,
    LOANS,
    MAINTENANCE,
    PARTS_OF_BALANCE,
    RATE,
    REQUIRED,
)
from portfolios.mappings.mapping import Mapping
from portfolios.mappings.words import MISLEADING, NAMES

_BUILT_IN = {LOANS: MAPPINGS, MAINTENANCE: MAINTENANCE_MAPPINGS}
_SHORTEST_PART = 4
_IN_PARENTHESES = re.compile(r"[(\[【（](.*?)[)\]】）]")
_TEN_THOUSANDS = "万元"
_MINOR_WORDS = ("分", "cents", "minor", "minor units")
_UNIT_ENDINGS = re.compile(r"[ _-](cents|minor)$")


@dataclass(frozen=True)
class Reason:
    """Why a field was given its source.

    `how` is `exact` (the field's own name or a built-in mapping), `synonym` (another name of it),
    `saved` (a mapping saved before) or `values` (what stands in the column); `sureness_percent`
    is from 0 to 100.
    """

    how: str
    sureness_percent: int


@dataclass(frozen=True)
class Guess:
    """A mapping, perhaps without fields that every row needs, and reasons by field.

    Where they were guessed from values, `date_formats`, `decimal_mark` and `rate_unit` have a
    reason as well.
    """

    mapping: Mapping
    reasons: dict[str, Reason]


def guess(
    columns: Sequence[str],
    *,
    sample: Sequence[Sequence[str]],
    saved: Iterable[Mapping] = (),
    kind: str = LOANS,
) -> Mapping:
    """The mapping of `explained`."""
    return explained(columns, sample=sample, saved=saved, kind=kind).mapping


def explained(
    columns: Sequence[str],
    *,
    sample: Sequence[Sequence[str]],
    saved: Iterable[Mapping] = (),
    kind: str = LOANS,
) -> Guess:
    """A mapping for a table with these columns and first rows.

    A saved mapping whose columns are all there wins, the one with most columns among several;
    then a built-in one that finds more than the header's names do. A personal field is never
    guessed from values, and no column becomes an attribute by itself.
    """
    fitting = [one for one in saved if one.kind == kind and one.all_columns() <= set(columns)]
    if fitting:
        best = max(fitting, key=lambda one: len(one.all_columns()))
        return Guess(best, _reasons(best, Reason("saved", 100)))
    guessed = _from_names(columns, sample, kind)
    for built_in in _BUILT_IN[kind].values():
        if set(built_in.required_columns()) <= set(columns) and len(
            guessed.mapping.missing_fields()
        ) > len(built_in.missing_fields()):
            return Guess(built_in, _reasons(built_in, Reason("exact", 100)))
    return guessed


def _reasons(mapping: Mapping, reason: Reason) -> dict[str, Reason]:
    return dict.fromkeys([*mapping.columns, *mapping.computed, *mapping.constants], reason)


def _from_names(columns: Sequence[str], sample: Sequence[Sequence[str]], kind: str) -> Guess:
    texts = {
        name: [row[place] for row in sample if row[place]]
        for place, name in enumerate(columns)
        if name
    }
    found = _named(list(texts), kind)
    found |= _seen(texts, found, kind)
    found = {field: found[field] for field in FIELDS[kind] if field in found}
    reasons = {field: reason for field, (_, reason) in found.items()}
    of = {field: texts[column] for field, (column, _) in found.items()}
    kinds = {field: FIELDS[kind][field].kind for field in found}

    days = [values for field, values in of.items() if kinds[field] == DAY]
    formats, days_sure = evidence.date_formats(days)
    amounts = [text for field, values in of.items() if kinds[field] == AMOUNT for text in values]
    rates = {field: values for field, values in of.items() if kinds[field] == RATE}
    numbers = amounts + [text.rstrip("% ") for values in rates.values() for text in values]
    mark, grouping, mark_sure = evidence.marks(numbers)
    units = {
        field: evidence.rate_unit(values, column=found[field][0], decimal_mark=mark)
        for field, values in rates.items()
    }
    rate_unit = units.pop("rate", ("percent", 0))
    reasons |= {
        name: Reason("values", sure)
        for name, sure in (
            ("date_formats", days_sure),
            ("decimal_mark", mark_sure),
            ("rate_unit", rate_unit[1]),
        )
        if sure
    }
    money = {field: column for field, (column, _) in found.items() if kinds[field] == AMOUNT}
    in_ten_thousands = {
        field: column for field, column in money.items() if _TEN_THOUSANDS in column
    }
    mapping = Mapping(
        name="",
        kind=kind,
        columns={
            field: column for field, (column, _) in found.items() if field not in in_ten_thousands
        },
        computed={field: f"`{column}` * 10000" for field, column in in_ten_thousands.items()},
        optional=frozenset(found) - _needed(kind, found),
        units={field: unit for field, (unit, _) in units.items()}
        | {field: "minor" for field, column in money.items() if _is_minor(column)},
        rate_unit=rate_unit[0],
        date_formats=formats,
        decimal_mark=mark,
        grouping=grouping,
    )
    return Guess(mapping, reasons)


def _needed(kind: str, found: dict) -> set[str]:
    """The fields whose columns no file may lack: the parts, where they make up the balance."""
    needed = set(REQUIRED[kind])
    return needed if "balance" in found else needed | set(PARTS_OF_BALANCE)


def _named(columns: list[str], kind: str) -> dict[str, tuple[str, Reason]]:
    """Field → (column, reason) by the names in the header, each column used once."""
    places = {
        plain(name): (place, field)
        for field, names in reversed(NAMES[kind].items())
        for place, name in reversed([*enumerate([field, *names])])
    }
    merits: list[tuple[int, int, int, str, str, Reason]] = []
    for order, column in enumerate(columns):
        name = plain(column)
        if name in places:
            place, field = places[name]
            reason = Reason("exact", 100) if place <= 1 else Reason("synonym", 90)
            merits.append((0, place, order, field, column, reason))
        elif not any(word in column.casefold() for word in MISLEADING):
            parts = [known for known in places if len(known) >= _SHORTEST_PART and known in name]
            chinese = [part for part in parts if not part.isascii()]
            if chinese:
                place, field = places[max(chinese, key=len)]
                merits.append((1, place, order, field, column, Reason("synonym", 60)))
    found: dict[str, tuple[str, Reason]] = {}
    for _, _, _, field, column, reason in sorted(merits, key=lambda merit: merit[:3]):
        if field not in found:
            found[field] = column, reason
    return found


def _seen(
    texts: dict[str, list[str]], found: dict[str, tuple[str, Reason]], kind: str
) -> dict[str, tuple[str, Reason]]:
    """Fields that every row needs and no header named, from what stands in the other columns."""
    used = {column for column, _ in found.values()}
    left = {
        column: values
        for column, values in texts.items()
        if values and column not in used and not any(map(evidence.looks_personal, values))
    }
    seen = {}
    tests = {
        "currency": evidence.are_currencies,
        "event": evidence.are_events,
        "opened_on": evidence.are_days,
        "reference": evidence.are_references,
        "balance": evidence.are_amounts,
    }
    for field, test in tests.items():
        is_known = field in found or (
            field == "balance" and not set(PARTS_OF_BALANCE).isdisjoint(found)
        )
        if is_known or field not in FIELDS[kind] or (field == "balance" and kind != LOANS):
            continue
        fitting = [column for column, values in left.items() if test(values)]
        # Several dates or amounts would be a draw of lots.
        if len(fitting) == 1 or (field == "reference" and fitting):
            seen[field] = fitting[0], Reason("values", 40)
            del left[fitting[0]]
    return seen


def plain(name: str) -> str:
    """A header's name without case, spaces, punctuation and what stands in parentheses."""
    name = unicodedata.normalize("NFKC", name).casefold()
    name = _UNIT_ENDINGS.sub("", _IN_PARENTHESES.sub("", name).strip())
    return "".join(letter for letter in name if letter.isalnum())


def _is_minor(column: str) -> bool:
    name = unicodedata.normalize("NFKC", column).casefold()
    return bool(_UNIT_ENDINGS.search(name)) or any(
        inside in _MINOR_WORDS for inside in _IN_PARENTHESES.findall(name)
    )
