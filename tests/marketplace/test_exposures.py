"""Exposures: for how long a loan was with somebody, and what of its money counts, rule by rule."""

import datetime

import pytest
from django.db import connection

from agencies.scope import scope
from marketplace.models import RankingPolicy
from marketplace.services import exposures, ranking_policies
from marketplace.services.exposures import Question
from portfolios.models import Loan
from portfolios.services import balances, direct_payments, holds, placements, promises, rules
from tests import world

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 3, 2, 17, tzinfo=datetime.UTC)
FIRST = NOON.date()
TERM_DAYS = 366
"""A year, and the day on which it ends at noon."""


def day(number: int) -> datetime.date:
    """The business day so many days after the first."""
    return FIRST + datetime.timedelta(days=number)


class Setting:
    """Two loans of 1,000.00 with one agency from the first day on; the tail is ten days."""

    def __init__(self, clock):
        self.clock = clock
        self.at_day(0)
        self.bank, self.house = world.make_bank("Hudson Bank"), world.make_agency()
        world.join_panel(self.bank, self.house)
        with scope(self.bank.actor("administrator")) as actor:
            rules.change(actor=actor, tail_days=10, reason="As agreed")
        self.portfolio = world.make_portfolio(self.bank, balances_minor=[1000_00, 1000_00])
        self.placement = world.place(self.bank, self.house, self.portfolio)
        with scope(self.bank.actor("auditor")):
            self.loan, self.other = Loan.objects.order_by("reference")

    def at_day(self, number: int) -> None:
        self.clock.set(NOON + datetime.timedelta(days=number))

    def recall(self, *loans: Loan) -> None:
        with scope(self.bank.actor("vendor_manager")) as actor:
            given = {"actor": actor, "placement_id": self.placement.pk, "reason": "Rotation"}
            if loans:
                placements.recall_loans(loan_ids=[loan.pk for loan in loans], **given)
            else:
                placements.recall(**given)

    def promise(self, loan: Loan, due_on: datetime.date) -> None:
        with scope(self.house.actor()) as actor:
            promises.log(actor=actor, loan_id=loan.pk, amount_minor=50_00, due_on=due_on)

    def recover(self, loan: Loan, amount_minor: int, on_day: int, **how):
        return world.recover(self.bank, self.house, loan, amount_minor, value_on=day(on_day), **how)

    def found(self, **changes) -> tuple[list[int], list[tuple]]:
        """(days of each loan, (loan's place, month, cash) of each paid month)."""
        with scope(self.bank.actor("vendor_manager")) as actor:
            policy = ranking_policies.in_force(actor=actor)
            for name, value in changes.items():
                setattr(policy, name, value)
            exposures.find(self.question(policy))
            with connection.cursor() as cursor:
                cursor.execute(
                    "select s.id, s.days from success_spell s"
                    " join portfolios_placedloan p using (id)"
                    " join portfolios_loan l on l.id = p.loan_id order by l.reference"
                )
                rows = cursor.fetchall()
                place = {spell: number for number, (spell, _days) in enumerate(rows)}
                cursor.execute("select spell_id, month, cash_minor from success_month order by 2")
                months = [(place[spell], *rest) for spell, *rest in cursor.fetchall()]
        return [days for _spell, days in rows], sorted(months)

    def question(self, policy: RankingPolicy) -> Question:
        return Question(
            policy=policy, time_zone="America/New_York", currency="USD", at=self.clock.now()
        )


@pytest.fixture
def setting(clock):
    return Setting(clock)


def test_a_loan_is_exposed_from_its_day_on_and_not_on_the_day_that_is_not_over(setting):
    assert setting.found() == ([], [])
    setting.at_day(1)
    assert setting.found() == ([1, 1], [])
    setting.at_day(40)
    assert setting.found() == ([40, 40], [])


def test_days_are_those_of_the_bank(setting):
    setting.clock.set(datetime.datetime(2026, 3, 4, 4, 59, tzinfo=datetime.UTC))
    assert setting.found()[0] == [1, 1]
    setting.clock.set(datetime.datetime(2026, 3, 4, 5, tzinfo=datetime.UTC))
    assert setting.found()[0] == [2, 2]


def test_a_recall_by_the_bank_ends_it_with_its_day(setting):
    setting.at_day(20)
    setting.recall(setting.loan)
    setting.at_day(50)
    assert setting.found()[0] == [21, 50]
    setting.recall()
    setting.at_day(90)
    assert setting.found()[0] == [21, 51]


def test_a_return_by_the_agency_does_not_end_it(setting):
    setting.at_day(20)
    with scope(setting.house.actor()) as actor:
        placements.give_back(
            actor=actor,
            placement_id=setting.placement.pk,
            loan_ids=[setting.loan.pk],
            reason="Cannot be reached",
        )
    setting.at_day(50)
    assert setting.found()[0] == [50, 50]
    setting.at_day(500)
    assert setting.found()[0] == [TERM_DAYS, TERM_DAYS]


def test_a_return_of_everything_runs_to_the_end_of_the_term(setting):
    setting.at_day(20)
    with scope(setting.house.actor()) as actor:
        placements.give_back(
            actor=actor, placement_id=setting.placement.pk, reason="No capacity left"
        )
    setting.at_day(500)
    assert setting.found()[0] == [TERM_DAYS, TERM_DAYS]


def test_a_settled_loan_stays_in_the_denominator(setting):
    setting.recover(setting.loan, 1000_00, 5)
    with scope(setting.bank.actor("vendor_manager")) as actor:
        balances.correct_many(actor=actor, corrections=[balances.Correction(setting.loan.pk, 0)])
    setting.at_day(20)
    setting.recall(setting.loan)
    setting.at_day(70)
    assert setting.found() == ([70, 70], [(0, 0, 1000_00)])


def test_cash_below_the_settlement_floor_is_not_counted(setting):
    setting.recover(setting.loan, 399_99, 5)
    setting.recover(setting.other, 100_00, 5)
    setting.at_day(20)
    with scope(setting.bank.actor("vendor_manager")) as actor:
        hold = holds.open_hold(
            actor=actor, loan_id=setting.loan.pk, kind="settled", reason="Settled for 40 %"
        )
    setting.at_day(30)
    both = [(0, 0, 399_99), (1, 0, 100_00)]
    assert setting.found(settlement_floor_ppm=399_990)[1] == both
    assert setting.found(settlement_floor_ppm=400_000)[1] == [(1, 0, 100_00)]
    # However the spell ends, and only from the day on which the bank said so.
    setting.recall()
    setting.at_day(40)
    assert setting.found(settlement_floor_ppm=400_000)[1] == [(1, 0, 100_00)]
    setting.at_day(20)
    assert setting.found(settlement_floor_ppm=400_000)[1] == both
    setting.at_day(41)
    with scope(setting.bank.actor("vendor_manager")) as actor:
        holds.release(actor=actor, hold_id=hold.pk, reason="It was not settled after all")
    setting.at_day(42)
    assert setting.found(settlement_floor_ppm=400_000)[1] == both


def test_a_promise_in_force_adds_the_tail_to_exposure_and_to_cash(setting):
    setting.at_day(15)
    setting.promise(setting.loan, day(20))
    setting.promise(setting.other, day(19))
    setting.at_day(20)
    setting.recall()
    setting.at_day(60)
    # The promise of the second was due before the recall.
    assert setting.found()[0] == [31, 21]


@pytest.mark.parametrize("is_whole", [True, False])
def test_a_promise_adds_nothing_to_what_runs_on_after_a_return(setting, is_whole):
    setting.at_day(15)
    setting.promise(setting.loan, day(30))
    setting.at_day(20)
    loans = None if is_whole else [setting.loan.pk, setting.other.pk]
    with scope(setting.house.actor()) as actor:
        placements.give_back(
            actor=actor,
            placement_id=setting.placement.pk,
            loan_ids=loans,
            reason="No capacity left",
        )
    setting.at_day(500)
    assert setting.found()[0] == [TERM_DAYS, TERM_DAYS]


def test_the_tail_follows_the_end_of_the_term_too(setting):
    setting.at_day(364)
    setting.promise(setting.loan, day(380))
    setting.at_day(370)
    assert setting.found()[0] == [370, TERM_DAYS]
    setting.at_day(500)
    assert setting.found()[0] == [TERM_DAYS + 10, TERM_DAYS]


def test_only_confirmed_money_counts_and_a_reversal_goes_into_the_month_of_the_payment(setting):
    paid = setting.recover(setting.loan, 300_00, 10)
    setting.recover(setting.loan, 50_00, 29)
    setting.recover(setting.loan, 70_00, 30)
    setting.recover(setting.other, 500_00, 10, confirmed=False)
    setting.at_day(80)
    world.reverse(setting.bank, paid, 100_00)
    setting.at_day(81)
    assert setting.found()[1] == [(0, 0, 250_00), (0, 1, 70_00)]


def test_what_was_learned_later_is_not_known_earlier(setting):
    setting.at_day(10)
    paid = setting.recover(setting.loan, 300_00, 9)
    setting.at_day(11)
    before = setting.found()
    setting.at_day(12)
    world.reverse(setting.bank, paid, 300_00)
    setting.recall()
    setting.at_day(40)
    assert setting.found() == ([13, 13], [(0, 0, 0)])
    setting.at_day(11)
    assert setting.found() == before == ([11, 11], [(0, 0, 300_00)])


def test_money_of_days_on_which_the_loan_was_not_exposed_does_not_count(setting):
    setting.recover(setting.loan, 300_00, 21)
    setting.recover(setting.loan, 10_00, -1)
    setting.at_day(20)
    setting.recall()
    setting.at_day(40)
    assert setting.found() == ([21, 21], [])


def test_direct_payments_count_from_the_fifth_day_on(setting):
    setting.at_day(10)
    paid = [
        direct_payments.Payment(setting.loan.pk, "D-4", 40_00, day(4)),
        direct_payments.Payment(setting.other.pk, "D-5", 50_00, day(5)),
    ]
    with scope(setting.bank.actor("finance_preparer")) as actor:
        made = direct_payments.record_many(actor=actor, payments=paid)
    assert [one.recovery_id is not None for one in made] == [True, True]
    # The bank's own receipts confirm them as any other.
    for payment, loan in zip(made, (setting.loan, setting.other), strict=True):
        world.confirm(setting.bank, payment.recovery, loan)
    setting.at_day(11)
    assert setting.found()[1] == [(1, 0, 50_00)]
    assert setting.found(lead_days=0)[1] == [(0, 0, 40_00), (1, 0, 50_00)]


def test_strata_are_those_of_the_first_day(setting):
    setting.at_day(1)

    def strata() -> list[str]:
        setting.found()
        with scope(setting.bank.actor("vendor_manager")) as actor:
            policy = ranking_policies.in_force(actor=actor)
            exposures.find(setting.question(policy))
            with connection.cursor() as cursor:
                cursor.execute("select distinct stratum from success_spell")
                return [stratum for (stratum,) in cursor.fetchall()]

    before = strata()
    with scope(setting.bank.actor("vendor_manager")):
        Loan.objects.update(balance_minor=9_00, grade="A", days_past_due=4000, product="other")
    assert strata() == before
    assert before[0].startswith("personal loan|")


def test_a_band_begins_at_its_edge_and_a_product_cannot_make_two_of_one(setting):
    setting.at_day(1)
    with scope(setting.bank.actor("vendor_manager")) as actor:
        policy = ranking_policies.in_force(actor=actor)
        policy.strata = [["balance", [999, 1_000, 1_001]], ["score", [600]], ["product", None]]
        exposures.find(setting.question(policy))
        with connection.cursor() as cursor:
            cursor.execute("select distinct stratum from success_spell")
            assert cursor.fetchall() == [("2||personal loan",)]
