"""From which columns of a bank's file the fields of its rows are read."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from portfolios.mappings import checks, fields
from portfolios.mappings.fields import FIELDS, LOANS, REQUIRED, Field
from portfolios.mappings.formulas import Formula

TRUE_WORDS = ("yes", "y", "true", "t", "1", "是", "有", "抵押")
FALSE_WORDS = ("no", "n", "false", "f", "0", "否", "无", "信用")


@dataclass(frozen=True)
class Mapping:
    """Which column, formula or constant each field comes from; plain data but for its methods.

    Each field of `kind` (`fields.FIELDS`) is in at most one of `columns` (a column's name),
    `computed` (a `Formula`; the figure is rounded once to minor units, whereas a given one must
    be exact) and `constants`. `optional` names fields whose column may be absent (never those
    that every row needs) and, for the rate, whose cells may be blank. `units` says for an amount
    `major` (the default) or `minor`, for `expected_recovery` what `rate_unit` says for the rate:
    `fraction`, `percent` or `ppm`. `date_formats` are those of `strptime`, tried in their order.
    `attributes` are further columns that are kept as texts.
    """

    name: str
    columns: dict[str, str]
    computed: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    units: dict[str, str] = field(default_factory=dict)
    rate_unit: str = "percent"
    date_formats: tuple[str, ...] = ("%Y-%m-%d",)
    decimal_mark: str = "."
    grouping: str = ""
    true_words: tuple[str, ...] = TRUE_WORDS
    false_words: tuple[str, ...] = FALSE_WORDS
    attributes: tuple[str, ...] = ()
    kind: str = LOANS

    @property
    def currency(self) -> str | None:
        """The only currency that the file can be in, where the mapping says so."""
        return self.constants.get("currency")

    @functools.cached_property
    def formulas(self) -> dict[str, Formula]:
        """Field → its formula."""
        return {name: Formula(text) for name, text in self.computed.items()}

    @functools.cached_property
    def personal_columns(self) -> frozenset[str]:
        """The columns whose values are shown nowhere."""
        known = FIELDS[self.kind]
        return frozenset(column for name, column in self.columns.items() if known[name].is_personal)

    def required_columns(self) -> list[str]:
        """The columns without which a file is refused."""
        optional = self.optional - frozenset(REQUIRED[self.kind])
        given = [column for name, column in self.columns.items() if name not in optional]
        return given + [name for formula in self.formulas.values() for name in formula.names]

    def all_columns(self) -> frozenset[str]:
        """Every column that is read where it is there."""
        computed = [name for formula in self.formulas.values() for name in formula.names]
        return frozenset([*self.columns.values(), *computed, *self.attributes])

    def sources(self) -> Iterator[tuple[Field, str]]:
        """(field, the column or formula it comes from) in the order of the fields."""
        for name, one in FIELDS[self.kind].items():
            source = self.columns.get(name) or self.computed.get(name)
            if source:
                yield one, source

    def column_of(self, name: str) -> str:
        """The column or formula that a field comes from, empty where it comes from neither."""
        return self.columns.get(name) or self.computed.get(name, "")

    def missing_fields(self) -> list[str]:
        """The fields that every row needs and that come from nowhere yet.

        The balance of a loan may also be the sum of its parts.
        """
        there = {*self.columns, *self.computed, *self.constants}
        if there & set(fields.PARTS_OF_BALANCE):
            there.add("balance")
        return [name for name in REQUIRED[self.kind] if name not in there]

    def to_dict(self) -> dict[str, Any]:
        """The mapping as JSON has it; `from_dict` reads it."""
        return {
            "name": self.name,
            "kind": self.kind,
            "columns": dict(self.columns),
            "computed": dict(self.computed),
            "constants": dict(self.constants),
            "optional": sorted(self.optional),
            "units": dict(self.units),
            "rate_unit": self.rate_unit,
            "date_formats": list(self.date_formats),
            "decimal_mark": self.decimal_mark,
            "grouping": self.grouping,
            "true_words": list(self.true_words),
            "false_words": list(self.false_words),
            "attributes": list(self.attributes),
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Mapping":
        """The mapping that `to_dict` wrote, or one made by hand: what is left out is as usual.

        Raises what `checks.checked` raises.
        """
        return cls(**checks.checked(data))
