"""Promises kept and broken, and plans that are alive."""

import datetime
import random

import pytest

from agencies.scope import scope
from portfolios.models import PlacedLoan, Placement
from portfolios.selectors import coverage, keeping
from portfolios.selectors.keeping import Keeping
from portfolios.services import placements
from tests import world
from tests.portfolios import working
from tests.portfolios.working import at, pay, promise, seen

pytestmark = pytest.mark.django_db

PLACED, TODAY = "2026-01-05", "2026-03-02"
DAY = datetime.timedelta(days=1)


@pytest.fixture(autouse=True)
def time(clock):
    """Loans are placed in January; it is the second of March once the work is done."""
    clock.set(at(PLACED))
    return clock


def keeping_of(actor) -> Keeping:
    return sum(seen(actor, keeping.kept).values(), Keeping())


def test_promises_are_kept_broken_or_open(bank, house, time):
    loans = working.loans(bank, house, *[100_00] * 6)
    in_time, late, too_little, before, reversed_, waiting = loans
    for loan in loans:
        due = "2026-02-27" if loan is waiting else "2026-01-20"
        promise(house, loan, 10_00, due, logged="2026-01-12")
    pay(bank, house, in_time, 4_00, "2026-01-12")
    pay(bank, house, in_time, 6_00, "2026-01-23")  # the last day of grace
    pay(bank, house, late, 10_00, "2026-01-24")
    pay(bank, house, too_little, 9_99, "2026-01-15")
    pay(bank, house, before, 10_00, "2026-01-11")
    world.reverse(bank, pay(bank, house, reversed_, 10_00, "2026-01-15"), 1)
    time.set(at(TODAY))  # the last day of grace of the one that waits
    assert keeping_of(bank.actor("auditor")) == Keeping(1, 4, 1)
    assert keeping_of(bank.actor("auditor")).kept_ppm == 200_000
    time.set(at(TODAY) + DAY)
    assert keeping_of(bank.actor("auditor")) == Keeping(1, 5, 0)


def test_money_serves_one_promise_the_earliest_due_first(bank, house, time):
    twice, partly, ahead, passed = working.loans(bank, house, *[100_00] * 4)
    # 10.00 cannot keep two promises of as much.
    for due in ("2026-01-21", "2026-01-20"):
        promise(house, twice, 10_00, due, logged="2026-01-12")
    pay(bank, house, twice, 10_00, "2026-01-15")
    # What a broken promise got is used up; what comes later serves the next.
    promise(house, partly, 10_00, "2026-01-15", logged="2026-01-12")
    promise(house, partly, 10_00, "2026-02-15", logged="2026-01-12")
    pay(bank, house, partly, 6_00, "2026-01-15")
    pay(bank, house, partly, 10_00, "2026-02-10")
    # Paid ahead: what is left of one payment serves the next promise.
    promise(house, ahead, 10_00, "2026-01-15", logged="2026-01-12")
    promise(house, ahead, 10_00, "2026-02-15", logged="2026-01-12")
    pay(bank, house, ahead, 20_00, "2026-01-14")
    # Money from before a promise was made does not keep it.
    promise(house, passed, 10_00, "2026-01-15", logged="2026-01-12")
    pay(bank, house, passed, 20_00, "2026-01-14")
    promise(house, passed, 10_00, "2026-02-15", logged="2026-01-20")
    time.set(at(TODAY))
    counts = seen(bank.actor("auditor"), keeping.kept)
    assert counts == {house.agency.pk: Keeping(5, 3)}


def walk(promises: list[tuple], payments: list[tuple]) -> int:
    """How many promises (logged, due, amount) payments (day, amount) keep, walked in Python."""
    payments, kept, used = sorted(payments), 0, 0
    for logged, due, amount in sorted(promises, key=lambda one: (one[1], one[0])):
        begins = max(used, sum(paid for day, paid in payments if day < logged))
        limit = sum(paid for day, paid in payments if day <= due + 3 * DAY)
        kept += begins + amount <= limit
        used = min(begins + amount, limit)
    return kept


def test_the_statement_keeps_what_a_walk_keeps(bank, house, time):
    """The law behind the window functions, over forty loans with random promises and payments."""
    chance = random.Random(20260302)
    start = datetime.date(2026, 1, 5)
    expected = promised = 0
    for loan in working.loans(bank, house, *[100_00] * 40):
        promises, payments = [], []
        for _number in range(chance.randint(1, 6)):
            logged = start + chance.randint(0, 20) * DAY
            # One amount a loan and day of logging would not tell which of two came first.
            one = (logged, logged + chance.randint(0, 15) * DAY, chance.randint(1, 9) * 1_00)
            if one[:2] not in [known[:2] for known in promises]:
                promises.append(one)
        for _number in range(chance.randint(0, 6)):
            payments.append((start + chance.randint(0, 40) * DAY, chance.randint(1, 9) * 1_00))
        for logged, due, amount in promises:
            promise(house, loan, amount, due.isoformat(), logged=logged.isoformat())
        for day, amount in payments:
            pay(bank, house, loan, amount, day.isoformat())
        expected += walk(promises, payments)
        promised += len(promises)
    time.set(at(TODAY))
    found = keeping_of(bank.actor("auditor"))
    assert (found.kept_count, found.broken_count) == (expected, promised - expected)
    assert 20 < expected < promised - 20


def test_plans_that_are_kept_count_and_signed_ones_do_not(bank, house, time):
    kept, broken, two_days, late = working.loans(bank, house, *[900_00] * 4)
    months = [f"2026-{month:02}-10" for month in range(2, 9)]
    for loan in (kept, broken):
        for due in months:
            promise(house, loan, 10_00, due, logged=PLACED)
    for due in ("2026-02-10", "2026-02-10", "2026-03-10"):
        promise(house, two_days, 1_00, due, logged=PLACED)
    for due in months[3:6]:
        promise(house, late, 10_00, due, logged=PLACED)
    for due in months:
        pay(bank, house, kept, 10_00, due)
    for due in months[:4]:  # to the tenth of May, three months after the first
        pay(bank, house, broken, 10_00, due)
    time.set(at("2026-05-13"))
    reader = bank.actor("auditor")
    signed = keeping_of(reader)
    assert (signed.plan_count, signed.due_after_three_count) == (3, 0)
    time.set(at("2026-05-14"))
    third = keeping_of(reader)
    assert (third.due_after_three_count, third.alive_after_three_count) == (2, 2)
    assert third.due_after_six_count == 0
    time.set(at("2026-08-14"))
    sixth = keeping_of(reader)
    assert (sixth.due_after_three_count, sixth.alive_after_three_count) == (3, 2)
    assert (sixth.due_after_six_count, sixth.alive_after_six_count) == (2, 1)
    assert (sixth.alive_after_three_ppm, sixth.alive_after_six_ppm) == (666_667, 500_000)


def test_what_a_recall_took_away_is_neither_kept_nor_broken(bank, house, time):
    (loan,) = working.loans(bank, house, 100_00)
    for due in ("2026-01-10", "2026-02-16", "2026-02-17"):
        promise(house, loan, 10_00, due, logged=PLACED)
    time.set(at("2026-01-20"))
    with scope(bank.actor("vendor_manager")) as actor:
        spell = PlacedLoan.objects.get()
        placements.recall(actor=actor, placement_id=spell.placement_id, reason="Rotation")
        assert Placement.objects.get().tail_days == 30
    time.set(at("2026-12-01"))
    # To the 19th of February, with its tail, money still counted for the spell.
    assert keeping_of(bank.actor("auditor")) == Keeping(0, 2, 0, 1, plan_count=1)
    assert seen(bank.actor("auditor"), coverage.covered) == {}
