"""Lots that differ more than they should: accepted with a reason, or refused."""

import datetime

import pytest

from agencies.scope import scope
from config import clock as clocks
from marketplace.models import Award, DrawnLoan
from marketplace.services import listings
from portfolios.models import Loan, LoanImport, Placement
from tests import world
from tests.marketplace import market
from tests.portfolios.over_http import ask, do, person

LOANS = 2_000
GIANT_MINOR = 10_000_000_00
ACCEPTED = "One loan is half of the portfolio; the agencies know of it"
NEED = "The lots differ more than they should."
REFUSED = "The lots would differ too much to be compared."
PREVIEW = """query($id: ID!, $shares: [ListingShare!]!) {
    awardPreview(listingId: $id, shares: $shares, holdOutPpm: 200000) {
        sharePpm heldOutLoans unplacedLoans needsAcceptance
        shares { loans problem rehearsal { loans differences { covariate differencePpm } } } } }"""


@pytest.fixture
def lopsided(stall):
    """A listing of 2,000 loans alike but for one that owes as much as all others, and five bids."""
    bank = stall.bank
    portfolio = world.make_portfolio(bank, balances_minor=[GIANT_MINOR])
    with scope(bank.actor("vendor_manager")) as actor:
        giant = Loan.objects.get(portfolio=portfolio)
        Loan.objects.bulk_create(
            Loan(
                institution=bank.institution,
                portfolio=portfolio,
                loan_import=LoanImport.objects.get(portfolio=portfolio),
                reference=f"S-{number}",
                currency="USD",
                balance_minor=GIANT_MINOR // LOANS,
                rate_ppm=giant.rate_ppm,
                opened_on=giant.opened_on,
                days_past_due=giant.days_past_due,
                region=giant.region,
            )
            for number in range(1, LOANS)
        )
        stall.listing = listings.publish(
            actor=actor,
            portfolio_id=portfolio.pk,
            closes_at=clocks.now() + datetime.timedelta(days=1),
            highest_rate_ppm=300_000,
            term_days=180,
        )
    for _more in range(2):
        stall.houses.append(world.make_agency())
        world.join_panel(bank, stall.houses[-1])
    for house in stall.houses:
        world.accept_terms(house, stall.listing)
    offers = [stall.bid(house, rate_ppm=200_000, capacity_loans=LOANS) for house in stall.houses]
    return stall, offers


def decide(stall, offers, share_ppm, **given):
    manager = person(stall.bank, "vendor_manager")
    shares = [{"bidId": bid.pk, "sharePpm": share_ppm} for bid in offers]
    made = do(
        manager,
        "listingAward",
        "award { largestDifferencePpm imbalanceReason }",
        listingId=stall.listing.pk,
        shares=shares,
        reason="Best offers",
        **given,
    )
    return made["award"], [(error["code"], error["field"]) for error in made["errors"]]


def counts(stall) -> tuple[int, int, int]:
    with scope(stall.bank.actor("auditor")):
        return Award.objects.count(), Placement.objects.count(), DrawnLoan.objects.count()


def test_from_two_thousand_loans_on_the_limits_are_plain(lopsided, clock):
    stall, offers = lopsided
    clock.set(market.CLOSES_AT)
    # One loan of 2,000 in a lot of 400 is a difference of 1 / (400 ⋅ √(1,999 / 2,000²)) ≈ 0.112.
    assert decide(stall, offers, 200_000) == (None, [("LOTS_UNBALANCED", "shares")])
    accepted = decide(stall, offers, 200_000, imbalanceReason=ACCEPTED)
    assert accepted == (None, [("LOTS_UNBALANCED", "shares")])
    needs = [("LOTS_NEED_ACCEPTANCE", "imbalanceReason")]
    assert decide(stall, offers[:2], 500_000) == (None, needs)
    assert decide(stall, offers[:2], 500_000, imbalanceReason=" ") == (None, needs)
    assert counts(stall) == (0, 0, 0)
    made, errors = decide(stall, offers[:2], 500_000, imbalanceReason=ACCEPTED)
    assert errors == []
    assert made == {"largestDifferencePpm": 44_733, "imbalanceReason": ACCEPTED}
    assert counts(stall) == (1, 2, 2_000)


def test_the_page_asks_why_and_shows_the_answer(lopsided, clock):
    stall, offers = lopsided
    clock.set(market.CLOSES_AT)
    manager = person(stall.bank, "vendor_manager")
    room = f"/listings/{stall.listing.pk}/"
    typed = {"reason": "Best offers", "confirmation": stall.listing.title}
    halves = typed | {f"share-{bid.pk}": "50" for bid in offers[:2]}
    fifths = typed | {f"share-{bid.pk}": "20" for bid in offers}
    part = manager.post(f"{room}award/preview/", halves, headers={"HX-Request": "true"})
    assert "These lots differ more than they should" in part.content.decode()
    assert 'name="imbalance_reason"' in part.content.decode()
    part = manager.post(f"{room}award/preview/", fifths, headers={"HX-Request": "true"})
    assert "These lots could not be compared" in part.content.decode()
    refused = manager.post(f"{room}award/", fifths)
    assert (refused.status_code, REFUSED in refused.content.decode()) == (422, True)
    asked = manager.post(f"{room}award/", halves)
    assert (asked.status_code, NEED in asked.content.decode()) == (422, True)
    assert set(asked.context["form"].errors) == {"imbalance_reason"}
    assert counts(stall) == (0, 0, 0)
    page = manager.post(
        f"{room}award/", halves | {"imbalance_reason": ACCEPTED}, follow=True
    ).content.decode()
    assert ACCEPTED in page
    # The half with the giant owes three quarters of all: 1.5 less 0.5, of their mean.
    assert "100.0\u202f% apart, from lot to lot" in page
    assert "differs most: Balance by 0.045 standard deviations" in page
    assert counts(stall) == (1, 2, 2_000)


def test_a_preview_rehearses_and_decides_nothing(stall, clock):
    one, two = (stall.bid(house, rate_ppm=200_000) for house in stall.houses[:2])
    clock.set(market.CLOSES_AT)
    manager = person(stall.bank, "vendor_manager")
    shares = [{"bidId": two.pk, "sharePpm": 200_000}, {"bidId": one.pk, "sharePpm": 500_000}]
    found = ask(manager, PREVIEW, id=stall.listing.pk, shares=shares)["awardPreview"]
    assert [(share["loans"], share["problem"]) for share in found["shares"]] == [(2, ""), (5, "")]
    assert [share["rehearsal"]["loans"] for share in found["shares"]] == [2, 5]
    assert {one["covariate"] for one in found["shares"][0]["rehearsal"]["differences"]} == {
        "balance",
        "log_balance",
    }
    left = found["sharePpm"], found["heldOutLoans"], found["unplacedLoans"]
    assert left == (900_000, 2, 1)
    again = ask(manager, PREVIEW, id=stall.listing.pk, shares=shares)["awardPreview"]
    assert again == found
    page = manager.post(
        f"/listings/{stall.listing.pk}/award/preview/",
        {f"share-{one.pk}": "50", f"share-{two.pk}": "10", "comparison_ppm": "30"},
        headers={"HX-Request": "true"},
    ).content.decode()
    assert page.count("smaller than this agency&#x27;s part of the comparison") == 1
    assert "This cannot be awarded as it is." in page
    too_much = [{"bidId": one.pk, "sharePpm": 900_000}]
    beyond = ask(manager, PREVIEW, id=stall.listing.pk, shares=too_much)["awardPreview"]
    assert [share["rehearsal"] for share in beyond["shares"]] == [None]
    assert counts(stall) == (0, 0, 0)


def test_the_page_takes_a_comparison_and_a_hold_out(stall, clock):
    one, two = (stall.bid(house, rate_ppm=200_000) for house in stall.houses[:2])
    clock.set(market.CLOSES_AT)
    manager = person(stall.bank, "vendor_manager")
    room = f"/listings/{stall.listing.pk}/"
    typed = {
        "reason": "Best offers",
        "confirmation": stall.listing.title,
        f"share-{one.pk}": "50",
        f"share-{two.pk}": "30",
        "comparison_ppm": "20",
        "hold_out_ppm": "20",
    }
    wrong = manager.post(f"{room}award/", typed)
    assert wrong.status_code == 422
    assert wrong.context["form"].errors == {
        "hold_out_until": ["Say until when loans are held out."]
    }
    typed |= {"hold_out_until": "2026-09-01", "hold_out_reason": "To compare with"}
    part = manager.post(f"{room}award/preview/", typed, headers={"HX-Request": "true"})
    assert "Held out" in part.content.decode()
    page = manager.post(f"{room}award/", typed, follow=True).content.decode()
    assert "20\u202f% of the loans, an equal lot to every winner" in page
    assert "To compare with" in page
    assert "awarded to nobody" not in page
    with scope(stall.bank.actor("auditor")):
        made = Award.objects.get()
        assert (made.comparison_ppm, made.hold_out_ppm) == (200_000, 200_000)
        assert Loan.objects.exclude(held_out_until=None).count() == 2
