"""Commission through the services: exact to the unit, each step explained by an entry."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agencies.scope import scope
from agencies.selectors import visible_audit_entries
from config import errors
from payouts import commission
from payouts.models import CommissionEntry, Excess
from payouts.services import commissions
from portfolios.models import Loan
from tests import world

pytestmark = pytest.mark.django_db

RATE_PPM = 225_000


@pytest.fixture
def placed():
    """A bank and an agency that holds loans of 1,000.00 and 500.00 at 22.5 %."""
    bank, house = world.make_bank(), world.make_agency()
    world.join_panel(bank, house)
    portfolio = world.make_portfolio(bank, balances_minor=[1_000_00, 500_00])
    world.place(bank, house, portfolio, rate_ppm=RATE_PPM)
    with scope(bank.actor("auditor")):
        loans = list(Loan.objects.order_by("reference"))
    return bank, house, loans


def accrue(bank) -> int:
    with scope(bank.sweep) as actor:
        return commissions.accrue(actor=actor)


def entries(bank) -> list[tuple]:
    with scope(bank.actor("auditor")):
        found = CommissionEntry.objects.order_by("pk")
        return list(found.values_list("kind", "base_minor", "amount_minor"))


def test_confirmed_money_accrues_once_and_reported_money_does_not(placed):
    bank, house, (loan, other) = placed
    world.recover(bank, house, loan, 333_33)
    world.recover(bank, house, other, 100_00, confirmed=False)
    assert accrue(bank) == 1
    # 333.33 × 22.5 % = 74.99925, rounded once.
    assert entries(bank) == [("accrual", 333_33, 75_00)]
    assert accrue(bank) == 0
    assert entries(bank) == [("accrual", 333_33, 75_00)]


def test_partial_reversals_take_back_exactly_what_was_accrued(placed):
    bank, house, (loan, _other) = placed
    recovery = world.recover(bank, house, loan, 333_33)
    accrue(bank)
    world.reverse(bank, recovery, 111_11)
    accrue(bank)
    world.reverse(bank, recovery, 111_11)
    world.reverse(bank, recovery, 111_11)
    accrue(bank)
    assert entries(bank) == [
        ("accrual", 333_33, 75_00),
        ("clawback", 111_11, 25_00),  # 75.00 − round(222.22 × 22.5 % = 49.9995)
        ("clawback", 111_11, 25_00),
        ("clawback", 111_11, 25_00),
    ]


def test_money_above_the_balance_waits_for_a_person(placed):
    bank, house, (_loan, other) = placed
    world.recover(bank, house, other, 400_00)
    world.recover(bank, house, other, 150_00)
    assert accrue(bank) == 2
    assert entries(bank) == [("accrual", 400_00, 90_00), ("accrual", 100_00, 22_50)]
    with scope(bank.actor("finance_approver")) as actor:
        excess = Excess.objects.get()
        assert (excess.amount_minor, excess.state) == (50_00, "open")
        commissions.decide_excess(
            actor=actor, excess_id=excess.pk, accept=True, reason="Interest was owed too"
        )
        with pytest.raises(errors.InvalidState) as again:
            commissions.decide_excess(actor=actor, excess_id=excess.pk, accept=True, reason="Twice")
        assert again.value.code == "DECIDED"
    # 150.00 in all earns 33.75: what was missing is 11.25.
    assert entries(bank)[2:] == [("accrual", 50_00, 11_25)]


def test_a_declined_excess_earns_nothing_and_goes_back_first(placed):
    bank, house, (_loan, other) = placed
    recovery = world.recover(bank, house, other, 550_00)
    accrue(bank)
    with scope(bank.actor("finance_approver")) as actor:
        excess = Excess.objects.get()
        commissions.decide_excess(
            actor=actor, excess_id=excess.pk, accept=False, reason="Paid by mistake"
        )
    world.reverse(bank, recovery, 50_00)
    world.reverse(bank, recovery, 500_00)
    accrue(bank)
    assert entries(bank) == [
        ("accrual", 500_00, 112_50),
        ("clawback", 0, 0),
        ("clawback", 500_00, 112_50),
    ]


def test_room_that_a_reversal_makes_is_used_by_the_next_recovery(placed):
    bank, house, (_loan, other) = placed
    recovery = world.recover(bank, house, other, 500_00)
    accrue(bank)
    world.reverse(bank, recovery, 200_00)
    accrue(bank)
    world.recover(bank, house, other, 250_00)
    accrue(bank)
    assert entries(bank)[-1] == ("accrual", 200_00, 45_00)


@pytest.mark.parametrize("role", ["vendor_manager", "finance_preparer", "auditor"])
def test_only_an_approver_decides_on_an_excess(placed, role):
    bank, house, (_loan, other) = placed
    world.recover(bank, house, other, 501_00)
    accrue(bank)
    with scope(bank.actor(role)) as actor:
        with pytest.raises(errors.NotAllowed):
            commissions.decide_excess(
                actor=actor, excess_id=Excess.objects.get().pk, accept=True, reason="Please"
            )
        assert Excess.objects.get().state == "open"
    assert len(entries(bank)) == 1


def test_another_bank_and_the_agency_see_no_entry(placed):
    bank, house, (loan, _other) = placed
    world.recover(bank, house, loan, 100_00)
    accrue(bank)
    for actor in (world.make_bank().actor("auditor"), house.actor()):
        with scope(actor):
            assert not CommissionEntry.objects.exists()
            assert not visible_audit_entries(actor).filter(action="commission.accrual").exists()
    with scope(bank.actor("auditor")) as actor:
        assert visible_audit_entries(actor).filter(action="commission.accrual").count() == 1


steps = st.lists(
    st.tuples(st.sampled_from(["recover", "reverse", "accrue"]), st.integers(1, 30_000)),
    max_size=10,
)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=steps)
def test_whatever_happens_in_whatever_order_commission_is_that_of_what_is_left(steps):
    bank, house = world.make_bank(), world.make_agency()
    world.join_panel(bank, house)
    portfolio = world.make_portfolio(bank, balances_minor=[10_000_000])
    world.place(bank, house, portfolio, rate_ppm=RATE_PPM)
    with scope(bank.actor("auditor")):
        loan = Loan.objects.get(portfolio=portfolio)
    left: dict = {}
    for step, amount_minor in steps:
        if step == "recover":
            recovery = world.recover(bank, house, loan, amount_minor)
            left[recovery] = amount_minor
        elif step == "reverse" and any(left.values()):
            recovery = next(key for key, value in left.items() if value)
            part_minor = min(amount_minor, left[recovery])
            world.reverse(bank, recovery, part_minor)
            left[recovery] -= part_minor
        else:
            accrue(bank)
    accrue(bank)
    signs = {"accrual": 1, "clawback": -1}
    earned = sum(signs[kind] * amount for kind, _base, amount in entries(bank))
    assert earned == sum(commission.accrued(amount, RATE_PPM) for amount in left.values())
    assert accrue(bank) == 0
