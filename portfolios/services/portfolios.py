"""Portfolios: made as drafts, filled by imports, and described by what is in them."""

import dataclasses
import re
from collections.abc import Mapping, Sequence

from django.db import IntegrityError, connection, transaction
from django.db.models import Count, F, Func, IntegerField, Q, QuerySet, Sum, Value
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors
from agencies.actors import Actor
from config import clock, errors, money
from portfolios.models import Loan, Portfolio, Tally
from portfolios.models.loans import DAYS_PAST_DUE_EDGES

JURISDICTION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
"""A country or one of its parts, as ISO 3166 writes them: US, US-NY, CN-44."""

BALANCE_EDGES_MINOR = [step * 10**power for power in range(2, 13) for step in (1, 2, 5)]
GROUPS_SHOWN = 12


def create(*, actor: Actor, name: str, currency: str, jurisdiction: str, product: str) -> Portfolio:
    """A new, empty draft. Raises `InvalidInput` beside the field that is wrong.

    `currency` is a code of ISO 4217, `jurisdiction` one of ISO 3166; the name is the bank's own
    and unique in it.
    """
    policies.demand(actor, policies.VENDOR_MANAGERS)
    fields = {
        "name": _text(name, 120, "name"),
        "currency": _currency(currency.strip().upper()),
        "jurisdiction": _jurisdiction(jurisdiction.strip().upper()),
        "product": _text(product, 60, "product"),
    }
    institution = selectors.find(selectors.visible_institutions(actor), pk=actor.institution_id)
    try:
        with transaction.atomic():
            portfolio = Portfolio.objects.create(
                institution=institution, created_at=clock.now(), **fields
            )
    except IntegrityError:
        raise errors.InvalidInput(
            "NAME_TAKEN", _("You have a portfolio of this name already."), field="name"
        ) from None
    audit.record(actor, "portfolio.create", portfolio, changes=fields)
    return portfolio


def _text(text: str, longest: int, field: str) -> str:
    text = text.strip()
    if not text:
        raise errors.InvalidInput("REQUIRED", _("This must not be blank."), field=field)
    if len(text) > longest:
        raise errors.InvalidInput(
            "TOO_LONG",
            _("This has more than %(longest)s characters.") % {"longest": longest},
            field=field,
        )
    return text


def _currency(code: str) -> str:
    if code not in money.CURRENCIES:
        raise errors.InvalidInput(
            "UNKNOWN_CURRENCY", _("Give a code of ISO 4217, such as USD."), field="currency"
        )
    return code


def _jurisdiction(code: str) -> str:
    if not JURISDICTION.fullmatch(code):
        raise errors.InvalidInput(
            "UNKNOWN_JURISDICTION",
            _("Give a country or a part of one, such as US or US-NY."),
            field="jurisdiction",
        )
    return code


@dataclasses.dataclass(frozen=True)
class Band:
    """Loans whose figure is in `[lower, upper)`; without `upper` there is no limit."""

    lower: int
    upper: int | None
    loan_count: int
    balance_minor: int


@dataclasses.dataclass(frozen=True)
class Group:
    """Loans that share a word; `name` is empty for those without one, None for all the rest."""

    name: str | None
    loan_count: int
    balance_minor: int


@dataclasses.dataclass(frozen=True)
class Composition:
    """What some loans of one currency amount to and how they are spread."""

    loan_count: int
    balance_minor: int
    placed_count: int
    placed_minor: int
    on_hold_count: int
    by_balance: list[Band]
    by_days_past_due: list[Band]
    by_region: list[Group]
    by_grade: list[Group]


def composition(loans: QuerySet[Loan]) -> Composition:
    """Counts, sums and distributions over loans that the caller may see; one query for each.

    Balances fall in bands of 1, 2, 5, 10, … main units of money, days past due in those that
    the trade uses; regions are ordered by how many loans they have, grades by name.
    """
    loans = loans.order_by()
    totals = loans.aggregate(
        loan_count=Count("pk"),
        balance_minor=Sum("balance_minor", default=0),
        on_hold_count=Count("pk", filter=Q(is_on_hold=True)),
    )
    placed = loans.exclude(placement=None).aggregate(
        placed_count=Count("pk"), placed_minor=Sum("balance_minor", default=0)
    )
    return Composition(
        **totals,
        **placed,
        by_balance=_bands(loans, "balance_minor", BALANCE_EDGES_MINOR),
        by_days_past_due=_bands(loans, "days_past_due", list(DAYS_PAST_DUE_EDGES)),
        by_region=_groups(loans, "region", by_size=True),
        by_grade=_groups(loans, "grade", by_size=False),
    )


def composition_of(tallies: QuerySet[Tally]) -> Composition:
    """The composition of whole portfolios out of their tallies, however many loans they have."""
    sums = tallies.order_by().values_list("cut", "value")
    found: dict[str, dict[str, tuple[int, int]]] = {}
    for cut, value, loan_count, balance_minor in sums.annotate(
        Sum("loan_count"), Sum("balance_minor")
    ):
        if loan_count:
            found.setdefault(cut, {})[value] = (loan_count, balance_minor)
    loan_count, balance_minor = found.get("all", {}).get("", (0, 0))
    return Composition(
        loan_count=loan_count,
        balance_minor=balance_minor,
        **tallies.filter(cut="all").aggregate(
            placed_count=Sum("placed_count", default=0),
            placed_minor=Sum("placed_minor", default=0),
            on_hold_count=Sum("on_hold_count", default=0),
        ),
        by_balance=_banded(_numbered(found.get("balance", {})), BALANCE_EDGES_MINOR),
        by_days_past_due=_banded(_numbered(found.get("days", {})), list(DAYS_PAST_DUE_EDGES)),
        by_region=_grouped(found.get("region", {}), by_size=True),
        by_grade=_grouped(found.get("grade", {}), by_size=False),
    )


def _numbered(cells: dict[str, tuple[int, int]]) -> dict[int, tuple[int, int]]:
    return {int(value): figures for value, figures in cells.items()}


def fold_tallies(*, actor: Actor) -> int:
    """Put tallies of one cell together, which changes no sum; answers how many there were."""
    policies.demand(actor, policies.SWEEPS)
    with connection.cursor() as cursor:
        cursor.execute("select fold_tallies()")
        return cursor.fetchone()[0]


def _bands(loans: QuerySet[Loan], figure: str, edges: list[int]) -> list[Band]:
    """All bands from the first to the last that has a loan, empty ones between them included."""
    bucket = Func(
        F(figure),
        Value(edges),
        template="width_bucket(%(expressions)s::bigint[])",
        output_field=IntegerField(),
    )
    rows = loans.annotate(bucket=bucket).values("bucket")
    found = {
        row["bucket"]: (row["loan_count"], row["total_minor"])
        for row in rows.annotate(loan_count=Count("pk"), total_minor=Sum("balance_minor"))
    }
    return _banded(found, edges)


def _banded(found: dict[int, tuple[int, int]], edges: list[int]) -> list[Band]:
    if not found:
        return []
    limits = [0, *edges, None]
    return [
        Band(limits[number] or 0, limits[number + 1], *found.get(number, (0, 0)))
        for number in range(min(found), max(found) + 1)
    ]


def _groups(loans: QuerySet[Loan], word: str, *, by_size: bool) -> list[Group]:
    rows = loans.values_list(word).annotate(Count("pk"), Sum("balance_minor"))
    return _grouped({name: figures for name, *figures in rows}, by_size=by_size)


def _grouped(found: Mapping[str, Sequence[int]], *, by_size: bool) -> list[Group]:
    """The largest groups, and all others in one that has no name."""
    groups = [Group(name, *figures) for name, figures in found.items()]
    groups.sort(key=lambda group: (-group.loan_count, group.name))
    shown, rest = groups[:GROUPS_SHOWN], groups[GROUPS_SHOWN:]
    if not by_size:
        shown.sort(key=lambda group: (not group.name, group.name))
    if rest:
        counts = sum(group.loan_count for group in rest)
        shown.append(Group(None, counts, sum(group.balance_minor for group in rest)))
    return shown
