"""Listings: which an actor sees, and which of their rooms are open to it."""

from django.db.models import (
    BooleanField,
    Case,
    Exists,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)

from agencies.actors import Actor
from agencies.models import PanelMembership
from agencies.selectors import visible_memberships
from config import clock
from marketplace.models import Listing, ListingInvitation, TermsAcceptance
from marketplace.selectors.awards import visible_award_shares
from marketplace.selectors.bids import visible_bids
from marketplace.selectors.scoping import is_bank


def visible_listings(actor: Actor) -> QuerySet[Listing]:
    """The bank's own; for an agency those of banks that approved it, if open to all or to it."""
    if is_bank(actor):
        return Listing.objects.filter(institution=actor.institution_id)
    if actor.kind != "agency":
        return Listing.objects.none()
    standing = visible_memberships(actor).filter(
        institution=OuterRef("institution"), state=PanelMembership.State.APPROVED
    )
    invited = ListingInvitation.objects.filter(listing=OuterRef("pk"), agency=actor.agency_id)
    return Listing.objects.filter(Exists(standing), Q(is_invitation_only=False) | Exists(invited))


def visible_acceptances(actor: Actor) -> QuerySet[TermsAcceptance]:
    """An agency's own; for the bank those of listings whose log it may read."""
    if is_bank(actor):
        return TermsAcceptance.objects.filter(listing__in=disclosed_listings(actor).values("pk"))
    if actor.kind != "agency":
        return TermsAcceptance.objects.none()
    return TermsAcceptance.objects.filter(agency=actor.agency_id)


def disclosed_listings(actor: Actor) -> QuerySet[Listing]:
    """The bank's listings that have closed and whose portfolio is not open for bids again: it may
    know who looked at their rooms without learning who bids."""
    again = Listing.objects.filter(
        portfolio=OuterRef("portfolio"), state=Listing.State.OPEN, closes_at__gt=clock.Now()
    )
    if not is_bank(actor):
        return Listing.objects.none()
    closed = visible_listings(actor).filter(closes_at__lte=clock.Now())
    return closed.exclude(Exists(again))


def _accepted(actor: Actor) -> Exists:
    """Whether the text that counts was accepted: by the person, or for a machine of its agency."""
    mine = Q(covers_machines=True) if actor.client_id else Q(user=actor.user_id, user__isnull=False)
    accepted = visible_acceptances(actor).filter(
        mine, listing=OuterRef("pk"), sha256=OuterRef("terms_sha256")
    )
    return Exists(accepted)


def opened_listings(actor: Actor) -> QuerySet[Listing]:
    """Listings whose rooms are open to the actor: the bank's own; for an agency those whose terms
    this person has accepted, or for this machine an administrator of the agency."""
    if actor.kind != "agency":
        return visible_listings(actor)
    return visible_listings(actor).filter(_accepted(actor))


def shown_listings(actor: Actor) -> QuerySet[Listing]:
    """`visible_listings` with the bank, to be shown, and `phase`, a `Listing.Phase`: the state,
    but closed where the closing time has passed and nothing is decided yet; and `is_opened`,
    whether the actor may see more of it than title, size class and closing time."""
    has_closed = Q(state=Listing.State.OPEN, closes_at__lte=clock.Now())
    closed = When(has_closed, then=Value(Listing.Phase.CLOSED))
    listings = visible_listings(actor).select_related("institution")
    is_opened = (
        _accepted(actor) if actor.kind == "agency" else Value(True, output_field=BooleanField())
    )
    return listings.annotate(phase=Case(closed, default=F("state")), is_opened=is_opened)


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


def visible_invitations(actor: Actor) -> QuerySet[ListingInvitation]:
    """Whom the bank invited; an agency does not learn who else was."""
    if is_bank(actor):
        return ListingInvitation.objects.filter(institution=actor.institution_id)
    return ListingInvitation.objects.none()
