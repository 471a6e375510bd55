"""Bids and awards on pages: sealed, immutable, decided once, and nobody learns of a rival."""

import re

import pytest

from agencies.scope import scope
from agencies.selectors import visible_memberships
from agencies.services import panel
from marketplace.models import Award, Bid
from portfolios.models import Loan, Placement
from tests import world
from tests.marketplace import market
from tests.portfolios.over_http import person

MARK = "Sealed words nobody may read"
OFFER = {"rate_ppm": "21.5", "capacity_loans": "8", "note": MARK}


@pytest.fixture
def room(stall):
    """The address of the listing."""
    return f"/listings/{stall.listing.pk}/"


def read(client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    return answer.content.decode()


def without_tokens(page: str) -> str:
    """A page without what changes from one request to the next."""
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", page)


def without_draw(page: str) -> str:
    """A page without the commitment of the draw and what opens it, in which any figure may be."""
    return re.sub(r'<code class="digest">\w+</code>', "", page)


def test_a_bid_is_receipted_replaced_and_shown(stall, room):
    agency = person(stall.houses[0], "agency_administrator")
    first = agency.post(f"{room}bid/", OFFER, follow=True).content.decode()
    receipt = "Your bid is in, sealed: 21.5\u202f% for up to 8 loans, 1 Mar 2026, 12:00 EST."
    assert receipt in first
    assert "version 1" in first
    second = agency.post(f"{room}bid/", {**OFFER, "rate_ppm": "20"}, follow=True).content.decode()
    assert "Your bid is replaced" in second
    assert "version 2" in second
    assert 'value="20"' in second
    with scope(stall.houses[0].actor()):
        bid = Bid.objects.get()
    assert (bid.rate_ppm, bid.capacity_loans, bid.note, bid.revision) == (200_000, 8, MARK, 2)


def test_a_wrong_bid_keeps_what_was_typed(stall, room):
    agency = person(stall.houses[0], "agency_administrator")
    agency.post(f"{room}bid/", OFFER)
    wrong = agency.post(f"{room}bid/", {"rate_ppm": "30.01", "capacity_loans": "-3", "note": "x"})
    assert wrong.status_code == 422
    page = wrong.content.decode()
    assert 'value="30.01"' in page
    assert 'value="-3"' in page
    assert "Enter a rate between 0.0001\u202f% and 30\u202f%." in page
    assert set(wrong.context["form"].errors) == {"rate_ppm", "capacity_loans"}
    with scope(stall.houses[0].actor()):
        assert Bid.objects.get().rate_ppm == 215_000


def test_a_late_bid_is_told_so_and_changes_nothing(stall, room, clock):
    agency = person(stall.houses[0], "agency_administrator")
    agency.post(f"{room}bid/", OFFER)
    clock.set(market.CLOSES_AT)
    for house in stall.houses[:2]:
        late = person(house, "agency_administrator").post(f"{room}bid/", {**OFFER, "rate_ppm": "5"})
        assert late.status_code == 409
        page = late.content.decode()
        assert "This listing is closed for bids. Nothing was changed." in page
        assert "<textarea" not in page
    with scope(stall.bank.actor("auditor")):
        assert list(Bid.objects.values_list("rate_ppm", "revision")) == [(215_000, 1)]


def test_only_an_administrator_of_an_agency_bids(stall, room):
    clients = [person(stall.bank, role) for role in stall.bank.users]
    clients.append(person(stall.houses[0], "collector"))
    for client in clients:
        assert client.post(f"{room}bid/", OFFER).status_code == 403
    stranger = person(world.make_agency(), "agency_administrator")
    assert stranger.post(f"{room}bid/", OFFER).status_code == 404
    with scope(stall.houses[0].actor()):
        assert not Bid.objects.exists()


def test_before_the_closing_the_bank_sees_the_same_page_with_and_without_bids(stall, room, clock):
    pages = {
        role: without_tokens(read(person(stall.bank, role), room)) for role in stall.bank.users
    }
    lists = {
        role: without_tokens(read(person(stall.bank, role), "/listings/"))
        for role in stall.bank.users
    }
    for house in stall.houses:
        stall.bid(house, rate_ppm=123_400, note=MARK)
    for role in stall.bank.users:
        client = person(stall.bank, role)
        assert without_tokens(read(client, room)) == pages[role]
        assert without_tokens(read(client, "/listings/")) == lists[role]
        assert "Bids are sealed until" in pages[role]
        assert MARK not in read(client, "/")
    officer = person(stall.bank, "compliance_officer")
    trail = read(officer, "/audit/")
    assert "12.34" not in trail
    assert "submitted a bid" not in trail
    manager = person(stall.bank, "vendor_manager")
    preview = manager.post(f"{room}award/preview/", {}, headers={"HX-Request": "true"})
    assert "House" not in preview.content.decode()

    clock.set(market.CLOSES_AT)
    for role in stall.bank.users:
        assert read(person(stall.bank, role), room).count(MARK) == 3


def test_a_rival_sees_the_same_page_with_and_without_other_bids(stall, room, clock):
    first, second, third = stall.houses
    client = person(third, "agency_administrator")
    before = without_tokens(read(client, room)), without_tokens(read(client, "/listings/"))
    one, two = (stall.bid(house, rate_ppm=123_400, note=MARK) for house in (first, second))
    after = without_tokens(read(client, room)), without_tokens(read(client, "/listings/"))
    assert after == before

    clock.set(market.CLOSES_AT)
    stall.award((one, 600_000), (two, 300_000))
    for path in (room, "/listings/"):
        page = without_draw(read(client, path))
        assert not any(
            word in page for word in (MARK, "12.34", "House Ash", "House Birch", "60\u202f%")
        )
    assert "You did not bid on it." in read(client, room)


def test_each_agency_learns_its_own_outcome_and_no_more(stall, room, clock):
    first, second, _third = stall.houses
    one = stall.bid(first, rate_ppm=200_000)
    stall.bid(second, rate_ppm=100_000)
    clock.set(market.CLOSES_AT)
    assert "the bank decides now" in read(person(second, "agency_administrator"), room)
    stall.award((one, 600_000))
    won = read(person(first, "collector"), room)
    assert "You won 60\u202f% of the loans" in won
    assert "6 loans with a balance of" in won
    lost = read(person(second, "agency_administrator"), room)
    assert "Not awarded to you" in lost
    assert "House Ash" not in lost
    assert "60\u202f%" not in lost


def decision(stall, *shares, **given):
    typed = {f"share-{bid.pk}": per_cent for bid, per_cent in shares}
    return {
        "reason": "Best offers",
        "confirmation": stall.listing.title,
        **typed,
        **given,
    }


def placed(stall) -> tuple[int, int, int]:
    """How many awards, placements and placed loans there are."""
    with scope(stall.bank.actor("auditor")):
        loans = Loan.objects.exclude(placement=None)
        return Award.objects.count(), Placement.objects.count(), loans.count()


def test_bids_stand_side_by_side_with_their_arithmetic(stall, room, clock):
    stall.bid(stall.houses[0], rate_ppm=200_000, capacity_loans=7, note="With care")
    stall.bid(stall.houses[1], rate_ppm=180_000, capacity_loans=9)
    clock.set(market.CLOSES_AT)
    page = read(person(stall.bank, "auditor"), room)
    assert page.index("House Birch") < page.index("House Ash")
    for words in ("18\u202f%", "$990.00", "20\u202f%", "$1,100.00", "With care", "Approved"):
        assert words in page
    assert "A vendor manager decides" in page
    assert "<textarea" not in page


def test_the_preview_counts_lots_and_names_broken_limits(stall, room, clock):
    one = stall.bid(stall.houses[0], rate_ppm=200_000)
    two = stall.bid(stall.houses[1], rate_ppm=180_000, capacity_loans=2)
    clock.set(market.CLOSES_AT)
    manager = person(stall.bank, "vendor_manager")

    def preview(*shares, **headers):
        typed = {f"share-{bid.pk}": per_cent for bid, per_cent in shares}
        answer = manager.post(f"{room}award/preview/", typed, headers=headers)
        assert answer.status_code == 200
        return answer.content.decode()

    htmx = {"HX-Request": "true"}
    part = preview((one, "60"), (two, "30"), **htmx)
    assert "<html" not in part
    # 6 and 3 of 10 loans; 60 % and 30 % of 5,500.00; 20 % and 18 % of those.
    for words in ("$3,300.00", "$660.00", "$1,650.00", "$297.00", "$550.00"):
        assert words in part
    assert "The share holds more loans than this agency offered to take." in part
    above = preview((one, "80"), (two, "20.5"), **htmx)
    assert "The shares are more than 100 % together." in above
    assert "They come to 100.5\u202f%." in above
    assert "too small to hold a single loan" in preview((two, "0.1"), **htmx)
    assert (
        "Enter a rate in per cent"
        in manager.post(
            f"{room}award/preview/", {f"share-{one.pk}": "half"}, headers=htmx
        ).content.decode()
    )
    whole = preview((one, "60"))
    assert "<html" in whole
    assert "$3,300.00" in whole
    assert 'value="60"' in whole
    assert placed(stall) == (0, 0, 0)


def test_an_award_is_confirmed_placed_and_shown_with_its_seed(stall, room, clock):
    one = stall.bid(stall.houses[0], rate_ppm=200_000)
    two = stall.bid(stall.houses[1], rate_ppm=180_000)
    clock.set(market.CLOSES_AT)
    manager = person(stall.bank, "vendor_manager")
    given = decision(stall, (one, "60"), (two, "30"))
    unsure = manager.post(f"{room}award/", {**given, "confirmation": "yes"})
    assert unsure.status_code == 422
    assert 'value="60"' in unsure.content.decode()
    assert "Best offers" in unsure.content.decode()
    assert set(unsure.context["form"].errors) == {"confirmation"}
    assert placed(stall) == (0, 0, 0)

    page = manager.post(f"{room}award/", given, follow=True).content.decode()
    assert placed(stall) == (1, 2, 9)
    with scope(stall.bank.actor("auditor")):
        assert f">{Award.objects.get().seed}<" in page
    assert "is awarded: the lots are drawn and placed." in page
    assert "10\u202f% was awarded to nobody" in page
    assert "Best offers" in page


def test_a_second_click_on_award_places_nothing_more(stall, room, clock):
    one = stall.bid(stall.houses[0], rate_ppm=200_000)
    clock.set(market.CLOSES_AT)
    manager = person(stall.bank, "vendor_manager")
    given = decision(stall, (one, "50"))
    assert manager.post(f"{room}award/", given).status_code == 302
    again = manager.post(f"{room}award/", given)
    assert again.status_code == 409
    page = again.content.decode()
    assert "A listing is awarded once, after it has closed." in page
    assert "House Ash" in page
    assert placed(stall) == (1, 1, 5)


def test_an_award_before_the_closing_is_refused(stall, room):
    one = stall.bid(stall.houses[0], rate_ppm=200_000)
    answer = person(stall.bank, "vendor_manager").post(
        f"{room}award/", decision(stall, (one, "50"))
    )
    assert answer.status_code == 409
    assert "A listing is awarded once, after it has closed." in answer.content.decode()
    assert "House Ash" not in answer.content.decode()
    assert placed(stall) == (0, 0, 0)


@pytest.mark.parametrize(
    ("per_cents", "field", "sentence"),
    [
        (("70", "30.0001"), "__all__", "The shares are more than 100 % together."),
        (("", ""), "__all__", "Give at least one share, each above 0 %."),
        (("50", "50"), 1, "The share holds more loans than this agency offered to take."),
        (("99.9999", "0.0001"), 1, "The share is too small to hold a single loan."),
        (("101", ""), 0, "Enter a rate between 0\u202f% and 100\u202f%."),
    ],
)
def test_an_impossible_award_says_so_beside_the_share(
    stall, room, clock, per_cents, field, sentence
):
    one = stall.bid(stall.houses[0], rate_ppm=200_000)
    two = stall.bid(stall.houses[1], rate_ppm=180_000, capacity_loans=2)
    clock.set(market.CLOSES_AT)
    shares = list(zip((one, two), per_cents, strict=True))
    answer = person(stall.bank, "vendor_manager").post(f"{room}award/", decision(stall, *shares))
    assert answer.status_code == 422
    name = field if field == "__all__" else f"share-{(one, two)[field].pk}"
    assert answer.context["form"].errors == {name: [sentence]}
    assert placed(stall) == (0, 0, 0)


def test_an_agency_that_lost_its_standing_can_be_given_nothing(stall, room, clock):
    house = stall.houses[0]
    one = stall.bid(house, rate_ppm=200_000)
    with scope(stall.bank.actor("compliance_officer")) as actor:
        membership = visible_memberships(actor).get(agency=house.agency)
        panel.suspend(actor=actor, membership_id=membership.pk, reason="Complaints")
    clock.set(market.CLOSES_AT)
    manager = person(stall.bank, "vendor_manager")
    page = read(manager, room)
    assert "Suspended" in page
    assert f"share-{one.pk}" not in page
    assert manager.post(f"{room}award/", decision(stall, (one, "50"))).status_code == 422
    assert placed(stall) == (0, 0, 0)


def test_a_listing_without_bids_says_what_to_do(stall, room, clock):
    clock.set(market.CLOSES_AT)
    page = read(person(stall.bank, "vendor_manager"), room)
    assert "Nobody bid on this listing" in page
    assert "Withdraw the listing" in page
