"""Placements: opened whole with frozen terms, shown to their two sides only."""

import datetime

import pytest

from agencies.models import AuditEntry
from agencies.scope import scope
from config import clock, errors
from portfolios import selectors
from portfolios.models import Loan, PlacedLoan, Placement, PlacementGrant
from portfolios.services import placements, recoveries
from tests import world
from tests.portfolios import over_http

pytestmark = pytest.mark.django_db

LIST = (
    "{ placements(first: 10) { totalCount edges { node { id title ratePpm loanCount balanceMinor"
    " openCount openMinor reportedMinor confirmedMinor institutionName } } } }"
)


def test_a_placement_is_shown_with_its_terms_and_figures(bank, house):
    portfolio = world.make_portfolio(bank, balances_minor=[100_00, 200_00])
    placement = world.place(bank, house, portfolio, rate_ppm=175_000)
    with scope(house.actor()) as actor:
        loan = Loan.objects.order_by("reference").first()
        recoveries.log(
            actor=actor,
            idempotency_key="k1",
            rows=[
                {
                    "loan_reference": loan.reference,
                    "reference": "P-1",
                    "amount_minor": 40_00,
                    "value_on": clock.business_date(bank.institution.time_zone),
                    "channel": "card",
                }
            ],
        )
    expected = {
        "id": str(placement.pk),
        "title": placement.title,
        "ratePpm": 175_000,
        "loanCount": 2,
        "balanceMinor": 300_00,
        "openCount": 2,
        "openMinor": 300_00,
        "reportedMinor": 40_00,
        "confirmedMinor": 0,
        "institutionName": bank.institution.name,
    }
    for client in (over_http.machine(house), over_http.person(bank, "vendor_manager")):
        listed = over_http.ask(client, LIST)["placements"]
        assert listed == {"totalCount": 1, "edges": [{"node": expected}]}
    rival = world.make_agency()
    world.join_panel(bank, rival)
    assert over_http.ask(over_http.machine(rival), LIST)["placements"]["totalCount"] == 0
    other = over_http.person(world.make_bank(), "vendor_manager")
    assert over_http.ask(other, LIST)["placements"]["totalCount"] == 0


def test_a_placement_shows_its_end_at_its_end(bank, house, clock):
    placement = world.place(bank, house, world.make_portfolio(bank, balances_minor=[100_00]))
    with scope(house.actor()) as actor:
        assert selectors.visible_loans(actor).count() == Loan.objects.count() == 1
    clock.set(placement.ends_at - datetime.timedelta(microseconds=1))
    with scope(house.actor()) as actor:
        assert selectors.visible_loans(actor).count() == Loan.objects.count() == 1
    clock.set(placement.ends_at)
    with scope(house.actor()) as actor:
        assert selectors.visible_loans(actor).count() == Loan.objects.count() == 0
        assert selectors.visible_placements(actor).count() == Placement.objects.count() == 0


def test_one_loan_has_one_live_placement(bank, house):
    portfolio = world.make_portfolio(bank, balances_minor=[100_00, 200_00])
    world.place(bank, house, portfolio)
    with scope(bank.actor("vendor_manager")) as actor:
        with pytest.raises(errors.InvalidState, match="LOANS_NOT_FREE"):
            placements.open_placement(
                actor=actor,
                portfolio=portfolio,
                agency=house.agency,
                title="Again",
                rate_ppm=1,
                ends_at=clock.now() + datetime.timedelta(days=1),
                loan_ids=list(Loan.objects.values_list("pk", flat=True)),
            )
        assert Placement.objects.count() == PlacementGrant.objects.count() == 1
        assert PlacedLoan.objects.count() == 2
        assert AuditEntry.objects.filter(action="placement.open").count() == 1


def test_a_recalled_loan_can_be_placed_again_and_its_history_stays(bank, house):
    portfolio = world.make_portfolio(bank, balances_minor=[100_00])
    first = world.place(bank, house, portfolio)
    with scope(bank.actor("vendor_manager")) as actor:
        placements.recall(actor=actor, placement_id=first.pk, reason="Too slow")
    next_house = world.make_agency()
    world.join_panel(bank, next_house)
    second = world.place(bank, next_house, portfolio)
    with scope(bank.actor("vendor_manager")):
        spells = PlacedLoan.objects.order_by("opened_at")
        assert [spell.placement_id for spell in spells] == [first.pk, second.pk]
        assert [spell.close_reason for spell in spells] == ["Too slow", ""]
    with scope(next_house.actor()):
        assert PlacedLoan.objects.count() == 1
    with scope(house.actor()):
        assert not PlacedLoan.objects.exists()
