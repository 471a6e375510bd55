"""Rankings as the bank sees them, and as an agency sees itself among others."""

import dataclasses
import datetime
import uuid

from django.db.models import QuerySet

from agencies.actors import Actor
from agencies.models import PanelMembership
from agencies.selectors import visible_memberships
from marketplace.models import Ranking, RankingRow
from marketplace.selectors.scoping import is_bank


def visible_rankings(actor: Actor) -> QuerySet[Ranking]:
    """The bank's own, or those of the panels that the agency is in good standing on."""
    if is_bank(actor):
        return Ranking.objects.filter(institution=actor.institution_id)
    if actor.kind != "agency":
        return Ranking.objects.none()
    panels = visible_memberships(actor).filter(state=PanelMembership.State.APPROVED)
    return Ranking.objects.filter(institution__in=panels.values("institution"))


def visible_ranking_rows(actor: Actor) -> QuerySet[RankingRow]:
    """The whole panel for the bank; for an agency itself."""
    if is_bank(actor):
        return RankingRow.objects.filter(institution=actor.institution_id)
    if actor.kind != "agency":
        return RankingRow.objects.none()
    return RankingRow.objects.filter(agency=actor.agency_id)


@dataclasses.dataclass(frozen=True, slots=True)
class ShownRow:
    """One agency in a ranking, as somebody may see it.

    Bounds are None where there are too few loans to tell; `position` is None where the field is
    too small to be shown; `is_distinguishable` (the interval excludes the pooled rate) in both.
    """

    agency_id: uuid.UUID
    agency_name: str
    loans: int
    placed_minor: int
    recovered_minor: int
    rate_ppm: int
    low_ppm: int | None
    high_ppm: int | None
    complaints_received: int
    complaints_upheld: int
    position: int | None
    is_distinguishable: bool | None


@dataclasses.dataclass(frozen=True, slots=True)
class ShownRanking:
    """A ranking as somebody may see it: the bank every row, an agency its own.

    `field` is the panel without names, best first; empty when it is too small, and then an agency
    is not told the pooled rate either: from it and its own row a rival's could be computed.
    """

    institution_id: uuid.UUID
    institution_name: str
    currency: str
    computed_at: datetime.datetime
    rows: list[ShownRow]
    field: list[dict]
    pooled_rate_ppm: int | None


def shown_ranking(actor: Actor, *, currency: str, institution_id=None) -> ShownRanking | None:
    """The newest ranking in a currency as the actor may see it; None where there is none.

    An agency on several panels names the institution, or gets the newest of any.
    """
    rankings = visible_rankings(actor).filter(currency=currency)
    if institution_id:
        rankings = rankings.filter(institution=institution_id)
    ranking = rankings.select_related("institution").order_by("-computed_at", "-pk").first()
    if ranking is None:
        return None
    is_told = is_bank(actor) or bool(ranking.field)
    rows = visible_ranking_rows(actor).filter(ranking=ranking).select_related("agency")
    return ShownRanking(
        institution_id=ranking.institution_id,
        institution_name=ranking.institution.name,
        currency=currency,
        computed_at=ranking.computed_at,
        rows=[
            _shown_row(row, ranking.pooled_rate_ppm if is_told else None)
            for row in rows.order_by("position", "agency__name")
        ],
        field=ranking.field,
        pooled_rate_ppm=ranking.pooled_rate_ppm if is_told else None,
    )


def _shown_row(row: RankingRow, pooled_rate_ppm: int | None) -> ShownRow:
    """Without the pooled rate the row is shown on its own: no position, and no comparison."""
    shared = (
        "agency_id",
        "loans",
        "placed_minor",
        "recovered_minor",
        "rate_ppm",
        "low_ppm",
        "high_ppm",
        "complaints_received",
        "complaints_upheld",
    )
    compared = None
    if pooled_rate_ppm is not None and row.low_ppm is not None and row.high_ppm is not None:
        compared = not row.low_ppm <= pooled_rate_ppm <= row.high_ppm
    return ShownRow(
        agency_name=row.agency.name,
        position=None if pooled_rate_ppm is None else row.position,
        is_distinguishable=compared,
        **{name: getattr(row, name) for name in shared},
    )


def ranked(actor: Actor) -> list[tuple[uuid.UUID, str, str]]:
    """(institution, its name, currency) of every ranking that the actor may see, by name."""
    found = visible_rankings(actor).values_list("institution", "institution__name", "currency")
    return sorted(set(found), key=lambda one: (one[1], one[2]))
