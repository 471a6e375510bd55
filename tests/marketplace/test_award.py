"""From publication to award: who sees what when, and what the award places."""

import datetime

import pytest
from django.db import DatabaseError, connection, transaction

from agencies.scope import scope
from agencies.selectors import visible_audit_entries, visible_memberships
from agencies.services import panel
from config import clock, errors
from marketplace.models import AwardShare, Bid, Listing, Tape
from marketplace.selectors import visible_bids, visible_listings
from marketplace.services import awards, bids, draws, listings
from portfolios.models import Loan, Placement, Portfolio
from portfolios.selectors import visible_loans
from tests import world

pytestmark = pytest.mark.django_db

CLOSES_AT = datetime.datetime(2026, 3, 2, 17, tzinfo=datetime.UTC)


@pytest.fixture
def market(clock):
    """A bank, three agencies on its panel, and a listing of ten loans that closes in a day."""
    clock.set(CLOSES_AT - datetime.timedelta(days=1))
    bank = world.make_bank()
    houses = [world.make_agency() for _each in range(3)]
    for house in houses:
        world.join_panel(bank, house)
    portfolio = world.make_portfolio(bank, balances_minor=[100_00 * n for n in range(1, 11)])
    with scope(bank.actor("vendor_manager")) as actor:
        listing = listings.publish(
            actor=actor,
            portfolio_id=portfolio.pk,
            closes_at=CLOSES_AT,
            highest_rate_ppm=300_000,
            term_days=180,
        )
    for house in houses:
        world.accept_terms(house, listing)
    return bank, houses, listing, clock


def bid(house, listing, rate_ppm=200_000, capacity_loans=10):
    with scope(house.actor()) as actor:
        return bids.submit(
            actor=actor, listing_id=listing.pk, rate_ppm=rate_ppm, capacity_loans=capacity_loans
        )


def refused(code, call, **arguments):
    with pytest.raises(errors.DomainError) as refusal:
        call(**arguments)
    assert refusal.value.code == code
    return refusal.value


def test_publication_freezes_what_bidders_see(market):
    bank, _houses, listing, _clock = market
    assert (listing.loan_count, listing.balance_minor) == (10, 5_500_00)
    with scope(bank.actor("auditor")):
        strata = Tape.objects.get(listing=listing).strata
    assert strata["region"] == [{"group": "NY", "loans": 10, "balance_minor": None}]
    # Four loans below 500.00 and one of 1,000.00 are too few to show on their own.
    assert strata["balance"] == [
        {"group": "50000-100000", "loans": 5, "balance_minor": 3_500_00},
        {"group": "other", "loans": 5, "balance_minor": 2_000_00},
    ]
    with scope(bank.actor("vendor_manager")) as actor:
        refused(
            "NOT_A_DRAFT",
            listings.publish,
            actor=actor,
            portfolio_id=listing.portfolio_id,
            closes_at=CLOSES_AT,
            highest_rate_ppm=1,
            term_days=1,
        )


def test_bids_are_sealed_until_the_closing_and_from_each_other_for_ever(market):
    bank, (first, second, _third), listing, clock = market
    bid(first, listing)
    mine = bid(second, listing, rate_ppm=150_000)

    with scope(bank.actor("vendor_manager")) as actor:
        assert not visible_bids(actor).exists()
        assert not Bid.objects.exists()  # the database hides them without the selector too
        assert not visible_audit_entries(actor).filter(action="bid.submit").exists()
    with scope(second.actor()):
        assert list(Bid.objects.values_list("pk", flat=True)) == [mine.pk]

    clock.set(CLOSES_AT)
    with scope(bank.actor("vendor_manager")) as actor:
        assert visible_bids(actor).count() == 2
        assert visible_audit_entries(actor).filter(action="bid.submit").count() == 2
    with scope(second.actor()):
        assert Bid.objects.count() == 1


def test_a_bid_is_replaced_before_the_closing_and_immutable_after(market):
    _bank, (first, *_rest), listing, clock = market
    made = bid(first, listing, rate_ppm=250_000)
    again = bid(first, listing, rate_ppm=210_000)
    assert (again.pk, again.revision, again.rate_ppm) == (made.pk, 2, 210_000)

    clock.set(CLOSES_AT)
    refused("CLOSED", bid, house=first, listing=listing, rate_ppm=100_000)
    with scope(first.actor()):
        # Whatever a process believes, the database's own clock decides.
        with pytest.raises(DatabaseError) as late, transaction.atomic():
            Bid.objects.update(rate_ppm=100_000)
        assert late.value.__cause__.sqlstate == "FP002"
        assert Bid.objects.get().rate_ppm == 210_000


def test_a_bid_above_the_highest_rate_or_by_a_stranger_is_refused(market):
    _bank, (first, *_rest), listing, _clock = market
    stranger = world.make_agency()
    assert refused("RATE_ABOVE_HIGHEST", bid, house=first, listing=listing, rate_ppm=300_001)
    assert refused("NOT_FOUND", bid, house=stranger, listing=listing)
    with scope(first.actor()):
        assert not Bid.objects.exists()


def test_only_invited_agencies_see_an_invitation_only_listing(market):
    bank, (first, second, _third), _listing, _clock = market
    portfolio = world.make_portfolio(bank, balances_minor=[100_00] * 6)
    with scope(bank.actor("vendor_manager")) as actor:
        private = listings.publish(
            actor=actor,
            portfolio_id=portfolio.pk,
            closes_at=CLOSES_AT,
            highest_rate_ppm=300_000,
            term_days=180,
            invited_agency_ids=[first.agency.pk],
        )
    with scope(first.actor()) as actor:
        assert visible_listings(actor).filter(pk=private.pk).exists()
    with scope(second.actor()) as actor:
        assert not visible_listings(actor).filter(pk=private.pk).exists()
        assert not Listing.objects.filter(pk=private.pk).exists()
    assert refused("NOT_FOUND", bid, house=second, listing=private)


def test_the_award_draws_lots_places_them_and_gives_access(market):
    bank, (first, second, third), listing, clock = market
    one, two = bid(first, listing, rate_ppm=200_000), bid(second, listing, rate_ppm=180_000)
    shares = [awards.Share(one.pk, 600_000), awards.Share(two.pk, 300_000)]
    with scope(bank.actor("vendor_manager")) as actor:
        refused(
            "NOT_AWARDABLE",
            awards.award,
            actor=actor,
            listing_id=listing.pk,
            shares=shares,
            reason="Best offers",
        )
    clock.set(CLOSES_AT)
    with scope(bank.actor("vendor_manager")) as actor:
        made = awards.award(actor=actor, listing_id=listing.pk, shares=shares, reason="Best offers")
        placed = Placement.objects.order_by("-loan_count")
        assert [(p.agency, p.loan_count, p.rate_ppm) for p in placed] == [
            (first.agency, 6, 200_000),
            (second.agency, 3, 180_000),
        ]
        assert Loan.objects.filter(placement=None).count() == 1
        assert Portfolio.objects.get().state == Portfolio.State.PLACED
        assert AwardShare.objects.count() == 2
        assert draws.verify(actor=actor, award_id=made.pk) == []
        refused(
            "NOT_AWARDABLE",
            awards.award,
            actor=actor,
            listing_id=listing.pk,
            shares=shares,
            reason="Again",
        )
    for house, loans in ((first, 6), (second, 3), (third, 0)):
        with scope(house.actor("collector")) as actor:
            assert visible_loans(actor).count() == loans == Loan.objects.count()
            assert AwardShare.objects.count() == (1 if loans else 0)


@pytest.mark.parametrize(
    ("shares_ppm", "capacity_loans", "code"),
    [
        ((700_000, 300_001), 10, "SHARES_ABOVE_WHOLE"),
        ((600_000, 400_000), 5, "ABOVE_CAPACITY"),
        ((600_000, 0), 10, "OUT_OF_RANGE"),
        ((999_999, 1), 10, "EMPTY_LOT"),
    ],
)
def test_an_impossible_award_changes_nothing(market, shares_ppm, capacity_loans, code):
    bank, (first, second, _third), listing, clock = market
    offers = [bid(house, listing, capacity_loans=capacity_loans) for house in (first, second)]
    clock.set(CLOSES_AT)
    with scope(bank.actor("vendor_manager")) as actor:
        refused(
            code,
            awards.award,
            actor=actor,
            listing_id=listing.pk,
            shares=[awards.Share(b.pk, ppm) for b, ppm in zip(offers, shares_ppm, strict=True)],
            reason="Try",
        )
        assert not Placement.objects.exists()
        assert Listing.objects.get().state == Listing.State.OPEN
        assert not Loan.objects.exclude(placement=None).exists()
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from marketplace_award")
        assert cursor.fetchone() == (0,)


def test_a_suspended_agency_cannot_win(market):
    bank, (first, *_rest), listing, clock = market
    offer = bid(first, listing)
    with scope(bank.actor("compliance_officer")) as actor:
        membership = visible_memberships(actor).get(agency=first.agency)
        panel.suspend(actor=actor, membership_id=membership.pk, reason="Complaints")
    clock.set(CLOSES_AT)
    with scope(bank.actor("vendor_manager")) as actor:
        refused(
            "NOT_ON_THE_PANEL",
            awards.award,
            actor=actor,
            listing_id=listing.pk,
            shares=[awards.Share(offer.pk, 500_000)],
            reason="Try",
        )


def test_a_withdrawn_listing_frees_its_portfolio(market):
    bank, (first, *_rest), listing, _clock = market
    with scope(bank.actor("vendor_manager")) as actor:
        refused("REQUIRED", listings.withdraw, actor=actor, listing_id=listing.pk, reason=" ")
        listings.withdraw(actor=actor, listing_id=listing.pk, reason="Wrong file")
        assert Portfolio.objects.get().state == Portfolio.State.DRAFT
    assert refused("CLOSED", bid, house=first, listing=listing)


def test_the_clock_is_the_databases(market):
    _bank, _houses, _listing, _clock = market
    assert clock.now() == CLOSES_AT - datetime.timedelta(days=1)
