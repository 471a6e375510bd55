"""What bidders see of a portfolio: counts, sums and distributions, never a loan.

A group of fewer than five loans is shown together with its neighbours as "other", so that nobody
can be picked out of it.
"""

from django.db.models import Case, CharField, Count, QuerySet, Sum, Value, When
from django.db.models import F as Field

SMALLEST_GROUP = 5
OTHER = "other"

BALANCE_BANDS_MINOR = (50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000)
OVERDUE_BANDS_DAYS = (90, 180, 365, 730, 1460, 3650)


def summarise(loans: QuerySet) -> dict:
    """`{loans, balance_minor, strata: {name: [{group, loans, balance_minor}, …]}}`.

    Groups come in their natural order, "other" last. Bands are named `low-high` in minor units
    or days, half-open; the last one is `low-`.
    """
    whole = loans.aggregate(loans=Count("pk"), balance_minor=Sum("balance_minor"))
    return {
        "loans": whole["loans"],
        "balance_minor": whole["balance_minor"] or 0,
        "strata": {
            "balance": _groups(loans, _banded("balance_minor", BALANCE_BANDS_MINOR)),
            "days_past_due": _groups(loans, _banded("days_past_due", OVERDUE_BANDS_DAYS)),
            "region": _groups(loans, Field("region")),
            "grade": _groups(loans, Field("grade")),
        },
    }


def _banded(column: str, edges: tuple[int, ...]) -> Case:
    whens, low = [], 0
    for index, high in enumerate(edges):
        whens.append(When(**{f"{column}__lt": high}, then=Value(f"{index}:{low}-{high}")))
        low = high
    return Case(
        *whens, default=Value(f"{len(edges)}:{low}-"), output_field=CharField(max_length=40)
    )


def _groups(loans: QuerySet, group) -> list[dict]:
    rows = (
        loans.order_by()
        .annotate(group=group)
        .values("group")
        .annotate(loans=Count("pk"), balance_minor=Sum("balance_minor"))
        .order_by("group")
    )
    return _suppressed([dict(row) for row in rows])


def _suppressed(rows: list[dict]) -> list[dict]:
    """Small groups merged into "other"; if that is small too, the smallest shown one joins it."""
    shown = [row for row in rows if row["loans"] >= SMALLEST_GROUP]
    hidden = [row for row in rows if row["loans"] < SMALLEST_GROUP]
    if hidden and sum(row["loans"] for row in hidden) < SMALLEST_GROUP and shown:
        smallest = min(shown, key=lambda row: row["loans"])
        shown.remove(smallest)
        hidden.append(smallest)
    for row in shown:
        row["group"] = str(row["group"]).split(":", 1)[-1]
    if hidden:
        shown.append(
            {
                "group": OTHER,
                "loans": sum(row["loans"] for row in hidden),
                "balance_minor": sum(row["balance_minor"] for row in hidden),
            }
        )
    return shown
