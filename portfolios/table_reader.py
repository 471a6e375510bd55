"""Reading a table by a mapping: batches of rows in, a list of values per field out."""

import dataclasses
import functools
import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from config import money
from portfolios import cells
from portfolios.columns import Amounts, Bad, Cells, Rates, Remembered, Texts, attempt, remembered
from portfolios.file_messages import FileRefused
from portfolios.mappings import fields
from portfolios.mappings.fields import FIELDS, Field
from portfolios.mappings.formulas import Formula
from portfolios.mappings.mapping import Mapping
from portfolios.tables import Table, demand_columns

WORKBOOK_DATE_FORMATS = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S")
"""What `workbooks` makes of cells that are dates."""

LARGEST_TOTAL = 10**18
_PLAIN_NUMBERS = re.compile(r"(?:[0-9]{1,30}(?:\.[0-9]{1,29})?\n)*+")


@dataclass(slots=True)
class Read:
    """A batch of rows as columns.

    `values` are lists by the field's target name (`balance_minor`, `rate_ppm`, `opened_on`), None
    where a cell is bad; `wrong` are (column, shown value, reason) by index of the row. `texts` are
    the cells as they came, by column.
    """

    values: dict[str, list[Any]]
    texts: dict[str, Cells]
    wrong: dict[int, list[tuple[str, str, Bad]]]

    def blame(self, index: int, column: str, value: str, reason: Bad) -> None:
        """Tell what is wrong with a row."""
        self.wrong.setdefault(index, []).append((column, value, reason))


class Reader:
    """Reads the rows of one table by one mapping.

    Raises `UNKNOWN_CURRENCY`, `WRONG_CURRENCY`, `MISSING_FIELD`, `MISSING_COLUMNS`, and what a
    constant is refused for, with its path as field.
    """

    def __init__(self, mapping: Mapping, table: Table, *, currency: str, as_of: date):
        if currency not in money.CURRENCIES:
            raise FileRefused("UNKNOWN_CURRENCY")
        if mapping.currency not in (None, currency):
            raise FileRefused("WRONG_CURRENCY", given=mapping.currency, expected=currency)
        for name in mapping.missing_fields():
            raise FileRefused("MISSING_FIELD", field=f"columns.{name}", name=name)
        demand_columns(table.columns, mapping.required_columns())
        self._mapping = mapping if table.delimiter else _for_workbook(mapping)
        self._currency = currency
        self._as_of = as_of
        self._place = {name: index for index, name in enumerate(table.columns) if name}
        self._kinds = FIELDS[mapping.kind]
        self._readers = {name: self._reader(field) for name, field in self._kinds.items()}
        self._operands = Remembered(self._operand)
        self._constants = {}
        for name, text in mapping.constants.items():
            [value] = self._readers[name]([text])
            if type(value) is Bad:
                raise FileRefused(value.code, field=f"constants.{name}", **value.params)
            self._constants[name] = value

    def read(self, rows: list[list[str]]) -> Read:
        """The rows as columns."""
        by_place: list[Cells] = list(zip(*rows, strict=True))
        texts = {name: by_place[place] if rows else () for name, place in self._place.items()}
        read = Read({}, texts, {})
        for field in self._kinds.values():
            values = self._values(field, read, len(rows))
            if values is not None:
                read.values[target_of(field)] = values
        return read

    def total_minor(self, name: str, text: str) -> int | None:
        """A sum over an amount field in minor units, thousands set apart or not; None if the text
        is no number."""
        mark = self._mapping.decimal_mark
        value = attempt(self._number, re.sub(rf"[^-0-9{mark}]", "", text))
        if type(value) is Bad or abs(value) > LARGEST_TOTAL:
            return None
        return cells.rounded(value, self._readers[name].decimals)

    def _values(self, field: Field, read: Read, count: int) -> list[Any] | None:
        """The values of a field, None if it comes from nowhere; bad cells are told in `read`."""
        column = self._mapping.columns.get(field.name)
        if column in self._place:
            values = self._readers[field.name](read.texts[column])
            return self._told(read, column, values, read.texts[column])
        if field.name in self._mapping.formulas:
            return self._computed(field, self._mapping.formulas[field.name], read, count)
        if field.name in self._constants:
            return [self._constants[field.name]] * count
        return None

    def _computed(self, field: Field, formula: Formula, read: Read, count: int) -> list[Any]:
        """Every operand is told on its own; where one is bad, the result is not blamed."""
        operands = {}
        for name in dict.fromkeys(formula.names):
            numbers = self._told(read, name, self._numbers(read.texts[name]), read.texts[name])
            operands[name] = numbers
        try:
            results: list[Any] = list(formula.values(operands, count))
        except (FileRefused, TypeError):
            results = [
                attempt(formula.value, {name: numbers[index] for name, numbers in operands.items()})
                if all(numbers[index] is not None for numbers in operands.values())
                else None
                for index in range(count)
            ]
        reader = self._readers[field.name]
        known = [index for index, value in enumerate(results) if value is not None]
        values: list[Any] = [None] * count
        for index, value in zip(
            known, reader.computed([results[index] for index in known]), strict=True
        ):
            values[index] = value
        shown = [
            " ; ".join(row) for row in zip(*(read.texts[n] for n in formula.names), strict=True)
        ]
        is_personal = not self._mapping.personal_columns.isdisjoint(formula.names)
        return self._told(
            read, self._mapping.computed[field.name], values, shown, is_personal=is_personal
        )

    def _told(
        self,
        read: Read,
        column: str,
        values: list[Any],
        texts: Cells,
        *,
        is_personal: bool | None = None,
    ) -> list[Any]:
        """The values, None in place of each bad one, which is told."""
        if Bad not in set(map(type, values)):
            return values
        if is_personal is None:
            is_personal = column in self._mapping.personal_columns
        for index, value in enumerate(values):
            if type(value) is Bad:
                read.blame(index, column, "" if is_personal else texts[index], value)
        return [None if type(value) is Bad else value for value in values]

    def _numbers(self, texts: Cells) -> list[Any]:
        lines = "\n".join(texts) + "\n"
        if (
            self._mapping.decimal_mark == "."
            and lines.count("\n") == len(texts)
            and _PLAIN_NUMBERS.fullmatch(lines)
        ):
            return [*map(Decimal, texts)]
        return self._operands(texts)

    def _operand(self, text: str) -> Decimal:
        if text.endswith("%"):
            value = self._number(text[:-1].rstrip()).scaleb(-2, cells.PRECISE)
        else:
            value = self._number(text)
        if value < 0:
            raise FileRefused("NEGATIVE_AMOUNT")
        return value

    def _number(self, text: str) -> Decimal:
        return cells.number(
            text, decimal_mark=self._mapping.decimal_mark, grouping=self._mapping.grouping
        )

    def _reader(self, field: Field) -> Any:
        mapping = self._mapping
        match field.kind:
            case fields.TEXT:
                return Texts(field)
            case fields.AMOUNT:
                is_owed = field.name == "balance" and mapping.kind == fields.LOANS
                return Amounts(field, mapping, self._currency, is_positive=is_owed)
            case fields.RATE:
                return Rates(field, mapping)
            case fields.DAY:
                return remembered(field, functools.partial(self._day, field))
            case fields.WHOLE:
                return remembered(
                    field,
                    functools.partial(
                        cells.whole_number, lowest=field.lowest, highest=field.highest
                    ),
                )
            case fields.TRUTH:
                return remembered(
                    field,
                    functools.partial(
                        cells.truth,
                        true_words=mapping.true_words,
                        false_words=mapping.false_words,
                    ),
                )
            case fields.CURRENCY:
                same = functools.partial(cells.same_currency, currency=self._currency)
                return remembered(field, same)
            case _:
                return remembered(field, cells.event)

    def _day(self, field: Field, text: str) -> date:
        return cells.day(
            text,
            self._mapping.date_formats,
            as_of=self._as_of,
            may_be_future=field.may_be_future,
        )


def _for_workbook(mapping: Mapping) -> Mapping:
    """The mapping for texts that `workbooks` made of numbers and dates.

    Their decimal mark is a point, whatever the bank writes in its text files: read as a thousands
    separator it would make 1.234 a thousand times as much.
    """
    return dataclasses.replace(
        mapping,
        date_formats=(*mapping.date_formats, *WORKBOOK_DATE_FORMATS),
        decimal_mark=".",
        grouping="" if mapping.grouping == "." else mapping.grouping,
    )


def target_of(field: Field) -> str:
    """The name of a field's values, unit last: `balance_minor`, `rate_ppm`, `opened_on`."""
    return field.name + {fields.AMOUNT: "_minor", fields.RATE: "_ppm"}.get(field.kind, "")
