"""A law of money: in whatever order reports, reversals and receipts come, the sums are the same."""

import itertools

import pytest
from django.db.models import Q
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agencies.scope import scope
from config import clock as clocks
from portfolios.models import PlacedLoan
from portfolios.selectors import confirmed_net_minor
from portfolios.services import receipts, recoveries, reversals
from tests import world

pytestmark = pytest.mark.django_db

BALANCE_MINOR = 1_000_00
PAYMENT = st.tuples(
    st.integers(1, 300_00),  # amount, made different by the payment's number
    st.lists(st.integers(1, 100_00), max_size=3),  # asked back, in parts
    st.booleans(),  # whether a receipt comes
)
_keys = itertools.count(1)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(payments=st.lists(PAYMENT, min_size=1, max_size=4), random=st.randoms(use_true_random=False))
def test_the_order_of_events_does_not_change_the_sums(payments, random):
    bank, house = world.make_bank(), world.make_agency()
    world.join_panel(bank, house)
    placement = world.place(bank, house, world.make_portfolio(bank, balances_minor=[BALANCE_MINOR]))
    with scope(bank.actor("auditor")):
        spell = PlacedLoan.objects.select_related("loan").get(placement=placement)
    events, left, net = [], BALANCE_MINOR, 0
    for number, (amount, parts, has_receipt) in enumerate(payments):
        amount_minor = amount * 10 + number
        back = _possible(parts, amount_minor)
        left -= amount_minor - sum(back)
        net += (amount_minor - sum(back)) * has_receipt
        events.append(_events(number, amount_minor, back, has_receipt))
    for kind, *about in _interleaved(events, random):
        _do(bank, house, spell.loan.reference, kind, *about)
    with scope(bank.sweep) as sweep:
        receipts.rematch(actor=sweep)
        assert confirmed_net_minor(Q(spell=spell)) == net
        assert recoveries.left_minor([spell])[spell.pk] == left


def _possible(parts, amount_minor):
    """The parts that can be taken back, one after another."""
    taken = []
    for part in parts:
        if sum(taken) + part <= amount_minor:
            taken.append(part)
    return taken


def _events(number, amount_minor, back, has_receipt):
    """Two sequences: what the agency does with the payment, and its receipt."""
    own = [("report", number, amount_minor)]
    own += [("reverse", number, place, part) for place, part in enumerate(back)]
    return [own, [("receipt", number, amount_minor)] if has_receipt else []]


def _interleaved(events, random):
    waiting = [list(sequence) for pair in events for sequence in pair if sequence]
    while waiting:
        sequence = random.choice(waiting)
        yield sequence.pop(0)
        waiting = [sequence for sequence in waiting if sequence]


def _do(bank, house, loan, kind, number, figure, part=None):
    today = clocks.business_date("America/New_York")
    if kind == "receipt":
        content = (
            "receipt_reference,loan_reference,amount,currency,value_date\n"
            f"B-{number},{loan},{figure / 100:.2f},USD,{today}\n"
        )
        with scope(bank.actor("finance_preparer")) as actor:
            receipts.confirm(actor=actor, file_name="a.csv", content=content.encode())
        return
    with scope(house.actor()) as actor:
        if kind == "report":
            row = {
                "loan_reference": loan,
                "reference": f"P-{number}",
                "amount_minor": figure,
                "value_on": today,
                "channel": "cash",
            }
            recoveries.log(actor=actor, idempotency_key=str(next(_keys)), rows=[row])
        else:
            reversals.reverse(
                actor=actor,
                reference=f"P-{number}",
                reversal_reference=f"R-{number}-{figure}",
                amount_minor=part,
                reason="Returned",
            )
