"""Which of the loans that are held were touched lately, and whether only the large ones."""

import datetime

import pytest

from agencies.scope import scope
from portfolios.selectors import coverage
from portfolios.selectors.coverage import Coverage, Leaning
from portfolios.services import holds
from tests.portfolios import working
from tests.portfolios.working import at, contact, seen

pytestmark = pytest.mark.django_db

PLACED, TODAY = "2026-01-05", "2026-03-02"
DAY = datetime.timedelta(days=1)


@pytest.fixture(autouse=True)
def time(clock):
    """Loans are placed in January; it is the second of March once the work is done."""
    clock.set(at(PLACED))
    return clock


def test_coverage_counts_loans_that_are_held_now(bank, house, time):
    loans = working.loans(bank, house, *[100_00 * number for number in range(1, 6)])
    for loan, day in zip(
        loans, ("2026-02-23", "2026-02-22", "2026-01-31", "2026-01-30"), strict=False
    ):
        contact(house, loan, "notice", day)
    time.set(at(TODAY))
    # 7, 8, 30 and 31 days ago; the fifth never since its placement 56 days ago.
    assert seen(bank.actor("auditor"), coverage.covered) == {
        house.agency.pk: Coverage(5, 1, 3, 56, upper_count=2, upper_long_count=0)
    }
    with scope(bank.actor("compliance_officer")) as actor:
        holds.open_hold(actor=actor, loan_id=loans[4].pk, kind="dispute", reason="Disputed")
    found = seen(bank.actor("auditor"), coverage.covered)[house.agency.pk]
    # Of the four that are left, the two above the median of 200.00: touched 30 and 31 days ago.
    assert found == Coverage(4, 1, 3, 31, upper_count=2, upper_long_count=1, on_hold_count=1)
    assert (found.short_ppm, found.long_ppm) == (250_000, 750_000)
    assert (found.upper_ppm, found.lower_ppm) == (500_000, 1_000_000)


@pytest.mark.parametrize(
    ("upper", "lower", "leaning"),
    [
        ((9, 9), (10, 0), Leaning.TOO_FEW),
        ((10, 7), (10, 3), Leaning.EVEN),  # 0.4 apart, chance reaches 0.44
        ((10, 8), (10, 3), Leaning.LARGE),  # 0.5 apart
        ((10, 5), (10, 0), Leaning.ONLY_LARGE),
        ((10, 3), (10, 8), Leaning.SMALL),
        ((10, 10), (10, 10), Leaning.EVEN),
    ],
)
def test_halves_differ_only_beyond_chance(upper, lower, leaning):
    figures = Coverage(
        loan_count=upper[0] + lower[0],
        long_count=upper[1] + lower[1],
        upper_count=upper[0],
        upper_long_count=upper[1],
    )
    assert figures.leaning is leaning
