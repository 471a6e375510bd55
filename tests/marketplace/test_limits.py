"""Limits of an award: who may have which loan, and how much one agency may hold."""

import datetime
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agencies.models import PanelMembership
from agencies.scope import scope
from config import errors
from marketplace.models import Award
from marketplace.services import awards, bids, listings
from portfolios.models import Loan, Placement, PlacementRules
from portfolios.services import limits, placements, rules
from tests import world
from tests.portfolios import over_http

NOON = datetime.datetime(2026, 3, 12, 17, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
QUERY = """query($listing: ID!, $shares: [ListingShare!]!) {
    awardPreview(listingId: $listing, shares: $shares) {
        shares { loans balanceMinor problem } unplacedLoans
        leftOut { code loanCount balanceMinor } } }"""


class Market:
    """Ten loans of 100.00 offered, with a bid of each of two agencies, after the closing."""

    def __init__(self, clock, *, capacity_loans=1000):
        clock.set(NOON)
        self.clock = clock
        self.bank = world.make_bank()
        self.houses = [world.make_agency(), world.make_agency()]
        for house in self.houses:
            world.join_panel(self.bank, house, capacity_loans=capacity_loans)
        self.portfolio = world.make_portfolio(self.bank, balances_minor=[100_00] * 10)

    def loans(self) -> list[Loan]:
        with scope(self.bank.actor("auditor")):
            return list(Loan.objects.filter(portfolio=self.portfolio).order_by("reference"))

    def publish(self):
        with scope(self.bank.actor("vendor_manager")) as actor:
            self.listing = listings.publish(
                actor=actor,
                portfolio_id=self.portfolio.pk,
                closes_at=self.clock.now() + DAY,
                highest_rate_ppm=300_000,
                term_days=90,
            )
        self.offers = []
        for house in self.houses:
            world.accept_terms(house, self.listing)
            with scope(house.actor()) as actor:
                self.offers.append(
                    bids.submit(
                        actor=actor,
                        listing_id=self.listing.pk,
                        rate_ppm=200_000,
                        capacity_loans=100,
                    )
                )
        self.clock.advance(days=1)

    def shares(self, *shares_ppm):
        return [
            awards.Share(offer.pk, share)
            for offer, share in zip(self.offers, shares_ppm, strict=False)
            if share
        ]

    def preview(self, *shares_ppm):
        with scope(self.bank.actor("vendor_manager")) as actor:
            return awards.preview(
                actor=actor, listing_id=self.listing.pk, shares=self.shares(*shares_ppm)
            ).plan

    def award(self, *shares_ppm):
        with scope(self.bank.actor("vendor_manager")) as actor:
            return awards.award(
                actor=actor,
                listing_id=self.listing.pk,
                shares=self.shares(*shares_ppm),
                reason="Best offers",
            )

    def change_rules(self, **given):
        with scope(self.bank.actor("administrator")) as actor:
            return rules.change(actor=actor, reason="Decided by the board", **given)

    def held(self) -> list[int]:
        found = []
        for house in self.houses:
            with scope(house.actor()):
                found.append(Loan.objects.count())
        return found


@pytest.fixture
def market(clock, db):
    return Market(clock)


def left_out(plan) -> list[tuple]:
    return [(one.code, one.loan_count, one.balance_minor) for one in plan.left_out]


def refused(code: str, function, *given) -> int | None:
    with pytest.raises(errors.InvalidInput, match=code) as caught:
        function(*given)
    return caught.value.row


def test_a_loan_never_goes_twice_to_the_same_agency(market):
    first, second = market.loans()[:2]
    with scope(market.bank.actor("vendor_manager")) as actor:
        placed = placements.open_placement(
            actor=actor,
            portfolio=market.portfolio,
            agency=market.houses[0].agency,
            title="Before",
            rate_ppm=1,
            ends_at=NOON + 300 * DAY,
            loan_ids=[first.pk, second.pk],
        )
        placements.recall(actor=actor, placement_id=placed.pk, reason="Rotation")
    market.publish()
    plan = market.preview(500_000, 500_000)
    assert left_out(plan) == [("PLACED_BEFORE", 2, 200_00)]
    assert [lot.loans for lot in plan.lots] == [4, 4]
    market.award(500_000, 500_000)
    assert market.held() == [4, 4]
    with scope(market.bank.actor("auditor")):
        free = Loan.objects.filter(placement=None).order_by("reference")
        assert list(free) == [first, second]


def test_switched_off_the_rule_keeps_nothing_out(market):
    market.change_rules(is_never_twice=False)
    world.place(market.bank, market.houses[0], market.portfolio)
    with scope(market.bank.actor("vendor_manager")) as actor:
        placed = placements.visible_placements(actor).get()
        placements.recall(actor=actor, placement_id=placed.pk, reason="Rotation")
    market.publish()
    assert market.preview(1_000_000).left_out == []
    market.award(1_000_000)
    assert market.held() == [10, 0]


def test_a_borrower_stays_at_one_agency(market):
    elsewhere = world.make_portfolio(market.bank, balances_minor=[1])
    with scope(market.bank.actor("vendor_manager")):
        Loan.objects.filter(portfolio=elsewhere).update(borrower=market.loans()[0].borrower_id)
    world.place(market.bank, market.houses[0], elsewhere)
    market.publish()
    assert left_out(market.preview(500_000, 500_000)) == [("BORROWER_ELSEWHERE", 1, 100_00)]
    assert left_out(market.preview(1_000_000)) == []
    market.award(1_000_000)
    assert market.held() == [11, 0]


def test_an_agency_gets_loans_where_it_is_licensed(market):
    first, second, *_rest = market.loans()
    with scope(market.bank.actor("vendor_manager")):
        Loan.objects.filter(pk=first.pk).update(jurisdiction="US-TX")
        Loan.objects.filter(pk=second.pk).update(jurisdiction="CA-ON")
    market.publish()
    plan = market.preview(1_000_000)
    assert left_out(plan) == [("NO_LICENCE", 1, 100_00)]
    market.award(1_000_000)
    assert market.held() == [9, 0]


def test_where_nobody_is_licensed_the_bank_learns_it_before_it_publishes(market):
    """And nothing can be awarded: no share is to blame for that."""
    manager = over_http.person(market.bank, "vendor_manager")
    path = f"/portfolios/{market.portfolio.pk}/publish/"
    warning = "No agency of your panel is licensed where these borrowers live"
    first, second = (house.agency.name for house in market.houses)

    def page() -> str:
        return manager.get(path).content.decode()

    assert warning not in page()
    assert "not licensed" not in page()
    with scope(market.bank.actor("vendor_manager")):
        Loan.objects.filter(portfolio=market.portfolio).update(jurisdiction="CA-ON")
        Loan.objects.filter(pk=market.loans()[0].pk).update(jurisdiction="CA-QC")
    assert warning in page()
    assert f"{first}, not licensed where these borrowers live" in page()
    with scope(market.bank.actor("compliance_officer")):
        PanelMembership.objects.filter(agency=market.houses[1].agency).update(
            jurisdictions=["US", "CA-QC"]
        )
    assert warning not in page()
    assert f"{second}, licensed for 1 of 10 loans" in page()
    market.publish()
    plan = market.preview(600_000, 400_000)
    assert [lot.problem for lot in plan.lots] == ["NO_LOAN_LEFT", "NO_LOAN_LEFT"]
    assert left_out(plan) == [("NO_LICENCE", 10, 1_000_00)]
    assert refused("NO_LOAN_LEFT", market.award, 600_000, 400_000) is None
    assert market.held() == [0, 0]


def test_capacity_counts_what_is_held_already(clock, db):
    market = Market(clock, capacity_loans=12)
    world.place(
        market.bank, market.houses[0], world.make_portfolio(market.bank, balances_minor=[1] * 8)
    )
    market.publish()
    assert [lot.problem for lot in market.preview(500_000, 500_000).lots] == [
        "ABOVE_PANEL_CAPACITY",
        "",
    ]
    assert refused("ABOVE_PANEL_CAPACITY", market.award, 500_000, 500_000) == 1
    with scope(market.bank.actor("auditor")):
        assert not Award.objects.exists()
    market.award(400_000, 500_000)
    assert market.held() == [12, 5]


def test_a_share_of_the_whole_is_a_limit(market):
    market.change_rules(balance_share_max_ppm=600_000, loan_share_max_ppm=500_000)
    market.publish()
    assert [lot.problem for lot in market.preview(600_000, 400_000).lots] == [
        "ABOVE_LOAN_SHARE",
        "",
    ]
    assert refused("ABOVE_LOAN_SHARE", market.award, 600_000, 400_000) == 1
    market.change_rules(loan_share_max_ppm=None, balance_share_max_ppm=500_000)
    assert refused("ABOVE_BALANCE_SHARE", market.award, 400_000, 600_000) == 2
    assert market.held() == [0, 0]
    market.award(500_000, 500_000)
    assert market.held() == [5, 5]


def test_the_preview_is_over_http_too(market):
    market.change_rules(loan_share_max_ppm=500_000)
    market.publish()
    shares = [
        {"bidId": str(one.bid_id), "sharePpm": one.share_ppm} for one in market.shares(600_000)
    ]
    client = over_http.person(market.bank, "vendor_manager")
    asked = over_http.ask(client, QUERY, listing=market.listing.pk, shares=shares)
    assert asked["awardPreview"] == {
        "shares": [{"loans": 6, "balanceMinor": 600_00, "problem": "ABOVE_LOAN_SHARE"}],
        "unplacedLoans": 4,
        "leftOut": [],
    }


def test_rules_are_changed_by_the_right_people_with_a_reason(market):
    client = over_http.person(market.bank, "administrator")
    wanted = "placementRules { recallNoticeDays balanceShareMaxPpm isNeverTwice reason }"
    change = {"recallNoticeDays": 21, "balanceShareMaxPpm": 300_000, "reason": "Board"}
    done = over_http.do(client, "placementRulesChange", wanted, **change)
    assert done["placementRules"] == {
        "recallNoticeDays": 21,
        "balanceShareMaxPpm": 300_000,
        "isNeverTwice": True,
        "reason": "Board",
    }
    wrong = (
        ({"recallNoticeDays": 0}, "OUT_OF_RANGE"),
        ({"balanceShareMaxPpm": 0}, "OUT_OF_RANGE"),
        ({"reason": " "}, "REQUIRED"),
    )
    for given_, code in wrong:
        answer = over_http.do(client, "placementRulesChange", wanted, **change | given_)
        assert answer["errors"][0]["code"] == code
    auditor = over_http.person(market.bank, "auditor")
    answer = over_http.do(auditor, "placementRulesChange", wanted, **change)
    assert answer["errors"][0]["code"] == "NOT_ALLOWED"
    query = "{ placementRules { recallNoticeDays tailDays } }"
    assert over_http.ask(auditor, query)["placementRules"] == {
        "recallNoticeDays": 21,
        "tailDays": 30,
    }
    with scope(market.houses[0].actor()):
        assert not PlacementRules.objects.exists()
        assert PanelMembership.objects.count() == 1


@given(
    held=st.integers(0, 10**6),
    others=st.integers(0, 10**6),
    lot=st.integers(1, 10**6),
    rest=st.integers(0, 10**6),
    largest_ppm=st.integers(1, 1_000_000),
)
def test_a_share_is_broken_exactly_when_it_is_larger(held, others, lot, rest, largest_ppm):
    holding = limits.Holding(held, 0, held + others, 0, capacity_loans=10**9)
    found = limits.broken(
        holding,
        PlacementRules(loan_share_max_ppm=largest_ppm),
        loan_count=lot,
        balance_minor=0,
        award_count=lot + rest,
        award_minor=0,
    )
    whole = held + others + lot + rest
    assert (found == ["ABOVE_LOAN_SHARE"]) == ((held + lot) * 1_000_000 > largest_ppm * whole)


def test_placements_have_the_tail_that_bidders_were_told(market):
    with scope(market.bank.actor("vendor_manager")) as actor:
        rules.change(actor=actor, reason="Agreed with the panel", tail_days=45)
    market.publish()
    with scope(market.bank.actor("vendor_manager")) as actor:
        rules.change(actor=actor, reason="Shortened by the board", tail_days=0)
    for client, words in (
        (over_http.person(market.houses[0], "agency_administrator"), "45 days"),
        (over_http.person(market.bank, "vendor_manager"), "45 days"),
    ):
        assert words in client.get(f"/listings/{market.listing.pk}/").content.decode()
    market.award(500_000, 500_000)
    with scope(market.bank.actor("auditor")):
        assert set(Placement.objects.values_list("tail_days", flat=True)) == {45}
    held = over_http.person(market.houses[0], "collector").get("/placements/").content.decode()
    address = re.search(r"/placements/[0-9a-f-]{36}/", held).group()
    client = over_http.person(market.houses[0], "collector")
    assert "45 days for payments on promises" in client.get(address).content.decode()
