"""Listings: a portfolio published for bids, with a closing time that never moves."""

import datetime
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Count, Sum
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors, texts
from agencies.actors import Actor
from agencies.models import PanelMembership
from agencies.selectors import visible_memberships
from config import clock, errors, money
from marketplace.models import Listing, ListingInvitation
from marketplace.selectors import visible_listings
from marketplace.services import documents, draws, rooms, tapes
from marketplace.services import terms as bidding_terms
from portfolios.models import Portfolio
from portfolios.selectors import visible_imports, visible_portfolios
from portfolios.services import eligibility, rules
from portfolios.services.imports import UNFINISHED

LONGEST_TERM_DAYS = 3650


def publish(
    *,
    actor: Actor,
    portfolio_id,
    closes_at: datetime.datetime,
    highest_rate_ppm: int,
    term_days: int,
    invited_agency_ids: list | None = None,
    seed: str = "",
    terms: str | None = None,
    files: Sequence[documents.File] = (),
) -> Listing:
    """Open a draft portfolio for bids until `closes_at`, with the tape that bidders read.

    The seed of the draw is chosen here and committed to, so that nobody can choose it when the bids
    are known; `seed` is for the demonstration alone, no page or mutation has it.

    `invited_agency_ids` None means every approved agency of the panel; a list, those alone.
    `terms` are what everybody accepts before they look, the bank's usual ones if None; `files`
    are documents for all bidders.
    Raises `InvalidInput` for a closing time that has passed, an impossible rate or term, or an
    invited agency that is not on the panel; `InvalidState` when the portfolio is not a draft or
    has no loan that could be placed.
    """
    policies.demand(actor, policies.VENDOR_MANAGERS)
    portfolio = selectors.find(visible_portfolios(actor), pk=portfolio_id)
    _check_terms(highest_rate_ppm, term_days)
    text = bidding_terms.checked(bidding_terms.usual(actor) if terms is None else terms)
    with transaction.atomic():
        listed = Portfolio.objects.filter(pk=portfolio.pk, state=Portfolio.State.DRAFT).update(
            state=Portfolio.State.LISTED
        )
        if not listed:
            raise errors.InvalidState("NOT_A_DRAFT", _("This portfolio is published already."))
        if visible_imports(actor).filter(portfolio=portfolio, state__in=UNFINISHED).exists():
            raise errors.InvalidState(
                "IMPORT_UNFINISHED", _("A file for this portfolio is not imported yet.")
            )
        moment = clock.now()
        if closes_at <= moment:
            raise errors.InvalidInput(
                "IN_THE_PAST", _("The closing time must lie in the future."), field="closes_at"
            )
        loans = eligibility.free(actor, portfolio.pk)
        offered = loans.order_by().aggregate(
            loans=Count("pk"), balance_minor=Sum("balance_minor", default=0)
        )
        if not offered["loans"]:
            raise errors.InvalidState("NO_LOANS", _("No loan in this portfolio can be placed."))
        listing = Listing.objects.create(
            institution_id=portfolio.institution_id,
            portfolio=portfolio,
            title=portfolio.name,
            currency=portfolio.currency,
            jurisdiction=portfolio.jurisdiction,
            product=portfolio.product,
            loan_count=offered["loans"],
            balance_minor=offered["balance_minor"],
            highest_rate_ppm=highest_rate_ppm,
            term_days=term_days,
            tail_days=rules.current(actor=actor).tail_days,
            is_invitation_only=invited_agency_ids is not None,
            published_at=moment,
            closes_at=closes_at,
            **draws.commitment(actor, portfolio.pk, seed),
            questions_close_at=rooms.questions_end(moment, closes_at),
            terms_sha256=bidding_terms.digest(text),
        )
        tapes.cut(actor, listing, loans)
        bidding_terms.write(actor, listing, text)
        _invite(actor, listing, invited_agency_ids)
        audit.record(
            actor,
            "listing.publish",
            listing,
            changes={
                "loans": listing.loan_count,
                "draw_commitment": listing.draw_commitment,
                "closes_at": closes_at.isoformat(),
                "highest_rate_ppm": highest_rate_ppm,
                "invited": None if invited_agency_ids is None else len(set(invited_agency_ids)),
            },
        )
        documents.write(actor, listing, files)
    return listing


def _check_terms(highest_rate_ppm: int, term_days: int) -> None:
    if not 0 < highest_rate_ppm <= money.PPM:
        raise errors.InvalidInput(
            "OUT_OF_RANGE",
            _("The highest rate is above 0 % and at most 100 %."),
            field="highest_rate_ppm",
        )
    if not 0 < term_days <= LONGEST_TERM_DAYS:
        raise errors.InvalidInput(
            "OUT_OF_RANGE", _("The term is between 1 and 3650 days."), field="term_days"
        )


def _invite(actor: Actor, listing: Listing, agency_ids: list | None) -> None:
    if agency_ids is None:
        return
    invited = set(agency_ids)
    approved = visible_memberships(actor).filter(
        state=PanelMembership.State.APPROVED, agency__in=invited
    )
    if not invited or approved.count() != len(invited):
        raise errors.InvalidInput(
            "NOT_ON_THE_PANEL",
            _("Invite at least one agency, and only approved ones of your panel."),
            field="invited_agency_ids",
        )
    ListingInvitation.objects.bulk_create(
        ListingInvitation(
            institution_id=listing.institution_id, listing=listing, agency_id=agency_id
        )
        for agency_id in sorted(invited)
    )


def withdraw(*, actor: Actor, listing_id, reason: str) -> Listing:
    """Take a listing that was not awarded off the market; its portfolio is a draft again."""
    policies.demand(actor, policies.VENDOR_MANAGERS)
    reason = texts.reason(reason)
    listing = selectors.find(visible_listings(actor), pk=listing_id)
    with transaction.atomic():
        withdrawn = Listing.objects.filter(pk=listing.pk, state=Listing.State.OPEN).update(
            state=Listing.State.WITHDRAWN
        )
        if not withdrawn:
            raise errors.InvalidState("NOT_OPEN", _("This listing is not open any more."))
        Portfolio.objects.filter(pk=listing.portfolio_id).update(state=Portfolio.State.DRAFT)
        audit.record(actor, "listing.withdraw", listing, reason=reason)
    listing.refresh_from_db()
    return listing
