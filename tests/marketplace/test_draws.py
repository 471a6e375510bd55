"""The draw: committed before the bids, revealed after the award, drawn again by anybody."""

import datetime
import hashlib
import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, transaction
from django.utils import translation

from agencies.scope import scope
from config import encryption, errors
from marketplace.models import Award, AwardShare, DrawnLoan, Listing
from marketplace.selectors import visible_drawn_loans
from marketplace.services import awards
from portfolios.models import Loan, PlacedLoan, Placement
from portfolios.services import eligibility, placements
from tests.marketplace import market
from tests.portfolios.over_http import ask, machine, person

DRAW = "query($id: ID!) { listing(id: $id) { drawCommitment seed portfolioDigest } }"
OWN = """{ awardShares(first: 5) { edges { node { balance { loans balanceMinor acceptablePpm
    differences { covariate level differencePpm } } } } } }"""
UNTIL = datetime.date(2026, 9, 1)


def told(client, listing) -> tuple:
    return tuple(ask(client, DRAW, id=listing.pk)["listing"].values())


def test_the_seed_is_committed_to_at_publication_and_revealed_by_the_award(stall, clock):
    listing, (first, _second, third) = stall.listing, stall.houses
    offer = stall.bid(first, rate_ppm=200_000)
    commitment, seed, digest = told(machine(third), listing)
    assert (len(commitment), seed, digest) == (64, None, None)
    page = person(first, "collector").get(f"/listings/{listing.pk}/").content.decode()
    assert commitment in page
    with scope(stall.bank.actor("auditor")):
        sealed = Listing.objects.get()
        hidden = encryption.reveal(sealed, "sealed_seed")
        assert sealed.seed == ""
        assert hidden.encode() not in bytes(sealed.sealed_seed)
        references = sorted(Loan.objects.values_list("reference", flat=True))
    assert hidden not in page

    clock.set(market.CLOSES_AT)
    stall.award((offer, 600_000))
    after, seed, digest = told(machine(third), listing)
    assert (after, seed) == (commitment, hidden)
    assert digest == hashlib.sha256("\n".join(references).encode()).hexdigest()
    both = bytes.fromhex(seed) + bytes.fromhex(digest)
    assert hashlib.sha256(both).hexdigest() == commitment
    won = person(third, "agency_administrator").get(f"/listings/{listing.pk}/").content.decode()
    assert seed in won
    assert digest in won


def test_what_was_committed_cannot_be_changed(stall, clock):
    offer = stall.bid(stall.houses[0], rate_ppm=200_000)
    clock.set(market.CLOSES_AT)
    with scope(stall.bank.actor("vendor_manager")):
        for column in ("draw_commitment", "portfolio_digest"):
            with pytest.raises(DatabaseError, match="committed"), transaction.atomic():
                Listing.objects.update(**{column: "0" * 64})
        listing = Listing.objects.get()
        listing.sealed_seed = "5eed" * 8
        listing.save()
    with pytest.raises(ValueError, match="not the committed one"):
        stall.award((offer, 500_000))
    with scope(stall.bank.actor("auditor")):
        assert not Placement.objects.exists()


def test_the_order_of_the_shares_moves_no_loan(stall, clock):
    one, two = (stall.bid(house, rate_ppm=200_000) for house in stall.houses[:2])
    clock.set(market.CLOSES_AT)
    drawn = []
    for given in ([(one, 500_000), (two, 300_000)], [(two, 300_000), (one, 500_000)]):
        with scope(stall.bank.actor("vendor_manager")) as actor, transaction.atomic():
            awards.award(
                actor=actor,
                listing_id=stall.listing.pk,
                shares=[awards.Share(bid.pk, ppm) for bid, ppm in given],
                reason="Best offers",
            )
            drawn.append(sorted(Loan.objects.values_list("pk", "agency")))
            transaction.set_rollback(True)
    assert drawn[0] == drawn[1]
    assert len({agency for _loan, agency in drawn[0]}) == 3


@pytest.mark.django_db(transaction=True)
@translation.override("en")
def test_the_draw_is_verified_by_command(transactional_db, clock, owner):
    clock.set(market.OPENED_AT)
    stall = market.opened()
    offers = [stall.bid(house, rate_ppm=200_000) for house in stall.houses[:2]]
    clock.set(market.CLOSES_AT)
    made = stall.award((offers[0], 500_000), (offers[1], 300_000))
    out = StringIO()
    call_command("verify_draw", str(made.pk), stdout=out)
    assert out.getvalue() == "The lots are those of the seed that was committed.\n"

    def wrong() -> str:
        with pytest.raises(CommandError) as refusal:
            call_command("verify_draw", str(made.pk))
        return str(refusal.value)

    drawn = "update marketplace_drawnloan set balance_minor = balance_minor {} 100 where lot = 0"
    owner.execute(drawn.format("*"))
    assert "The balance report is not that of these lots." in wrong()
    owner.execute(drawn.format("/"))
    owner.execute("update marketplace_drawnloan set lot = 1 - lot where lot is not null")
    assert wrong() == (
        "Some loans are not in the lot that chance put them in."
        " The placements are not the lots that were drawn."
    )
    owner.execute("update marketplace_drawnloan set lot = 1 - lot where lot is not null")
    owner.execute("update portfolios_loan set reference = reference || 'x'")
    assert wrong() == "The portfolio's loans are not those of the publication."
    with pytest.raises(CommandError, match="no such award"):
        call_command("verify_draw", str(stall.listing.pk))


def award(stall, *shares, **given) -> Award:
    with scope(stall.bank.actor("vendor_manager")) as actor:
        return awards.award(
            actor=actor,
            listing_id=stall.listing.pk,
            shares=[awards.Share(bid.pk, share_ppm) for bid, share_ppm in shares],
            reason="Best offers",
            **given,
        )


def test_winners_get_equal_lots_to_compare_and_the_rest_by_shares(stall, clock):
    first, second, _third = stall.houses
    one, two = (stall.bid(house, rate_ppm=200_000) for house in (first, second))
    clock.set(market.CLOSES_AT)
    made = award(stall, (one, 600_000), (two, 300_000), comparison_ppm=400_000)
    with scope(stall.bank.actor("auditor")):
        spells = PlacedLoan.objects.values_list("agency", "is_comparison")
        counts = {pair: list(spells).count(pair) for pair in set(spells)}
        assert counts == {
            (first.agency.pk, True): 2,
            (first.agency.pk, False): 4,
            (second.agency.pk, True): 2,
            (second.agency.pk, False): 1,
        }
        drawn = set(DrawnLoan.objects.filter(part="comparison").values_list("loan", flat=True))
        marked = PlacedLoan.objects.filter(is_comparison=True).values_list("loan", flat=True)
        assert drawn == set(marked)
        shares = AwardShare.objects.order_by("lot")
        assert [share.comparison_balance["loans"] for share in shares] == [2, 2]
        assert [share.balance["loans"] for share in shares] == [6, 3]
        assert Award.objects.get() == made
    with scope(first.actor()) as actor:
        assert not visible_drawn_loans(actor).exists()
        assert not DrawnLoan.objects.exists()


def test_what_is_held_out_is_placed_with_nobody_until_its_day(stall, clock):
    one = stall.bid(stall.houses[0], rate_ppm=200_000)
    clock.set(market.CLOSES_AT)
    hold_out = awards.HoldOut(200_000, UNTIL, "To see what comes in by itself")
    made = award(stall, (one, 600_000), hold_out=hold_out)
    assert (made.hold_out_ppm, made.hold_out_until) == (200_000, UNTIL)
    assert made.hold_out_balance["loans"] == 2
    with scope(stall.bank.actor("vendor_manager")) as actor:
        held = Loan.objects.exclude(held_out_until=None)
        assert {loan.held_out_until for loan in held} == {
            datetime.datetime(2026, 9, 1, 4, tzinfo=datetime.UTC)
        }
        kept = DrawnLoan.objects.filter(part="hold_out").values_list("loan", flat=True)
        assert set(kept) == {loan.pk for loan in held}
        assert eligibility.free(actor, stall.listing.portfolio_id).count() == 2
        terms = {
            "actor": actor,
            "portfolio": stall.listing.portfolio,
            "agency": stall.houses[0].agency,
            "title": "Again",
            "rate_ppm": 200_000,
            "ends_at": market.CLOSES_AT + datetime.timedelta(days=400),
            "loan_ids": [loan.pk for loan in held],
        }
        with pytest.raises(errors.InvalidState):
            placements.open_placement(**terms)
        clock.set(datetime.datetime(2026, 9, 1, 4, tzinfo=datetime.UTC))
        assert eligibility.free(actor, stall.listing.portfolio_id).count() == 4
        assert placements.open_placement(**terms).loan_count == 2


def test_the_bank_alone_is_told_that_a_loan_is_held_out(stall, clock):
    winner, later = stall.houses[:2]
    one = stall.bid(winner, rate_ppm=200_000)
    clock.set(market.CLOSES_AT)
    award(stall, (one, 600_000), hold_out=awards.HoldOut(200_000, UNTIL, "To compare with"))
    with scope(stall.bank.actor("auditor")):
        loan = Loan.objects.exclude(held_out_until=None).first()
    page = f"/loans/{loan.pk}/"
    auditor = person(stall.bank, "auditor")
    shown = auditor.get(page).content.decode()
    assert re.search(r"Held out until <time[^>]*>1 Sep 2026", shown)
    assert "Chance drew it" in shown
    assert "Held out" in auditor.get(f"/loans/?reference={loan.reference}").content.decode()
    asked = "query($id: ID!) { loan(id: $id) { heldOutUntil } }"
    moment = "2026-09-01T04:00:00+00:00"
    assert ask(auditor, asked, id=loan.pk) == {"loan": {"heldOutUntil": moment}}
    assert person(winner, "collector").get(page).status_code == 404

    clock.set(datetime.datetime(2026, 9, 1, 4, tzinfo=datetime.UTC))
    with scope(stall.bank.actor("vendor_manager")) as actor:
        placements.open_placement(
            actor=actor,
            portfolio=stall.listing.portfolio,
            agency=later.agency,
            title="Again",
            rate_ppm=200_000,
            ends_at=market.CLOSES_AT + datetime.timedelta(days=400),
            loan_ids=[loan.pk],
        )
    over = person(stall.bank, "auditor").get(page).content.decode()
    assert "Held out until" in over
    assert "Chance drew it" not in over
    collector = person(later, "collector")
    own = collector.get(page)
    assert own.status_code == 200
    assert "held out" not in own.content.decode().lower()
    listed = collector.get(f"/loans/?reference={loan.reference}").content.decode()
    assert "held out" not in listed.lower()
    for client in (collector, machine(later)):
        given = {"query": asked, "variables": {"id": str(loan.pk)}}
        told = client.post("/graphql", given, content_type="application/json").json()
        assert told["data"] == {"loan": {"heldOutUntil": None}}
        assert told["errors"][0]["extensions"]["code"] == "NOT_ALLOWED"


@pytest.mark.parametrize(
    ("given", "code", "field", "row"),
    [
        ({"hold_out": awards.HoldOut(100_000)}, "REQUIRED", "hold_out_until", None),
        ({"hold_out": awards.HoldOut(100_000, UNTIL, " ")}, "REQUIRED", "hold_out_reason", None),
        (
            {"hold_out": awards.HoldOut(100_000, datetime.date(2026, 3, 2), "Why")},
            "IN_THE_PAST",
            "hold_out_until",
            None,
        ),
        ({"hold_out": awards.HoldOut(100_001, UNTIL, "Why")}, "SHARES_ABOVE_WHOLE", "shares", None),
        ({"hold_out": awards.HoldOut(-1, UNTIL, "Why")}, "OUT_OF_RANGE", "hold_out_ppm", None),
        ({"comparison_ppm": 600_002}, "BELOW_COMPARISON", "shares", 2),
        ({"comparison_ppm": -1}, "OUT_OF_RANGE", "comparison_ppm", None),
    ],
)
def test_impossible_parts_change_nothing(stall, clock, given, code, field, row):
    one, two = (stall.bid(house, rate_ppm=200_000) for house in stall.houses[:2])
    clock.set(market.CLOSES_AT)
    with pytest.raises(errors.InvalidInput) as refusal:
        award(stall, (one, 600_000), (two, 300_000), **given)
    error = refusal.value
    assert (error.code, error.field, error.row) == (code, field, row)
    with scope(stall.bank.actor("auditor")):
        assert not Placement.objects.exists()
        assert not DrawnLoan.objects.exists()
        assert Listing.objects.get().seed == ""


def test_a_winner_sees_its_own_lot_against_the_rest_and_no_other(stall, clock):
    first, second, _third = stall.houses
    one, two = (stall.bid(house, rate_ppm=200_000) for house in (first, second))
    clock.set(market.CLOSES_AT)
    stall.award((one, 600_000), (two, 300_000))
    with scope(stall.bank.actor("auditor")):
        stored = {share.agency_id: share.balance for share in AwardShare.objects.all()}
        reports = [
            person(stall.bank, "auditor").get(f"/listings/{stall.listing.pk}/").content.decode()
        ]
    for house in (first, second):
        [mine] = market.nodes(ask(machine(house), OWN)["awardShares"])
        kept = stored[house.agency.pk]
        assert mine["balance"]["balanceMinor"] == kept["balance_minor"]
        assert [one["differencePpm"] for one in mine["balance"]["differences"]] == [
            one["difference_ppm"] for one in kept["differences"]
        ]
        page = person(house, "collector").get(f"/listings/{stall.listing.pk}/").content.decode()
        assert "Your lot differs from the rest by at most" in page
        assert "House" not in page.split("Your lot differs", 1)[1].split("</figure>")[0]
    assert "The lots are alike: none differs by more than" in reports[0]
    assert "House Birch" in reports[0].split("The lots are alike", 1)[1].split("</figure>")[0]


def test_an_agency_cannot_ask_for_what_the_comparison_is_made_of(stall, clock):
    one = stall.bid(stall.houses[0], rate_ppm=200_000)
    clock.set(market.CLOSES_AT)
    award(stall, (one, 500_000), comparison_ppm=300_000)
    query = "{ awardShares(first: 1) { edges { node { comparisonBalance { loans } } } } }"
    answer = machine(stall.houses[0]).post(
        "/graphql", {"query": query}, content_type="application/json"
    )
    body = answer.json()
    assert [error["extensions"]["code"] for error in body["errors"]] == ["NOT_ALLOWED"]
    seen = ask(person(stall.bank, "auditor"), query)["awardShares"]
    assert market.nodes(seen) == [{"comparisonBalance": {"loans": 3}}]
