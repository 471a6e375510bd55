"""Direct payments and tails: for whom money counts that the bank itself received, or late."""

import datetime

import pytest

from agencies.scope import scope
from config import errors
from payouts.models import CommissionEntry
from payouts.services import commissions
from portfolios.models import DirectPayment, LateReceipt, Loan, PlacementChange, Recovery
from portfolios.services import (
    direct_payments,
    late_receipts,
    placements,
    promises,
    receipts,
    rules,
)
from tests import world

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 3, 12, 17, tzinfo=datetime.UTC)
DAY = datetime.timedelta(days=1)
TODAY = NOON.date()


class Setting:
    """A loan of 100.00 with an agency; the tail is ten days."""

    def __init__(self, clock):
        clock.set(NOON)
        self.clock = clock
        self.bank, self.house = world.make_bank(), world.make_agency()
        world.join_panel(self.bank, self.house)
        with scope(self.bank.actor("administrator")) as actor:
            rules.change(actor=actor, tail_days=10, reason="As agreed")
        self.portfolio = world.make_portfolio(self.bank, balances_minor=[100_00])
        self.placement = world.place(self.bank, self.house, self.portfolio, rate_ppm=200_000)
        with scope(self.bank.actor("auditor")):
            self.loan = Loan.objects.get()

    def promise(self, due_on):
        with scope(self.house.actor()) as actor:
            promises.log(actor=actor, loan_id=self.loan.pk, amount_minor=50_00, due_on=due_on)

    def recall(self):
        with scope(self.bank.actor("vendor_manager")) as actor:
            placements.recall(actor=actor, placement_id=self.placement.pk, reason="Rotation")

    def pay(self, value_on, amount_minor=40_00, reference="D-1"):
        payment = direct_payments.Payment(self.loan.pk, reference, amount_minor, value_on)
        with scope(self.bank.actor("finance_preparer")) as actor:
            return direct_payments.record_many(actor=actor, payments=[payment])

    def counted(self) -> list[tuple]:
        """(agency, amount, above the balance) of what counts for somebody."""
        with scope(self.bank.actor("auditor")):
            rows = Recovery.objects.order_by("logged_at", "pk")
            return list(rows.values_list("agency", "amount_minor", "is_above_balance"))

    def send_late(self, value_on) -> LateReceipt:
        with scope(self.house.actor()) as actor:
            return late_receipts.submit(
                actor=actor,
                institution_id=self.bank.institution.pk,
                loan_reference=self.loan.reference,
                reference="T-1",
                amount_minor=40_00,
                currency="USD",
                value_on=value_on,
            )

    def accept(self, late):
        with scope(self.bank.actor("finance_preparer")) as actor:
            return late_receipts.decide(
                actor=actor, late_receipt_id=late.pk, accept=True, reason="Seen on the account"
            )


@pytest.fixture
def setting(clock):
    return Setting(clock)


def test_a_payment_to_the_bank_counts_for_the_holder_and_is_told(setting):
    (made,) = setting.pay(TODAY)
    assert made.recovery is not None
    assert setting.counted() == [(setting.house.agency.pk, 40_00, False)]
    with scope(setting.house.actor()):
        told = PlacementChange.objects.get(kind="direct_payment")
        assert (told.amount_minor, told.due_on, told.note) == (40_00, TODAY, "D-1")
        reference = f"{setting.bank.institution.slug}:D-1"
        assert Recovery.objects.get().reference == reference
    assert setting.pay(TODAY) == []  # the same reference counts once
    setting.pay(TODAY, amount_minor=61_00, reference="D-2")
    assert setting.counted()[1:] == [(setting.house.agency.pk, 61_00, True)]


def test_within_the_tail_of_a_promise_it_earns_commission_for_the_former_agency(setting):
    setting.promise(TODAY + 5 * DAY)
    setting.recall()
    setting.clock.set(NOON + 10 * DAY)
    setting.pay(TODAY + 10 * DAY)
    assert setting.counted() == [(setting.house.agency.pk, 40_00, False)]
    content = (
        "receipt_reference,loan_reference,amount,currency,value_date\n"
        f"B-1,{setting.loan.reference},40,USD,{TODAY + 10 * DAY}\n"
    )
    with scope(setting.bank.actor("finance_preparer")) as actor:
        assert receipts.confirm(actor=actor, file_name="a", content=content.encode()).matched == 1
        assert commissions.accrue(actor=actor) == 1
        assert CommissionEntry.objects.get().amount_minor == 8_00
    with scope(setting.house.actor()):
        assert not PlacementChange.objects.filter(kind="direct_payment").exists()
        assert not Loan.objects.exists()


@pytest.mark.parametrize(
    ("promised", "recalled", "paid"),
    [
        (None, 0, 1),  # no promise
        (1, 2, 5),  # a promise that was broken before the end
        (5, 0, 11),  # a day too late
    ],
)
def test_outside_the_tail_it_counts_for_nobody(setting, promised, recalled, paid):
    if promised is not None:
        setting.promise(TODAY + promised * DAY)
    setting.clock.set(NOON + recalled * DAY)
    setting.recall()
    setting.clock.set(NOON + paid * DAY)
    (made,) = setting.pay(TODAY + paid * DAY)
    assert (made.recovery, setting.counted()) == (None, [])


def test_the_tail_goes_before_the_next_holder_and_without_one_the_holder_has_it(setting):
    setting.promise(TODAY + 5 * DAY)
    setting.recall()
    following = world.make_agency()
    world.join_panel(setting.bank, following)
    setting.clock.set(NOON + DAY)
    world.place(setting.bank, following, setting.portfolio)
    setting.clock.set(NOON + 12 * DAY)
    setting.pay(TODAY + 9 * DAY)
    setting.pay(TODAY + 12 * DAY, reference="D-2")
    assert setting.counted() == [
        (setting.house.agency.pk, 40_00, False),
        (following.agency.pk, 40_00, False),
    ]


def test_a_late_receipt_is_accepted_within_the_tail_alone(setting):
    setting.promise(TODAY + 5 * DAY)
    setting.recall()
    setting.clock.set(NOON + 20 * DAY)
    late = setting.send_late(TODAY + 11 * DAY)
    with pytest.raises(errors.InvalidState, match="AFTER_THE_TAIL"):
        setting.accept(late)
    assert setting.counted() == []


def test_a_late_receipt_on_the_last_day_of_the_tail_counts(setting):
    setting.promise(TODAY + 5 * DAY)
    setting.recall()
    setting.clock.set(NOON + 20 * DAY)
    assert setting.accept(setting.send_late(TODAY + 10 * DAY)).state == "accepted"
    assert setting.counted() == [(setting.house.agency.pk, 40_00, False)]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"amount_minor": 0}, "NOT_POSITIVE"),
        ({"reference": " "}, "REQUIRED"),
        ({"value_on": TODAY + DAY}, "FUTURE_DATE"),
    ],
)
def test_payments_are_recorded_all_or_none(setting, change, code):
    good = {"reference": "D-1", "amount_minor": 1, "value_on": TODAY}
    rows = [good, good | {"reference": "D-2"} | change]
    payments = [direct_payments.Payment(loan_id=setting.loan.pk, **row) for row in rows]
    with scope(setting.bank.actor("finance_preparer")) as actor:
        with pytest.raises(errors.InvalidInput, match=code) as refused:
            direct_payments.record_many(actor=actor, payments=payments)
        assert refused.value.row == 2
        assert not DirectPayment.objects.exists()
    with scope(setting.house.actor()) as actor, pytest.raises(errors.NotAllowed):
        direct_payments.record_many(actor=actor, payments=payments[:1])
