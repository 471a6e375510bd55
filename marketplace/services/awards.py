"""Awards: shares decided after the closing, drawn into lots by a committed seed, placed at once."""

import dataclasses
import datetime
import hashlib

import numpy as np
from django.db import transaction
from django.db.models import Count, QuerySet, Sum

from agencies import audit, policies, selectors, texts
from agencies.actors import Actor
from agencies.models import PanelMembership
from agencies.selectors import visible_memberships
from config import clock, errors, plans
from marketplace import allocation
from marketplace.models import Award, AwardShare, Bid, Listing
from marketplace.selectors import visible_bids, visible_listings
from marketplace.services import award_terms, draws
from marketplace.services.award_terms import NO_HOLD_OUT, REFUSALS, HoldOut, Share
from portfolios.models import Loan, Placement, Portfolio
from portfolios.services import eligibility, limits, placements


@dataclasses.dataclass(frozen=True, slots=True)
class Preview:
    """What an award would come to. `rehearsal` is how alike such lots are, in the plan's order;
    None where nothing can be drawn, or where it `is_postponed` for the number of loans."""

    plan: allocation.Plan
    rehearsal: allocation.Drawn | None
    is_postponed: bool


def award(
    *,
    actor: Actor,
    listing_id,
    shares: list[Share],
    reason: str,
    comparison_ppm: int = 0,
    hold_out: HoldOut = NO_HOLD_OUT,
    imbalance_reason: str = "",
) -> Award:
    """Give shares of a closed listing to one or more bidders and place their lots.

    The loans are drawn into comparable lots at random; what is left over stays unplaced. Of the
    shares, `comparison_ppm` of the portfolio goes to the winners in equal lots, which their spells
    are marked by. Lots go to the bids in the order of their ids, so the order of `shares` is
    nothing that could be tried out. Raises `InvalidInput` for shares above the whole, a share
    above a bid's capacity or the bank's own limits (`portfolios.services.limits`), an agency that
    has lost its standing, lots that differ too much, or more than they should without
    `imbalance_reason`; `InvalidState` before the closing and for a second award.
    """
    policies.demand(actor, policies.VENDOR_MANAGERS)
    reason = texts.reason(reason)
    imbalance_reason = texts.checked(imbalance_reason, field="imbalance_reason", shortest=0)
    award_terms.check(shares, comparison_ppm, hold_out)
    listing = selectors.find(visible_listings(actor), pk=listing_id)
    with transaction.atomic():
        listing = Listing.objects.select_for_update().get(pk=listing.pk)
        moment = clock.now()
        if listing.state != Listing.State.OPEN or moment < listing.closes_at:
            raise errors.InvalidState("NOT_AWARDABLE", REFUSALS["NOT_AWARDABLE"])
        held_until = award_terms.hold_out_end(listing, hold_out, moment)
        bids = _bids(actor, listing, shares)
        limits.lock(actor)
        order = award_terms.canonical(shares)
        ordered = [shares[place] for place in order]
        split = award_terms.split(ordered, comparison_ppm, hold_out.share_ppm)
        free = _free_loans(actor, listing, bids)
        with plans.without_nested_loops():
            tape = draws.tape(free.select_for_update(of=("self",)))
        if not tape.loans.balance_minor.size:
            raise errors.InvalidInput("NO_LOAN_LEFT", REFUSALS["NO_LOAN_LEFT"], field="shares")
        seed = draws.seed_of(listing)
        drawn = allocation.draw(tape.loans, split, seed)
        award_terms.judge(drawn, imbalance_reason)
        _check_limits(actor, listing, [bids[place] for place in order], order, tape, drawn, split)
        given = award_terms.kept(comparison_ppm, hold_out)
        made = _made(actor, listing, moment, reason, drawn, imbalance_reason, given)
        draws.record(made, tape, drawn, split)
        ends_at = moment + datetime.timedelta(days=listing.term_days)
        balances = draws.balances(drawn)
        for lot, (place, balance) in enumerate(zip(order, balances, strict=True)):
            own, comparison = (tape.parted(drawn.part_of, part) for part in split.parts_of(lot))
            share, bid, row = shares[place], bids[place], place + 1
            placement = _place(actor, listing, row, bid, own, frozenset(comparison), ends_at)
            _record_share(made, lot, share, bid, placement, balance)
        Loan.objects.filter(pk__in=tape.parted(drawn.part_of, split.hold_out)).update(
            held_out_until=held_until
        )
        Listing.objects.filter(pk=listing.pk).update(state=Listing.State.AWARDED, seed=seed)
        listing.refresh_from_db(fields=["state", "seed"])
        Portfolio.objects.filter(pk=listing.portfolio_id).update(state=Portfolio.State.PLACED)
        audit.record(
            actor,
            "listing.award",
            listing,
            reason=reason,
            changes={
                "seed": seed,
                "shares": {str(share.bid_id): share.share_ppm for share in shares},
                "comparison_ppm": comparison_ppm,
                "hold_out_ppm": hold_out.share_ppm,
                **({"accepted": made.imbalance_reason} if made.imbalance_reason else {}),
            },
        )
    return made


def _made(actor, listing, moment, reason, drawn, imbalance_reason, given) -> Award:
    return Award.objects.create(
        institution_id=listing.institution_id,
        listing=listing,
        reason=reason,
        hold_out_balance=draws.as_kept(drawn.hold_out),
        largest_difference_ppm=drawn.largest_ppm,
        spread_ppm=drawn.spread_ppm,
        imbalance_reason=imbalance_reason if drawn.needs_acceptance else "",
        awarded_at=moment,
        awarded_by_id=actor.user_id,
        **given,
    )


def preview(
    *,
    actor: Actor,
    listing_id,
    shares: list[Share],
    comparison_ppm: int = 0,
    hold_out_ppm: int = 0,
    rehearse_up_to: int | None = None,
) -> Preview:
    """What these shares of the loans that are free now would come to; decides nothing.

    How alike the lots would be is rehearsed on a seed of its own, made from the commitment and the
    shares: were it the committed one, whoever varies the shares could look for the draw that
    favours somebody. More loans than `rehearse_up_to` are counted alone. Shares of nothing are left
    out by the caller. Raises as `award` does, except for what the plan says of its lots and their
    sum.
    """
    policies.demand(actor, policies.VENDOR_MANAGERS)
    listing = selectors.find(visible_listings(actor), pk=listing_id)
    order = award_terms.canonical(shares)
    shares = [shares[place] for place in order]
    bids = _bids_of(actor, listing, shares)
    free = _free_loans(actor, listing, bids)
    with plans.without_nested_loops():
        whole = free.aggregate(loans=Count("pk"), balance_minor=Sum("balance_minor", default=0))
    offers = [
        allocation.Offer(share.share_ppm, bid.rate_ppm, bid.capacity_loans)
        for share, bid in zip(shares, bids, strict=True)
    ]
    split = award_terms.split(shares, comparison_ppm, hold_out_ppm)
    plan = allocation.plan(offers, hold_out_ppm=hold_out_ppm, **whole)
    plan = _limited(actor, listing, allocation.compared(plan, split), bids)
    may_draw = not plan.is_above_whole and split.is_possible and whole["loans"] > 0
    is_postponed = may_draw and rehearse_up_to is not None and whole["loans"] > rehearse_up_to
    rehearsal = None
    if may_draw and not is_postponed:
        given = f"{listing.draw_commitment} {split}"
        seed = hashlib.sha256(given.encode()).hexdigest()
        with plans.without_nested_loops():
            tape = draws.tape(free)
        rehearsal = allocation.draw(tape.loans, split, seed)
    plan, rehearsal = _as_given(order, plan, rehearsal)
    return Preview(plan, rehearsal, is_postponed)


def _as_given(
    order: list[int], plan: allocation.Plan, rehearsal: allocation.Drawn | None
) -> tuple[allocation.Plan, allocation.Drawn | None]:
    """A plan and its rehearsal in the order in which the shares were given."""
    back = sorted(range(len(order)), key=order.__getitem__)
    plan = dataclasses.replace(plan, lots=[plan.lots[place] for place in back])
    if rehearsal:
        rehearsal = dataclasses.replace(
            rehearsal,
            lots=[rehearsal.lots[place] for place in back],
            comparisons=[rehearsal.comparisons[place] for place in back]
            if rehearsal.comparisons
            else [],
        )
    return plan, rehearsal


def _bids(actor: Actor, listing: Listing, shares: list[Share]) -> list[Bid]:
    """The bids of the shares, in their order; every agency still in good standing."""
    bids = _bids_of(actor, listing, shares)
    standing = visible_memberships(actor).filter(
        state=PanelMembership.State.APPROVED, agency__in=[bid.agency_id for bid in bids]
    )
    approved = set(standing.values_list("agency_id", flat=True))
    for row, bid in enumerate(bids, 1):
        if bid.agency_id not in approved:
            raise award_terms.refusal("NOT_ON_THE_PANEL", row)
    return bids


def _bids_of(actor: Actor, listing: Listing, shares: list[Share]) -> list[Bid]:
    found = visible_bids(actor).filter(listing=listing).select_related("agency__group")
    return [selectors.find(found, pk=share.bid_id) for share in shares]


def _free_loans(actor: Actor, listing: Listing, bids: list[Bid]) -> QuerySet[Loan]:
    """Loans that may be placed, and that each of the bidders may have: all lots are drawn alike."""
    free = eligibility.free(actor, listing.portfolio_id)
    return limits.allowed(actor, free, [bid.agency_id for bid in bids])


def _limited(
    actor: Actor, listing: Listing, plan: allocation.Plan, bids: list[Bid]
) -> allocation.Plan:
    """The plan with what the bank's own limits say of its lots, and with what they keep out."""
    given = [
        limits.Lot(bid.agency_id, lot.loans, lot.balance_minor)
        for bid, lot in zip(bids, plan.lots, strict=True)
    ]
    problems = limits.problems(actor, given, listing.currency)
    lots = [
        dataclasses.replace(lot, problem=lot.problem or (found[0] if found else ""))
        for lot, found in zip(plan.lots, problems, strict=True)
    ]
    free = eligibility.free(actor, listing.portfolio_id)
    with plans.without_nested_loops():
        left_out = limits.left_out(actor, free, [bid.agency_id for bid in bids])
    return dataclasses.replace(plan, lots=lots, left_out=left_out)


def _check_limits(actor, listing, bids, order, tape, drawn, split) -> None:
    """Refuse lots that break the bank's limits; `bids` in the order of the lots, `order` their
    places among the shares."""
    given = []
    for lot, bid in enumerate(bids):
        mine = np.isin(drawn.part_of, split.parts_of(lot))
        balance_minor = int(tape.loans.balance_minor[mine].sum())
        given.append(limits.Lot(bid.agency_id, int(mine.sum()), balance_minor))
    problems = limits.problems(actor, given, listing.currency)
    for place, found in sorted(zip(order, problems, strict=True)):
        if found:
            raise award_terms.refusal(found[0], place + 1)


def _place(actor, listing, row, bid, own, comparison, ends_at) -> Placement:
    loan_ids = [*own, *comparison]
    if not loan_ids:
        raise award_terms.refusal("EMPTY_LOT", row)
    if len(loan_ids) > bid.capacity_loans:
        raise award_terms.refusal("ABOVE_CAPACITY", row)
    return placements.open_placement(
        actor=actor,
        portfolio=listing.portfolio,
        agency=bid.agency,
        title=listing.title,
        rate_ppm=bid.rate_ppm,
        tail_days=listing.tail_days,
        ends_at=ends_at,
        loan_ids=loan_ids,
        comparison_loan_ids=comparison,
    )


def _record_share(made: Award, lot: int, share: Share, bid: Bid, placement, balance) -> None:
    whole, comparison = balance
    AwardShare.objects.create(
        institution_id=made.institution_id,
        agency_id=bid.agency_id,
        award=made,
        listing_id=made.listing_id,
        bid=bid,
        placement=placement,
        lot=lot,
        share_ppm=share.share_ppm,
        rate_ppm=bid.rate_ppm,
        balance=whole,
        comparison_balance=comparison,
    )
