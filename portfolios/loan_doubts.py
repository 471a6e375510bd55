"""What is odd about loans that are taken all the same: warnings, apart from errors."""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import numpy as np

from portfolios.file_messages import RowError, row_error
from portfolios.mappings.fields import DAY, FIELDS, LOANS, PARTS_OF_BALANCE
from portfolios.mappings.mapping import Mapping
from portfolios.table_reader import Reader
from portfolios.tables import Table

EARLIEST_LIKELY = date(1950, 1, 1)
TOLERANCE_DAYS = 31
"""Files are a few days old when they are read, and months are counted in several ways."""

_SCORES_LOOKED_AT = 1000
_FEWEST_SCORES = 30
# Of a normal distribution, hardly one in 10**12 lies beyond five quartile distances.
_FENCE_IQR = 5
_PHONE_DIGITS = range(6, 16)
_IDENTIFIER_LENGTHS = range(5, 21)
_CHINESE_IDENTIFIER = 18
_CHECK_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_CHECK_LETTERS = np.frombuffer(b"10X98765432", dtype=np.uint8)

Columns = dict[str, list[Any]]


class Doubts:
    """Finds what is odd in the loans of one table; the first scores say what a usual one is."""

    def __init__(self, reader: Reader, table: Table, mapping: Mapping, *, as_of: date):
        self._mapping = mapping
        self._sources = {field.name: source for field, source in mapping.sources()}
        self._as_of = as_of
        self._usual_scores = self._fence(reader, table)

    def about(
        self, numbers: list[int], columns: Columns, texts: dict[str, Sequence[str]]
    ) -> list[RowError]:
        """The warnings about good rows, in their order."""
        found: list[tuple[int, str, str, dict[str, Any]]] = []
        for name, code, rows in (
            *self._old_dates(columns),
            ("defaulted_on", "DEFAULT_BEFORE_OPENING", _defaulted_early(columns)),
            ("balance", "PARTS_DIFFER", self._parts_differ(columns)),
            ("score", "UNUSUAL_SCORE", self._unusual_scores(columns)),
            ("phone", "IMPROBABLE_LENGTH", _odd_phones(columns["phone"])),
            ("national_id", "IMPROBABLE_LENGTH", _odd_lengths(columns["national_id"])),
            ("national_id", "WRONG_CHECK_DIGIT", _wrong_check_digits(columns["national_id"])),
        ):
            found += [(index, name, code, {}) for index in rows]
        found += self._days_disagree(columns)
        found.sort(key=lambda one: one[0])
        return [
            self._warning(numbers[index], index, name, code, params, texts)
            for index, name, code, params in found
        ]

    def _warning(
        self,
        number: int,
        index: int,
        name: str,
        code: str,
        params: dict[str, Any],
        texts: dict[str, Sequence[str]],
    ) -> RowError:
        column = self._sources.get(name, name)
        is_personal = column in self._mapping.personal_columns
        value = texts[column][index] if column in texts and not is_personal else ""
        return row_error(number, column, value, code, params)

    def _old_dates(self, columns: Columns) -> Iterable[tuple[str, str, list[int]]]:
        for field in FIELDS[LOANS].values():
            if field.kind == DAY and field.name in self._sources:
                days = columns[field.name]
                if min(filter(None, days), default=EARLIEST_LIKELY) < EARLIEST_LIKELY:
                    yield (
                        field.name,
                        "OLD_DATE",
                        [i for i, day in enumerate(days) if day and day < EARLIEST_LIKELY],
                    )

    def _parts_differ(self, columns: Columns) -> list[int]:
        """Where the file says both the balance and its parts; parts left out count nothing."""
        names = [name for name in PARTS_OF_BALANCE if name in self._sources]
        if "balance" not in self._sources or "principal" not in names:
            return []
        parts = [columns[f"{name}_minor"] for name in names]
        sums: list[int | None]
        if any(None in part for part in parts):
            sums = [
                None if amounts[0] is None else sum(amount or 0 for amount in amounts)
                for amounts in zip(*parts, strict=True)
            ]
        else:
            sums = [*map(sum, zip(*parts, strict=True))]
        balances = columns["balance_minor"]
        if sums == balances:
            return []
        return [
            index
            for index, (whole, balance) in enumerate(zip(sums, balances, strict=True))
            if whole is not None and whole != balance
        ]

    def _unusual_scores(self, columns: Columns) -> list[int]:
        if self._usual_scores is None or "score" not in self._sources:
            return []
        lowest, highest = self._usual_scores
        return [
            index
            for index, score in enumerate(columns["score"])
            if score is not None and not lowest <= score <= highest
        ]

    def _days_disagree(self, columns: Columns) -> list[tuple[int, str, str, dict[str, Any]]]:
        """Days past due that are given, but more than since the opening or fewer than since the
        default."""
        if "days_past_due" not in self._sources:
            return []
        today = self._as_of.toordinal()
        found = []
        for index, (days, opened_on, defaulted_on) in enumerate(
            zip(
                columns["days_past_due"],
                columns["opened_on"],
                columns["defaulted_on"],
                strict=True,
            )
        ):
            start = today - days
            if start < opened_on.toordinal():
                params = {"days": today - opened_on.toordinal()}
                found.append((index, "days_past_due", "MORE_DAYS_THAN_OPEN", params))
            elif defaulted_on and start - TOLERANCE_DAYS > defaulted_on.toordinal():
                params = {"days": today - defaulted_on.toordinal()}
                found.append((index, "days_past_due", "FEWER_DAYS_THAN_DEFAULT", params))
        return found

    def _fence(self, reader: Reader, table: Table) -> tuple[float, float] | None:
        """The scores between which the usual ones lie: Tukey's fences around the quartiles of the
        first thousand rows; None where they are too few or all the same."""
        if "score" not in self._sources:
            return None
        read = reader.read(table.sample(_SCORES_LOOKED_AT))
        scores = [score for score in read.values.get("score", ()) if score is not None]
        if len(scores) < _FEWEST_SCORES:
            return None
        low, high = np.percentile(scores, [25, 75])
        if low == high:
            return None
        distance = _FENCE_IQR * (high - low)
        return float(low - distance), float(high + distance)


def _defaulted_early(columns: Columns) -> list[int]:
    return [
        index
        for index, (opened_on, defaulted_on) in enumerate(
            zip(columns["opened_on"], columns["defaulted_on"], strict=True)
        )
        if defaulted_on is not None and defaulted_on < opened_on
    ]


def _odd_phones(phones: list[str]) -> list[int]:
    """Numbers with other than 6 to 15 digits (E.164 has at most 15)."""
    odd = []
    for index, phone in enumerate(phones):
        # Most are digits alone, which is asked fast.
        if not phone or (len(phone) in _PHONE_DIGITS and phone.isdigit()):
            continue
        if len(re.sub("[^0-9]", "", phone)) not in _PHONE_DIGITS:
            odd.append(index)
    return odd


def _odd_lengths(identifiers: list[str]) -> list[int]:
    return [
        index
        for index, identifier in enumerate(identifiers)
        if identifier and len(identifier) not in _IDENTIFIER_LENGTHS
    ]


def _wrong_check_digits(identifiers: list[str]) -> list[int]:
    """Chinese identifiers (17 digits and a digit or X) that fail GB 11643, ISO 7064 MOD 11-2."""
    where = [
        index
        for index, identifier in enumerate(identifiers)
        if len(identifier) == _CHINESE_IDENTIFIER and identifier.isascii()
    ]
    if not where:
        return []
    text = "".join(identifiers[index] for index in where).upper().encode()
    letters = np.frombuffer(text, dtype=np.uint8).reshape(len(where), _CHINESE_IDENTIFIER)
    digits = letters[:, :17].astype(np.int64) - ord("0")
    last = letters[:, 17]
    is_chinese = ((digits >= 0) & (digits <= 9)).all(axis=1)
    is_chinese &= ((last >= ord("0")) & (last <= ord("9"))) | (last == ord("X"))
    expected = _CHECK_LETTERS[(digits @ _CHECK_WEIGHTS) % 11]
    return [where[index] for index in np.flatnonzero(is_chinese & (expected != last))]
