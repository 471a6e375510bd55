"""Bids and awards over GraphQL: sealed from everybody, decided once."""

import json

from agencies.scope import scope
from agencies.selectors import visible_audit_entries
from marketplace.models import Award, AwardShare, Bid
from portfolios.models import Loan, Placement
from tests import world
from tests.marketplace import market
from tests.portfolios.over_http import ask, do, machine, person

BIDS = """query($listing: ID) { bids(first: 10, listingId: $listing) { totalCount edges { node {
    agency { name } ratePpm capacityLoans note revision listing { title } } } } }"""
BID = "bid { id ratePpm capacityLoans note revision submittedAt }"
SHARES = """{ awardShares(first: 10) { totalCount edges { node {
    sharePpm ratePpm agency { name } placement { loanCount } } } } }"""
MARK = "Sealed words nobody may read"


def offer(stall, **given):
    return {"listingId": stall.listing.pk, "ratePpm": 200_000, "capacityLoans": 10, **given}


def codes(payload):
    return [(error["code"], error["field"], error["row"]) for error in payload["errors"]]


def test_a_bid_is_made_and_replaced_over_a_token(stall):
    agency = machine(stall.houses[0])
    made = do(agency, "bidSubmit", BID, **offer(stall, ratePpm=250_000))
    again = do(agency, "bidSubmit", BID, **offer(stall, ratePpm=210_000, note="Better"))
    assert again == {
        "bid": {
            "id": made["bid"]["id"],
            "ratePpm": 210_000,
            "capacityLoans": 10,
            "note": "Better",
            "revision": 2,
            "submittedAt": "2026-03-01T17:00:00+00:00",
        },
        "errors": [],
    }
    assert ask(agency, BIDS)["bids"]["totalCount"] == 1


def test_an_impossible_bid_keeps_the_one_that_was_made(stall):
    agency = machine(stall.houses[0])
    do(agency, "bidSubmit", BID, **offer(stall))
    refusals = [
        do(agency, "bidSubmit", BID, **offer(stall, **wrong))
        for wrong in (
            {"ratePpm": 300_001},
            {"ratePpm": 0},
            {"capacityLoans": 0},
            {"capacityLoans": 2**31 - 1},
            {"note": "x" * 2001},
        )
    ]
    assert [codes(refusal) for refusal in refusals] == [
        [("RATE_ABOVE_HIGHEST", "ratePpm", None)],
        [("RATE_ABOVE_HIGHEST", "ratePpm", None)],
        [("OUT_OF_RANGE", "capacityLoans", None)],
        [("OUT_OF_RANGE", "capacityLoans", None)],
        [("TOO_LONG", "note", None)],
    ]
    with scope(stall.houses[0].actor()):
        kept = Bid.objects.get()
    assert (kept.rate_ppm, kept.capacity_loans, kept.revision) == (200_000, 10, 1)


def test_a_late_bid_is_refused_with_a_code_and_changes_nothing(stall, clock):
    first, second, _third = stall.houses
    stall.bid(first, rate_ppm=250_000)
    clock.set(market.CLOSES_AT)
    for house in (first, second):
        late = do(machine(house), "bidSubmit", BID, **offer(stall, ratePpm=100_000))
        assert late["bid"] is None
        assert codes(late) == [("CLOSED", None, None)]
        assert late["errors"][0]["message"] == (
            "This listing is closed for bids. Nothing was changed."
        )
    with scope(stall.bank.actor("auditor")):
        assert list(Bid.objects.values_list("rate_ppm", "revision")) == [(250_000, 1)]


def test_no_role_of_the_bank_reads_a_bid_before_the_closing(stall, clock):
    first, second, _third = stall.houses
    for house in (first, second):
        stall.bid(house, rate_ppm=123_456, note=MARK)
    trail = "{ auditEntries(first: 100) { edges { node { action changes } } } }"
    for role in stall.bank.users:
        client = person(stall.bank, role)
        assert ask(client, BIDS, listing=stall.listing.pk)["bids"] == {"totalCount": 0, "edges": []}
        answer = client.post("/graphql", {"query": trail}, content_type="application/json")
        assert b"bid.submit" not in answer.content
        assert b"123456" not in answer.content
    clock.set(market.CLOSES_AT)
    for role in stall.bank.users:
        found = ask(person(stall.bank, role), BIDS, listing=stall.listing.pk)["bids"]
        assert found["totalCount"] == 2
        assert market.nodes(found)[1] == {
            "agency": {"name": "House Ash"},
            "ratePpm": 123_456,
            "capacityLoans": 10,
            "note": MARK,
            "revision": 1,
            "listing": {"title": stall.listing.title},
        }


def test_a_rival_never_learns_that_another_one_bid(stall, clock):
    first, second, third = stall.houses
    one = stall.bid(first, rate_ppm=123_456, note=MARK)
    mine = stall.bid(second, rate_ppm=150_000)
    everything = """query($id: ID!) { listing(id: $id) { title }
        listings(first: 10) { edges { node { id title state strata { region { group loans } } } } }
        bids(first: 10) { totalCount edges { node { id ratePpm agency { name } } } }
        awardShares(first: 10) { totalCount edges { node { sharePpm } } }
        auditEntries(first: 100) { edges { node { action objectId changes } } } }"""

    def seen_by(house):
        answer = machine(house).post(
            "/graphql",
            json.dumps({"query": everything, "variables": {"id": str(stall.listing.pk)}}),
            content_type="application/json",
        )
        assert answer.status_code == 200
        assert b"errors" not in answer.content
        return answer.content.decode()

    def is_silent(text):
        return not any(
            word in text for word in ("123456", MARK, str(one.pk), first.agency.name, "bid.submit")
        )

    assert is_silent(seen_by(third))
    clock.set(market.CLOSES_AT)
    assert is_silent(seen_by(third))
    stall.award((one, 600_000), (mine, 300_000))
    assert is_silent(seen_by(third))
    second_sees = seen_by(second)
    assert "150000" in second_sees
    assert not any(word in second_sees for word in ("123456", MARK, str(one.pk), "600000"))


def test_only_an_administrator_or_a_machine_of_an_agency_bids(stall):
    for client in [
        person(stall.houses[0], "collector"),
        *(person(stall.bank, role) for role in stall.bank.users),
    ]:
        assert codes(do(client, "bidSubmit", BID, **offer(stall))) == [("NOT_ALLOWED", None, None)]
    stranger = machine(world.make_agency())
    assert codes(do(stranger, "bidSubmit", BID, **offer(stall))) == [("NOT_FOUND", None, None)]
    with scope(stall.houses[0].actor()):
        assert not Bid.objects.exists()


def test_an_award_places_lots_and_each_agency_sees_its_own_share(stall, clock):
    first, second, third = stall.houses
    one, two = stall.bid(first, rate_ppm=200_000), stall.bid(second, rate_ppm=180_000)
    stall.bid(third, rate_ppm=290_000)
    clock.set(market.CLOSES_AT)
    decision = {
        "listingId": stall.listing.pk,
        "shares": [
            {"bidId": one.pk, "sharePpm": 600_000},
            {"bidId": two.pk, "sharePpm": 300_000},
        ],
        "reason": "Best offers",
    }
    manager = person(stall.bank, "vendor_manager")
    wanted = """award { seed reason listing { state } shares(first: 5) { edges { node {
        lot sharePpm ratePpm agency { name } placement { loanCount } } } } }"""
    made = do(manager, "listingAward", wanted, **decision)
    assert made["errors"] == []
    with scope(stall.bank.actor("auditor")):
        assert made["award"]["seed"] == Award.objects.get().seed
    assert made["award"]["listing"] == {"state": "AWARDED"}
    assert market.nodes(made["award"]["shares"]) == [
        {
            "lot": 0,
            "sharePpm": 600_000,
            "ratePpm": 200_000,
            "agency": {"name": "House Ash"},
            "placement": {"loanCount": 6},
        },
        {
            "lot": 1,
            "sharePpm": 300_000,
            "ratePpm": 180_000,
            "agency": {"name": "House Birch"},
            "placement": {"loanCount": 3},
        },
    ]
    assert market.nodes(ask(machine(first), SHARES)["awardShares"]) == [
        {
            "sharePpm": 600_000,
            "ratePpm": 200_000,
            "agency": {"name": "House Ash"},
            "placement": {"loanCount": 6},
        }
    ]
    assert ask(machine(third), SHARES)["awardShares"] == {"totalCount": 0, "edges": []}

    again = do(manager, "listingAward", wanted, **decision)
    assert codes(again) == [("NOT_AWARDABLE", None, None)]
    with scope(stall.bank.actor("auditor")):
        assert Placement.objects.count() == 2
        assert Loan.objects.filter(placement=None).count() == 1


def test_an_impossible_award_names_the_share_and_changes_nothing(stall, clock):
    first, second, _third = stall.houses
    one = stall.bid(first, rate_ppm=200_000)
    two = stall.bid(second, rate_ppm=180_000, capacity_loans=2)
    manager = person(stall.bank, "vendor_manager")

    def award(*shares, reason="Try", client=manager):
        return codes(
            do(
                client,
                "listingAward",
                "award { id }",
                listingId=stall.listing.pk,
                shares=[{"bidId": bid.pk, "sharePpm": ppm} for bid, ppm in shares],
                reason=reason,
            )
        )

    assert award((one, 1)) == [("NOT_AWARDABLE", None, None)]
    clock.set(market.CLOSES_AT)
    assert award((one, 700_000), (two, 300_001)) == [("SHARES_ABOVE_WHOLE", "shares", None)]
    assert award((one, 500_000), (two, 500_000)) == [("ABOVE_CAPACITY", "shares", 2)]
    assert award((one, 999_999), (two, 1)) == [("EMPTY_LOT", "shares", 2)]
    assert award((one, 500_000), (one, 500_000)) == [("TWICE", "shares", None)]
    assert award((one, 0)) == [("OUT_OF_RANGE", "shares", None)]
    assert award() == [("OUT_OF_RANGE", "shares", None)]
    assert award((one, 500_000), reason=" ") == [("REQUIRED", "reason", None)]
    approver = person(stall.bank, "finance_approver")
    assert award((one, 500_000), client=approver) == [("NOT_ALLOWED", None, None)]
    other = person(world.make_bank(), "vendor_manager")
    assert award((one, 500_000), client=other) == [("NOT_FOUND", None, None)]
    with scope(stall.bank.actor("auditor")) as actor:
        assert not AwardShare.objects.exists()
        assert not Award.objects.exists()
        assert not Placement.objects.exists()
        assert not visible_audit_entries(actor).filter(action="listing.award").exists()
