"""Terms of a listing: the bank sets them, and everybody accepts them before looking."""

import hashlib
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors, texts
from agencies.actors import Actor
from agencies.models.users import Role
from config import clock, dberrors, errors
from marketplace.models import Listing, ListingTerms, RoomVisit, TermsAcceptance
from marketplace.selectors import visible_listings, visible_terms
from marketplace.services import rooms

LONGEST = 20_000


def usual(actor: Actor) -> str:
    """What a bank's next listing says unless it is told otherwise: its newest text, or ours."""
    newest = visible_terms(actor).order_by("-set_at", "-pk").values_list("text", flat=True).first()
    return newest or gettext(
        "What you see in this room is confidential. Use it to decide about your bid and for "
        "nothing else.\n\n"
        "Do not pass it on, and do not try to find out who a borrower is, alone or together with "
        "what you know from elsewhere.\n\n"
        "Delete what you have downloaded when the listing has closed, unless loans are placed "
        "with you.\n\n"
        "The bank may withdraw the listing until it awards it, and owes nothing for a bid."
    )


def digest(text: str) -> str:
    """The hash by which a text is known."""
    return hashlib.sha256(text.encode()).hexdigest()


def short(sha256: str) -> str:
    """Enough of a hash for people to tell texts apart."""
    return sha256[:12]


def write(actor: Actor, listing: Listing, text: str) -> ListingTerms:
    """Keep the listing's text, once for each different one."""
    manager: Any = actor.user_id
    terms, _is_new = ListingTerms.objects.get_or_create(
        listing=listing,
        sha256=listing.terms_sha256,
        defaults={
            "institution_id": listing.institution_id,
            "text": text,
            "set_at": clock.now(),
            "set_by_id": manager,
        },
    )
    return terms


def checked(text: str) -> str:
    """The text as it is kept. Raises `InvalidInput` for none, and for more than can be read."""
    return texts.checked(
        "\n".join(line.rstrip() for line in text.splitlines()),
        field="terms",
        longest=LONGEST,
        missing=_("Say on what terms bidders may look at this listing."),
    )


def change(*, actor: Actor, listing_id, terms: str) -> Listing:
    """Set another text while the listing is open: everybody has to accept that one anew.

    Raises `InvalidInput` for no text, `InvalidState` `CLOSED` from the closing time on.
    """
    policies.demand(actor, policies.VENDOR_MANAGERS)
    listing = selectors.find(visible_listings(actor), pk=listing_id)
    text = checked(terms)
    rooms.demand_open(listing)
    with transaction.atomic():
        changed = Listing.objects.filter(pk=listing.pk, state=Listing.State.OPEN)
        if not changed.update(terms_sha256=digest(text)):
            raise errors.InvalidState("CLOSED", rooms.REFUSALS["CLOSED"])
        listing.refresh_from_db()
        write(actor, listing, text)
        audit.record(
            actor, "listing.change_terms", listing, changes={"text": short(listing.terms_sha256)}
        )
    return listing


@dberrors.translated()
def accept(*, actor: Actor, listing_id, sha256: str) -> Listing:
    """Accept the text of this hash for oneself; an administrator also for the agency's machines.

    Raises `InvalidState` `CHANGED` where the listing has another text by now, `CLOSED` from the
    closing time on.
    """
    policies.demand(actor, policies.AGENCY_PEOPLE)
    listing = selectors.find(visible_listings(actor), pk=listing_id)
    rooms.demand_open(listing)
    if sha256 != listing.terms_sha256:
        raise errors.InvalidState(
            "CHANGED", _("The bank has changed the terms meanwhile. Read them again.")
        )
    person: Any = actor.user_id
    try:
        with transaction.atomic():
            made = TermsAcceptance.objects.create(
                institution_id=listing.institution_id,
                **policies.side_of(actor),
                listing=listing,
                user_id=person,
                sha256=sha256,
                covers_machines=actor.role == Role.AGENCY_ADMINISTRATOR,
                accepted_at=clock.now(),
            )
            rooms.note(actor, [listing], RoomVisit.Part.TERMS)
            # The agency's alone: the bank finds the acceptance itself, when that is disclosed.
            entry = audit.entry(
                actor, "listing.accept_terms", made, changes={"text": short(sha256)}
            )
            entry.institution_id = None
            audit.record_many([entry])
    except IntegrityError:
        return listing
    return listing
