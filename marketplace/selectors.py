"""What an actor may see of the market: the only way from an id to an object of this chapter.

An agency sees listings it may bid on, its own bids and its own shares: never that another agency
bid. A bank sees bids once the listing has closed, and not their number before.
"""

import dataclasses
import datetime
import uuid

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, Value, When

from agencies.actors import Actor
from agencies.models import PanelMembership
from agencies.selectors import visible_memberships
from config import clock
from marketplace.models import (
    Award,
    AwardShare,
    Bid,
    DrawnLoan,
    Listing,
    ListingInvitation,
    Ranking,
    RankingRow,
)


def _is_bank(actor: Actor) -> bool:
    return actor.kind in ("institution", "sweep")


def visible_listings(actor: Actor) -> QuerySet[Listing]:
    """The bank's own; for an agency those of banks that approved it, if open to all or to it."""
    if _is_bank(actor):
        return Listing.objects.filter(institution=actor.institution_id)
    if actor.kind != "agency":
        return Listing.objects.none()
    standing = visible_memberships(actor).filter(
        institution=OuterRef("institution"), state=PanelMembership.State.APPROVED
    )
    invited = ListingInvitation.objects.filter(listing=OuterRef("pk"), agency=actor.agency_id)
    return Listing.objects.filter(Exists(standing), Q(is_invitation_only=False) | Exists(invited))


def shown_listings(actor: Actor) -> QuerySet[Listing]:
    """`visible_listings` with the bank, to be shown, and `phase`, a `Listing.Phase`: the state,
    but closed where the closing time has passed and nothing is decided yet."""
    has_closed = Q(state=Listing.State.OPEN, closes_at__lte=clock.Now())
    closed = When(has_closed, then=Value(Listing.Phase.CLOSED))
    listings = visible_listings(actor).select_related("institution")
    return listings.annotate(phase=Case(closed, default=F("state")))


def with_own_offer(actor: Actor, listings: QuerySet[Listing]) -> QuerySet[Listing]:
    """Adds `bid_rate_ppm` and `bid_submitted_at` of the agency's own bid and `share_ppm` of what
    it won, null where there is none."""
    bid = visible_bids(actor).filter(listing=OuterRef("pk"))
    share = visible_award_shares(actor).filter(listing=OuterRef("pk"))
    return listings.annotate(
        bid_rate_ppm=Subquery(bid.values("rate_ppm")),
        bid_submitted_at=Subquery(bid.values("submitted_at")),
        share_ppm=Subquery(share.values("share_ppm")),
    )


def visible_bids(actor: Actor) -> QuerySet[Bid]:
    """An agency's own bids; for the bank those on listings that have closed."""
    if _is_bank(actor):
        return Bid.objects.filter(institution=actor.institution_id, closes_at__lte=clock.Now())
    if actor.kind != "agency":
        return Bid.objects.none()
    return Bid.objects.filter(agency=actor.agency_id)


def shown_bids(actor: Actor) -> QuerySet[Bid]:
    """`visible_bids` with the agency, and its `standing` on the bank's panel with the
    `membership_id`, to be shown."""
    membership = visible_memberships(actor).filter(
        institution=OuterRef("institution"), agency=OuterRef("agency")
    )
    return (
        visible_bids(actor)
        .select_related("agency")
        .annotate(
            standing=Subquery(membership.values("state")),
            membership_id=Subquery(membership.values("pk")),
        )
    )


def visible_awards(actor: Actor) -> QuerySet[Award]:
    """The bank's own awards with their listings; an agency sees its share alone."""
    if _is_bank(actor):
        return Award.objects.filter(institution=actor.institution_id).select_related("listing")
    return Award.objects.none()


def visible_award_shares(actor: Actor) -> QuerySet[AwardShare]:
    """The shares of the bank's awards, or what the agency won."""
    if _is_bank(actor):
        return AwardShare.objects.filter(institution=actor.institution_id)
    if actor.kind != "agency":
        return AwardShare.objects.none()
    return AwardShare.objects.filter(agency=actor.agency_id)


def visible_drawn_loans(actor: Actor) -> QuerySet[DrawnLoan]:
    """What the bank's awards were drawn from; an agency sees its own loans alone, elsewhere."""
    if _is_bank(actor):
        return DrawnLoan.objects.filter(institution=actor.institution_id)
    return DrawnLoan.objects.none()


def shown_award_shares(actor: Actor) -> QuerySet[AwardShare]:
    """`visible_award_shares` with the agency, to be shown."""
    return visible_award_shares(actor).select_related("agency")


def visible_invitations(actor: Actor) -> QuerySet[ListingInvitation]:
    """Whom the bank invited; an agency does not learn who else was."""
    if _is_bank(actor):
        return ListingInvitation.objects.filter(institution=actor.institution_id)
    return ListingInvitation.objects.none()


def visible_rankings(actor: Actor) -> QuerySet[Ranking]:
    """The bank's own, or those of the panels that the agency is in good standing on."""
    if _is_bank(actor):
        return Ranking.objects.filter(institution=actor.institution_id)
    if actor.kind != "agency":
        return Ranking.objects.none()
    panels = visible_memberships(actor).filter(state=PanelMembership.State.APPROVED)
    return Ranking.objects.filter(institution__in=panels.values("institution"))


def visible_ranking_rows(actor: Actor) -> QuerySet[RankingRow]:
    """The whole panel for the bank; for an agency itself."""
    if _is_bank(actor):
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
    is_told = _is_bank(actor) or bool(ranking.field)
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
