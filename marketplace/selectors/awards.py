"""Awards, their shares, and the loans as they were drawn."""

from django.db.models import QuerySet

from agencies.actors import Actor
from marketplace.models import Award, AwardShare, DrawnLoan
from marketplace.selectors.scoping import is_bank


def visible_awards(actor: Actor) -> QuerySet[Award]:
    """The bank's own awards with their listings; an agency sees its share alone."""
    if is_bank(actor):
        return Award.objects.filter(institution=actor.institution_id).select_related("listing")
    return Award.objects.none()


def visible_award_shares(actor: Actor) -> QuerySet[AwardShare]:
    """The shares of the bank's awards, or what the agency won."""
    if is_bank(actor):
        return AwardShare.objects.filter(institution=actor.institution_id)
    if actor.kind != "agency":
        return AwardShare.objects.none()
    return AwardShare.objects.filter(agency=actor.agency_id)


def visible_drawn_loans(actor: Actor) -> QuerySet[DrawnLoan]:
    """What the bank's awards were drawn from; an agency sees its own loans alone, elsewhere."""
    if is_bank(actor):
        return DrawnLoan.objects.filter(institution=actor.institution_id)
    return DrawnLoan.objects.none()


def shown_award_shares(actor: Actor) -> QuerySet[AwardShare]:
    """`visible_award_shares` with the agency, to be shown."""
    return visible_award_shares(actor).select_related("agency")
