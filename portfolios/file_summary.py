"""What a file holds, column by column, gathered while it is read."""

from datetime import date
from typing import Any

from portfolios.mappings.fields import FIELDS
from portfolios.row_batches import RowBatch

DISTINCT_MAX = 1000
FIRST_VALUES = 3
_BLANKS: tuple[Any, ...] = (None, "", {})


class ColumnSummary:
    """What one column of the good rows holds."""

    def __init__(self, *, is_personal: bool):
        self._is_personal = is_personal
        self._filled = 0
        self._blank = 0
        self._lowest: Any = None
        self._highest: Any = None
        self._first: list[Any] = []
        self._distinct: set[Any] | None = set()

    def add(self, values: list[Any]) -> None:
        """Count the values of a batch in; None, "" and {} are blank."""
        blank = sum(map(values.count, _BLANKS))
        self._blank += blank
        self._filled += len(values) - blank
        if self._is_personal or blank == len(values):
            return
        filled = [value for value in values if value not in _BLANKS] if blank else values
        self._first += filled[: FIRST_VALUES - len(self._first)]
        if isinstance(filled[0], dict):
            self._distinct = None
            return
        ends = [min(filled), max(filled)]
        if self._lowest is not None:
            ends += [self._lowest, self._highest]
        self._lowest, self._highest = min(ends), max(ends)
        if self._distinct is not None:
            self._distinct.update(filled)
            if len(self._distinct) > DISTINCT_MAX:
                self._distinct = None

    def to_dict(self) -> dict[str, Any]:
        """JSON; see `Summary.to_dict`."""
        counts = {"filled": self._filled, "blank": self._blank}
        if self._is_personal:
            return counts
        return {
            **counts,
            "lowest": _plain(self._lowest),
            "highest": _plain(self._highest),
            "distinct": None if self._distinct is None else len(self._distinct),
            "first": [*map(_plain, self._first)],
        }


class Summary:
    """A summary per column over all batches of one kind of file."""

    def __init__(self, kind: str) -> None:
        self._personal = {name for name, field in FIELDS[kind].items() if field.is_personal}
        self._columns: dict[str, ColumnSummary] = {}

    def add(self, batch: RowBatch) -> None:
        """Count a batch in."""
        for name, values in batch.columns.items():
            if name not in self._columns:
                self._columns[name] = ColumnSummary(is_personal=name in self._personal)
            self._columns[name].add(values)

    def to_dict(self) -> dict[str, Any]:
        """JSON: name of a column → {filled, blank, lowest, highest, distinct, first}; days in ISO
        8601, `distinct` None beyond 1,000, personal columns with `filled` and `blank` alone.
        """
        return {name: column.to_dict() for name, column in self._columns.items()}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
