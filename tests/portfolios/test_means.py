"""What each measure brought, and who may see it."""

import datetime

import pytest

from agencies.scope import scope
from portfolios.models import Contact, Promise
from portfolios.selectors import coverage, keeping, means, observed_work
from portfolios.selectors.means import Brought, Means
from tests import world
from tests.portfolios import over_http, working
from tests.portfolios.working import at, contact, pay, promise, seen

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
