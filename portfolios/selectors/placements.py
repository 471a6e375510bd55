"""Placements, their spells and rules, and what agencies are told of them."""

import uuid
from collections.abc import Iterable

from django.db.models import OuterRef, Q, QuerySet

from agencies.actors import Actor
from portfolios import access
from portfolios.models import (
    PlacedLoan,
    Placement,
    PlacementChange,
    PlacementRules,
    Recovery,
    Reversal,
)
from portfolios.selectors.scoping import institution_only, placed_with
from portfolios.selectors.sums import count_of, sum_of


def visible_rules(actor: Actor) -> QuerySet[PlacementRules]:
    return institution_only(PlacementRules, actor)


def visible_placements(actor: Actor) -> QuerySet[Placement]:
    if actor.kind == "agency":
        return access.live_placements(actor)
    return institution_only(Placement, actor)


def visible_spells(actor: Actor) -> QuerySet[PlacedLoan]:
    if actor.kind == "agency":
        return PlacedLoan.objects.filter(
            placed_with(actor), agency=actor.agency_id, closed_at__isnull=True
        )
    return institution_only(PlacedLoan, actor)


def visible_changes(actor: Actor) -> QuerySet[PlacementChange]:
    """An agency reads those of what it holds, and of what it held the one that says it ended."""
    if actor.kind != "agency":
        return institution_only(PlacementChange, actor)
    held = Q(placement__in=access.live_placements(actor).values("pk"))
    is_open = Q(spell__isnull=True) | Q(spell__in=visible_spells(actor).values("pk"))
    ended = Q(kind__in=PlacementChange.ENDS)
    return PlacementChange.objects.filter(ended | held & is_open, agency=actor.agency_id)


def shown_placements(actor: Actor) -> QuerySet[Placement]:
    """`visible_placements` with what came in and the other side's name, to be shown.

    An agency cannot be shown the portfolio: a join with it would hide the placement.
    """
    placements = with_collected(visible_placements(actor))
    if actor.kind == "agency":
        return placements.select_related("institution")
    return placements.select_related("agency", "portfolio", "institution")


def with_collected(placements: QuerySet[Placement]) -> QuerySet[Placement]:
    """Adds what came in and what is left, as far as the reader may see it.

    `reported_minor` and `confirmed_minor` are net of reversals; `open_count` and `open_minor`
    are the loans still in the placement and their balance when it opened.
    """
    confirmed = Q(recovery__confirmation__isnull=False)
    own = {"placement": OuterRef("pk")}
    return placements.annotate(
        reported_minor=sum_of(Recovery.objects.filter(**own))
        - sum_of(Reversal.objects.filter(**own)),
        confirmed_minor=sum_of(Recovery.objects.filter(confirmation__isnull=False, **own))
        - sum_of(Reversal.objects.filter(confirmed, **own)),
        open_minor=sum_of(PlacedLoan.objects.filter(closed_at=None, **own), "balance_minor"),
        open_count=count_of(PlacedLoan.objects.filter(closed_at=None, **own)),
    )


def recovered_by_spell(spells: QuerySet[PlacedLoan]) -> Iterable[tuple[uuid.UUID, int, int]]:
    """(agency, balance at placement, confirmed money less what was taken back) of each spell."""
    own = {"spell": OuterRef("pk")}
    confirmed = Recovery.objects.filter(confirmation__isnull=False, **own)
    reversed_of = Reversal.objects.filter(recovery__confirmation__isnull=False, **own)
    recovered = sum_of(confirmed, by="spell") - sum_of(reversed_of, by="spell")
    return spells.annotate(recovered_minor=recovered).values_list(
        "agency_id", "balance_minor", "recovered_minor"
    )
