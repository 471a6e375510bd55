"""Portfolios and what their loans come to."""

from django.db.models import BigIntegerField, F, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from agencies.actors import Actor
from portfolios.models import Portfolio, Tally
from portfolios.selectors.scoping import institution_only


def visible_portfolios(actor: Actor) -> QuerySet[Portfolio]:
    return institution_only(Portfolio, actor)


def visible_tallies(actor: Actor) -> QuerySet[Tally]:
    return institution_only(Tally, actor)


def shown_portfolios(actor: Actor) -> QuerySet[Portfolio]:
    """`visible_portfolios` with `loan_count`, `balance_minor` and `free_minor`, to be shown.

    `free_minor` is the balance of the loans that nobody holds.
    """
    all_of = Tally.objects.filter(portfolio=OuterRef("pk"), cut="all")
    whole = all_of.order_by().values("portfolio")
    free_minor = Sum(F("balance_minor") - F("placed_minor"))
    return visible_portfolios(actor).annotate(
        loan_count=_tallied(whole, Sum("loan_count")),
        balance_minor=_tallied(whole, Sum("balance_minor")),
        free_minor=_tallied(whole, free_minor),
    )


def _tallied(tallies: QuerySet, total: Sum):
    sums = tallies.annotate(total=total).values("total")
    return Coalesce(Subquery(sums), 0, output_field=BigIntegerField())


def placed_count(actor: Actor) -> int:
    """How many loans of the bank are placed with somebody."""
    whole = visible_tallies(actor).filter(cut="all")
    return whole.aggregate(total=Sum("placed_count", default=0))["total"]
