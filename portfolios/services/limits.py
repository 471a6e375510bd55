"""Limits: what an award may not do, counted before it is made.

Some rules are about single loans: a loan that one of the winners may not have stays out of the
whole award, so that all lots are drawn from the same loans. Others are about an agency as a
whole: a lot that breaks one is refused.
"""

import dataclasses
import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Count, Exists, OuterRef, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from agencies.actors import Actor
from agencies.selectors import visible_memberships
from config import money
from portfolios.models import Loan, PlacedLoan, Placement, PlacementRules
from portfolios.selectors import visible_spells, with_law
from portfolios.services import idempotency, rules

WORDS = {
    "PLACED_BEFORE": _("Placed with one of these agencies before"),
    "BORROWER_ELSEWHERE": _("The borrower has a loan with another agency"),
    "NO_LICENCE": _("One of these agencies is not licensed where the borrower lives"),
    "ABOVE_PANEL_CAPACITY": _("It would hold more loans than it was vetted for."),
    "ABOVE_LOAN_SHARE": _("It would hold a larger share of the placed loans than your limit."),
    "ABOVE_BALANCE_SHARE": _("It would hold a larger share of the placed balance than your limit."),
}
"""What a rule says, by code: the first three of loans, the others of an agency."""


@dataclasses.dataclass(frozen=True, slots=True)
class LeftOut:
    """Loans that a rule keeps out of the award; a loan with two causes is counted for both."""

    code: str
    loan_count: int
    balance_minor: int


@dataclasses.dataclass(frozen=True, slots=True)
class Holding:
    """What an agency holds of an institution in one currency, of all that is placed."""

    loan_count: int
    balance_minor: int
    placed_count: int
    placed_minor: int
    capacity_loans: int


def broken(
    holding: Holding,
    limits: PlacementRules,
    *,
    loan_count: int,
    balance_minor: int,
    award_count: int,
    award_minor: int,
) -> list[str]:
    """The codes of the limits that a lot would break, as part of an award of this size."""
    loans, balance = holding.loan_count + loan_count, holding.balance_minor + balance_minor
    found = []
    if loans > holding.capacity_loans:
        found.append("ABOVE_PANEL_CAPACITY")
    if _exceeds(loans, holding.placed_count + award_count, limits.loan_share_max_ppm):
        found.append("ABOVE_LOAN_SHARE")
    if _exceeds(balance, holding.placed_minor + award_minor, limits.balance_share_max_ppm):
        found.append("ABOVE_BALANCE_SHARE")
    return found


def _exceeds(part: int, whole: int, largest_ppm: int | None) -> bool:
    return largest_ppm is not None and part * money.PPM > whole * largest_ppm


def lock(actor: Actor) -> None:
    """One award of an institution at a time, or two could pass a limit together."""
    idempotency.lock("award limits", actor.institution_id)


def holdings(actor: Actor, agency_ids: Iterable, currency: str) -> dict[uuid.UUID, Holding]:
    """What each agency holds now. Capacity counts loans in every currency."""
    wanted = set(agency_ids)
    still = visible_spells(actor).filter(
        closed_at__isnull=True, placement__state=Placement.State.LIVE
    )
    mine = {
        row["agency"]: row
        for row in still.order_by()
        .values("agency")
        .annotate(
            loans=Count("pk"),
            total=Sum("balance_minor", filter=Q(placement__currency=currency), default=0),
        )
    }
    capacity = dict(
        visible_memberships(actor).filter(agency__in=wanted).values_list("agency", "capacity_loans")
    )
    nothing = {"loans": 0, "total": 0}
    return {
        agency_id: Holding(
            loan_count=mine.get(agency_id, nothing)["loans"],
            balance_minor=mine.get(agency_id, nothing)["total"],
            placed_count=sum(row["loans"] for row in mine.values()),
            placed_minor=sum(row["total"] for row in mine.values()),
            capacity_loans=capacity.get(agency_id, 0),
        )
        for agency_id in wanted
    }


@dataclasses.dataclass(frozen=True, slots=True)
class Lot:
    """What one agency is to get."""

    agency_id: uuid.UUID
    loan_count: int
    balance_minor: int


def problems(actor: Actor, lots: Sequence[Lot], currency: str) -> list[list[str]]:
    """For each lot the codes of the limits that the award would break, in the order of the lots."""
    limits = rules.current(actor=actor)
    held = holdings(actor, [lot.agency_id for lot in lots], currency)
    return [
        broken(
            held[lot.agency_id],
            limits,
            loan_count=lot.loan_count,
            balance_minor=lot.balance_minor,
            award_count=sum(one.loan_count for one in lots),
            award_minor=sum(one.balance_minor for one in lots),
        )
        for lot in lots
    ]


def allowed(actor: Actor, loans: QuerySet[Loan], agency_ids: Sequence) -> QuerySet[Loan]:
    """Those of `loans` that every one of the agencies may have."""
    # Condition beside condition: each nested in the one before would be asked for all of them.
    loans = with_law(loans)
    for cause in _causes(actor, agency_ids).values():
        loans = loans.exclude(cause)
    return loans


def left_out(actor: Actor, loans: QuerySet[Loan], agency_ids: Sequence) -> list[LeftOut]:
    """What the rules keep out of an award to these agencies, by rule; none that keeps out none."""
    found = []
    for code, cause in _causes(actor, agency_ids).items():
        totals = (
            with_law(loans)
            .filter(cause)
            .aggregate(count=Count("pk"), total=Sum("balance_minor", default=0))
        )
        if totals["count"]:
            found.append(LeftOut(code, totals["count"], totals["total"]))
    return found


def licensed(actor: Actor, loans: QuerySet[Loan], agency_ids: Sequence) -> dict[uuid.UUID, int]:
    """For each agency of the panel how many of `loans` lie where it is licensed."""
    rows: Any = with_law(loans).order_by()
    places = list(rows.values_list("where", "country").annotate(Count("pk")))
    licences = visible_memberships(actor).filter(agency__in=agency_ids)
    return {
        agency_id: sum(count for *names, count in places if not set(names).isdisjoint(licence))
        for agency_id, licence in licences.values_list("agency", "jurisdictions")
    }


def _causes(actor: Actor, agency_ids: Sequence) -> dict[str, Q]:
    """What excludes a loan, by code, over loans with `where` and `country`."""
    own = rules.current(actor=actor)
    spells = PlacedLoan.objects.filter(institution=actor.institution_id)
    causes = {}
    if own.is_never_twice:
        before = spells.filter(loan=OuterRef("pk"), agency__in=agency_ids)
        causes["PLACED_BEFORE"] = Q(Exists(before))
    if own.is_one_agency_per_borrower:
        held = spells.filter(loan__borrower=OuterRef("borrower"), closed_at__isnull=True)
        if len(set(agency_ids)) == 1:
            held = held.exclude(agency__in=agency_ids)
        causes["BORROWER_ELSEWHERE"] = Q(Exists(held))
    licences = visible_memberships(actor).filter(agency__in=agency_ids)
    unlicensed = Q()
    for places in licences.values_list("jurisdictions", flat=True):
        unlicensed |= ~(Q(where__in=places) | Q(country__in=places))
    causes["NO_LICENCE"] = unlicensed if licences else Q(pk__in=[])
    return causes
