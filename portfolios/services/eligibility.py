"""Eligibility: which loans may be placed at all, and what happens when a placed one fails.

A loan cannot be placed while a hold on it is open, when nothing is owed, or past its limitation
date where that ends the right itself (`portfolios.limitation`). Elsewhere limitation is a warning.
"""

import dataclasses
import datetime
from collections.abc import Iterable

from django.db.models import Count, Exists, F, Min, OuterRef, Q, QuerySet, Sum
from django.utils.translation import gettext

from agencies import policies, selectors
from agencies.actors import Actor
from config import clock
from portfolios import limitation
from portfolios.models import Hold, Loan, Recovery
from portfolios.selectors import visible_holds, visible_loans, with_law, with_reversed
from portfolios.services import holds

Reason = Hold.Reason
MAY_ENFORCE = holds.MAY_HOLD | policies.SWEEPS | policies.FINANCE_PREPARERS
AUTOMATIC = (Reason.SETTLED, Reason.TIME_BARRED)


def placeable(actor: Actor, loans: QuerySet[Loan]) -> QuerySet[Loan]:
    """Those of `loans` that nobody holds, that are not held out and that may be placed today."""
    free = loans.filter(
        Q(held_out_until=None) | Q(held_out_until__lte=clock.Now()),
        placement__isnull=True,
        is_on_hold=False,
    )
    return free.exclude(settled(actor)).exclude(time_barred(actor))


def is_held_out(loan: Loan, moment: datetime.datetime) -> bool:
    """Whether the loan was drawn into a lot that is placed with nobody until a later day."""
    return loan.held_out_until is not None and loan.held_out_until > moment


def free(actor: Actor, portfolio_id) -> QuerySet[Loan]:
    """The loans of a portfolio that may be placed today."""
    return placeable(actor, visible_loans(actor).filter(portfolio=portfolio_id))


def settled(actor: Actor) -> Q:
    """Loans on which nothing is owed: by the bank's word, or by what it has confirmed since."""
    since = Q(loan__balance_stated_at__isnull=True) | Q(
        confirmation__confirmed_at__gt=F("loan__balance_stated_at")
    )
    confirmed = Recovery.objects.filter(
        since, confirmation__isnull=False, institution=actor.institution_id
    )
    paid = (
        with_reversed(confirmed)
        .order_by()
        .values("loan")
        .annotate(
            paid_minor=Sum(F("amount_minor") - F("reversed_minor")),
            owed_minor=Min("loan__balance_minor"),
        )
        .filter(paid_minor__gte=F("owed_minor"))
    )
    return Q(balance_minor=0) | Q(pk__in=paid.values("loan"))


def time_barred(actor: Actor) -> Q:
    """Loans past limitation in a jurisdiction where that ends the right."""
    return Q(pk__in=_past(actor).filter(_BARRED).values("pk"))


def past_limitation(actor: Actor, loans: QuerySet[Loan]) -> QuerySet[Loan]:
    """Those of `loans` past limitation where that is no bar or the law is not known: a warning."""
    return loans.filter(pk__in=_past(actor).exclude(_BARRED).values("pk"))


_BARRED = Q(where__in=limitation.BARRING) | Q(country__in=limitation.BARRING) & ~Q(
    where__in=limitation.EXCEPTIONS
)


def _past(actor: Actor) -> QuerySet[Loan]:
    """Loans past limitation, with their law."""
    return with_law(visible_loans(actor).filter(limitation_on__lte=_today(actor)))


def _today(actor: Actor) -> datetime.date:
    return clock.business_date(selectors.time_zone_of(actor))


@dataclasses.dataclass(frozen=True)
class Test:
    """What the test says of some loans: how many, and the balance, by outcome."""

    placeable_count: int
    placeable_minor: int
    held_count: int
    settled_count: int
    barred_count: int
    warned_count: int


def test(actor: Actor, loans: QuerySet[Loan]) -> Test:
    """The test over loans that nobody holds; a loan that fails twice is counted twice."""
    free = loans.filter(placement__isnull=True)
    able = placeable(actor, free)
    totals = able.aggregate(count=Count("pk"), total=Sum("balance_minor", default=0))
    return Test(
        placeable_count=totals["count"],
        placeable_minor=totals["total"],
        held_count=free.filter(is_on_hold=True).count(),
        settled_count=free.filter(settled(actor)).count(),
        barred_count=free.filter(time_barred(actor)).count(),
        warned_count=past_limitation(actor, able).count(),
    )


def enforce(*, actor: Actor, loan_ids: Iterable | None = None) -> int:
    """Put placed loans that fail the test on hold, and release those that pass again.

    Of all the institution's loans, or of these. Answers how many holds were opened. Holds of
    people are left alone. Safe at any time and any number of times.
    """
    policies.demand(actor, MAY_ENFORCE)
    placed = visible_loans(actor).filter(placement__isnull=False)
    mine = visible_holds(actor).filter(is_automatic=True, released_at__isnull=True)
    if loan_ids is not None:
        chosen = list(loan_ids)
        placed, mine = placed.filter(pk__in=chosen), mine.filter(loan__in=chosen)
    causes = {Reason.SETTLED: settled(actor), Reason.TIME_BARRED: time_barred(actor)}
    words = {
        Reason.SETTLED: gettext("Nothing is owed any more."),
        Reason.TIME_BARRED: gettext("The claim is past limitation."),
    }
    opened = 0
    for kind, cause in causes.items():
        held = Hold.objects.filter(loan=OuterRef("pk"), kind=kind, released_at__isnull=True)
        failing = placed.filter(cause).exclude(Exists(held))
        found = list(failing.values_list("pk", flat=True))
        if found:
            holds.open_automatic(actor=actor, loan_ids=found, kind=kind, reason=words[kind])
            opened += len(found)
        gone = mine.filter(kind=kind).exclude(
            loan__in=visible_loans(actor).filter(cause).values("pk")
        )
        if gone.exists():
            holds.release_automatic(actor=actor, holds=gone)
    return opened
