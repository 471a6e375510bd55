"""What each measure brought, which promises and plans were kept, and which loans were touched."""

import datetime
import random

import pytest

from agencies.scope import scope
from portfolios.models import Contact, PlacedLoan, Placement, Promise
from portfolios.selectors import coverage, keeping, means, observed_work
from portfolios.selectors.coverage import Coverage, Leaning
from portfolios.selectors.keeping import Keeping
from portfolios.selectors.means import Brought, Means
from portfolios.services import holds, placements
from tests import world
from tests.portfolios import over_http, working
from tests.portfolios.working import at, contact, pay, promise

pytestmark = pytest.mark.django_db

PLACED, TODAY = "2026-01-05", "2026-03-02"
DAY = datetime.timedelta(days=1)


@pytest.fixture(autouse=True)
def time(clock):
    """Loans are placed in January; it is the second of March once the work is done."""
    clock.set(at(PLACED))
    return clock


@pytest.fixture
def rival(bank):
    made = world.make_agency("Rival Recoveries")
    world.join_panel(bank, made)
    return made


def seen(actor, figures):
    """What a selector answers for the one bank and currency that the actor sees."""
    with scope(actor):
        (field,) = observed_work(actor)
        return figures(field)


def measured(actor) -> dict[Means, Brought]:
    return seen(actor, lambda field: means.summed(means.brought(field), lambda cell: cell.means))


def test_a_payment_is_put_down_to_the_last_contact_of_thirty_days(bank, house, time):
    first, second, third = working.loans(bank, house, 100_00, 200_00, 400_00)
    contact(house, first, "notice", "2026-01-10")
    contact(house, first, "negotiation", "2026-01-21T03:00")  # still the 20th in New York
    pay(bank, house, first, 50_00, "2026-01-20")
    contact(house, second, "visit", "2026-01-10")
    pay(bank, house, second, 30_00, "2026-02-09")  # 30 days
    pay(bank, house, second, 10_00, "2026-02-10")  # 31 days
    pay(bank, house, third, 20_00, "2026-01-09")
    contact(house, third, "litigation", "2026-01-10")
    time.set(at(TODAY))
    assert measured(bank.actor("auditor")) == {
        Means.NOTICE: Brought(1, 100_00, 0, 0),
        Means.NEGOTIATION: Brought(1, 100_00, 1, 50_00),
        Means.VISIT: Brought(1, 200_00, 1, 30_00),
        Means.LITIGATION: Brought(1, 400_00, 0, 0),
        Means.NONE: Brought(0, 0, 2, 30_00),
    }
    rates = {key: one.rate_ppm for key, one in measured(bank.actor("auditor")).items()}
    assert (rates[Means.NEGOTIATION], rates[Means.VISIT], rates[Means.NONE]) == (
        500_000,
        150_000,
        None,
    )


def test_only_confirmed_money_counts_less_what_was_taken_back(bank, house, time):
    first, second, third = working.loans(bank, house, 100_00, 100_00, 100_00)
    for loan in (first, second, third):
        contact(house, loan, "notice", "2026-01-10")
    pay(bank, house, first, 50_00, "2026-01-12", confirmed=False)
    world.reverse(bank, pay(bank, house, second, 40_00, "2026-01-12"), 15_00)
    world.reverse(bank, pay(bank, house, third, 40_00, "2026-01-12"), 40_00)
    assert measured(bank.actor("auditor")) == {Means.NOTICE: Brought(3, 300_00, 1, 25_00)}


def test_stages_are_bands_of_the_days_past_due_at_placement(bank, house, rival, time):
    young, old = working.loans(bank, house, 100_00, 200_00, ages=(29, 365))
    (other,) = working.loans(bank, rival, 300_00, ages=(365,))
    for loan, worker in ((young, house), (old, house), (other, rival)):
        contact(worker, loan, "notice", "2026-01-10")
    pay(bank, rival, other, 60_00, "2026-01-12")
    cells = seen(bank.actor("vendor_manager"), means.brought)
    by_stage = means.summed(cells, lambda cell: means.stage_limits(cell.stage))
    assert by_stage == {
        (0, 30): Brought(1, 100_00, 0, 0),
        (365, 730): Brought(2, 500_00, 1, 60_00),
    }
    by_agency = means.summed(cells, lambda cell: cell.agency_id)
    assert by_agency == {
        house.agency.pk: Brought(2, 300_00, 0, 0),
        rival.agency.pk: Brought(1, 300_00, 1, 60_00),
    }


def test_while_a_plan_runs_its_payments_are_the_plans(bank, house, time):
    (loan, other) = working.loans(bank, house, 900_00, 900_00)
    contact(house, loan, "negotiation", "2026-01-10")
    for due in ("2026-01-20", "2026-02-20"):
        promise(house, loan, 10_00, due, logged="2026-01-10")
        promise(house, other, 10_00, due, logged="2026-01-10")
    promise(house, loan, 10_00, "2026-02-25", logged="2026-01-15")
    pay(bank, house, loan, 1_00, "2026-01-14")  # two days are no plan yet
    pay(bank, house, loan, 2_00, "2026-01-15")
    pay(bank, house, loan, 4_00, "2026-02-28")  # within the grace after the last
    pay(bank, house, loan, 8_00, "2026-03-01")
    pay(bank, house, other, 16_00, "2026-01-15")
    assert measured(bank.actor("auditor")) == {
        Means.NEGOTIATION: Brought(1, 900_00, 1, 1_00),
        Means.REPAYMENT_PLAN: Brought(1, 900_00, 1, 6_00),
        Means.NONE: Brought(0, 0, 2, 24_00),
    }


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


def test_an_agency_sees_itself_alone_and_the_bank_everybody(bank, house, rival, time):
    for worker in (house, rival):
        (loan,) = working.loans(bank, worker, 100_00)
        contact(worker, loan, "notice", "2026-01-10")
        promise(worker, loan, 10_00, "2026-01-12", logged="2026-01-10")
        pay(bank, worker, loan, 10_00, "2026-01-12")
    both = {house.agency.pk, rival.agency.pk}
    for actor, expected in (
        (bank.actor("vendor_manager"), both),
        (house.actor(), {house.agency.pk}),
        (rival.actor(), {rival.agency.pk}),
    ):
        assert {cell.agency_id for cell in seen(actor, means.brought)} == expected
        assert set(seen(actor, keeping.kept)) == expected
        assert set(seen(actor, coverage.covered)) == expected
        assert seen(actor, lambda field: set(field.agencies)) == expected
    with scope(world.make_bank().actor("auditor")) as stranger:
        assert observed_work(stranger) == []


def test_currencies_portfolios_and_banks_are_apart(bank, house, time):
    (dollars,) = working.loans(bank, house, 100_00)
    (more,) = working.loans(bank, house, 200_00)
    (euros,) = working.loans(bank, house, 400_00, currency="EUR")
    other = world.make_bank("Zebra Bank")
    world.join_panel(other, house)
    (foreign,) = working.loans(other, house, 800_00)
    for loan in (dollars, more, euros, foreign):
        contact(house, loan, "notice", "2026-01-10")
    with scope(house.actor()) as actor:
        fields = observed_work(actor)
        sums = [sum(means.brought(field).values(), Brought()).tried_minor for field in fields]
        assert [(field.currency, field.portfolios) for field in fields] == [
            ("EUR", {}),
            ("USD", {}),
            ("USD", {}),
        ]
        assert sums == [400_00, 300_00, 800_00]
    with scope(bank.actor("auditor")) as actor:
        _euros, field = observed_work(actor)
        assert set(field.portfolios) == {dollars.portfolio_id, more.portfolio_id}
        (one,) = means.brought(field.within(more.portfolio_id)).values()
        assert one.tried_minor == 200_00
        assert means.brought(field.within(foreign.portfolio_id)) == {}


QUERY = """query($currency: String!, $portfolio: ID) {
    successByMeans(currency: $currency, portfolioId: $portfolio) {
        currency asOf
        whole { agencyName
            means { means triedCount triedMinor paidCount recoveredMinor ratePpm }
            keeping { keptCount brokenCount planCount keptPpm }
            coverage { loanCount longestDays leaning } }
        agencies { agencyName means { means recoveredMinor }
            stages { means lowerDays upperDays recoveredMinor } }
    }
}"""


def test_every_measure_of_a_contact_is_a_means():
    assert set(Contact.Measure.values) == set(Means.values) - {Means.REPAYMENT_PLAN, Means.NONE}
    labels = {one.value: one.label for one in Means}
    assert all(labels[measure.value] == measure.label for measure in Contact.Measure)


def test_it_is_asked_over_graphql(bank, house, rival, time):
    for worker in (house, rival):
        (loan,) = working.loans(bank, worker, 100_00)
        contact(worker, loan, "visit", "2026-01-10")
        promise(worker, loan, 10_00, "2026-01-12", logged="2026-01-10")
        pay(bank, worker, loan, 10_00, "2026-01-12")
    time.set(at(TODAY))
    one = {"means": "VISIT", "recoveredMinor": 10_00}
    own = over_http.ask(over_http.machine(rival), QUERY, currency="USD")["successByMeans"]
    assert own == {
        "currency": "USD",
        "asOf": TODAY,
        "whole": {
            "agencyName": None,
            "means": [
                one | {"triedCount": 1, "triedMinor": 100_00, "paidCount": 1, "ratePpm": 100_000}
            ],
            "keeping": {"keptCount": 1, "brokenCount": 0, "planCount": 0, "keptPpm": 1_000_000},
            "coverage": {"loanCount": 1, "longestDays": 51, "leaning": "TOO_FEW"},
        },
        "agencies": [
            {
                "agencyName": "Rival Recoveries",
                "means": [one],
                "stages": [one | {"lowerDays": 180, "upperDays": 365}],
            }
        ],
    }
    auditor = over_http.person(bank, "auditor")
    found = over_http.ask(auditor, QUERY, currency="USD")["successByMeans"]
    assert found["whole"]["means"][0]["recoveredMinor"] == 20_00
    assert [row["agencyName"] for row in found["agencies"]] == sorted(
        [house.agency.name, "Rival Recoveries"]
    )
    assert over_http.ask(auditor, QUERY, currency="EUR") == {"successByMeans": None}
    with scope(bank.actor("auditor")):
        portfolio = Promise.objects.filter(agency=house.agency).get().loan.portfolio_id
    narrowed = over_http.ask(auditor, QUERY, currency="USD", portfolio=portfolio)["successByMeans"]
    assert [row["agencyName"] for row in narrowed["agencies"]] == [house.agency.name]
