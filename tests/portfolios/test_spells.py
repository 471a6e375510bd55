"""Spells: what they freeze, how they end, and what the loan remembers of them."""

import datetime

import pytest

from agencies.models import AuditEntry
from agencies.scope import scope
from config import errors
from portfolios.models import Loan, PlacedLoan, Placement, PlacementGrant
from portfolios.services import balances, placements, rules, spells
from tests import world
from tests.portfolios import over_http

pytestmark = pytest.mark.django_db


def told_spells(bank) -> list[tuple]:
    with scope(bank.actor("auditor")):
        rows = PlacedLoan.objects.order_by("opened_at", "balance_minor")
        return list(rows.values_list("close_kind", "close_reason"))


def loans(bank) -> list[Loan]:
    with scope(bank.actor("auditor")):
        return list(Loan.objects.order_by("reference"))


def test_a_spell_freezes_what_the_loan_was_like(bank, house):
    portfolio = world.make_portfolio(bank, balances_minor=[100_00])
    with scope(bank.actor("vendor_manager")) as actor:
        Loan.objects.update(score=610, earlier_placements=2, product="card")
        rules.change(actor=actor, tail_days=45, untouched_days=7, reason="As agreed")
    placement = world.place(bank, house, portfolio)
    with scope(bank.actor("vendor_manager")) as actor:
        rules.change(actor=actor, tail_days=0, reason="From now on")
        loan = Loan.objects.get()
        balances.correct_many(actor=actor, corrections=[balances.Correction(loan.pk, 40_00)])
        Loan.objects.update(score=1, region="TX", grade="G", product="x", days_past_due=1)
        spell = PlacedLoan.objects.get()
        frozen = (spell.balance_minor, spell.days_past_due, spell.product, spell.region)
        assert frozen == (100_00, 300, "card", "NY")
        assert (spell.grade, spell.score, spell.earlier_placements) == ("C", 610, 2)
        kept = Placement.objects.get(pk=placement.pk)
        assert (kept.tail_days, kept.untouched_days, kept.balance_minor) == (45, 7, 100_00)
        assert Loan.objects.get().balance_minor == 40_00


def test_every_end_has_its_kind_and_counts_as_a_placement(bank, house, placement, clock):
    first, _second = loans(bank)
    with scope(bank.actor("vendor_manager")) as actor:
        placements.recall_loans(
            actor=actor, placement_id=placement.pk, loan_ids=[first.pk], reason="Sold"
        )
    clock.set(placement.ends_at - datetime.timedelta(seconds=1))
    with scope(bank.sweep) as actor:
        assert placements.expire_due(actor=actor) == 0
    clock.set(placement.ends_at + datetime.timedelta(days=2))
    with scope(bank.sweep) as actor:
        assert placements.expire_due(actor=actor) == 1
        assert placements.expire_due(actor=actor) == 0
    assert told_spells(bank) == [("recalled", "Sold"), ("expired", "The term is over.")]
    assert [loan.earlier_placements for loan in loans(bank)] == [1, 1]
    with scope(bank.actor("auditor")):
        ended = Placement.objects.get()
        assert (ended.state, ended.closed_at) == ("expired", placement.ends_at)
        assert PlacedLoan.objects.get(close_kind="expired").closed_at == placement.ends_at
        assert not PlacementGrant.objects.exists()
        assert AuditEntry.objects.filter(action="placement.expire").count() == 1


def test_a_spell_over_a_loan_that_owes_nothing_ends_as_settled(bank, house, placement):
    first, _second = loans(bank)
    with scope(bank.actor("finance_preparer")) as actor:
        balances.correct_many(actor=actor, corrections=[balances.Correction(first.pk, 0)])
    with scope(bank.actor("vendor_manager")) as actor:
        placements.recall(actor=actor, placement_id=placement.pk, reason="Over")
    assert told_spells(bank) == [("settled", "Over"), ("recalled", "Over")]


def test_an_agency_returns_single_loans_and_sees_them_no_more(bank, house, placement):
    first, second = loans(bank)
    client = over_http.machine(house)
    given = {"placementId": placement.pk, "loanIds": [first.pk]}
    refused = over_http.do(client, "loansReturn", "returnedCount", **given, reason=" ")
    assert refused["errors"][0]["code"] == "REQUIRED"
    done = over_http.do(client, "loansReturn", "returnedCount", **given, reason="Moved abroad")
    assert done == {"returnedCount": 1, "errors": []}
    with scope(house.actor()):
        assert list(Loan.objects.values_list("pk", flat=True)) == [second.pk]
    again = over_http.do(client, "loansReturn", "returnedCount", **given, reason="Again")
    assert again["errors"][0]["code"] == "NOT_FOUND"
    assert told_spells(bank) == [("returned", "Moved abroad"), ("", "")]
    assert [loan.earlier_placements for loan in loans(bank)] == [1, 0]
    assert [loan.placement_id for loan in loans(bank)] == [None, placement.pk]


def test_an_agency_returns_a_placement_whole(bank, house, placement):
    given = {"placementId": placement.pk, "reason": "No capacity left"}
    done = over_http.do(over_http.machine(house), "placementReturn", "returnedCount", **given)
    assert done == {"returnedCount": 2, "errors": []}
    with scope(house.actor()):
        assert not Placement.objects.exists()
        assert not Loan.objects.exists()
    assert told_spells(bank) == [("returned", "No capacity left")] * 2
    with scope(bank.actor("auditor")):
        assert Placement.objects.get().state == "returned"
        assert not PlacementGrant.objects.exists()
        assert AuditEntry.objects.filter(action="placement.return").count() == 1
    again = over_http.do(over_http.machine(house), "placementReturn", "returnedCount", **given)
    assert again["errors"][0]["code"] == "NOT_FOUND"


def test_a_large_placement_ends_at_once_and_its_spells_a_moment_later(bank, house):
    portfolio = world.make_portfolio(bank, balances_minor=[100_00])
    with scope(bank.actor("vendor_manager")):
        one = Loan.objects.get()
        Loan.objects.bulk_create(
            Loan(
                institution=bank.institution,
                portfolio=portfolio,
                loan_import_id=one.loan_import_id,
                reference=f"{one.reference}-{number}",
                currency="USD",
                balance_minor=100_00,
                rate_ppm=1,
                opened_on=one.opened_on,
                days_past_due=1,
            )
            for number in range(spells.CLOSED_AT_ONCE)
        )
    placement = world.place(bank, house, portfolio)
    with scope(bank.actor("vendor_manager")) as actor:
        placements.recall(actor=actor, placement_id=placement.pk, reason="Sold")
    with scope(house.actor()):
        assert not Loan.objects.exists()
        assert not PlacedLoan.objects.exists()
    with scope(bank.actor("auditor")):
        assert PlacedLoan.objects.filter(closed_at=None).count() == 1_001
    with scope(bank.sweep) as actor:
        assert [spells.close_ended(actor=actor) for _each in range(3)] == [1_000, 1, 0]
    with scope(bank.actor("auditor")):
        ended = Placement.objects.get()
        assert set(told_spells(bank)) == {("recalled", "Sold")}
        assert set(PlacedLoan.objects.values_list("closed_at", flat=True)) == {ended.closed_at}
        assert set(Loan.objects.values_list("placement", "earlier_placements")) == {(None, 1)}


def test_nobody_else_can_return(bank, house, placement):
    rival = world.make_agency()
    world.join_panel(bank, rival)
    with scope(rival.actor()) as actor, pytest.raises(errors.NotFound):
        placements.give_back(actor=actor, placement_id=placement.pk, reason="Mine")
    with scope(bank.actor("vendor_manager")) as actor, pytest.raises(errors.NotAllowed):
        placements.give_back(actor=actor, placement_id=placement.pk, reason="Mine")
    assert told_spells(bank) == [("", ""), ("", "")]
    with scope(house.actor()):
        assert Loan.objects.count() == 2
