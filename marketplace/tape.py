"""What bidders see of a portfolio: its loans in bands, and how they are spread. Never a loan.

Everything is counted from bands that `marketplace.anonymity` has made coarse enough. Balances
are summed over the bands of balance alone: sums along two divisions could be taken from each
other until a single loan is left.
"""

import dataclasses
import secrets
from collections.abc import Iterator, Sequence

import numpy as np
from django.contrib.postgres.fields import ArrayField
from django.db import connection
from django.db.models import BigIntegerField, Case, Count, F, Func, QuerySet, TextField, Value, When
from django.db.models.functions import Cast, Coalesce

from marketplace import anonymity

BANDS = {
    "balance": ("balance_minor", (50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000)),
    "days_past_due": ("days_past_due", (90, 180, 365, 730, 1460, 3650)),
    "score": ("score", (300, 400, 500, 550, 600, 650, 700, 750, 800)),
    "earlier_placements": ("earlier_placements", (1, 2, 3)),
    "expected_recovery": ("expected_recovery_ppm", (50_000, 100_000, 200_000, 300_000, 500_000)),
}
"""The figures that are shown as bands: column and inner edges, in minor units, days, points,
placements and parts per million. A band is named `low-high`, half-open, the last one `low-`."""

WORDS = {"region": "region", "product": "shown_product", "grade": "grade"}
"""What is shown as the word that it is, where enough borrowers share it."""

TEXTS = ArrayField(TextField())
YES_OR_NO = "secured"
COLUMNS = (
    "balance",
    "days_past_due",
    "region",
    "product",
    "grade",
    "score",
    "earlier_placements",
    "secured",
    "expected_recovery",
)
STRATA = ("balance", "days_past_due", "region", "grade", "score", "earlier_placements")
WEIGHTS = {"region": 2.0, "balance": 1.6, "days_past_due": 1.4, "grade": 1.3}
"""What a bidder would rather not lose when a tape is made coarser, against 1 for the others."""

MOST_WORDS = 500
SEED_BITS = 62
COPY_HEADER_BYTES = 19


@dataclasses.dataclass(frozen=True)
class Offered:
    """Loans as numbers: `columns` of `anonymity`, and for each loan borrower, id and balance."""

    columns: dict[str, anonymity.Column]
    borrowers: np.ndarray
    members: np.ndarray
    balances_minor: np.ndarray

    def __len__(self) -> int:
        return len(self.members)

    def only(self, chosen: np.ndarray) -> "Offered":
        """Some of them."""
        columns = {
            name: dataclasses.replace(column, codes=column.codes[chosen])
            for name, column in self.columns.items()
        }
        return Offered(
            columns,
            self.borrowers[chosen],
            self.members[chosen],
            self.balances_minor[chosen],
        )


class _TailOfId(Func):
    """The last eight bytes of a UUIDv7, which are random, as a number."""

    template = "('x' || right(replace((%(expressions)s)::text, '-', ''), 16))::bit(64)::bigint"
    output_field = BigIntegerField()


class _Bucket(Func):
    """The number of the band of a figure; the one after the last for loans without it."""

    template = "coalesce(width_bucket(%(expressions)s::bigint[]), %(none)s)::bigint"
    output_field = BigIntegerField()


class _Place(Func):
    """The place of a word in a list, counted from 1; 0 for one that is not in it."""

    template = "coalesce(array_position(%(expressions)s::text), 0)::bigint"
    output_field = BigIntegerField()


def read(loans: QuerySet, product: str) -> Offered:
    """The loans of a queryset; `product` is what those are called that say nothing themselves."""
    loans = loans.order_by().annotate(
        shown_product=Case(When(product="", then=Value(product)), default=F("product"))
    )
    words = {name: _named(loans, column) for name, column in WORDS.items()}
    fields = {
        **{name: _bucket(column, edges) for name, (column, edges) in BANDS.items()},
        **{name: _Place(_words(named), F(WORDS[name])) for name, named in words.items()},
        YES_OR_NO: _number(Case(When(is_secured=True, then=Value(1)), default=Value(0))),
        "borrower": _TailOfId(Coalesce(F("borrower_id"), F("pk"))),
        "member": _TailOfId(F("pk")),
        "owed": _number(F("balance_minor")),
    }
    numbers = _copied(loans.values_list(*fields.values()), list(fields))
    labels: dict[str, tuple[str | None, ...]] = {
        **{name: (*_band_labels(edges), "") for name, (_column, edges) in BANDS.items()},
        **{name: (None, *named) for name, named in words.items()},
        YES_OR_NO: ("no", "yes"),
    }
    columns = {
        name: anonymity.Column(
            name, labels[name], numbers[name], name in BANDS, WEIGHTS.get(name, 1.0)
        )
        for name in COLUMNS
    }
    borrowers = anonymity.numbered(numbers["borrower"])
    return Offered(columns, borrowers, numbers["member"], numbers["owed"])


def _number(expression) -> Cast:
    return Cast(expression, BigIntegerField())


def _bucket(column: str, edges: tuple[int, ...]) -> _Bucket:
    return _Bucket(_number(F(column)), Value(list(edges)), none=len(edges) + 1)


def _words(named: list[str]) -> Cast:
    return Cast(Value(named, output_field=TEXTS), TEXTS)


def _named(loans: QuerySet, column: str) -> list[str]:
    """The words that enough loans share to be shown, in alphabetical order."""
    rows = (
        loans.values(column)
        .annotate(count=Count("pk"))
        .filter(count__gte=anonymity.SMALLEST_GROUP)
        .order_by("-count", column)[:MOST_WORDS]
    )
    return sorted(row[column] for row in rows)


def _band_labels(edges: Sequence[int]) -> list[str]:
    lows = [0, *edges]
    return [f"{low}-{high}" for low, high in zip(lows, edges, strict=False)] + [f"{edges[-1]}-"]


def _copied(rows: QuerySet, names: list[str]) -> dict[str, np.ndarray]:
    """The rows of a query of bigints as arrays, read in PostgreSQL's binary form: after a header
    each row is the number of its fields, and for each field its length and eight bytes."""
    query, parameters = rows.query.sql_with_params()
    parts = [("fields", ">i2")]
    for name in names:
        parts += [(f"{name} length", ">i4"), (name, ">i8")]
    row = np.dtype(parts)
    statement = f"copy ({query}) to stdout (format binary)"
    # psycopg's own cursor: Django's takes no parameters where it keeps a log of statements.
    with connection.cursor() as cursor, cursor.cursor.copy(statement, parameters) as copy:
        content = b"".join(copy)
    count = (len(content) - COPY_HEADER_BYTES) // row.itemsize
    found = np.frombuffer(content, dtype=row, offset=COPY_HEADER_BYTES, count=count)
    return {name: found[name].astype(np.int64) for name in names}


def make(offered: Offered) -> dict:
    """The columns of a `Tape` that say something of the loans, but for `seed` and `cut_at`.

    Of fewer than five borrowers nothing is said but how many loans they have.
    """
    if len(np.unique(offered.borrowers)) < anonymity.SMALLEST_GROUP:
        return {
            "loan_count": len(offered),
            "suppressed_count": len(offered),
            "balance_minor": None,
            "cells": _kept({}),
            "strata": {name: [] for name in STRATA},
        }
    cells = anonymity.coarsen(list(offered.columns.values()), offered.borrowers)
    return {
        "loan_count": len(offered),
        "suppressed_count": cells.suppressed_loans,
        "balance_minor": anonymity.total(offered.borrowers, offered.balances_minor),
        "cells": _kept(dict(zip(cells.labels, cells.loans, strict=True))),
        "strata": {name: _stratum(offered, name) for name in STRATA},
    }


def _stratum(offered: Offered, name: str) -> list[dict]:
    balances_minor = offered.balances_minor if name == "balance" else None
    groups = anonymity.divide(offered.columns[name], offered.borrowers, balances_minor)
    return [
        {"group": group.label, "loans": group.loans, "balance_minor": group.balance_minor}
        for group in groups
    ]


def add(earlier: dict, fresh: dict) -> dict:
    """Two tapes of different loans as one; what either keeps to itself stays so."""
    cells = _counted(earlier["cells"])
    for labels, loans in _counted(fresh["cells"]).items():
        cells[labels] = cells.get(labels, 0) + loans
    balance_minor = earlier["balance_minor"]
    if balance_minor is not None:
        balance_minor += fresh["balance_minor"] or 0
    return {
        "loan_count": earlier["loan_count"] + fresh["loan_count"],
        "suppressed_count": earlier["suppressed_count"] + fresh["suppressed_count"],
        "balance_minor": balance_minor,
        "cells": _kept(cells),
        "strata": {name: _added(earlier["strata"][name], fresh["strata"][name]) for name in STRATA},
    }


def _added(earlier: list[dict], fresh: list[dict]) -> list[dict]:
    together = {row["group"]: dict(row) for row in earlier}
    for row in fresh:
        known = together.setdefault(row["group"], {**row, "loans": 0, "balance_minor": 0})
        is_told = None not in (known["balance_minor"], row["balance_minor"])
        known["balance_minor"] = known["balance_minor"] + row["balance_minor"] if is_told else None
        known["loans"] += row["loans"]
    return sorted(together.values(), key=lambda row: _natural(row["group"]))


def _natural(group: str) -> tuple:
    """Bands by their lower edge, then words, loans without one, and "other" last."""
    low = group.split("-")[0]
    if low.isdecimal() and "-" in group:
        return (0, int(low), group)
    return (3 if group == anonymity.OTHER else 2 if not group else 1, 0, group)


def _kept(cells: dict[tuple[str, ...], int]) -> dict:
    """Cells as they are stored: every label once, rows of their places and the loans."""
    labels = [sorted({cell[place] for cell in cells}) for place in range(len(COLUMNS))]
    places = [{label: place for place, label in enumerate(column)} for column in labels]
    return {
        "columns": list(COLUMNS),
        "labels": labels,
        "rows": [
            [*(known[label] for known, label in zip(places, cell, strict=True)), loans]
            for cell, loans in sorted(cells.items())
        ],
    }


def _counted(cells: dict) -> dict[tuple[str, ...], int]:
    return {
        tuple(labels[place] for labels, place in zip(cells["labels"], places, strict=True)): loans
        for *places, loans in cells["rows"]
    }


def largest(cells: dict, count: int, skip: int = 0) -> list[dict]:
    """Cells as `{column: label, …, "loans": count}`, those with the most loans first."""
    rows = sorted(_counted(cells).items(), key=lambda row: (-row[1], row[0]))
    return [
        dict(zip(COLUMNS, labels, strict=True), loans=loans)
        for labels, loans in rows[skip : skip + count]
    ]


def lines(cells: dict, seed: int) -> Iterator[tuple[str, ...]]:
    """A line of labels for each loan, in an order that says nothing and is the same each time."""
    rows = cells["rows"]
    whose = np.repeat(np.arange(len(rows)), [row[-1] for row in rows])
    np.random.Generator(np.random.PCG64(seed)).shuffle(whose)
    known = list(_counted(cells))
    for place in whose:
        yield known[place]


def new_seed() -> int:
    """An order for the lines of a tape that nobody can guess."""
    return secrets.randbits(SEED_BITS)
