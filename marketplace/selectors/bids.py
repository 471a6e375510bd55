"""Bids: one's own, and the bank's once they are open."""

from django.db.models import OuterRef, QuerySet, Subquery

from agencies.actors import Actor
from agencies.selectors import visible_memberships
from config import clock
from marketplace.models import Bid
from marketplace.selectors.scoping import is_bank


def visible_bids(actor: Actor) -> QuerySet[Bid]:
    """An agency's own bids; for the bank those on listings that have closed."""
    if is_bank(actor):
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
