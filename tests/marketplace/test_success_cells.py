"""Cells kept in the database: whole numbers, and whatever happened, what counting anew gives."""

import contextlib
import datetime
import random

import numpy as np
import pytest

from agencies.scope import scope
from config import errors
from marketplace.models import SuccessCell
from marketplace.services import ranking_policies, success_books, success_cells
from marketplace.services.exposures import Question
from marketplace.success import cells as cell_tables
from marketplace.success.book import paid
from portfolios.models import Loan, PlacedLoan
from portfolios.services import holds, placements, promises
from tests import world

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 3, 2, 17, tzinfo=datetime.UTC)
BALANCES_MINOR = [400_00, 700_00, 1_200_00, 3_000_00, 9_000_00, 60_000_00]


class Story:
    """Three agencies with two placements each, and whatever chance makes of them, day by day."""

    def __init__(self, clock, seed: int):
        self.clock, self.dice, self.today = clock, random.Random(seed), 0
        clock.set(NOON)
        self.bank = world.make_bank("Hudson Bank")
        self.houses = [world.make_agency() for _each in range(3)]
        for house in self.houses:
            world.join_panel(self.bank, house)
        self.placed = []
        self.recoveries = []

    def place(self, house: world.House) -> None:
        portfolio = world.make_portfolio(self.bank, balances_minor=BALANCES_MINOR)
        placement = world.place(self.bank, house, portfolio)
        with scope(self.bank.actor("auditor")):
            loans = list(Loan.objects.filter(portfolio=portfolio).order_by("reference"))
        self.placed.append((house, placement, loans))

    def pass_day(self, days: int) -> None:
        self.today += days
        self.clock.set(NOON + datetime.timedelta(days=self.today))

    def happen(self) -> None:
        """Somebody pays, promises, is recalled, or has a payment bounce: what can still happen."""
        house, placement, loans = self.dice.choice(self.placed)
        loan, what = self.dice.choice(loans), self.dice.random()
        with contextlib.suppress(errors.DomainError, PlacedLoan.DoesNotExist):
            if what < 0.6:
                self.pay(house, loan)
            elif what < 0.75 and self.recoveries:
                made = self.recoveries.pop(self.dice.randrange(len(self.recoveries)))
                world.reverse(self.bank, made, self.dice.randint(1, made.amount_minor))
            elif what < 0.85:
                self.promise(house, loan)
            else:
                self.recall(placement, loan if what < 0.95 else None)

    def pay(self, house: world.House, loan: Loan) -> None:
        ago = datetime.timedelta(days=self.dice.randint(0, 20))
        made = world.recover(
            self.bank,
            house,
            loan,
            self.dice.randint(1_00, 300_00),
            value_on=(self.clock.now() - ago).date(),
            confirmed=self.dice.random() < 0.8,
        )
        self.recoveries.append(made)

    def promise(self, house: world.House, loan: Loan) -> None:
        due_on = (self.clock.now() + datetime.timedelta(days=9)).date()
        with scope(house.actor()) as actor:
            promises.log(actor=actor, loan_id=loan.pk, amount_minor=50_00, due_on=due_on)

    def recall(self, placement, loan: Loan | None) -> None:
        given = {"placement_id": placement.pk, "reason": "Rotation"}
        with scope(self.bank.actor("vendor_manager")) as actor:
            if loan:
                placements.recall_loans(actor=actor, loan_ids=[loan.pk], **given)
            else:
                placements.recall(actor=actor, **given)

    def question(self, actor) -> Question:
        return Question(
            policy=ranking_policies.in_force(actor=actor),
            time_zone="America/New_York",
            currency="USD",
            at=self.clock.now(),
        )

    def refresh(self) -> int:
        with scope(self.bank.sweep) as actor:
            return success_cells.refresh(actor=actor, question=self.question(actor))

    def kept(self) -> list[tuple]:
        names = [field.attname for field in SuccessCell._meta.concrete_fields]
        with scope(self.bank.actor("auditor")):
            return sorted(SuccessCell.objects.values_list(*names), key=str)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_night_after_night_is_what_counting_everything_gives(clock, seed):
    story = Story(clock, seed)
    for house in story.houses:
        story.place(house)
    for _night in range(12):
        story.pass_day(story.dice.choice((1, 1, 7, 45)))
        for _event in range(4):
            story.happen()
        if story.dice.random() < 0.4:
            story.place(story.dice.choice(story.houses))
        story.refresh()
    kept = story.kept()
    assert len(kept) > 40
    assert any(row[-1] > 0 for row in kept)
    with scope(story.bank.sweep) as actor:
        success_cells.forget(actor=actor, policy=ranking_policies.in_force(actor=actor))
    assert story.kept() == []
    story.refresh()
    assert story.kept() == kept


def test_what_is_over_is_counted_again_only_when_something_is_learned_of_its_money(clock):
    story = Story(clock, 1)
    for house in story.houses[:2]:
        story.place(house)
    _house, placement, loans = story.placed[0]
    paid_to = world.recover(story.bank, story.houses[0], loans[0], 90_00)
    with scope(story.bank.actor("vendor_manager")) as actor:
        placements.recall(actor=actor, placement_id=placement.pk, reason="Rotation")
    story.pass_day(10)
    assert story.refresh() == 2
    # Until the days of a tail have passed, days may be added.
    story.pass_day(1)
    assert story.refresh() == 2
    story.pass_day(100)
    assert story.refresh() == 2
    assert story.refresh() == 1
    world.reverse(story.bank, paid_to, 10_00)
    story.pass_day(1)
    assert story.refresh() == 2
    assert story.refresh() == 1


def test_with_a_settlement_floor_what_the_bank_says_later_is_counted_too(clock):
    story = Story(clock, 1)
    story.place(story.houses[0])
    _house, placement, loans = story.placed[0]
    world.recover(story.bank, story.houses[0], loans[0], 10_00)
    story.pass_day(20)
    with scope(story.bank.actor("vendor_manager")) as actor:
        hold = holds.open_hold(
            actor=actor, loan_id=loans[0].pk, kind="settled", reason="Settled for little"
        )
        placements.recall(actor=actor, placement_id=placement.pk, reason="Rotation")

    def cash_minor() -> int:
        with scope(story.bank.sweep) as actor:
            question = story.question(actor)
            question.policy.settlement_floor_ppm = 500_000
            success_cells.refresh(actor=actor, question=question)
            kept = SuccessCell.objects.values_list("cash_minor", flat=True)
            return sum(kept)

    story.pass_day(100)
    assert cash_minor() == 0
    with scope(story.bank.actor("vendor_manager")) as actor:
        holds.release(actor=actor, hold_id=hold.pk, reason="It was not settled after all")
    story.pass_day(1)
    assert cash_minor() == 10_00


def test_the_database_counts_what_the_engine_counts(clock):
    story = Story(clock, 7)
    for house in story.houses * 2:
        story.place(house)
    for _week in range(10):
        story.pass_day(7)
        for _event in range(6):
            story.happen()
    with scope(story.bank.sweep) as actor:
        question = story.question(actor)
        success_cells.refresh(actor=actor, question=question)
        kept = success_books.read(question, is_kept=True)
        anew = success_books.read(question, is_kept=False)
    assert kept.sha256 == anew.sha256
    doubled = cell_tables.apart(kept.book)
    policy = ranking_policies.engine_policy(question.policy, "USD")
    found = cell_tables.of(doubled, paid(doubled, policy))
    beyond = cell_tables.beyond_cap(doubled, paid(doubled, policy))
    assert kept.counted["payers"].sum() > 10
    np.testing.assert_allclose(found.loan_months, kept.cells.loan_months, rtol=1e-12)
    np.testing.assert_allclose(found.balance_months, kept.cells.balance_months, rtol=1e-12)
    np.testing.assert_array_equal(found.payers, kept.cells.payers)
    np.testing.assert_array_equal(found.payer_balance, kept.cells.payer_balance)
    np.testing.assert_allclose(found.cash + beyond, kept.cells.cash, rtol=1e-12)


def test_a_window_leaves_out_the_months_before_it(clock):
    story = Story(clock, 1)
    for house in story.houses:
        story.place(house)
    story.pass_day(130)
    with scope(story.bank.sweep) as actor:
        question = story.question(actor)
        question.policy.window_months = 3
        found = success_books.read(question, is_kept=False)
    # 130 days less 90: months on book 0 and 1 began before.
    assert sorted(set(found.counted["month"])) == [2, 3, 4]
    assert found.counted["loan_days"].sum() == 18 * (130 - 60)
    assert set(found.book.starts) == {2.0}


def test_only_the_bank_counts(clock):
    story = Story(clock, 1)
    story.place(story.houses[0])
    story.pass_day(3)
    with scope(story.bank.sweep) as actor:
        question = story.question(actor)
    with scope(story.houses[0].actor()) as actor, pytest.raises(errors.NotAllowed):
        success_cells.refresh(actor=actor, question=question)
    with scope(story.bank.actor("auditor")) as actor, pytest.raises(errors.NotAllowed):
        success_cells.forget(actor=actor, policy=question.policy)
    assert story.kept() == []
