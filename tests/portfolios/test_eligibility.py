"""Eligibility: what may not be placed, when it is tested, and what becomes of placed loans."""

import datetime

import pytest

from agencies.scope import scope
from config import clock as clocks
from config import errors
from marketplace.services import listings
from portfolios import limitation
from portfolios.models import Hold, Loan, Placement, PlacementChange
from portfolios.services import balances, eligibility, holds
from tests import world

pytestmark = pytest.mark.django_db

FUTURE = datetime.timedelta(days=7)


def today(bank) -> datetime.date:
    return clocks.business_date(bank.institution.time_zone)


def placeable(bank) -> list[int]:
    with scope(bank.actor("vendor_manager")) as actor:
        loans = eligibility.placeable(actor, Loan.objects.order_by("balance_minor"))
        return list(loans.values_list("balance_minor", flat=True))


def open_kinds(bank) -> list[tuple]:
    with scope(bank.actor("auditor")):
        rows = Hold.objects.filter(released_at=None).order_by("opened_at")
        return list(rows.values_list("kind", "is_automatic"))


def enforce(bank) -> int:
    with scope(bank.sweep) as actor:
        return eligibility.enforce(actor=actor)


def test_the_law_of_a_part_goes_before_that_of_the_country():
    assert limitation.law_of("US-WI").bars_action
    assert not limitation.law_of("US-NY").bars_action
    assert limitation.law_of("FR-75").bars_action
    assert not limitation.law_of("GB-ENG").bars_action
    assert limitation.law_of("CA-ON") is None
    assert limitation.law_of("BR") is None
    assert all(law.source for law in limitation.LAWS.values())


def test_only_where_the_debt_itself_ends_is_it_barred():
    assert {"AU-NSW", "CA-QC", "FR", "GB-SCT", "US-MS", "US-WI", "ZA"} == limitation.BARRING
    assert not limitation.EXCEPTIONS


def test_what_is_held_paid_or_barred_is_neither_published_nor_placed(bank, house):
    portfolio = world.make_portfolio(bank, balances_minor=[1, 2, 3, 4, 5])
    with scope(bank.actor("vendor_manager")) as actor:
        held, paid, barred, warned, _fine = Loan.objects.order_by("balance_minor")
        holds.open_hold(actor=actor, loan_id=held.pk, kind="insolvent", reason="Court")
        balances.correct_many(actor=actor, corrections=[balances.Correction(paid.pk, 0)])
        for loan, place in ((barred, "US-WI"), (warned, "US-NY")):
            Loan.objects.filter(pk=loan.pk).update(jurisdiction=place, limitation_on=today(bank))
        found = eligibility.test(actor, Loan.objects.all())
    assert placeable(bank) == [4, 5]
    assert (found.placeable_count, found.placeable_minor) == (2, 9)
    assert (found.held_count, found.settled_count, found.barred_count) == (1, 1, 1)
    assert found.warned_count == 1
    with scope(bank.actor("vendor_manager")) as actor:
        listed = listings.publish(
            actor=actor,
            portfolio_id=portfolio.pk,
            closes_at=clocks.now() + FUTURE,
            highest_rate_ppm=300_000,
            term_days=90,
        )
        assert (listed.loan_count, listed.balance_minor) == (2, 9)
    with pytest.raises(errors.InvalidState, match="LOANS_NOT_FREE"):
        world.place(bank, house, portfolio)
    with scope(bank.actor("auditor")):
        assert not Placement.objects.exists()


def test_limitation_bars_from_its_day_on(bank):
    world.make_portfolio(bank, balances_minor=[1])
    with scope(bank.actor("vendor_manager")):
        Loan.objects.update(
            jurisdiction="GB-SCT", limitation_on=today(bank) + datetime.timedelta(days=1)
        )
    assert placeable(bank) == [1]
    with scope(bank.actor("vendor_manager")):
        Loan.objects.update(limitation_on=today(bank))
    assert placeable(bank) == []


def test_what_is_confirmed_counts_until_the_bank_states_the_balance_anew(bank, house):
    portfolio = world.make_portfolio(bank, balances_minor=[100_00])
    world.place(bank, house, portfolio)
    with scope(bank.actor("auditor")):
        loan = Loan.objects.get()
    world.recover(bank, house, loan, 99_00)
    assert (enforce(bank), open_kinds(bank)) == (0, [])
    recovery = world.recover(bank, house, loan, 1_00)
    assert (enforce(bank), open_kinds(bank)) == (1, [("settled", True)])
    assert enforce(bank) == 0
    world.reverse(bank, recovery, 1)
    assert (enforce(bank), open_kinds(bank)) == (0, [])
    with scope(bank.actor("finance_preparer")) as actor:
        balances.correct_many(actor=actor, corrections=[balances.Correction(loan.pk, 30_00)])
    world.recover(bank, house, loan, 29_00)
    assert enforce(bank) == 0


def test_a_placed_loan_that_owes_nothing_is_held_at_once_and_the_agency_told(bank, house):
    world.place(bank, house, world.make_portfolio(bank, balances_minor=[100_00, 50_00]))
    with scope(bank.actor("finance_preparer")) as actor:
        loan = Loan.objects.get(balance_minor=50_00)
        stated = [balances.Correction(loan.pk, 0)]
        assert balances.correct_many(actor=actor, corrections=stated) == 1
        assert balances.correct_many(actor=actor, corrections=stated) == 0
    with scope(house.actor()):
        assert Loan.objects.get(pk=loan.pk).is_on_hold
        assert Loan.objects.filter(is_on_hold=True).count() == 1
        told = PlacementChange.objects.filter(loan=loan).order_by("at", "pk")
        assert list(told.values_list("kind", "detail", "amount_minor")) == [
            ("balance_corrected", "", 0),
            ("held", "settled", None),
        ]
    with scope(bank.actor("finance_preparer")) as actor:
        balances.correct_many(actor=actor, corrections=[balances.Correction(loan.pk, 10_00)])
    with scope(house.actor()):
        assert not Loan.objects.get(pk=loan.pk).is_on_hold


def test_the_night_holds_what_passed_its_limitation_and_leaves_peoples_holds(bank, house, clock):
    world.place(bank, house, world.make_portfolio(bank, balances_minor=[100_00]))
    with scope(bank.actor("vendor_manager")) as actor:
        loan = Loan.objects.get()
        holds.open_hold(actor=actor, loan_id=loan.pk, kind="dispute", reason="Says paid")
        Loan.objects.update(
            jurisdiction="US-MS", limitation_on=today(bank) + datetime.timedelta(days=1)
        )
    assert enforce(bank) == 0
    clock.advance(days=1)
    assert enforce(bank) == 1
    assert open_kinds(bank) == [("dispute", False), ("time_barred", True)]
    with scope(bank.actor("vendor_manager")):
        Loan.objects.update(limitation_on=None)
    assert enforce(bank) == 0
    assert open_kinds(bank) == [("dispute", False)]
    with scope(house.actor()):
        assert Loan.objects.get().is_on_hold


def test_corrections_are_all_or_none(bank):
    world.make_portfolio(bank, balances_minor=[1, 2])
    with scope(bank.actor("vendor_manager")) as actor:
        first, second = Loan.objects.order_by("balance_minor")
        for stated, code in (
            ([(first.pk, 5), (second.pk, -1)], "NEGATIVE"),
            ([(first.pk, 5), (first.pk, 6)], "TWICE"),
            ([(first.pk, 5), (second.pk, 10**13 + 1)], "AMOUNT_TOO_LARGE"),
        ):
            with pytest.raises(errors.InvalidInput, match=code) as refused:
                balances.correct_many(
                    actor=actor, corrections=[balances.Correction(*one) for one in stated]
                )
            assert refused.value.row == 2
    with scope(world.make_bank().actor("vendor_manager")) as actor, pytest.raises(errors.NotFound):
        balances.correct_many(actor=actor, corrections=[balances.Correction(first.pk, 5)])
    assert placeable(bank) == [1, 2]
