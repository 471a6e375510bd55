"""Tapes: cut once from a portfolio's loans, and the same for everybody who may look."""

from typing import Any

import numpy as np
from django.db.models import QuerySet

from agencies import selectors
from agencies.actors import Actor
from marketplace import tape
from marketplace.models import Listing, RoomVisit, Tape, TapeCut
from marketplace.selectors import visible_tape_cuts, visible_tapes
from marketplace.services import rooms
from portfolios.models import Loan

SAID = ("loan_count", "balance_minor", "suppressed_count", "cells", "strata")


def cut(actor: Actor, listing: Listing, loans: QuerySet[Loan]) -> Tape:
    """The tape of a listing that is being published, from the loans that it offers.

    Of a portfolio that was published before, the loans that were on the tape then stay on it as
    they were, also those that have left; new ones are added as a tape of their own. Whoever
    compares the two listings finds five borrowers in every difference, or none.
    """
    offered = tape.read(loans, listing.product)
    earlier = (
        visible_tapes(actor)
        .filter(listing__portfolio=listing.portfolio_id)
        .exclude(listing=listing)
        .order_by("-listing__published_at", "-listing")
        .first()
    )
    if earlier is None:
        fields: dict[str, Any] = tape.make(offered)
        members = offered.members
        order = {"seed": tape.new_seed(), "cut_at": listing.published_at}
    else:
        known = _members(visible_tape_cuts(actor).get(listing=earlier.listing_id))
        is_new = ~np.isin(offered.members, known)
        fields = {name: getattr(earlier, name) for name in SAID}
        members = np.concatenate([known, offered.members[is_new]])
        order = {"seed": earlier.seed, "cut_at": earlier.cut_at}
        if is_new.any():
            fields = tape.add(fields, tape.make(offered.only(is_new)))
            order = {"seed": tape.new_seed(), "cut_at": listing.published_at}
    owner = {"listing": listing, "institution_id": listing.institution_id}
    TapeCut.objects.create(members=np.sort(members).astype(">i8").tobytes(), **owner)
    return Tape.objects.create(**owner, **fields, **order)


def _members(made: TapeCut) -> np.ndarray:
    return np.frombuffer(bytes(made.members), dtype=">i8").astype(np.int64)


def take(*, actor: Actor, listing_id) -> Tape:
    """The tape of an opened room to be downloaded; that a bidder took it is written down.

    Raises as `rooms.find`.
    """
    listing = rooms.find(actor, listing_id)
    found = selectors.find(visible_tapes(actor), listing=listing)
    rooms.note(actor, [listing], RoomVisit.Part.TAPE)
    return found
