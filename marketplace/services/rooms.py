"""What must hold before anything of a listing's room is done or shown."""

import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from agencies import selectors
from agencies.actors import Actor
from config import clock, errors
from marketplace.models import Listing, RoomVisit
from marketplace.selectors import opened_listings, visible_listings

LATEST_QUESTIONS = datetime.timedelta(days=1)
"""How long before the closing questions end, where a quarter of the time is not less."""

REFUSALS = {
    "CLOSED": _("This listing is closed. Nothing was changed."),
    "NOT_ACCEPTED": _("Accept the terms of this listing first."),
}


SIZES = (100, 1_000, 10_000, 100_000, 1_000_000)
"""The limits of the size classes, in loans."""


def size_class(loan_count: int) -> str:
    """What may be known of a listing's size before its terms are accepted: `100-1000`."""
    low = 0
    for high in SIZES:
        if loan_count < high:
            return f"{low}-{high}"
        low = high
    return f"{low}-"


def questions_end(published_at: datetime.datetime, closes_at: datetime.datetime):
    """When questions end: a day before the closing, or for short listings a quarter of the time."""
    return closes_at - min(LATEST_QUESTIONS, (closes_at - published_at) / 4)


def find(actor: Actor, listing_id) -> Listing:
    """A listing whose room the actor has opened.

    Raises `NotFound` where there is no such listing for the actor, `InvalidState` `NOT_ACCEPTED`
    where its terms wait.
    """
    listing = selectors.find(visible_listings(actor), pk=listing_id)
    if not opened_listings(actor).filter(pk=listing.pk).exists():
        raise errors.InvalidState("NOT_ACCEPTED", REFUSALS["NOT_ACCEPTED"])
    return listing


def demand_open(listing: Listing) -> None:
    """Raise `InvalidState` `CLOSED` unless the listing takes bids now."""
    if listing.state != Listing.State.OPEN or clock.now() >= listing.closes_at:
        raise errors.InvalidState("CLOSED", REFUSALS["CLOSED"])


def note(actor: Actor, listings: list[Listing], part: str, document=None) -> None:
    """Write down that somebody of an agency saw a part of these rooms; a bank's people are not."""
    if actor.kind != "agency":
        return
    agency: Any = actor.agency_id
    visitor: Any = actor.id
    moment = clock.now()
    RoomVisit.objects.bulk_create(
        RoomVisit(
            institution_id=listing.institution_id,
            agency_id=agency,
            listing=listing,
            visitor_id=visitor,
            visitor=actor.label,
            part=part,
            document=document,
            at=moment,
        )
        for listing in listings
    )
