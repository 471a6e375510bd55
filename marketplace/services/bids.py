"""Bids: sealed, replaceable until the listing closes, immutable after."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors, texts
from agencies.actors import Actor
from config import clock, dberrors, errors
from marketplace.models import Bid, Listing
from marketplace.selectors import visible_listings
from marketplace.services import rooms

MAY_BID = policies.AGENCY_ADMINISTRATORS | policies.MACHINE_CLIENTS
MOST_LOANS = 1_000_000_000
CLOSED = _("This listing is closed for bids. Nothing was changed.")


@dberrors.translated()
def submit(*, actor: Actor, listing_id, rate_ppm: int, capacity_loans: int, note: str = "") -> Bid:
    """Make the agency's bid on a listing, or replace the one it made.

    Raises `InvalidInput` for a rate above the listing's highest or a capacity of nothing,
    `InvalidState` `NOT_ACCEPTED` before the terms are accepted, `CLOSED` from the closing time
    on, by the database's clock read after the listing is locked (a trigger decides, whatever
    this process believes).
    """
    policies.demand(actor, MAY_BID)
    note = texts.checked(note, field="note", shortest=0)
    listing = selectors.find(visible_listings(actor), pk=listing_id)
    if listing.state != Listing.State.OPEN or clock.now() >= listing.closes_at:
        raise errors.InvalidState("CLOSED", CLOSED)
    rooms.find(actor, listing.pk)
    _check(listing, rate_ppm, capacity_loans)
    with transaction.atomic():
        offer = {
            "rate_ppm": rate_ppm,
            "capacity_loans": capacity_loans,
            "note": note,
            "submitted_at": clock.now(),
        }
        bid = _written(actor, listing, offer)
        audit.record(
            actor,
            "bid.submit",
            bid,
            changes={
                "rate_ppm": rate_ppm,
                "capacity_loans": capacity_loans,
                "revision": bid.revision,
            },
            sealed_until=listing.closes_at,
        )
    return bid


def _written(actor: Actor, listing: Listing, offer: dict) -> Bid:
    """The agency's bid, replaced or made; a colleague may be the first in between."""
    bidder: Any = actor.agency_id
    mine = Bid.objects.filter(listing=listing, agency=bidder)
    if mine.update(revision=F("revision") + 1, **offer):
        return mine.get()
    try:
        with transaction.atomic():
            return Bid.objects.create(
                institution_id=listing.institution_id,
                agency_id=bidder,
                listing=listing,
                closes_at=listing.closes_at,
                **offer,
            )
    except IntegrityError:
        mine.update(revision=F("revision") + 1, **offer)
        return mine.get()


def _check(listing: Listing, rate_ppm: int, capacity_loans: int) -> None:
    if not 0 < rate_ppm <= listing.highest_rate_ppm:
        raise errors.InvalidInput(
            "RATE_ABOVE_HIGHEST",
            _("The rate is above 0 % and not above the highest rate of the listing."),
            field="rate_ppm",
        )
    if not 1 <= capacity_loans <= MOST_LOANS:
        raise errors.InvalidInput(
            "OUT_OF_RANGE", _("Say how many loans you can take."), field="capacity_loans"
        )
