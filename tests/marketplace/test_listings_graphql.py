"""Listings over GraphQL: what each side reads, and publication and withdrawal."""

import datetime

import pytest

from agencies.scope import scope
from marketplace.models import Listing, ListingInvitation
from portfolios.models import Loan, Portfolio
from tests import world
from tests.marketplace import market
from tests.portfolios.over_http import ask, do, machine, person

LISTINGS = """query($state: ListingState) { listings(first: 10, state: $state) {
    totalCount edges { node {
        title state loanCount balanceMinor highestRatePpm termDays tailDays closesAt
        institution { name }
        strata { balance { group loans balanceMinor } region { group loans } } } } } }"""


def test_an_agency_reads_counts_sums_and_groups_and_never_a_loan(stall):
    agency = machine(stall.houses[0])
    found = ask(agency, LISTINGS)["listings"]
    assert found["totalCount"] == 1
    assert market.nodes(found) == [
        {
            "title": stall.listing.title,
            "state": "OPEN",
            "loanCount": 10,
            "balanceMinor": 5_500_00,
            "highestRatePpm": 300_000,
            "termDays": 180,
            "tailDays": 30,
            "closesAt": "2026-03-02T17:00:00+00:00",
            "institution": {"name": stall.bank.institution.name},
            "strata": {
                "balance": [
                    {"group": "50000-100000", "loans": 5, "balanceMinor": 3_500_00},
                    {"group": "other", "loans": 5, "balanceMinor": 2_000_00},
                ],
                "region": [{"group": "NY", "loans": 10}],
            },
        }
    ]
    loans = ask(agency, "{ loans(first: 10) { totalCount } }")["loans"]
    assert loans == {"totalCount": 0}


def test_the_state_says_closed_from_the_closing_on(stall, clock):
    agency = machine(stall.houses[0])
    assert ask(agency, LISTINGS, state="CLOSED")["listings"]["totalCount"] == 0
    assert ask(agency, LISTINGS, state="OPEN")["listings"]["totalCount"] == 1
    clock.set(market.CLOSES_AT)
    assert ask(agency, LISTINGS, state="OPEN")["listings"]["totalCount"] == 0
    [closed] = market.nodes(ask(agency, LISTINGS, state="CLOSED")["listings"])
    assert closed["state"] == "CLOSED"


def test_what_is_the_banks_alone_is_hidden_from_bidders(stall):
    document = "query($id: ID!) { listing(id: $id) { portfolio { name } isInvitationOnly } }"
    bank = ask(person(stall.bank, "auditor"), document, id=stall.listing.pk)
    assert bank["listing"]["isInvitationOnly"] is False
    answer = person(stall.houses[0], "collector").post(
        "/graphql",
        {"query": document, "variables": {"id": str(stall.listing.pk)}},
        content_type="application/json",
    )
    body = answer.json()
    assert body["data"]["listing"] == {"portfolio": None, "isInvitationOnly": None}
    assert {error["extensions"]["code"] for error in body["errors"]} == {"NOT_ALLOWED"}


@pytest.mark.parametrize("stranger", ["agency off the panel", "another bank"])
def test_to_a_stranger_a_listing_is_not_there(stall, stranger):
    if stranger == "another bank":
        client = person(world.make_bank(), "vendor_manager")
    else:
        client = machine(world.make_agency())
    document = "query($id: ID!) { listing(id: $id) { title } }"
    assert ask(client, document, id=stall.listing.pk) == {"listing": None}
    assert ask(client, LISTINGS)["listings"]["totalCount"] == 0


def test_a_portfolio_is_published_for_invited_agencies_alone(stall):
    first, second, _third = stall.houses
    portfolio = world.make_portfolio(stall.bank, balances_minor=[100_00] * 6)
    manager = person(stall.bank, "vendor_manager")
    given = {
        "portfolioId": portfolio.pk,
        "closesAt": "2026-03-05T12:00:00-05:00",
        "highestRatePpm": 250_000,
        "termDays": 90,
    }
    past = do(
        manager, "listingPublish", "listing { id }", **{**given, "closesAt": "2026-03-01T17:00:00Z"}
    )
    assert past["listing"] is None
    assert [(e["code"], e["field"]) for e in past["errors"]] == [("IN_THE_PAST", "closesAt")]
    stranger = world.make_agency()
    outside = do(
        manager, "listingPublish", "listing { id }", invitedAgencyIds=[stranger.agency.pk], **given
    )
    assert [(e["code"], e["field"]) for e in outside["errors"]] == [
        ("NOT_ON_THE_PANEL", "invitedAgencyIds")
    ]
    with scope(stall.bank.actor("auditor")):
        assert Listing.objects.count() == 1
        assert Portfolio.objects.get(pk=portfolio.pk).state == "draft"

    made = do(
        manager,
        "listingPublish",
        "listing { id state closesAt isInvitationOnly }",
        invitedAgencyIds=[second.agency.pk],
        **given,
    )
    assert made["errors"] == []
    assert made["listing"]["closesAt"] == "2026-03-05T17:00:00+00:00"
    assert made["listing"]["isInvitationOnly"] is True
    assert ask(machine(second), LISTINGS)["listings"]["totalCount"] == 2
    assert ask(machine(first), LISTINGS)["listings"]["totalCount"] == 1
    with scope(stall.bank.actor("auditor")):
        assert ListingInvitation.objects.get().agency_id == second.agency.pk


def test_a_withdrawn_listing_takes_no_bid_and_frees_its_portfolio(stall):
    manager = person(stall.bank, "vendor_manager")
    blank = do(manager, "listingWithdraw", "listing { id }", listingId=stall.listing.pk, reason=" ")
    assert [(e["code"], e["field"]) for e in blank["errors"]] == [("REQUIRED", "reason")]
    done = do(
        manager,
        "listingWithdraw",
        "listing { state portfolio { state } }",
        listingId=stall.listing.pk,
        reason="Wrong file",
    )
    assert done == {
        "listing": {"state": "WITHDRAWN", "portfolio": {"state": "DRAFT"}},
        "errors": [],
    }
    again = do(manager, "listingWithdraw", "listing { id }", listingId=stall.listing.pk, reason="x")
    assert [e["code"] for e in again["errors"]] == ["NOT_OPEN"]


def test_only_a_vendor_manager_publishes_and_withdraws(stall):
    portfolio = world.make_portfolio(stall.bank, balances_minor=[100_00] * 6)
    others = [person(stall.bank, role) for role in stall.bank.users if role != "vendor_manager"]
    for client in [*others, machine(stall.houses[0])]:
        refusals = [
            do(
                client,
                "listingPublish",
                "listing { id }",
                portfolioId=portfolio.pk,
                closesAt=market.CLOSES_AT + datetime.timedelta(days=1),
                highestRatePpm=1,
                termDays=1,
            ),
            do(client, "listingWithdraw", "listing { id }", listingId=stall.listing.pk, reason="x"),
        ]
        assert [e["code"] for r in refusals for e in r["errors"]] == ["NOT_ALLOWED"] * 2
    with scope(stall.bank.actor("auditor")):
        assert Listing.objects.get().state == "open"
        assert Loan.objects.filter(portfolio=portfolio, placement=None).count() == 6
