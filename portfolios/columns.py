"""Reading whole columns: lists of texts in, lists of values out, a `Bad` in place of each refusal.

Most cells of a column look alike, so a column is tried as a whole first, and texts that repeat
are read once; only what does not fit is read cell by cell. The cells are those of `cells`.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from config import money
from portfolios import cells
from portfolios.file_messages import FileRefused
from portfolios.mappings.fields import Field
from portfolios.mappings.mapping import Mapping

_MOST_REMEMBERED = 1 << 16
_MOST_DIGITS = 15

Cells = Sequence[str]


@dataclass(frozen=True, slots=True)
class Bad:
    """In place of a value: why there is none."""

    code: str
    params: dict[str, Any]


def attempt(parse: Callable[..., Any], *arguments: Any) -> Any:
    """What `parse` gives, or the `Bad` that says why it refuses."""
    try:
        return parse(*arguments)
    except FileRefused as error:
        return Bad(error.code, error.params)


class Remembered(dict[str, Any]):
    """Text → what `parse` makes of it; refusals are not remembered."""

    def __init__(self, parse: Callable[[str], Any]):
        self._parse = parse

    def __missing__(self, text: str) -> Any:
        value = attempt(self._parse, text)
        if type(value) is not Bad and len(self) < _MOST_REMEMBERED:
            self[text] = value
        return value

    def __call__(self, texts: Cells) -> list[Any]:
        return list(map(self.__getitem__, texts))


class Texts:
    """A column of texts of at most `longest` characters."""

    def __init__(self, field: Field):
        self._longest = field.longest
        self._may_be_blank = field.may_be_blank

    def __call__(self, texts: Cells) -> list[Any]:
        if max(map(len, texts), default=0) <= self._longest and (self._may_be_blank or all(texts)):
            return list(texts)
        return [attempt(self._parse, text) for text in texts]

    def _parse(self, text: str) -> str:
        return cells.short_text(text if self._may_be_blank else cells.present(text), self._longest)


class Amounts:
    """A column of amounts, in minor units; blanks are None where they may be.

    `decimals` are those that an amount of the file can have.
    """

    def __init__(self, field: Field, mapping: Mapping, currency: str, *, is_positive: bool):
        self._field = field
        self._mapping = mapping
        self._currency = currency
        self._unit = mapping.units.get(field.name, "major")
        self.decimals = money.exponent(currency) if self._unit == "major" else 0
        self._is_positive = is_positive
        # Anything longer is no amount, and read as one it would cost time.
        digits = cells.digits_pattern(mapping.grouping, _MOST_DIGITS)
        mark = re.escape(mapping.decimal_mark)
        decimals = rf"{mark}[0-9]{{{self.decimals}}}" if self.decimals else ""
        some = rf"(?:{mark}[0-9]{{1,{self.decimals}}})?" if self.decimals else ""
        self._all_alike = re.compile(rf"(?:{digits}{decimals}\n)*+")
        self._plain = re.compile(rf"{digits}{some}")
        self._all_plain = re.compile(rf"(?:(?:{digits}{some})?\n)*+")

    def __call__(self, texts: Cells) -> list[Any]:
        lines = "\n".join(texts) + "\n"
        grouping, mark = self._mapping.grouping, self._mapping.decimal_mark
        if lines.count("\n") != len(texts):
            return self.checked([*map(self._cell, texts)])
        if self._all_alike.fullmatch(lines):
            if grouping:
                lines = lines.replace(grouping, "")
            return self.checked([*map(int, lines.replace(mark, "").split())])
        if self._all_plain.fullmatch(lines) and (self._field.may_be_blank or all(texts)):
            if grouping:
                texts = lines.replace(grouping, "").split("\n")[:-1]
            return self.checked([self._minor(text) if text else None for text in texts])
        return self.checked([*map(self._cell, texts)])

    def computed(self, results: list[Any]) -> list[Any]:
        """Results of a formula in minor units, each rounded once."""
        return self.checked(
            [value if type(value) is Bad else attempt(self._rounded, value) for value in results]
        )

    def checked(self, values: list[Any]) -> list[Any]:
        """The amounts, refused where nothing or too much is owed."""
        known = [value for value in values if value is not None]
        lowest = 1 if self._is_positive else 0
        if Bad not in set(map(type, known)) and (
            lowest <= min(known, default=lowest)
            and max(known, default=lowest) <= cells.LARGEST_BALANCE_MINOR
        ):
            return values
        return [value if type(value) is Bad else attempt(self._check, value) for value in values]

    def _check(self, value: int | None) -> int | None:
        if value is None:
            return None
        if self._is_positive and value <= 0:
            raise FileRefused("NOTHING_OWED")
        if value < 0:
            raise FileRefused("NEGATIVE_AMOUNT")
        if value > cells.LARGEST_BALANCE_MINOR:
            raise FileRefused("AMOUNT_TOO_LARGE")
        return value

    def _cell(self, text: str) -> Any:
        """One amount among others that are not all plain: most are, all the same."""
        if self._plain.fullmatch(text):
            grouping = self._mapping.grouping
            return self._minor(text.replace(grouping, "") if grouping else text)
        return attempt(self._parse, text)

    def _minor(self, text: str) -> int:
        """A plain amount without groups in minor units."""
        whole, _, part = text.partition(self._mapping.decimal_mark)
        return int(whole + part.ljust(self.decimals, "0"))

    def _parse(self, text: str) -> int | None:
        if not text and self._field.may_be_blank:
            return None
        value = cells.number(
            text, decimal_mark=self._mapping.decimal_mark, grouping=self._mapping.grouping
        )
        return cells.amount_minor(value, self._currency, unit=self._unit)

    def _rounded(self, value: Decimal) -> int:
        if abs(value) > cells.LARGEST_BALANCE_MINOR:
            raise FileRefused("AMOUNT_TOO_LARGE")
        return cells.rounded(value, self.decimals)


class Rates:
    """A column of rates or shares, in ppm, each rounded once."""

    def __init__(self, field: Field, mapping: Mapping):
        self._field = field
        self._mapping = mapping
        self._unit = mapping.units.get(field.name, mapping.rate_unit)
        self._may_be_blank = field.may_be_blank or field.name in mapping.optional
        self._remembered = Remembered(self._parse)

    def __call__(self, texts: Cells) -> list[Any]:
        return self._remembered(texts)

    def computed(self, results: list[Any]) -> list[Any]:
        """Results of a formula in ppm."""
        return [
            value if type(value) is Bad else attempt(cells.rate_ppm, value, self._unit)
            for value in results
        ]

    def _parse(self, text: str) -> int | None:
        if not text and self._may_be_blank:
            return self._field.default
        unit = self._unit
        if text.endswith("%"):
            # The sign says the unit of this cell, whatever the others are in.
            text, unit = text[:-1].rstrip(), "percent"
        value = cells.number(
            text, decimal_mark=self._mapping.decimal_mark, grouping=self._mapping.grouping
        )
        return cells.rate_ppm(value, unit)


def remembered(field: Field, parse: Callable[[str], Any]) -> Remembered:
    """A column that repeats itself; a blank is the field's default where it may be blank."""
    if not field.may_be_blank:
        return Remembered(parse)
    return Remembered(lambda text: parse(text) if text else field.default)
