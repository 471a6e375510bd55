"""What waits at listings."""

from collections.abc import Iterable

from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from agencies.actors import Actor
from frontend.work.items import Item
from marketplace.selectors import shown_listings, visible_questions, with_own_offer

MOST_COUNTED = 500


def listings_to_award(actor: Actor) -> Iterable[Item]:
    """Listings whose bids can be read now and that nobody has decided."""
    count = shown_listings(actor).filter(phase="closed").count()
    yield Item(
        label=ngettext("closed listing to award", "closed listings to award", count),
        count=count,
        url=f"{reverse('listings')}?phase=closed",
        icon="gavel",
        note=_("Compare the bids and award shares; the agencies wait for your decision."),
    )


def questions_to_answer(actor: Actor) -> Iterable[Item]:
    """Questions of bidders without an answer, and answers that wait to be published."""
    open_listings = shown_listings(actor).filter(phase="open")
    waiting = visible_questions(actor).filter(
        listing__in=open_listings.values("pk"), answer__published_at__isnull=True
    )
    listing_ids = list(waiting.values_list("listing", flat=True)[:MOST_COUNTED])
    count = len(listing_ids)
    one_listing = len(set(listing_ids)) == 1
    yield Item(
        label=ngettext("question of bidders to answer", "questions of bidders to answer", count),
        count=count,
        url=reverse("listing-questions", args=[listing_ids[0]])
        if one_listing
        else f"{reverse('listings')}?phase=open",
        icon="message-circle-question-mark",
        note=_("Answer them, then publish: all bidders read the answers at the same moment."),
    )


def listings_to_bid_on(actor: Actor) -> Iterable[Item]:
    """Open listings on which the agency has no bid."""
    listings = with_own_offer(actor, shown_listings(actor))
    count = listings.filter(phase="open", bid_rate_ppm__isnull=True).count()
    yield Item(
        label=ngettext("open listing without your bid", "open listings without your bid", count),
        count=count,
        url=f"{reverse('listings')}?phase=open&bid=no",
        icon="gavel",
        note=_("Look at what is in it and bid before it closes."),
    )
