"""Awards: shares decided after the closing, drawn into lots by a stored seed, placed at once."""

import dataclasses
import datetime
import secrets
import uuid
from typing import Any

from django.db import transaction
from django.db.models import Count, QuerySet, Sum
from django.utils.translation import gettext_lazy as _

from agencies import audit, policies, selectors
from agencies.actors import Actor
from agencies.models import PanelMembership
from agencies.selectors import visible_memberships
from config import clock, errors, money
from marketplace import allocation
from marketplace.models import Award, AwardShare, Bid, Listing
from marketplace.selectors import visible_bids, visible_listings
from portfolios import lots
from portfolios.models import Loan, Portfolio
from portfolios.services import eligibility, limits, placements

SEED_BITS = 62

REFUSALS = {
    "NOT_AWARDABLE": _("A listing is awarded once, after it has closed."),
    "SHARES_ABOVE_WHOLE": _("The shares are more than 100 % together."),
    "ABOVE_CAPACITY": _("The share holds more loans than this agency offered to take."),
    "EMPTY_LOT": _("The share is too small to hold a single loan."),
    "NOT_ON_THE_PANEL": _("This agency is not in good standing any more."),
    **{code: words for code, words in limits.WORDS.items() if code.startswith("ABOVE_")},
}
"""What can be wrong with an award, by code."""


@dataclasses.dataclass(frozen=True, slots=True)
class Share:
    """What one bid is to get: parts per million of the loans."""

    bid_id: uuid.UUID
    share_ppm: int


def award(
    *, actor: Actor, listing_id, shares: list[Share], reason: str, seed: int | None = None
) -> Award:
    """Give shares of a closed listing to one or more bidders and place their lots.

    The loans are drawn into lots at random; what is left over stays unplaced. Raises
    `InvalidInput` for shares above the whole, a share above a bid's capacity or the bank's own
    limits (`portfolios.services.limits`), or an agency that has lost its standing;
    `InvalidState` before the closing and for a second award.

    Nobody chooses the draw: `seed` is for the demonstration alone, no page or mutation has it.
    """
    policies.demand(actor, policies.VENDOR_MANAGERS)
    manager: Any = actor.user_id
    _check(shares, reason)
    listing = selectors.find(visible_listings(actor), pk=listing_id)
    with transaction.atomic():
        listing = Listing.objects.select_for_update().get(pk=listing.pk)
        moment = clock.now()
        if listing.state != Listing.State.OPEN or moment < listing.closes_at:
            raise errors.InvalidState("NOT_AWARDABLE", REFUSALS["NOT_AWARDABLE"])
        bids = _bids(actor, listing, shares)
        limits.lock(actor)
        made = Award.objects.create(
            institution_id=listing.institution_id,
            listing=listing,
            seed=secrets.randbits(SEED_BITS) if seed is None else seed,
            reason=reason.strip(),
            awarded_at=moment,
            awarded_by_id=manager,
        )
        free = _free_loans(actor, listing, bids)
        drawn = _draw(free, [share.share_ppm for share in shares], made.seed)
        _check_limits(actor, listing, bids, drawn)
        ends_at = moment + datetime.timedelta(days=listing.term_days)
        for lot, (share, bid) in enumerate(zip(shares, bids, strict=True)):
            _place(actor, made, listing, lot, share, bid, drawn[lot], ends_at)
        Listing.objects.filter(pk=listing.pk).update(state=Listing.State.AWARDED)
        Portfolio.objects.filter(pk=listing.portfolio_id).update(state=Portfolio.State.PLACED)
        audit.record(
            actor,
            "listing.award",
            listing,
            reason=reason.strip(),
            changes={
                "seed": made.seed,
                "shares": {str(share.bid_id): share.share_ppm for share in shares},
            },
        )
    return made


def preview(*, actor: Actor, listing_id, shares: list[Share]) -> allocation.Plan:
    """What these shares of the loans that are free now would come to; decides nothing.

    Shares of nothing are left out by the caller. Raises as `award` does, except for what the
    plan says of its lots and their sum.
    """
    policies.demand(actor, policies.VENDOR_MANAGERS)
    listing = selectors.find(visible_listings(actor), pk=listing_id)
    bids = _bids_of(actor, listing, shares)
    free = _free_loans(actor, listing, bids)
    whole = free.aggregate(loans=Count("pk"), balance_minor=Sum("balance_minor", default=0))
    offers = [
        allocation.Offer(share.share_ppm, bid.rate_ppm, bid.capacity_loans)
        for share, bid in zip(shares, bids, strict=True)
    ]
    plan = allocation.plan(offers, **whole)
    given = [
        limits.Lot(bid.agency_id, lot.loans, lot.balance_minor)
        for bid, lot in zip(bids, plan.lots, strict=True)
    ]
    return dataclasses.replace(
        plan,
        lots=[
            dataclasses.replace(lot, problem=lot.problem or (found[0] if found else ""))
            for lot, found in zip(
                plan.lots, limits.problems(actor, given, listing.currency), strict=True
            )
        ],
        left_out=limits.left_out(actor, _eligible(actor, listing), [bid.agency_id for bid in bids]),
    )


def _check(shares: list[Share], reason: str) -> None:
    if not reason.strip():
        raise errors.InvalidInput("REQUIRED", _("Give a reason."), field="reason")
    if not shares or any(share.share_ppm <= 0 for share in shares):
        raise errors.InvalidInput(
            "OUT_OF_RANGE", _("Give at least one share, each above 0 %."), field="shares"
        )
    if sum(share.share_ppm for share in shares) > money.PPM:
        raise errors.InvalidInput(
            "SHARES_ABOVE_WHOLE", REFUSALS["SHARES_ABOVE_WHOLE"], field="shares"
        )
    if len({share.bid_id for share in shares}) != len(shares):
        raise errors.InvalidInput("TWICE", _("Each bid can get one share."), field="shares")


def _bids(actor: Actor, listing: Listing, shares: list[Share]) -> list[Bid]:
    """The bids of the shares, in their order; every agency still in good standing."""
    bids = _bids_of(actor, listing, shares)
    standing = visible_memberships(actor).filter(
        state=PanelMembership.State.APPROVED, agency__in=[bid.agency_id for bid in bids]
    )
    approved = set(standing.values_list("agency_id", flat=True))
    for row, bid in enumerate(bids, 1):
        if bid.agency_id not in approved:
            raise _refusal("NOT_ON_THE_PANEL", row)
    return bids


def _bids_of(actor: Actor, listing: Listing, shares: list[Share]) -> list[Bid]:
    found = visible_bids(actor).filter(listing=listing).select_related("agency__group")
    return [selectors.find(found, pk=share.bid_id) for share in shares]


def _refusal(code: str, row: int) -> errors.InvalidInput:
    """`row` counts the shares from 1."""
    return errors.InvalidInput(code, REFUSALS[code], field="shares", row=row)


def _eligible(actor: Actor, listing: Listing) -> QuerySet[Loan]:
    return eligibility.placeable(actor, Loan.objects.filter(portfolio=listing.portfolio_id))


def _free_loans(actor: Actor, listing: Listing, bids: list[Bid]) -> QuerySet[Loan]:
    """Loans that may be placed, and that each of the bidders may have: all lots are drawn alike."""
    return limits.allowed(actor, _eligible(actor, listing), [bid.agency_id for bid in bids])


def _check_limits(actor: Actor, listing: Listing, bids: list[Bid], drawn: list) -> None:
    balances = dict(
        Loan.objects.filter(portfolio=listing.portfolio_id).values_list("pk", "balance_minor")
    )
    given = [
        limits.Lot(bid.agency_id, len(loan_ids), sum(balances[loan_id] for loan_id in loan_ids))
        for bid, loan_ids in zip(bids, drawn, strict=True)
    ]
    for row, found in enumerate(limits.problems(actor, given, listing.currency), 1):
        if found:
            raise _refusal(found[0], row)


def _draw(free: QuerySet[Loan], shares_ppm: list[int], seed: int) -> list[list[uuid.UUID]]:
    """The loans of each lot; a borrower's loans stay together."""
    loans = list(free.order_by("pk").values_list("pk", "borrower_id"))
    numbers: dict = {}
    groups = [numbers.setdefault(borrower or loan, len(numbers)) for loan, borrower in loans]
    lot_of = lots.draw([loan for loan, _borrower in loans], shares_ppm, seed, groups=groups)
    drawn: list[list[uuid.UUID]] = [[] for _share in shares_ppm]
    for (loan, _borrower), lot in zip(loans, lot_of, strict=True):
        if lot != lots.UNPLACED:
            drawn[lot].append(loan)
    return drawn


def _place(actor, made, listing, lot, share, bid, loan_ids, ends_at) -> None:
    if not loan_ids:
        raise _refusal("EMPTY_LOT", lot + 1)
    if len(loan_ids) > bid.capacity_loans:
        raise _refusal("ABOVE_CAPACITY", lot + 1)
    placement = placements.open_placement(
        actor=actor,
        portfolio=listing.portfolio,
        agency=bid.agency,
        title=listing.title,
        rate_ppm=bid.rate_ppm,
        ends_at=ends_at,
        loan_ids=loan_ids,
    )
    AwardShare.objects.create(
        institution_id=listing.institution_id,
        agency_id=bid.agency_id,
        award=made,
        listing=listing,
        bid=bid,
        placement=placement,
        lot=lot,
        share_ppm=share.share_ppm,
        rate_ppm=bid.rate_ppm,
    )
