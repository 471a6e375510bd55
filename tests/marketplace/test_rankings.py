"""Rankings: figures by hand, every spell counted once, and nobody shown a rival."""

import datetime
import json

import numpy as np
import pytest

from agencies.models import AuditEntry
from agencies.scope import scope
from agencies.services import panel
from config import errors
from marketplace import scoring, tasks
from marketplace.models import Ranking, RankingRow
from marketplace.selectors import shown_ranking
from marketplace.services import rankings
from portfolios.models import Loan
from portfolios.services import complaints, placements
from tests import world
from tests.portfolios import over_http

pytestmark = pytest.mark.django_db

NOON = datetime.datetime(2026, 3, 2, 17, tzinfo=datetime.UTC)
NAMES = ("Alder", "Birch", "Cedar", "Damson", "Elm")


def loans_of(bank, portfolio):
    with scope(bank.actor("auditor")):
        return list(Loan.objects.filter(portfolio=portfolio).order_by("reference"))


def place(bank, house, *balances_minor, currency="USD"):
    portfolio = world.make_portfolio(bank, balances_minor=list(balances_minor), currency=currency)
    placement = world.place(bank, house, portfolio)
    return loans_of(bank, portfolio), placement, portfolio


def complain(bank, loan, *, outcome=None, is_agency_at_fault=False):
    with scope(bank.actor("compliance_officer")) as actor:
        opened = complaints.open(
            actor=actor,
            loan_reference=loan.reference,
            category="frequency",
            severity="low",
            happened_on=NOON.date(),
            account="Six calls in one day",
            summary="How often did you ring?",
        )
        if outcome:
            complaints.decide(
                actor=actor,
                complaint_id=opened.pk,
                outcome=outcome,
                is_agency_at_fault=is_agency_at_fault,
                reason="As the log shows",
            )


@pytest.fixture
def bank(clock):
    clock.set(NOON)
    return world.make_bank("Hudson Bank")


@pytest.fixture
def houses(bank):
    """Five agencies with loans in dollars; what is not to count is there too."""
    made = {name: world.make_agency(f"{name} Recoveries") for name in NAMES}
    for house in made.values():
        world.join_panel(bank, house)

    (one, two), _placement, _portfolio = place(bank, made["Alder"], 1000_00, 1000_00)
    paid = world.recover(bank, made["Alder"], one, 500_00)
    world.reverse(bank, paid, 100_00)
    unproven = world.recover(bank, made["Alder"], two, 300_00, confirmed=False)
    world.reverse(bank, unproven, 50_00)
    complain(bank, one, outcome="upheld", is_agency_at_fault=True)
    complain(bank, two, outcome="upheld", is_agency_at_fault=False)
    complain(bank, two)

    (loan,), _placement, _portfolio = place(bank, made["Birch"], 1000_00)
    world.recover(bank, made["Birch"], loan, 300_00)
    world.recover(bank, made["Birch"], loan, 33_33)
    (loan,), _placement, _portfolio = place(bank, made["Cedar"], 300_00)
    world.recover(bank, made["Cedar"], loan, 100_00)
    place(bank, made["Cedar"], 700_00, currency="EUR")

    (loan,), placement, portfolio = place(bank, made["Elm"], 500_00)
    world.recover(bank, made["Elm"], loan, 250_00)
    with scope(bank.actor("vendor_manager")) as actor:
        placements.recall(actor=actor, placement_id=placement.pk, reason="Term over")
    world.place(bank, made["Damson"], portfolio)
    return made


def compute(bank, currency="USD"):
    with scope(bank.actor("vendor_manager")) as actor:
        return rankings.compute(actor=actor, currency=currency)


def test_every_spell_counts_with_its_confirmed_net_recovery(bank, houses):
    compute(bank)
    with scope(bank.actor("auditor")) as actor:
        shown = shown_ranking(actor, currency="USD")
    assert shown.computed_at == NOON
    # 1,083.33 of 4,300.00: Elm's loan was placed twice and counts in both spells.
    assert shown.pooled_rate_ppm == 251_937
    assert [
        (
            row.position,
            row.agency_name.split()[0],
            row.loans,
            row.placed_minor,
            row.recovered_minor,
            row.rate_ppm,
            row.complaints_received,
            row.complaints_upheld,
        )
        for row in shown.rows
    ] == [
        (1, "Elm", 1, 500_00, 250_00, 500_000, 0, 0),
        (2, "Cedar", 1, 300_00, 100_00, 333_333, 0, 0),
        (3, "Birch", 1, 1000_00, 333_33, 333_330, 0, 0),
        (4, "Alder", 2, 2000_00, 400_00, 200_000, 3, 1),
        (5, "Damson", 1, 500_00, 0, 0, 0, 0),
    ]
    assert {(row.low_ppm, row.high_ppm, row.is_distinguishable) for row in shown.rows} == {
        (None, None, None)
    }
    assert [point["rate_ppm"] for point in shown.field] == [500_000, 333_333, 333_330, 200_000, 0]


def test_another_currency_is_another_ranking_and_none_is_refused(bank, houses):
    compute(bank, "EUR")
    with scope(bank.actor("auditor")) as actor:
        (row,) = shown_ranking(actor, currency="EUR").rows
        assert (row.agency_name, row.placed_minor, row.rate_ppm) == (
            "Cedar Recoveries",
            700_00,
            0,
        )
        assert shown_ranking(actor, currency="USD") is None
    with pytest.raises(errors.InvalidState) as refusal:
        compute(bank, "JPY")
    assert refusal.value.code == "NOTHING_PLACED"
    with scope(bank.actor("auditor")):
        assert Ranking.objects.count() == 1


def test_the_same_data_gives_the_same_interval(bank, clock):
    house = world.make_agency()
    world.join_panel(bank, house)
    balances_minor = [100_00 + 1_00 * number for number in range(40)]
    loans, _placement, _portfolio = place(bank, house, *balances_minor)
    recovered_minor = [0] * 40
    by_balance = sorted(loans, key=lambda loan: loan.balance_minor)
    for number in range(0, 40, 4):
        recovered_minor[number] = 50_00 + number
        world.recover(bank, house, by_balance[number], recovered_minor[number])
    first = compute(bank)
    clock.advance(days=1)
    second = compute(bank)
    assert (first.pk, first.computed_at) != (second.pk, second.computed_at)
    assert first.seed == second.seed

    (score,) = scoring.success_rates(
        np.zeros(40, dtype=np.int64),
        np.array(balances_minor),
        np.array(recovered_minor),
        agencies=1,
        seed=first.seed,
    )
    # 501.80 recovered of 4,780.00: 10 × 50.00 and 0.00 + 0.04 + … + 0.36.
    assert (score.recovered_minor, score.placed_minor) == (501_80, 4780_00)
    with scope(bank.actor("auditor")):
        stored = RankingRow.objects.values_list("rate_ppm", "low_ppm", "high_ppm").distinct()
        assert list(stored) == [(104_979, score.low_ppm, score.high_ppm)]
    assert 0 < score.low_ppm < 104_979 < score.high_ppm


QUERY = """query($currency: String!) { ranking(currency: $currency) {
    institutionName pooledRatePpm rows { agencyId agencyName position loans placedMinor
    recoveredMinor ratePpm lowPpm complaintsReceived complaintsUpheld isDistinguishable }
    field { ratePpm lowPpm highPpm loans } } }"""


def test_an_agency_sees_itself_and_a_field_without_names(bank, houses):
    compute(bank)
    for name, house in houses.items():
        answer = over_http.ask(over_http.machine(house), QUERY, currency="USD")["ranking"]
        assert [row["agencyName"] for row in answer["rows"]] == [f"{name} Recoveries"]
        assert len(answer["field"]) == 5
        text = json.dumps(answer)
        for rival, other in houses.items():
            if rival != name:
                assert rival not in text
                assert str(other.agency.pk) not in text
    with scope(houses["Elm"].actor()):
        assert RankingRow.objects.count() == 1  # the database hides the rest as well


def test_in_a_field_of_four_an_agency_is_told_nothing_of_the_others(bank, houses):
    for name in ("Alder", "Birch", "Damson"):
        place(bank, houses[name], 100_00, currency="EUR")
    assert compute(bank, "EUR").field == []
    answer = over_http.ask(over_http.machine(houses["Cedar"]), QUERY, currency="EUR")["ranking"]
    assert answer == {
        "institutionName": "Hudson Bank",
        "pooledRatePpm": None,
        "rows": [
            {
                "agencyId": str(houses["Cedar"].agency.pk),
                "agencyName": "Cedar Recoveries",
                "position": None,
                "loans": 1,
                "placedMinor": 700_00,
                "recoveredMinor": 0,
                "ratePpm": 0,
                "lowPpm": None,
                "complaintsReceived": 0,
                "complaintsUpheld": 0,
                "isDistinguishable": None,
            }
        ],
        "field": [],
    }
    alone = over_http.ask(over_http.machine(houses["Elm"]), QUERY, currency="EUR")["ranking"]
    assert (alone["rows"], alone["field"], alone["pooledRatePpm"]) == ([], [], None)

    place(bank, houses["Elm"], 100_00, currency="EUR")
    compute(bank, "EUR")
    fifth = over_http.ask(over_http.machine(houses["Elm"]), QUERY, currency="EUR")["ranking"]
    assert (len(fifth["field"]), fifth["pooledRatePpm"]) == (5, 0)


def test_without_standing_or_on_another_panel_there_is_no_ranking(bank, houses):
    compute(bank)
    stranger = world.make_agency()
    world.join_panel(world.make_bank(), stranger)
    nothing = {"ranking": None}
    assert over_http.ask(over_http.machine(stranger), QUERY, currency="USD") == nothing
    membership = world.join_panel(bank, stranger)
    api = over_http.machine(stranger)
    assert over_http.ask(api, QUERY, currency="USD")["ranking"]["rows"] == []
    with scope(bank.actor("compliance_officer")) as actor:
        panel.suspend(actor=actor, membership_id=membership.pk, reason="Licence has lapsed")
    assert over_http.ask(api, QUERY, currency="USD") == nothing


def test_only_vendor_managers_compute_by_hand_and_it_is_recorded(bank, houses):
    for wrong in (bank.actor("auditor"), houses["Elm"].actor()):
        with scope(wrong) as actor, pytest.raises(errors.NotAllowed):
            rankings.compute(actor=actor, currency="USD")
    manager = over_http.person(bank, "vendor_manager")
    done = over_http.do(
        manager, "rankingCompute", "ranking { pooledRatePpm rows { position } }", currency="USD"
    )
    assert done["errors"] == []
    assert done["ranking"]["pooledRatePpm"] == 251_937
    with scope(bank.actor("auditor")):
        entry = AuditEntry.objects.get(action="ranking.compute")
        assert entry.changes == {"currency": "USD", "agencies": 5, "loans": 6}


def test_the_sweep_ranks_once_on_each_day_of_the_institution(bank, houses, clock):
    other = world.make_bank(time_zone="Asia/Shanghai")
    world.join_panel(other, houses["Elm"])
    place(other, houses["Elm"], 100_00)

    def counts():
        found = []
        for each in (bank, other):
            with scope(each.actor("auditor")):
                found.append(Ranking.objects.count())
        return found

    tasks.compute_rankings()
    assert counts() == [2, 1]  # dollars and euros; one currency at the other
    tasks.compute_rankings()
    assert counts() == [2, 1]
    clock.advance(hours=13)  # 06:00 UTC: the next day in New York, the same in Shanghai
    tasks.compute_rankings()
    assert counts() == [4, 1]
    clock.advance(hours=12)
    tasks.compute_rankings()
    assert counts() == [4, 2]
