"""What an actor may see of the market: the only way from an id to an object of this chapter.

An agency sees listings it may bid on, its own bids and its own shares: never that another agency
bid. A bank sees bids once the listing has closed, and not their number before.
"""

from django.db.models import Exists, OuterRef, Q, QuerySet

from agencies.actors import Actor
from agencies.models import PanelMembership
from agencies.selectors import visible_memberships
from config import clock
from marketplace.models import (
    Award,
    AwardShare,
    Bid,
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


def visible_bids(actor: Actor) -> QuerySet[Bid]:
    """An agency's own bids; for the bank those on listings that have closed."""
    if _is_bank(actor):
        return Bid.objects.filter(institution=actor.institution_id, closes_at__lte=clock.Now())
    if actor.kind != "agency":
        return Bid.objects.none()
    return Bid.objects.filter(agency=actor.agency_id)


def visible_awards(actor: Actor) -> QuerySet[Award]:
    """The bank's own awards; an agency sees its share alone."""
    if _is_bank(actor):
        return Award.objects.filter(institution=actor.institution_id)
    return Award.objects.none()


def visible_award_shares(actor: Actor) -> QuerySet[AwardShare]:
    """The shares of the bank's awards, or what the agency won."""
    if _is_bank(actor):
        return AwardShare.objects.filter(institution=actor.institution_id)
    if actor.kind != "agency":
        return AwardShare.objects.none()
    return AwardShare.objects.filter(agency=actor.agency_id)


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
