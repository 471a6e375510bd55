"""Listings on pages: the lists of both sides, publication with what was typed, withdrawal."""

import datetime

from agencies.scope import scope
from agencies.selectors import visible_memberships
from agencies.services import panel
from marketplace.models import Listing, ListingInvitation
from portfolios.models import Portfolio
from tests import world
from tests.marketplace import market
from tests.portfolios.over_http import person, words


def read(client, path: str, status: int = 200) -> str:
    answer = client.get(path)
    assert answer.status_code == status
    return answer.content.decode()


def test_both_sides_find_the_listing_and_a_stranger_does_not(stall):
    title = stall.listing.title
    bank = read(person(stall.bank, "vendor_manager"), "/listings/")
    assert title in bank
    assert "in 1 d 0 h" in bank
    assert "2 Mar 2026, 12:00 EST" in bank
    agency = person(stall.houses[0], "agency_administrator")
    assert title in read(agency, "/listings/?phase=open&bid=no")
    stall.bid(stall.houses[0], rate_ppm=215_000)
    assert "Nothing matches these filters" in read(agency, "/listings/?phase=open&bid=no")
    assert "at 21.5" in read(agency, "/listings/?bid=yes")
    stranger = person(world.make_agency(), "agency_administrator")
    assert title not in read(stranger, "/listings/")
    absent = "01a208df-0141-722b-b9e6-f05e26d6b770"
    foreign = read(stranger, f"/listings/{stall.listing.pk}/", status=404)
    assert foreign == read(stranger, f"/listings/{absent}/", status=404)


def test_the_home_page_says_what_waits(stall, clock):
    agency = person(stall.houses[0], "agency_administrator")
    manager = person(stall.bank, "vendor_manager")
    assert "open listing without your bid" in read(agency, "/")
    assert "to award" not in read(manager, "/")
    stall.bid(stall.houses[0], rate_ppm=215_000)
    assert "without your bid" not in read(agency, "/")
    clock.set(market.CLOSES_AT)
    assert "closed listing to award" in read(manager, "/")


def test_bidders_see_findings_and_groups_and_no_loan(stall):
    page = words(person(stall.houses[0], "collector").get(f"/listings/{stall.listing.pk}/"))
    assert "of the loans owe $500" in page
    assert "Every loan is in NY" in page
    assert "puts groups of fewer than five borrowers together" in page
    assert "$3,500.00" in page  # the sum of a band, in the table of its chart
    assert "Borrower " not in page
    assert "L-" not in page
    assert "An administrator of your agency submits the bid." in page


def test_a_closing_in_the_past_keeps_what_was_typed(stall):
    portfolio = world.make_portfolio(stall.bank, balances_minor=[100_00] * 6)
    manager = person(stall.bank, "vendor_manager")
    path = f"/portfolios/{portfolio.pk}/publish/"
    form = read(manager, path)
    assert 'value="2026-03-08T17:00"' in form
    assert "America/New_York" in form
    typed = {
        "closes_at": "2026-03-01T09:00",
        "highest_rate_ppm": "27.5",
        "term_days": "181",
        "audience": "invited",
        "invited": [str(stall.houses[1].agency.pk)],
        "terms": "Look, and tell nobody.",
    }
    refused = manager.post(path, typed)
    assert refused.status_code == 422
    page = refused.content.decode()
    assert 'value="2026-03-01T09:00"' in page
    assert 'value="27.5"' in page
    assert 'value="181"' in page
    assert f'value="{stall.houses[1].agency.pk}" id="id_invited_1" class' not in page
    assert refused.context["form"]["invited"].value() == typed["invited"]
    assert refused.context["form"].errors == {
        "closes_at": ["The closing time must lie in the future."]
    }
    assert 'id="id_closes_at_error"' in page
    with scope(stall.bank.actor("auditor")):
        assert Portfolio.objects.get(pk=portfolio.pk).state == "draft"
        assert Listing.objects.count() == 1

    done = manager.post(path, {**typed, "closes_at": "2026-03-05T09:00"})
    with scope(stall.bank.actor("auditor")):
        made = Listing.objects.get(portfolio=portfolio)
        assert ListingInvitation.objects.get().agency_id == stall.houses[1].agency.pk
    assert done.headers["Location"] == f"/listings/{made.pk}/"
    assert made.closes_at == datetime.datetime(2026, 3, 5, 14, tzinfo=datetime.UTC)
    assert (made.highest_rate_ppm, made.term_days) == (275_000, 181)
    assert manager.get(path).headers["Location"] == f"/listings/{made.pk}/"


def test_a_publication_names_each_field_that_is_wrong(stall):
    portfolio = world.make_portfolio(stall.bank, balances_minor=[100_00] * 6)
    manager = person(stall.bank, "vendor_manager")
    outsider = world.make_agency()
    wrong = manager.post(
        f"/portfolios/{portfolio.pk}/publish/",
        {
            "closes_at": "soon",
            "highest_rate_ppm": "120",
            "term_days": "0",
            "audience": "invited",
            "invited": [str(outsider.agency.pk)],
            "terms": " ",
        },
    )
    assert wrong.status_code == 422
    assert set(wrong.context["form"].errors) == {
        "closes_at",
        "highest_rate_ppm",
        "term_days",
        "invited",
        "terms",
    }
    nobody = manager.post(
        f"/portfolios/{portfolio.pk}/publish/",
        {
            "closes_at": "2026-03-05T09:00",
            "highest_rate_ppm": "20",
            "term_days": "90",
            "audience": "invited",
            "terms": "Look, and tell nobody.",
        },
    )
    assert nobody.context["form"].errors == {"invited": ["Tick at least one agency."]}
    with scope(stall.bank.actor("auditor")):
        assert Listing.objects.count() == 1


def test_an_empty_portfolio_cannot_be_published(stall):
    portfolio = world.make_portfolio(stall.bank, balances_minor=[])
    answer = person(stall.bank, "vendor_manager").post(
        f"/portfolios/{portfolio.pk}/publish/",
        {
            "closes_at": "2026-03-05T09:00",
            "highest_rate_ppm": "20",
            "term_days": "90",
            "audience": "all",
            "terms": "Look, and tell nobody.",
        },
    )
    assert answer.status_code == 422
    assert "No loan in this portfolio can be placed." in answer.content.decode()


def test_a_listing_is_withdrawn_with_a_reason(stall):
    manager = person(stall.bank, "vendor_manager")
    agency = person(stall.houses[0], "agency_administrator")
    path = f"/listings/{stall.listing.pk}/withdraw/"
    assert manager.post(path, {"reason": ""}).status_code == 422
    with scope(stall.bank.actor("auditor")):
        assert Listing.objects.get().state == "open"
    done = manager.post(path, {"reason": "Wrong file"}, follow=True)
    assert "its portfolio is a draft again" in done.content.decode()
    assert "Wrong file" in done.content.decode()
    told = read(agency, f"/listings/{stall.listing.pk}/")
    assert "The bank has withdrawn this listing" in told
    assert "Wrong file" not in told
    again = manager.post(path, {"reason": "Once more"})
    assert again.status_code == 422
    assert "This listing is not open any more." in again.content.decode()


def test_only_a_vendor_manager_publishes_or_withdraws(stall):
    portfolio = world.make_portfolio(stall.bank, balances_minor=[100_00] * 6)
    others = [person(stall.bank, role) for role in stall.bank.users if role != "vendor_manager"]
    others.append(person(stall.houses[0], "agency_administrator"))
    for client in others:
        for path in (
            f"/portfolios/{portfolio.pk}/publish/",
            f"/listings/{stall.listing.pk}/withdraw/",
            f"/listings/{stall.listing.pk}/award/",
        ):
            assert client.post(path, {"reason": "Try it"}).status_code == 403
    rival = person(world.make_bank(), "vendor_manager")
    for path in (
        f"/portfolios/{portfolio.pk}/publish/",
        f"/listings/{stall.listing.pk}/withdraw/",
        f"/listings/{stall.listing.pk}/award/",
        f"/listings/{stall.listing.pk}/award/preview/",
    ):
        assert rival.post(path, {"reason": "Try it"}).status_code == 404
    with scope(stall.bank.actor("auditor")):
        assert Listing.objects.get().state == "open"


def test_a_suspended_agency_loses_the_room(stall):
    house = stall.houses[0]
    stall.bid(house, rate_ppm=215_000)
    with scope(stall.bank.actor("compliance_officer")) as actor:
        membership = visible_memberships(actor).get(agency=house.agency)
        panel.suspend(actor=actor, membership_id=membership.pk, reason="Complaints")
    client = person(house, "agency_administrator")
    read(client, f"/listings/{stall.listing.pk}/", status=404)
    path = f"/listings/{stall.listing.pk}/bid/"
    assert client.post(path, {"rate_ppm": "10", "capacity_loans": "5"}).status_code == 404
