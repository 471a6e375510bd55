"""Statements: what is on them, who signs them, and what a second person cannot be talked into."""

import datetime

import pytest

from agencies import actors
from agencies.models import User
from agencies.scope import scope
from config import errors
from payouts.models import Payout, Statement, StatementLine
from payouts.services import statements
from portfolios.models import Loan, Recovery
from portfolios.services import placements
from tests import world

pytestmark = pytest.mark.django_db

MARCH = datetime.date(2026, 3, 1)
APRIL = datetime.date(2026, 4, 1)
IN_MARCH = datetime.datetime(2026, 3, 20, 12, tzinfo=datetime.UTC)
# New York is four hours behind UTC at the end of March.
LAST_SECOND = datetime.datetime(2026, 4, 1, 3, 59, 59, tzinfo=datetime.UTC)
MARCH_IS_OVER = datetime.datetime(2026, 4, 1, 4, tzinfo=datetime.UTC)


@pytest.fixture
def books(clock):
    """In March an agency recovered 400.00 and 100.01 at 20 %, of which 100.00 came back."""
    clock.set(IN_MARCH)
    bank, house = world.make_bank(), world.make_agency()
    world.join_panel(bank, house)
    portfolio = world.make_portfolio(bank, balances_minor=[1_000_00, 500_00])
    placement = world.place(bank, house, portfolio, rate_ppm=200_000)
    with scope(bank.actor("auditor")):
        first, second = Loan.objects.order_by("reference")
    recovery = world.recover(bank, house, first, 400_00, reference="A-1")
    world.recover(bank, house, second, 100_01, reference="A-2")
    world.reverse(bank, recovery, 100_00)
    with scope(bank.sweep) as actor:
        statements.commissions.accrue(actor=actor)
    return bank, house, placement, clock


def prepare(bank, starts_on=MARCH):
    with scope(bank.actor("finance_preparer")) as actor:
        return statements.prepare(actor=actor, starts_on=starts_on)


def submitted(bank) -> Statement:
    (statement,) = prepare(bank)
    with scope(bank.actor("finance_preparer")) as actor:
        return statements.submit(actor=actor, statement_id=statement.pk)


def test_a_statement_holds_every_entry_of_the_month_and_adds_up(books):
    bank, _house, _placement, clock = books
    clock.set(MARCH_IS_OVER)
    (statement,) = prepare(bank)
    # 80.00 − 20.00 + round(20.002)
    assert (statement.total_minor, statement.line_count) == (80_00, 3)
    with scope(bank.actor("auditor")):
        lines = StatementLine.objects.order_by("reference", "kind")
        assert list(lines.values_list("kind", "base_minor", "rate_ppm", "amount_minor")) == [
            ("accrual", 400_00, 200_000, 80_00),
            ("accrual", 100_01, 200_000, 20_00),
            ("clawback", 100_00, 200_000, 20_00),
        ]
    assert prepare(bank) == []


def test_a_month_ends_in_the_banks_own_time_zone(books):
    bank, _house, _placement, clock = books
    clock.set(LAST_SECOND)
    with pytest.raises(errors.InvalidInput) as early:
        prepare(bank)
    assert early.value.code == "MONTH_NOT_OVER"
    clock.set(MARCH_IS_OVER)
    assert len(prepare(bank)) == 1


@pytest.mark.parametrize("day", [datetime.date(2026, 3, 2), datetime.date(2026, 3, 31)])
def test_a_month_starts_on_its_first_day(books, day):
    bank, _house, _placement, _clock = books
    with pytest.raises(errors.InvalidInput) as refusal:
        prepare(bank, day)
    assert refusal.value.code == "NOT_A_MONTH"


def test_what_comes_to_less_than_nothing_is_carried_into_the_next_month(books):
    bank, house, _placement, clock = books
    clock.set(MARCH_IS_OVER)
    prepare(bank)
    with scope(bank.actor("auditor")):
        loan = Loan.objects.order_by("reference").first()
        recovery = Recovery.objects.get(reference="A-1")
    world.reverse(bank, recovery, 300_00)
    clock.set(datetime.datetime(2026, 5, 2, tzinfo=datetime.UTC))
    with scope(bank.actor("finance_preparer")) as actor:
        statements.commissions.accrue(actor=actor)
    assert prepare(bank, APRIL) == []
    with scope(bank.actor("auditor")) as actor:
        (carried,) = statements.carried_forward(actor, MARCH_IS_OVER.replace(year=2027))
        assert (carried["total"], carried["entries"]) == (-60_00, 1)
    world.recover(bank, house, loan, 500_00, reference="A-3")
    clock.set(datetime.datetime(2026, 6, 2, tzinfo=datetime.UTC))
    # The entry of 2 June belongs to June; May has nothing more to state than April had.
    assert prepare(bank, datetime.date(2026, 5, 1)) == []
    clock.set(datetime.datetime(2026, 7, 2, tzinfo=datetime.UTC))
    (june,) = prepare(bank, datetime.date(2026, 6, 1))
    assert (june.total_minor, june.line_count) == (40_00, 2)


def test_the_preparer_cannot_approve_and_nothing_changes(books):
    bank, _house, _placement, clock = books
    clock.set(MARCH_IS_OVER)
    statement = submitted(bank)
    preparer = bank.users["finance_preparer"]
    with scope(bank.actor("finance_preparer")) as actor:
        with pytest.raises(errors.NotAllowed) as role:
            statements.approve(actor=actor, statement_id=statement.pk)
        assert role.value.code == "NOT_ALLOWED"
        # The same person, made an approver meanwhile, is refused for being the same person.
        User.objects.filter(pk=preparer.pk).update(role="finance_approver")
    promoted = actors.for_user(
        User(
            **{f: getattr(preparer, f) for f in ("id", "name")},
            role="finance_approver",
            institution_id=bank.institution.pk,
        )
    )
    with scope(promoted) as actor:
        with pytest.raises(errors.NotAllowed) as same:
            statements.approve(actor=actor, statement_id=statement.pk)
        assert same.value.code == "SAME_PERSON"
        assert Statement.objects.get().state == "submitted"
        assert not Payout.objects.exists()


def test_approval_makes_one_payout_of_the_exact_amount(books):
    bank, house, _placement, clock = books
    clock.set(MARCH_IS_OVER)
    statement = submitted(bank)
    with scope(house.actor()):
        assert not Statement.objects.exists()
        assert not StatementLine.objects.exists()
    with scope(bank.actor("finance_approver")) as actor:
        payout = statements.approve(actor=actor, statement_id=statement.pk)
        assert (payout.amount_minor, payout.currency, payout.state) == (80_00, "USD", "approved")
        with pytest.raises(errors.InvalidState):
            statements.approve(actor=actor, statement_id=statement.pk)
        assert Payout.objects.count() == 1
    with scope(house.actor()):
        assert Statement.objects.get().total_minor == 80_00


def test_an_agency_keeps_its_statement_lines_after_a_recall(books):
    bank, house, placement, clock = books
    clock.set(MARCH_IS_OVER)
    statement = submitted(bank)
    with scope(bank.actor("finance_approver")) as actor:
        statements.approve(actor=actor, statement_id=statement.pk)
    with scope(bank.actor("vendor_manager")) as actor:
        placements.recall(actor=actor, placement_id=placement.pk, reason="Portfolio sold")
    with scope(house.actor()):
        assert not Loan.objects.exists()
        lines = StatementLine.objects.values_list("reference", "amount_minor")
        reversal = StatementLine.objects.get(kind="clawback").reference
        assert set(lines) == {("A-1", 80_00), ("A-2", 20_00), (reversal, 20_00)}


def test_a_total_that_changed_after_submission_is_not_approved(books):
    bank, _house, _placement, clock = books
    clock.set(MARCH_IS_OVER)
    statement = submitted(bank)
    # The application cannot change a line; somebody at the database could.
    with scope(bank.actor("finance_approver")) as actor:
        Statement.objects.filter(pk=statement.pk).update(total_minor=90_00)
        with pytest.raises(errors.InvalidState) as refusal:
            statements.approve(actor=actor, statement_id=statement.pk)
        assert refusal.value.code == "CHANGED"
        assert not Payout.objects.exists()


def test_a_statement_sent_back_can_be_discarded_and_made_again(books):
    bank, _house, _placement, clock = books
    clock.set(MARCH_IS_OVER)
    statement = submitted(bank)
    with scope(bank.actor("finance_approver")) as actor:
        statements.send_back(actor=actor, statement_id=statement.pk, reason="Wrong month")
    with scope(bank.actor("finance_preparer")) as actor:
        statements.discard(actor=actor, statement_id=statement.pk, reason="Made again")
        assert not StatementLine.objects.exists()
    (again,) = prepare(bank)
    assert again.total_minor == 80_00


def test_another_bank_cannot_touch_a_statement(books):
    bank, _house, _placement, clock = books
    clock.set(MARCH_IS_OVER)
    statement = submitted(bank)
    stranger = world.make_bank().actor("finance_approver")
    with scope(stranger), pytest.raises(errors.NotFound):
        statements.approve(actor=stranger, statement_id=statement.pk)
    with scope(bank.actor("auditor")):
        assert Statement.objects.get().state == "submitted"
